# What is no job of a cluster. Included last, since it looks at every rule.
# Steps in the workflow's own environment take seconds, or the network, and run where Snakemake does;
# but for the two that every fit has, which profiles/slurm sends along with their fit.
SENT_WITH_FITS = ["outliers", "classification"]
workflow.localrules(
    *(
        each.name
        for each in workflow.rules
        if "{params.environment:q}" not in (each.shellcmd or "") and each.name not in SENT_WITH_FITS
    )
)
