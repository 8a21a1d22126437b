# Samples of every method, class by class, classified by judges trained on real images (Table III).

SAMPLES = f"{RUN}/samples/{{method}}/{{point}}/{{dataset}}/seed{{seed}}/samples.npz"
JUDGE = f"{RUN}/judges/{{dataset}}/seed{{seed}}"
EACH = KEY.format(
    method="{method}", point="{point}", dataset="{dataset}", classes="each", seed="{seed}"
)
SAMPLED = {method: grid.sampled_points(method, config) for method in METHODS}
JUDGING = grid.environment("dcgmm", config)  # the judge is a Keras model, too
INPAINTING_JUDGE = JUDGE.format(dataset="mnist", seed=config["judges"]["seeds"][0])


def sample_sets(dataset, seeds=config["samples"]["seeds"], pattern=SAMPLES):
    """Files of samples, or by another pattern other files of the same fits."""
    return [
        file
        for method in METHODS
        for file in expand(
            pattern,
            method=method,
            point=SAMPLED[method],
            dataset=dataset,
            seed=seeds,
        )
    ]


def judges():
    """Folders of all judges; none if no samples are judged."""
    if FROM_ARCHIVE:
        return [f"{RUN}/{folder}" for folder in contents.judges(Path(PUBLISHED))]
    if not config["samples"]["instances"]:
        return []
    return expand(JUDGE, dataset=config["datasets"], seed=config["judges"]["seeds"])


def sampling_results():
    """All outputs of this file's rules."""
    if not judges():
        return []
    sheets = expand(f"{RUN}/figures/samples_{{dataset}}.png", dataset=config["datasets"])
    return [*rules.table3.output, *sheets]


rule fit_classes:
    # Models of one method, grid point and seed, each fitted to one class alone.
    # A failed fit leaves a record too, so this job fails only if it is killed.
    input:
        data=lambda wildcards: DATA.format(dataset=wildcards.dataset, source=config["source"]),
        lock=lambda wildcards: f"envs/{ENVIRONMENTS[wildcards.method]}.lock",
        method=lambda wildcards: method_files(wildcards.method),
        step=sources.of_module("workflow.fit.fit_classes"),
    output:
        model=directory(f"{RUN}/fit/{EACH}/model"),
        record=f"{RUN}/fit/{EACH}/fit.json",
    log:
        f"{LOG}/fit/{EACH}.log",
    benchmark:
        f"{LOG}/fit/{EACH}.jsonl"
    priority: LONG_CHAIN
    threads: config["threads"]
    resources:
        gpu=GPU,
        limits=json.dumps(config["limits"]),
    params:
        environment=lambda wildcards: LAUNCH[wildcards.method],
        fits=1,
        settings=lambda wildcards: json.dumps(
            SAMPLED[wildcards.method][wildcards.point]["settings"]
        ),
        training=lambda wildcards: json.dumps(
            SAMPLED[wildcards.method][wildcards.point]["training"]
        ),
        device=config["device"],
        classes=config["samples"]["classes"],
        folder=lambda wildcards, output: Path(output.record).parent,
    message:
        "fit of each class: {wildcards.method} {wildcards.point} on {wildcards.dataset}, seed {wildcards.seed}"
    shell:
        f"{SUPERVISED}python -m workflow.fit.fit_classes"
        " --method {wildcards.method:q} --grid-point {wildcards.point:q}"
        " --settings {params.settings:q} --training {params.training:q}"
        " --limits {resources.limits:q} --device {params.device:q} --data {input.data:q}"
        " --classes {params.classes:q} --seed {wildcards.seed:q} --lock {input.lock:q}"
        " --out {params.folder:q} > {log:q} 2>&1"


rule class_samples:
    # Images of every class, drawn under each treatment of the pixels' noise.
    input:
        fit=f"{RUN}/fit/{EACH}/fit.json",
        model=f"{RUN}/fit/{EACH}/model",
        lock=lambda wildcards: f"envs/{ENVIRONMENTS[wildcards.method]}.lock",
        method=lambda wildcards: method_files(wildcards.method),
        description=lambda wildcards: description_file(wildcards.method),
        step=sources.of_module("workflow.samples.draw_classes"),
    output:
        SAMPLES,
    log:
        f"{LOG}/samples/{EACH}.log",
    benchmark:
        f"{LOG}/samples/{EACH}.jsonl"
    priority: LONG_CHAIN
    threads: config["threads"]
    params:
        environment=lambda wildcards: LAUNCH[wildcards.method],
        images=config["samples"]["images"],
    message:
        "samples: {wildcards.method} {wildcards.point} on {wildcards.dataset}, seed {wildcards.seed}"
    shell:
        "workflow/run/in_env.sh {params.environment:q} python -m workflow.samples.draw_classes"
        " --fit {input.fit:q} --model {input.model:q} --images {params.images:q}"
        " --out {output:q} > {log:q} 2>&1"


rule contact_sheets:
    # Contact sheets of the first seed's samples.
    input:
        samples=lambda wildcards: sample_sets(wildcards.dataset, config["samples"]["seeds"][:1]),
        step=step_files("samples.contact_sheets"),
    output:
        report(
            f"{RUN}/figures/samples_{{dataset}}.png",
            caption="../report/class_samples.rst",
            category="Figures",
            labels={"figure": "samples of each class", "shows": "{dataset}"},
        ),
    log:
        f"{LOG}/contact_sheets/{{dataset}}.log",
    message:
        "contact sheets: {output}"
    shell:
        "workflow/run/in_env.sh workflow python -m workflow.samples.contact_sheets"
        " --samples {input.samples:q} --out {output:q} > {log:q} 2>&1"


rule judge:
    # Train the CNN of Table VII on the real images of a dataset.
    input:
        data=lambda wildcards: DATA.format(dataset=wildcards.dataset, source=config["source"]),
        lock=f"envs/{JUDGING}.lock",
        step=sources.of_module("workflow.samples.train_judge"),
    output:
        f"{JUDGE}/judge.json",
        f"{JUDGE}/weights.npz",
    log:
        f"{LOG}/judges/{{dataset}}/seed{{seed}}.log",
    benchmark:
        f"{LOG}/judges/{{dataset}}/seed{{seed}}.jsonl"
    priority: LONG_CHAIN
    threads: config["threads"]
    resources:
        gpu=GPU,
        limits=json.dumps(config["limits"]),
    params:
        environment=JUDGING,
        fits=1,
        epochs=config["judges"]["epochs"],
        rates=config["judges"]["learning_rates"],
        folder=lambda wildcards, output: Path(output[0]).parent,
    message:
        "judge: {wildcards.dataset}, seed {wildcards.seed}"
    shell:
        f"{SUPERVISED}python -m workflow.samples.train_judge"
        " --data {input.data:q} --seed {wildcards.seed:q} --epochs {params.epochs:q}"
        " --learning-rates {params.rates:q} --lock {input.lock:q} --out {params.folder:q}"
        " > {log:q} 2>&1"


rule judgements:
    # Judge all samples of a dataset by one judge.
    input:
        samples=lambda wildcards: sample_sets(wildcards.dataset),
        judge=[f"{JUDGE}/judge.json", f"{JUDGE}/weights.npz"],
        data=lambda wildcards: DATA.format(dataset=wildcards.dataset, source=config["source"]),
        lock=f"envs/{JUDGING}.lock",
        step=sources.of_module("workflow.samples.judge_samples"),
    output:
        f"{JUDGE}/judgements.json",
    log:
        f"{LOG}/judgements/{{dataset}}/seed{{seed}}.log",
    benchmark:
        f"{LOG}/judgements/{{dataset}}/seed{{seed}}.jsonl"
    priority: LONG_CHAIN
    threads: config["threads"]
    params:
        environment=JUDGING,
        folder=lambda wildcards, output: Path(output[0]).parent,
    message:
        "judgements: {wildcards.dataset}, judge {wildcards.seed}"
    shell:
        "workflow/run/in_env.sh {params.environment:q} python -m workflow.samples.judge_samples"
        " --samples {input.samples:q} --judge {params.folder:q} --data {input.data:q}"
        " --out {output:q} > {log:q} 2>&1"


rule table3:
    # Accuracy of the judges on samples, with diversity and nearness to real images.
    input:
        judgements=[f"{folder}/judgements.json" for folder in judges()],
        judges=[f"{folder}/judge.json" for folder in judges()],
        paper=PAPER,
        instances="dcgmm/instances.toml",  # has the note on E
        step=step_files("samples.table3"),
    output:
        report(
            f"{RUN}/tables/table3.csv",
            caption="../report/table3.rst",
            category="Tables",
            labels={"table": "III", "shows": "samples before the judges"},
        ),
        report(
            f"{RUN}/tables/table3_classes.csv",
            caption="../report/table3.rst",
            category="Tables",
            labels={"table": "III", "shows": "every class"},
        ),
        f"{RUN}/tables/table3.md",
        f"{RUN}/tables/table3.sections.json",
        f"{RUN}/tables/table3.tex",
    log:
        f"{LOG}/table3.log",
    params:
        run=config["run"],
        folder=lambda wildcards, output: Path(output[0]).parent,
    message:
        "Table III: {params.folder}/table3.md"
    shell:
        "workflow/run/in_env.sh workflow python -m workflow.samples.table3"
        " --judgements {input.judgements:q} --judges {input.judges:q} --paper {input.paper:q}"
        " --run {params.run:q} --out {params.folder:q} > {log:q} 2>&1"
