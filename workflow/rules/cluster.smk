# Rules that run on the submitting machine instead of the cluster. Included last, since it looks at
# every rule. Steps in the workflow's own environment take seconds, or need the network, and run
# beside Snakemake, except the two steps of every fit, which profiles/slurm sends with the fit.
SENT_WITH_FITS = ["outliers", "classification"]
workflow.localrules(
    *(
        candidate.name
        for candidate in workflow.rules
        if "{params.environment:q}" not in (candidate.shellcmd or "")
        and candidate.name not in SENT_WITH_FITS
    )
)
