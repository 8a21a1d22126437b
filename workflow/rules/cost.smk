# Costs of finished fits, and estimates of those still to run.
rule efficiency:
    # Time, memory and parameters of every fit, on one machine.
    input:
        records=[f"{RUN}/records/{group}.csv" for group in ("all", "table4") if GROUPS[group]],
        samples=(
            [file for dataset in config["datasets"] for file in sample_sets(dataset)]
            if judges() and not FROM_ARCHIVE
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


rule estimate:
    # Time that the run still needs. The program plans the run anew, since a rule cannot see the
    # plan that it is part of.
    input:
        "results/reference/costs.csv",
    log:
        f"{LOG}/estimate.log",
    params:
        config=verbatim(json.dumps(config)),
    message:
        "estimate of the remaining jobs of `all`"
    shell:
        "workflow/run/in_env.sh workflow python -m workflow.cost.estimate"
        " --reference {input:q} --config {params.config:q} 2>&1 | tee {log:q}"
