# What fits cost, and what those to come will.
rule efficiency:
    # What every fit cost, on one machine.
    input:
        records=(
            [f"{RUN}/records/all.csv", f"{RUN}/records/table4.csv"]
            if CLASSIFIERS
            else [f"{RUN}/records/all.csv"]
        ),
        samples=(
            [file for dataset in config["datasets"] for file in sample_sets(dataset)]
            if judges()
            else []
        ),
        step=step_files("cost.efficiency"),
    output:
        report(
            f"{RUN}/tables/efficiency.csv",
            caption="../report/efficiency.rst",
            category="Tables",
            labels={"table": "efficiency", "shows": "seconds, memory, parameters"},
        ),
        f"{RUN}/tables/efficiency.md",
        f"{RUN}/tables/efficiency.sections.json",
        f"{RUN}/tables/efficiency.tex",
    log:
        f"{LOG}/efficiency.log",
    params:
        run=config["run"],
        folder=lambda wildcards, output: Path(output[0]).parent,
    message:
        "efficiency: {params.folder}/efficiency.md"
    shell:
        "workflow/run/in_env.sh workflow python -m workflow.cost.efficiency"
        " --records {input.records:q} --samples {input.samples:q} --run {params.run:q}"
        " --out {params.folder:q} > {log:q} 2>&1"


# What the jobs that are still to run will take. It plans once more, by itself, since a rule cannot
# see the plan that it is part of; planning takes no lock.
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
        "workflow/run/in_env.sh workflow python -m workflow.cost.estimate"
        " --reference {input:q} --run {params.run:q} --configfiles {params.configfiles:q}"
        " 2>&1 | tee {log:q}"
