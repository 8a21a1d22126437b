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
