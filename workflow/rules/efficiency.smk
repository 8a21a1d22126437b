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
