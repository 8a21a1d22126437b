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
    # The grids of the competitors as heat maps.
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


rule draws:
    # What one fit draws: new images, and the right half of test images in-painted.
    input:
        fit=f"{FIT}/fit.json",
        model=f"{FIT}/model",
        data=lambda wildcards: DATA.format(dataset=wildcards.dataset, source=config["source"]),
        lock=lambda wildcards: f"envs/{ENVIRONMENTS[wildcards.method]}.lock",
        method=lambda wildcards: method_files(wildcards.method),
        description=lambda wildcards: description(wildcards.method),
        step=sources.of_module("workflow.pictures.draw_images"),
    output:
        f"{FIT}/draws.npz",
    log:
        f"{LOG}/draws/{KEY}.log",
    params:
        environment=lambda wildcards: LAUNCH[wildcards.method],
    message:
        "draws: {wildcards.method} {wildcards.point} on {wildcards.dataset} {wildcards.classes}, seed {wildcards.seed}"
    shell:
        "workflow/run/in_env.sh {params.environment:q} python -m workflow.pictures.draw_images"
        " --fit {input.fit:q} --model {input.model:q} --data {input.data:q} --out {output:q}"
        " > {log:q} 2>&1"


rule competitors:
    # Samples and in-painting of every competitor, side by side.
    input:
        draws=[f"{fit}/draws.npz" for fit in drawn_fits()],
        step=step_files("pictures.competitors"),
    output:
        report(
            f"{RUN}/figures/competitors.svg",
            caption="../report/competitors.rst",
            category="Figures",
            labels={"figure": "competitors", "shows": "samples and in-painting"},
        ),
        f"{RUN}/figures/competitors.png",
    log:
        f"{LOG}/competitors.log",
    params:
        folder=lambda wildcards, output: Path(output[0]).parent,
    message:
        "samples of the competitors: {params.folder}/competitors.png"
    shell:
        "workflow/run/in_env.sh workflow python -m workflow.pictures.competitors"
        " --draws {input.draws:q} --out {params.folder:q} > {log:q} 2>&1"


rule diagrams:
    # Every instance of the run, drawn from its notation.
    input:
        instances="dcgmm/instances.toml",
        step=step_files("training.diagrams"),
    output:
        report(
            expand(f"{RUN}/figures/diagram_{{instance}}.svg", instance=DIAGRAMS),
            caption="../report/diagrams.rst",
            category="Figures",
            labels={"figure": "diagrams", "shows": "architectures"},
        ),
        expand(f"{RUN}/figures/diagram_{{instance}}.png", instance=DIAGRAMS),
    log:
        f"{LOG}/diagrams.log",
    params:
        instances=DIAGRAMS,
        folder=lambda wildcards, output: Path(output[0]).parent,
    message:
        "diagrams: {params.folder}/diagram_*.png"
    shell:
        "workflow/run/in_env.sh workflow python -m workflow.training.diagrams"
        " --instances {params.instances:q} --out {params.folder:q} > {log:q} 2>&1"
