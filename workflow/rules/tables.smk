rule table1:
    # Outlier detection by the instances of DCGMM.
    input:
        records=f"{RUN}/records/table1.csv",
        paper=PAPER,
        step=step_files("outliers.table1"),
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
        schedule=verbatim(config["dcgmm"]["schedule"]),
        folder=lambda wildcards, output: Path(output[0]).parent,
    message:
        "Table I: {params.folder}/table1.md"
    shell:
        "workflow/run/in_env.sh workflow python -m workflow.outliers.table1"
        " --records {input.records:q} --paper {input.paper:q} --run {params.run:q}"
        " --schedule={params.schedule:q} --out {params.folder:q} > {log:q} 2>&1"


rule outlier_classes:
    # Outlier detection with each class in its turn as the outlier.
    input:
        records=f"{RUN}/records/outlier_classes.csv",
        step=step_files("outliers.outlier_classes"),
    output:
        report(
            f"{RUN}/tables/outlier_classes.csv",
            caption="../report/outlier_classes.rst",
            category="Tables",
            labels={"table": "I", "shows": "other outlier classes"},
        ),
        f"{RUN}/tables/outlier_classes.md",
        f"{RUN}/tables/outlier_classes.tex",
    log:
        f"{LOG}/outlier_classes.log",
    params:
        run=config["run"],
        schedule=verbatim(config["dcgmm"]["schedule"]),
        folder=lambda wildcards, output: Path(output[0]).parent,
    message:
        "outlier classes: {params.folder}/outlier_classes.md"
    shell:
        "workflow/run/in_env.sh workflow python -m workflow.outliers.outlier_classes"
        " --records {input.records:q} --run {params.run:q} --schedule={params.schedule:q}"
        " --out {params.folder:q} > {log:q} 2>&1"


rule ablations:
    # Outlier detection by recipes of which one factor is changed at a time.
    input:
        records=f"{RUN}/records/ablations.csv",
        paper=PAPER,
        step=step_files("outliers.ablations"),
    output:
        report(
            f"{RUN}/tables/ablations.csv",
            caption="../report/ablations.rst",
            category="Tables",
            labels={"table": "I", "shows": "one factor at a time"},
        ),
        f"{RUN}/tables/ablations.md",
        f"{RUN}/tables/ablations.tex",
    log:
        f"{LOG}/ablations.log",
    params:
        recipe=config["dcgmm"]["recipes"][0],
        run=config["run"],
        schedule=verbatim(config["dcgmm"]["schedule"]),
        folder=lambda wildcards, output: Path(output[0]).parent,
    message:
        "ablations: {params.folder}/ablations.md"
    shell:
        "workflow/run/in_env.sh workflow python -m workflow.outliers.ablations"
        " --records {input.records:q} --paper {input.paper:q} --recipe {params.recipe:q}"
        " --run {params.run:q} --schedule={params.schedule:q} --out {params.folder:q}"
        " > {log:q} 2>&1"


rule table2:
    # Outlier detection by DCGMM-E and its competitors, under every protocol.
    input:
        records=f"{RUN}/records/table2.csv",
        paper=PAPER,
        methods=[f"baselines/{method}/method.toml" for method in METHODS[1:]],
        step=step_files("outliers.table2"),
    output:
        report(
            f"{RUN}/tables/table2.csv",
            caption="../report/table2.rst",
            category="Tables",
            labels={"table": "II", "shows": "chosen points"},
        ),
        report(
            f"{RUN}/tables/table2_grid.csv",
            caption="../report/table2_grid.rst",
            category="Tables",
            labels={"table": "II", "shows": "every point"},
        ),
        report(
            f"{RUN}/tables/table2_effects.csv",
            caption="../report/table2_effects.rst",
            category="Tables",
            labels={"table": "II", "shows": "what the protocol does"},
        ),
        f"{RUN}/tables/table2.md",
        f"{RUN}/tables/table2.tex",
    log:
        f"{LOG}/table2.log",
    params:
        run=config["run"],
        plan=json.dumps(PLAN),
        folder=lambda wildcards, output: Path(output[0]).parent,
    message:
        "Table II: {params.folder}/table2.md"
    shell:
        "workflow/run/in_env.sh workflow python -m workflow.outliers.table2"
        " --records {input.records:q} --paper {input.paper:q} --run {params.run:q}"
        " --plan {params.plan:q} --out {params.folder:q} > {log:q} 2>&1"


rule table4:
    # Classification by DCGMM with a classifier layer, beside the literature's numbers.
    input:
        records=f"{RUN}/records/table4.csv",
        paper=PAPER,
        step=step_files("training.table4"),
    output:
        report(
            f"{RUN}/tables/table4.csv",
            caption="../report/table4.rst",
            category="Tables",
            labels={"table": "IV", "shows": "classification"},
        ),
        f"{RUN}/tables/table4.md",
        f"{RUN}/tables/table4.tex",
    log:
        f"{LOG}/table4.log",
    params:
        run=config["run"],
        folder=lambda wildcards, output: Path(output[0]).parent,
    message:
        "Table IV: {params.folder}/table4.md"
    shell:
        "workflow/run/in_env.sh workflow python -m workflow.training.table4"
        " --records {input.records:q} --paper {input.paper:q} --run {params.run:q}"
        " --out {params.folder:q} > {log:q} 2>&1"


rule table5:
    # The instances and their parameters.
    input:
        instances="dcgmm/instances.toml",
        step=step_files("training.table5"),
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
        "workflow/run/in_env.sh workflow python -m workflow.training.table5"
        " --out {params.folder:q} > {log:q} 2>&1"


rule table6:
    # Layer types, and the shapes they give.
    input:
        instances="dcgmm/instances.toml",
        step=step_files("training.table6"),
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
        "workflow/run/in_env.sh workflow python -m workflow.training.table6"
        " --out {params.folder:q} > {log:q} 2>&1"
