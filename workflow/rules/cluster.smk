# Rules that run on the submitting machine instead of the cluster. Included last, since it looks at
# every rule. Steps in the workflow's own environment take seconds, or need the network, and run
# beside Snakemake.
workflow.localrules(
    *(
        candidate.name
        for candidate in workflow.rules
        if "{params.environment:q}" not in (candidate.shellcmd or "")
    )
)
