# Training and architectures: Fig. 4, training curves of detection, Tables IV to VI, diagrams.

TRAINING = f"{RUN}/dynamics/{{point}}/{{dataset}}/{{epochs}}-epochs-{{scheme}}/seed{{seed}}.json"


def dynamics_runs():
    """Records of all trainings that Fig. 4 shows; none if the run lacks its instance."""
    settings, main_recipe = config["dynamics"], config["dcgmm"]["recipes"][0]
    if settings["instance"] not in config["dcgmm"]["instances"]:
        return []
    return expand(
        TRAINING,
        point=f"{settings['instance']}-{main_recipe}",
        dataset=[dataset for dataset in config["datasets"] if dataset in settings["datasets"]],
        epochs=settings["epochs"],
        scheme=["joint", "layerwise"],
        seed=settings["seeds"],
    )


rule dynamics:
    # Train a DCGMM, all layers at once or one after the other, and measure its test losses.
    input:
        data=lambda wildcards: DATA.format(dataset=wildcards.dataset, source=config["source"]),
        lock=f"envs/{ENVIRONMENTS['dcgmm']}.lock",
        method=method_files("dcgmm"),
        step=sources.of_module("workflow.training.measure_losses"),
    output:
        TRAINING,
    log:
        f"{LOG}/dynamics/{{point}}/{{dataset}}/{{epochs}}-epochs-{{scheme}}/seed{{seed}}.log",
    benchmark:
        f"{LOG}/dynamics/{{point}}/{{dataset}}/{{epochs}}-epochs-{{scheme}}/seed{{seed}}.jsonl"
    wildcard_constraints:
        epochs="[0-9]+",
        scheme="joint|layerwise",
    priority: LONG_CHAIN
    threads: config["threads"]
    resources:
        gpu=GPU,
        limits=json.dumps(config["limits"]),
    params:
        environment=ENVIRONMENTS["dcgmm"],
        fits=1,
        settings=lambda wildcards: json.dumps(POINTS["dcgmm"][wildcards.point]["settings"]),
        measurements=config["dynamics"]["measurements"],
    message:
        "dynamics: {wildcards.point} on {wildcards.dataset}, {wildcards.epochs} epochs, {wildcards.scheme}, seed {wildcards.seed}"
    shell:
        f"{SUPERVISED}python -m workflow.training.measure_losses"
        " --settings {params.settings:q} --epochs {wildcards.epochs:q}"
        " --scheme {wildcards.scheme:q}"
        " --measurements {params.measurements:q} --data {input.data:q} --seed {wildcards.seed:q}"
        " --out {output:q} > {log:q} 2>&1"


rule figure4:
    # Test losses of every cGMM layer during training.
    input:
        dynamics=dynamics_runs(),
        step=step_files("training.figure4"),
    output:
        report(
            f"{RUN}/figures/figure4.svg",
            caption="../report/figure4.rst",
            category="Figures",
            labels={"figure": "4", "shows": "training dynamics"},
        ),
        f"{RUN}/figures/figure4.png",
        f"{RUN}/figures/figure4.csv",
        f"{RUN}/figures/figure4_ends.csv",
    log:
        f"{LOG}/figure4.log",
    params:
        folder=lambda wildcards, output: Path(output[0]).parent,
    message:
        "Fig. 4: {output[1]}"
    shell:
        "workflow/run/in_env.sh workflow python -m workflow.training.figure4"
        " --dynamics {input.dynamics:q} --out {params.folder:q} > {log:q} 2>&1"


rule detection_curves:
    # Outlier detection and annealing while the fits of Table I train.
    input:
        fits=[f"{fit}/{name}" for fit in detection_fits() for name in ("fit.json", "curve.npz")],
        paper=PAPER,
        schema="workflow/schemas/record.schema.yaml",
        step=step_files("training.detection_curves"),
    output:
        report(
            expand(f"{RUN}/figures/detection_curves_{{dataset}}.svg", dataset=config["datasets"]),
            caption="../report/detection_curves.rst",
            category="Figures",
            labels={"figure": "training curves", "shows": "outlier detection"},
        ),
        expand(f"{RUN}/figures/detection_curves_{{dataset}}.png", dataset=config["datasets"]),
        f"{RUN}/figures/detection_curves.csv",
    log:
        f"{LOG}/detection_curves.log",
    params:
        fits=detection_fits(),
        folder=lambda wildcards, output: Path(output[0]).parent,
    message:
        "training curves of detection: {params.folder}/detection_curves_*.png"
    shell:
        "workflow/run/in_env.sh workflow python -m workflow.training.detection_curves"
        " --fits {params.fits:q} --paper {input.paper:q} --out {params.folder:q} > {log:q} 2>&1"


rule table4:
    # Accuracy of DCGMM with a classifier layer, beside the literature's.
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
        f"{RUN}/tables/table4.sections.json",
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
    # The instances and their numbers of parameters.
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
        f"{RUN}/tables/table5.sections.json",
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
    # Layer types and their output shapes.
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
        f"{RUN}/tables/table6.sections.json",
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


rule diagrams:
    # Diagrams of the run's instances, drawn from their notation.
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
