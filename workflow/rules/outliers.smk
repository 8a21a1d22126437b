# Outlier detection: Tables I and II, ablations, other outlier classes, the choice of grid points.
rule table1:
    # Outlier detection by DCGMM's instances.
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
        f"{RUN}/tables/table1.sections.json",
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
    # Outlier detection with each class in turn as the outlier.
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
        f"{RUN}/tables/outlier_classes.sections.json",
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
    # Outlier detection by recipes with one factor changed at a time.
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
        f"{RUN}/tables/ablations.sections.json",
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
        f"{RUN}/tables/table2.sections.json",
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


rule figure10:
    # ROC-like curves of outlier detection.
    input:
        fits=[f"{fit}/{name}" for fit in curve_fits() for name in ("fit.json", "scores.npz")],
        schema="workflow/schemas/record.schema.yaml",
        step=step_files("outliers.figure10"),
    output:
        report(
            f"{RUN}/figures/figure10.svg",
            caption="../report/figure10.rst",
            category="Figures",
            labels={"figure": "10", "shows": "outlier curves"},
        ),
        f"{RUN}/figures/figure10.png",
        f"{RUN}/figures/figure10.csv",
    log:
        f"{LOG}/figure10.log",
    params:
        fits=curve_fits(),
        folder=lambda wildcards, output: Path(output[0]).parent,
    message:
        "Fig. 10: {params.folder}/figure10.png"
    shell:
        "workflow/run/in_env.sh workflow python -m workflow.outliers.figure10"
        " --fits {params.fits:q} --out {params.folder:q} > {log:q} 2>&1"


rule table2_grid:
    # Heat maps of the competitors' grids.
    input:
        grid=f"{RUN}/tables/table2_grid.csv",
        step=step_files("outliers.table2_grid"),
    output:
        report(
            f"{RUN}/figures/table2_grid.svg",
            caption="../report/table2_grid.rst",
            category="Figures",
            labels={"figure": "grids of Table II", "shows": "exact AUROC at every point"},
        ),
        f"{RUN}/figures/table2_grid.png",
        f"{RUN}/figures/table2_grid.csv",
    log:
        f"{LOG}/table2_grid.log",
    params:
        folder=lambda wildcards, output: Path(output[0]).parent,
    message:
        "grids of Table II: {params.folder}/table2_grid.png"
    shell:
        "workflow/run/in_env.sh workflow python -m workflow.outliers.table2_grid"
        " --grid {input.grid:q} --out {params.folder:q} > {log:q} 2>&1"


rule selection:
    # Grid points chosen with and without the test images.
    input:
        records=f"{RUN}/records/table2.csv",
        scores=[f"{fit}/scores.npz" for fit in group_fits("table2")],
        held_out=f"{RUN}/records/held_out.csv" if GROUPS["held_out"] else [],
        methods=[f"baselines/{method}/method.toml" for method in METHODS[1:]],
        step=step_files("outliers.selection_table"),
    output:
        report(
            f"{RUN}/tables/selection.csv",
            caption="../report/selection.rst",
            category="Comparison",
            labels={"table": "II", "shows": "choice of grid points"},
        ),
        f"{RUN}/tables/selection.md",
        f"{RUN}/tables/selection.sections.json",
    log:
        f"{LOG}/selection.log",
    params:
        run=config["run"],
        plan=json.dumps(PLAN),
        held_out=["--held-out", f"{RUN}/records/held_out.csv"] if GROUPS["held_out"] else [],
        fits=lambda wildcards, input: Path(input.records).parents[1] / "fit",
        folder=lambda wildcards, output: Path(output[0]).parent,
    message:
        "selection: {params.folder}/selection.md"
    shell:
        "workflow/run/in_env.sh workflow python -m workflow.outliers.selection_table"
        " --records {input.records:q} {params.held_out:q} --plan {params.plan:q}"
        " --fits {params.fits:q}"
        " --run {params.run:q} --out {params.folder:q} > {log:q} 2>&1"
