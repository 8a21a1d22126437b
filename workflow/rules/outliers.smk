# Outlier detection: Tables I and II, ablations, other outlier classes, the choice of grid points,
# and every task by every measure, from a bank of scores.
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


BANK = f"{PUBLISHED}/scores" if FROM_ARCHIVE else f"{RUN}/scores"


def banked(files):
    """Files of the fits whose scores are banked, those not chosen in Table II among them."""
    groups = [group for dataset in config["datasets"] for group in fits_of_tasks(dataset)]
    return sorted(
        {
            f"{RUN}/fit/{point}/{dataset}/{classes}/seed{seed}/{file}"
            for group in groups
            for point in group["points"]
            for dataset in group["datasets"]
            for classes in group["classes"]
            for seed in group["seeds"]
            for file in files(dataset)
        }
    )


def files_of_scores(dataset):
    """Files of a fit that a bank is made of."""
    further = ["further.npz"] if set_files(dataset, further=True) else []
    return ["fit.json", "scores.npz", *further]


if not FROM_ARCHIVE:

    rule score_bank:
        # Scores of Table I's fits and of the points that Table II chooses, with all their test sets.
        input:
            fits=banked(files_of_scores),
            table2=rules.table2.output[0] if GROUPS["table2"] else [],
            data=expand(DATA, dataset=config["datasets"], source=config["source"]),
            sets=[
                *expand(f"{SETS}/test.npz", dataset=config["datasets"], source=config["source"]),
                *(
                    file
                    for name in config["datasets"]
                    for further in (False, True)
                    for file in set_files(name, further)
                ),
            ],
            external=[
                each["scores"]
                for each in config["external"].values()
                if Path(each["scores"]).is_file()
            ],
            step=step_files("outliers.make_score_bank"),
        output:
            directory(f"{RUN}/scores"),
        log:
            f"{LOG}/score_bank.log",
        params:
            root=lambda wildcards, output: Path(output[0]).parent / "fit",
            external=json.dumps(config["external"], sort_keys=True),
            groups=json.dumps(
                [group for name in config["datasets"] for group in fits_of_tasks(name)]
            ),
            table2=lambda wildcards, input: ["--table2", input.table2] if input.table2 else [],
        message:
            "score bank: {output}"
        shell:
            "workflow/run/in_env.sh workflow python -m workflow.outliers.make_score_bank"
            " --root {params.root:q} --groups {params.groups:q} {params.table2:q} --data {input.data:q}"
            " --sets {input.sets:q} --external {params.external:q} --out {output:q} > {log:q} 2>&1"


rule detection:
    # Every task by every measure.
    input:
        bank=BANK,
        tasks="workflow/data/tasks.yaml",
        step=step_files("outliers.detection"),
    output:
        report(
            f"{RUN}/tables/detection.csv",
            caption="../report/detection.rst",
            category="Tables",
            labels={"table": "detection", "shows": "every task"},
        ),
        f"{RUN}/tables/detection.md",
        f"{RUN}/tables/detection.sections.json",
        f"{RUN}/tables/detection.tex",
    log:
        f"{LOG}/detection.log",
    params:
        tasks=json.dumps(config["tasks"], sort_keys=True),
        run=config["run"],
        folder=lambda wildcards, output: Path(output[0]).parent,
    message:
        "detection: {params.folder}/detection.md"
    shell:
        "workflow/run/in_env.sh workflow python -m workflow.outliers.detection"
        " --bank {input.bank:q} --tasks {params.tasks:q} --run {params.run:q}"
        " --out {params.folder:q} > {log:q} 2>&1"


rule multiverse:
    # Which method is ahead under how many of all protocols, and where the paper's own lies.
    input:
        bank=BANK,
        tasks="workflow/data/tasks.yaml",
        step=step_files("outliers.multiverse"),
    output:
        report(
            f"{RUN}/figures/multiverse.svg",
            caption="../report/multiverse.rst",
            category="Figures",
            labels={"figure": "multiverse", "shows": "every protocol"},
        ),
        f"{RUN}/figures/multiverse.png",
        f"{RUN}/figures/multiverse_protocols.csv",
        f"{RUN}/tables/multiverse.csv",
        f"{RUN}/tables/multiverse.md",
        f"{RUN}/tables/multiverse.sections.json",
        f"{RUN}/tables/multiverse.tex",
    log:
        f"{LOG}/multiverse.log",
    params:
        tasks=json.dumps(config["tasks"], sort_keys=True),
        run=config["run"],
        figures=lambda wildcards, output: Path(output[0]).parent,
        tables=lambda wildcards, output: Path(output[3]).parent,
    message:
        "multiverse: {params.figures}/multiverse.png"
    shell:
        "workflow/run/in_env.sh workflow python -m workflow.outliers.multiverse"
        " --bank {input.bank:q} --tasks {params.tasks:q} --run {params.run:q}"
        " --out {params.tables:q} --figures {params.figures:q} > {log:q} 2>&1"
