# What the jobs that are still to run will take. It plans once more, by itself, since a rule cannot
# see the plan that it is part of; planning takes no lock. Snakemake does not run in a forked process
# of workflow/warm, hence the variable.
rule estimate:
    input:
        "results/reference/costs.csv",
    log:
        f"{LOG}/estimate.log",
    params:
        run=config["run"],
        configfiles=verbatim([str(file) for file in workflow.overwrite_configfiles]),
    message:
        "estimate of all that `all` lacks"
    shell:
        "WARM_SERVERS= workflow/run/in_env.sh workflow python -m workflow.cost.estimate"
        " --reference {input:q} --run {params.run:q} --configfiles {params.configfiles:q}"
        " 2>&1 | tee {log:q}"
