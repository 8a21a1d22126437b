rule fit:
    # One method, one grid point, one seed: trained, saved, and the test images scored.
    # A fit that fails is a record too, so this job fails only if it is killed.
    input:
        data=lambda wildcards: DATA.format(dataset=wildcards.dataset, source=config["source"]),
        lock=lambda wildcards: f"envs/{ENVIRONMENTS[wildcards.method]}.lock",
        method=lambda wildcards: sources.of_package(wildcards.method),
        step=sources.of_module("workflow.steps.fit"),
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
        gpu=1 if config["tensorflow"] == "gpu" else 0,
    params:
        environment=lambda wildcards: ENVIRONMENTS[wildcards.method],
        settings=lambda wildcards: json.dumps(POINTS[wildcards.method][wildcards.point]),
        folder=lambda wildcards, output: Path(output.record).parent,
    message:
        "fit: {wildcards.method} {wildcards.point} on {wildcards.dataset} {wildcards.classes}, seed {wildcards.seed}"
    shell:
        "workflow/steps/in_env.sh {params.environment} python -m workflow.steps.fit"
        " --method {wildcards.method} --grid-point {wildcards.point}"
        " --settings {params.settings:q} --data {input.data}"
        " --classes {wildcards.classes} --seed {wildcards.seed} --lock {input.lock}"
        " --out {params.folder} > {log} 2>&1"
