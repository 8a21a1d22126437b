# Training dynamics (Fig. 4): the losses of all layers over time, and of layer-wise training.

TRAINING = f"{RUN}/dynamics/{{point}}/{{dataset}}/{{epochs}}-epochs-{{scheme}}/seed{{seed}}.json"


def dynamics_runs():
    """Records of all trainings that the figure shows, as far as they run."""
    settings, main_recipe = config["dynamics"], config["dcgmm"]["recipes"][0]
    if settings["instance"] not in config["dcgmm"]["instances"]:
        return []
    return expand(
        TRAINING,
        point=f"{settings['instance']}-{main_recipe}",
        dataset=[dataset for dataset in config["datasets"] if dataset in settings["datasets"]],
        epochs=settings["epochs"],
        scheme=["joint", "layerwise"],
        seed=chosen_seeds("dynamics"),
    )


rule dynamics:
    # One training, all layers at once or one after the other.
    input:
        data=lambda wildcards: DATA.format(dataset=wildcards.dataset, source=config["source"]),
        lock=f"envs/{ENVIRONMENTS['dcgmm']}.lock",
        method=method_files("dcgmm"),
        step=sources.of_module("workflow.training.measure_losses"),
    output:
        TRAINING,
    log:
        f"{LOG}/dynamics/{{point}}/{{dataset}}/{{epochs}}-epochs-{{scheme}}/seed{{seed}}.log",
    wildcard_constraints:
        epochs="[0-9]+",
        scheme="joint|layerwise",
    priority: LONG_CHAIN
    threads: config["threads"]
    resources:
        gpu=1 if config["device"] == "gpu" else 0,
        limits=json.dumps(config["limits"]),
    params:
        environment=ENVIRONMENTS["dcgmm"],
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
        "figure4: {output[1]}"
    shell:
        "workflow/run/in_env.sh workflow python -m workflow.training.figure4"
        " --dynamics {input.dynamics:q} --out {params.folder:q} > {log:q} 2>&1"
