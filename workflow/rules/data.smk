rule data:
    # One prepared dataset; downloads stay in the data folder.
    input:
        subset=subset_files,
        table="workflow/data/datasets.tsv",
        step=step_files("data.make_dataset"),
    output:
        DATA,
    log:
        f"{LOG}/data/{{dataset}}-{{source}}.log",
    params:
        folder=verbatim(config["data_dir"]),
    message:
        "data: {wildcards.dataset}, {wildcards.source}"
    shell:
        "workflow/run/in_env.sh workflow python -m workflow.data.make_dataset"
        " --dataset {wildcards.dataset:q} --source {wildcards.source:q}"
        " --data-dir={params.folder:q} --out {output:q} > {log:q} 2>&1"


SETS = "results/data/sets/{dataset}-{source}"  # what fits score beside a dataset's test images


rule test_sets:
    # All sets of one dataset that need no download and no file of the user.
    input:
        data=DATA,
        others=lambda wildcards: expand(
            DATA, dataset=test_sets.other_datasets(wildcards.dataset), source=wildcards.source
        ),
        table="workflow/data/test_sets.tsv",
        step=step_files("data.make_test_sets"),
    output:
        expand(f"{SETS}/{{set}}.npz", set=test_sets.shipped(), allow_missing=True),
    log:
        f"{LOG}/data/{{dataset}}-{{source}}-sets.log",
    params:
        folder=lambda wildcards, output: Path(output[0]).parent,
    message:
        "test sets: {wildcards.dataset}, {wildcards.source}"
    shell:
        "workflow/run/in_env.sh workflow python -m workflow.data.make_test_sets"
        " --data {input.data:q} --others {input.others:q} --out {params.folder:q} > {log:q} 2>&1"


ruleorder: test_sets > further_set


def own_images(wildcards):
    """Folder or file of the user's own set; none of a set of the suite."""
    return config["tasks"].get(wildcards.set, {}).get("outliers")


def own_files(wildcards):
    """Files of the user's own set, as far as there are any."""
    path = Path(own_images(wildcards) or "")
    if path.is_dir() and own_images(wildcards):
        return sorted(str(file) for file in path.glob("*.[pP][nN][gG]"))
    return [str(path)] if path.is_file() else []


rule further_set:
    # A published set or one of the user, which has a reason instead of images if it cannot be had.
    input:
        data=DATA,
        own=own_files,
        tables=[
            "workflow/data/test_sets.tsv",
            "workflow/data/test_set_files.tsv",
            "workflow/data/datasets.tsv",
        ],
        step=step_files("data.make_test_sets"),
    output:
        f"{SETS}/{{set}}.npz",
    log:
        f"{LOG}/data/{{dataset}}-{{source}}-{{set}}.log",
    params:
        data_dir=verbatim(config["data_dir"]),
        folder=lambda wildcards, output: Path(output[0]).parent,
        own=lambda wildcards: ["--path", own_images(wildcards)] if own_images(wildcards) else [],
    message:
        "test set: {wildcards.set} for {wildcards.dataset}, {wildcards.source}"
    shell:
        "workflow/run/in_env.sh workflow python -m workflow.data.make_test_sets"
        " --data {input.data:q} --sets {wildcards.set:q} --data-dir={params.data_dir:q}"
        " {params.own:q} --out {params.folder:q} > {log:q} 2>&1"
