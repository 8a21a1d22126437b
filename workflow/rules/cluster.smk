# Rules that run locally, not as jobs of a cluster. Included last, since it inspects every rule.
# Steps in the workflow's own environment take seconds, or need the network, and run where Snakemake
# does, except the two of every fit, which profiles/slurm sends along with it.
SENT_WITH_FITS = ["outliers", "classification"]
workflow.localrules(
    *(
        candidate.name
        for candidate in workflow.rules
        if "{params.environment:q}" not in (candidate.shellcmd or "")
        and candidate.name not in SENT_WITH_FITS
    )
)
