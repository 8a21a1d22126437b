rule table1:
    # Outlier detection by the instances of DCGMM.
    input:
        records=f"{RUN}/records.csv",
        paper=PAPER,
        step=step_files("table1"),
    output:
        report(
            f"{RUN}/tables/table1.csv",
            caption="../report/table1.rst",
            category="Tables",
            labels={"table": "I", "shows": "top layer"},
        ),
        report(
            f"{RUN}/tables/table1_layers.csv",
            caption="../report/table1.rst",
            category="Tables",
            labels={"table": "I", "shows": "every layer"},
        ),
        f"{RUN}/tables/table1.md",
        f"{RUN}/tables/table1.tex",
    log:
        f"{LOG}/table1.log",
    params:
        run=config["run"],
        schedule=config["dcgmm"]["schedule"],
        folder=lambda wildcards, output: Path(output[0]).parent,
    message:
        "Table I: {params.folder}/table1.md"
    shell:
        "workflow/steps/in_env.sh workflow python -m workflow.steps.table1"
        " --records {input.records} --paper {input.paper} --run {params.run:q}"
        " --schedule {params.schedule:q} --out {params.folder} > {log} 2>&1"


rule table5:
    # The instances and their parameters.
    input:
        instances="dcgmm/instances.toml",
        step=step_files("table5"),
    output:
        report(
            f"{RUN}/tables/table5.csv",
            caption="../report/table5.rst",
            category="Tables",
            labels={"table": "V", "shows": "instances"},
        ),
        f"{RUN}/tables/table5.md",
        f"{RUN}/tables/table5.tex",
    log:
        f"{LOG}/table5.log",
    params:
        folder=lambda wildcards, output: Path(output[0]).parent,
    message:
        "Table V: {params.folder}/table5.md"
    shell:
        "workflow/steps/in_env.sh workflow python -m workflow.steps.table5"
        " --out {params.folder} > {log} 2>&1"


rule table6:
    # Layer types, and the shapes they give.
    input:
        instances="dcgmm/instances.toml",
        step=step_files("table6"),
    output:
        report(
            f"{RUN}/tables/table6.csv",
            caption="../report/table6.rst",
            category="Tables",
            labels={"table": "VI", "shows": "layer types"},
        ),
        report(
            f"{RUN}/tables/table6_geometry.csv",
            caption="../report/table6.rst",
            category="Tables",
            labels={"table": "VI", "shows": "geometry"},
        ),
        f"{RUN}/tables/table6.md",
        f"{RUN}/tables/table6.tex",
    log:
        f"{LOG}/table6.log",
    params:
        folder=lambda wildcards, output: Path(output[0]).parent,
    message:
        "Table VI: {params.folder}/table6.md"
    shell:
        "workflow/steps/in_env.sh workflow python -m workflow.steps.table6"
        " --out {params.folder} > {log} 2>&1"
