# Fits, each with its scores and its record, and all records in one table.
from snakemake.exceptions import WorkflowError


def fit_command(seeds, folders):
    """The shell of a rule that fits by one seed or by several, into a folder each."""
    return (
        f"{SUPERVISED}python -m workflow.fit.fit"
        " --method {wildcards.method:q} --grid-point {wildcards.point:q}"
        " --settings {params.settings:q} --training {params.training:q}"
        " --limits {resources.limits:q} --device {params.device:q} --data {input.data:q}"
        f" --classes {{wildcards.classes:q}} --seed {seeds} --lock {{input.lock:q}}"
        f" --out {folders} > {{log:q}} 2>&1"
    )


rule fit:
    # One method, one grid point, one seed: trained, saved, and the test images scored.
    # A fit that fails, hangs or crashes is a record too, so this job fails only if it is killed.
    # What supervises it is no input, since it shapes no result.
    input:
        data=lambda wildcards: DATA.format(dataset=wildcards.dataset, source=config["source"]),
        lock=lambda wildcards: f"envs/{ENVIRONMENTS[wildcards.method]}.lock",
        method=lambda wildcards: method_files(wildcards.method),
        step=sources.of_module("workflow.fit.fit"),
    output:
        model=directory(f"{FIT}/model"),
        scores=f"{FIT}/scores.npz",
        record=f"{FIT}/fit.json",
    log:
        f"{LOG}/fit/{KEY}.log",
    benchmark:
        f"{LOG}/fit/{KEY}.jsonl"
    threads: config["threads"]
    resources:
        gpu=1 if config["device"] == "gpu" else 0,
        # Not a parameter, since a changed limit must not repeat the fits that kept the old one.
        limits=json.dumps(config["limits"]),
    params:
        environment=lambda wildcards: LAUNCH[wildcards.method],
        settings=lambda wildcards: json.dumps(POINTS[wildcards.method][wildcards.point]["settings"]),
        training=lambda wildcards: json.dumps(POINTS[wildcards.method][wildcards.point]["training"]),
        device=config["device"],
        folder=lambda wildcards, output: Path(output.record).parent,
    message:
        "fit: {wildcards.method} {wildcards.point} on {wildcards.dataset} {wildcards.classes}, seed {wildcards.seed}"
    shell:
        fit_command(seeds="{wildcards.seed:q}", folders="{params.folder:q}")


if config["dcgmm"]["together"]:

    ruleorder: fit_together > fit

    rule fit_together:
        # All seeds of a grid point of DCGMM in one job: on a GPU, five take little longer than one.
        input:
            data=DATA.format(dataset="{dataset}", source=config["source"]),
            lock=f"envs/{grid.environment_together(config)}.lock",
            method=method_files("dcgmm"),
            step=sources.of_module("workflow.fit.fit"),
        output:
            models=directory(each_seed(f"{FIT}/model")),
            scores=each_seed(f"{FIT}/scores.npz"),
            records=each_seed(f"{FIT}/fit.json"),
        log:
            f"{LOG}/fit/{KEY}.log".replace("seed{seed}", "together"),
        benchmark:
            f"{LOG}/fit/{KEY}.jsonl".replace("seed{seed}", "together")
        wildcard_constraints:
            method="dcgmm",
        threads: config["threads"]
        resources:
            gpu=1 if config["device"] == "gpu" else 0,
            limits=json.dumps(config["limits"]),
        params:
            environment=grid.launch_together(config),
            settings=lambda wildcards: json.dumps(POINTS["dcgmm"][wildcards.point]["settings"]),
            training=lambda wildcards: json.dumps(POINTS["dcgmm"][wildcards.point]["training"]),
            device=config["device"],
            seeds=config["seeds"],
            folders=lambda wildcards, output: [str(Path(file).parent) for file in output.records],
        message:
            "fit: {wildcards.method} {wildcards.point} on {wildcards.dataset} {wildcards.classes}, seeds {params.seeds}"
        shell:
            fit_command(seeds="{params.seeds:q}", folders="{params.folders:q}")


# What is measured of each fit, and the tables of all measurements.
def gathered(wildcards):
    """The records of a group's fits."""
    fits = group_fits(wildcards.group)
    if not fits and (key := table_fits.OPTIONAL.get(wildcards.group)):
        raise WorkflowError(f"this run has no fits for {wildcards.group}: ask for some by {key}")
    return [f"{fit}/{table_fits.task(wildcards.group)}.json" for fit in fits]


rule records:
    # All of a table's in one tidy CSV.
    input:
        records=gathered,
        schema="workflow/schemas/record.schema.yaml",
        step=step_files("fit.gather_records"),
    output:
        f"{RUN}/records/{{group}}.csv",
    log:
        f"{LOG}/records-{{group}}.log",
    params:
        root=f"{RUN}/fit",
        points=lambda wildcards: GROUPS[wildcards.group],
        datasets=config["datasets"],
        classes=lambda wildcards: table_fits.classes(wildcards.group, config),
        seeds=lambda wildcards: table_fits.seeds(wildcards.group, config),
        task=lambda wildcards: table_fits.task(wildcards.group),
    message:
        "records: {output}"
    shell:
        "workflow/run/in_env.sh workflow python -m workflow.fit.gather_records"
        " --root {params.root:q} --points {params.points:q} --datasets {params.datasets:q}"
        " --classes {params.classes:q} --seeds {params.seeds:q} --task {params.task:q}"
        " --out {output:q} > {log:q} 2>&1"
