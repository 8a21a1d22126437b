# Fits with their scores and records, and tables of records.
from snakemake.exceptions import WorkflowError

SETS_NEEDED = {dataset: tasks.sets_of(config["tasks"], dataset) for dataset in registry.table()}


def set_files(dataset, further):
    """Test sets that a dataset's tasks need: those that its fits score, or those added since."""
    names = [name for name in SETS_NEEDED[dataset] if further != (name in test_sets.shipped())]
    return expand(f"{SETS}/{{set}}.npz", dataset=dataset, source=config["source"], set=names)


def fits_of_tasks(dataset):
    """Groups of fits whose scores are banked, each a product; of Table II only chosen points."""
    return [
        {
            "points": GROUPS[group],
            "datasets": [dataset],
            "classes": table_fits.classes(group, config),
            "seeds": table_fits.seeds(group, config),
            "chosen": group == "table2",
        }
        for group in ("table1", "table2", table_fits.OUTLIER_CLASSES)
    ]


def fit_command(seeds, folders, options=""):
    """Command that fits with one seed or several, each in its own folder."""
    return (
        f"{SUPERVISED}python -m workflow.fit.fit"
        " --method {wildcards.method:q} --grid-point {wildcards.point:q}"
        " --settings {params.settings:q} --training {params.training:q}"
        " --limits {resources.limits:q} --device {params.device:q} --data {input.data:q}"
        f" --classes {{wildcards.classes:q}} --seed {seeds} --lock {{input.lock:q}}"
        " --sets {input.sets:q} --curve {params.curve:q}"
        f" --out {folders}{options} > {{log:q}} 2>&1"
    )


def training_curve(wildcards):
    """What is measured while a fit of Table I trains; a parameter, so that a change repeats it."""
    model = f"{wildcards.method}/{wildcards.point}"
    measured = wildcards.classes == CLASSES and model in detection_models()
    return json.dumps(config["curves"] if measured else {}, sort_keys=True)


rule fit:
    # Fit one method at one grid point with one seed, save it, and score the test images.
    # A fit that fails, hangs or crashes has a record too, so this job fails only if it is killed.
    # Its supervisor is not an input, since it shapes no result.
    input:
        data=lambda wildcards: DATA.format(dataset=wildcards.dataset, source=config["source"]),
        sets=lambda wildcards: set_files(wildcards.dataset, further=False),
        lock=lambda wildcards: f"envs/{ENVIRONMENTS[wildcards.method]}.lock",
        method=lambda wildcards: method_files(wildcards.method),
        step=sources.of_module("workflow.fit.fit"),
    output:
        model=directory(f"{FIT}/model"),
        scores=f"{FIT}/scores.npz",
        curve=f"{FIT}/curve.npz",
        record=f"{FIT}/fit.json",
    log:
        f"{LOG}/fit/{KEY}.log",
    benchmark:
        f"{LOG}/fit/{KEY}.jsonl"
    threads: config["threads"]
    resources:
        gpu=GPU,
        # Not a parameter: a changed limit must not repeat fits that met the old one.
        limits=json.dumps(config["limits"]),
    params:
        environment=lambda wildcards: LAUNCH[wildcards.method],
        fits=1,
        settings=lambda wildcards: json.dumps(POINTS[wildcards.method][wildcards.point]["settings"]),
        training=lambda wildcards: json.dumps(POINTS[wildcards.method][wildcards.point]["training"]),
        curve=training_curve,
        device=config["device"],
        folder=lambda wildcards, output: Path(output.record).parent,
    message:
        "fit: {wildcards.method} {wildcards.point} on {wildcards.dataset} {wildcards.classes}, seed {wildcards.seed}"
    shell:
        fit_command(seeds="{wildcards.seed:q}", folders="{params.folder:q}")


def datasets_of_all_seeds():
    """Datasets that are fitted with all seeds; colour images may have their own seeds."""
    colour = config["colour"]
    same_seeds = colour["dataset"] and colour["seeds"] == config["seeds"]
    return [*config["datasets"], *([colour["dataset"]] if same_seeds else [])]


if len(config["seeds"]) > 1 and grid.in_one_job(config):

    ruleorder: fit_seeds > fit

    rule fit_seeds:
        # Fit all seeds of a grid point in one job, which starts and compiles once.
        input:
            data=lambda wildcards: DATA.format(dataset=wildcards.dataset, source=config["source"]),
            sets=lambda wildcards: set_files(wildcards.dataset, further=False),
            lock=lambda wildcards: f"envs/{grid.launch_seeds(wildcards.method, config)[0]}.lock",
            method=lambda wildcards: method_files(wildcards.method),
            step=sources.of_module("workflow.fit.fit"),
        output:
            models=directory(each_seed(f"{FIT}/model")),
            scores=each_seed(f"{FIT}/scores.npz"),
            curves=each_seed(f"{FIT}/curve.npz"),
            records=each_seed(f"{FIT}/fit.json"),
        log:
            f"{LOG}/fit/{KEY}.log".replace("seed{seed}", "seeds"),
        benchmark:
            f"{LOG}/fit/{KEY}.jsonl".replace("seed{seed}", "seeds")
        wildcard_constraints:
            method="|".join(grid.in_one_job(config)),
            dataset="|".join(datasets_of_all_seeds()),
        threads: config["threads"]
        resources:
            gpu=GPU,
            limits=json.dumps(config["limits"]),
        params:
            environment=lambda wildcards: grid.launch_seeds(wildcards.method, config),
            fits=len(config["seeds"]),
            settings=lambda wildcards: json.dumps(
                POINTS[wildcards.method][wildcards.point]["settings"]
            ),
            training=lambda wildcards: json.dumps(
                POINTS[wildcards.method][wildcards.point]["training"]
            ),
            curve=training_curve,
            device=config["device"],
            seeds=config["seeds"],
            folders=lambda wildcards, output: [str(Path(file).parent) for file in output.records],
            together=lambda wildcards: (
                "--together" if grid.side_by_side(wildcards.method, config) else []
            ),
        message:
            "fit: {wildcards.method} {wildcards.point} on {wildcards.dataset} {wildcards.classes}, seeds {params.seeds}"
        shell:
            fit_command("{params.seeds:q}", "{params.folders:q}", " {params.together:q}")


rule further_scores:
    # Score the sets that fits do not score by themselves, with all seeds' models of a grid point.
    input:
        fits=each_seed(f"{FIT}/fit.json"),
        models=each_seed(f"{FIT}/model"),
        sets=lambda wildcards: set_files(wildcards.dataset, further=True),
        lock=lambda wildcards: f"envs/{ENVIRONMENTS[wildcards.method]}.lock",
        method=lambda wildcards: method_files(wildcards.method),
        step=sources.of_module("workflow.fit.score_sets"),
    output:
        each_seed(f"{FIT}/further.npz"),
    log:
        f"{LOG}/fit/{KEY}-further.log".replace("seed{seed}", "seeds"),
    threads: config["threads"]
    resources:
        gpu=GPU,
    params:
        environment=lambda wildcards: LAUNCH[wildcards.method],
        folders=lambda wildcards, input: [str(Path(file).parent) for file in input.fits],
        device=config["device"],
    message:
        "further scores: {wildcards.method} {wildcards.point} on {wildcards.dataset} {wildcards.classes}"
    shell:
        "workflow/run/in_env.sh {params.environment:q} python -m workflow.fit.score_sets"
        " --fits {params.folders:q} --sets {input.sets:q} --device {params.device:q}"
        " > {log:q} 2>&1"


# Task -> the program that measures it.
MEASURED_BY = {
    "outliers": "outliers.measure_outliers",
    "held_out": "outliers.measure_held_out",
    "classification": "training.measure_classification",
}


def measured_by(wildcards):
    """Program that writes the records of a group."""
    if FROM_ARCHIVE:
        return "publish.published_records"
    return MEASURED_BY[table_fits.task(wildcards.group)]


def measured_fits(wildcards):
    """Records and scores of a group's fits, or the published records."""
    if FROM_ARCHIVE:
        return f"{PUBLISHED}/records.jsonl"
    fits = group_fits(wildcards.group)
    if not fits and (key := table_fits.OPTIONAL.get(wildcards.group)):
        raise WorkflowError(f"this run has no fits for {wildcards.group}: request some with {key}")
    return expand("{fit}/{file}", fit=fits, file=["fit.json", "scores.npz"])


rule records:
    # Measure the fits of a table, in one tidy CSV.
    input:
        fits=measured_fits,
        schema="workflow/schemas/record.schema.yaml",
        step=lambda wildcards: step_files(measured_by(wildcards)),
    output:
        f"{RUN}/records/{{group}}.csv",
    log:
        f"{LOG}/records-{{group}}.log",
    params:
        program=lambda wildcards: f"workflow.{measured_by(wildcards)}",
        root=PUBLISHED if FROM_ARCHIVE else f"{RUN}/fit",
        points=lambda wildcards: GROUPS[wildcards.group],
        datasets=config["datasets"],
        classes=lambda wildcards: table_fits.classes(wildcards.group, config),
        seeds=lambda wildcards: table_fits.seeds(wildcards.group, config),
        task=lambda wildcards: (
            ["--task", table_fits.task(wildcards.group)] if FROM_ARCHIVE else []
        ),
    message:
        "records: {output}"
    shell:
        "workflow/run/in_env.sh workflow python -m {params.program:q}"
        " --root {params.root:q} --points {params.points:q} --datasets {params.datasets:q}"
        " --classes {params.classes:q} --seeds {params.seeds:q} {params.task:q} --out {output:q}"
        " > {log:q} 2>&1"
