# What is measured of each fit, and the tables of all measurements.
from snakemake.exceptions import WorkflowError


rule outliers:
    # How well one fit tells the class it never saw from those it did.
    input:
        fit=f"{FIT}/fit.json",
        scores=f"{FIT}/scores.npz",
        schema="workflow/schemas/record.schema.yaml",
        step=step_files("outliers.measure_outliers"),
    output:
        f"{FIT}/outliers.json",
    log:
        f"{LOG}/outliers/{KEY}.log",
    message:
        "outliers: {wildcards.method} {wildcards.point} on {wildcards.dataset} {wildcards.classes}, seed {wildcards.seed}"
    shell:
        "workflow/run/in_env.sh workflow python -m workflow.outliers.measure_outliers"
        " --fit {input.fit:q} --scores {input.scores:q} --out {output:q} > {log:q} 2>&1"


rule classification:
    # How many test images one fit assigns to their class.
    input:
        fit=f"{FIT}/fit.json",
        scores=f"{FIT}/scores.npz",
        schema="workflow/schemas/record.schema.yaml",
        step=step_files("training.measure_classification"),
    output:
        f"{FIT}/classification.json",
    log:
        f"{LOG}/classification/{KEY}.log",
    message:
        "classification: {wildcards.point} on {wildcards.dataset}, seed {wildcards.seed}"
    shell:
        "workflow/run/in_env.sh workflow python -m workflow.training.measure_classification"
        " --fit {input.fit:q} --scores {input.scores:q} --out {output:q} > {log:q} 2>&1"


rule held_out:
    # How well one fit tells a class that only the choice of a grid point sees.
    input:
        fit=f"{FIT}/fit.json",
        scores=f"{FIT}/scores.npz",
        schema="workflow/schemas/record.schema.yaml",
        step=step_files("outliers.measure_held_out"),
    output:
        f"{FIT}/held_out.json",
    log:
        f"{LOG}/held_out/{KEY}.log",
    message:
        "held-out class: {wildcards.method} {wildcards.point} on {wildcards.dataset} {wildcards.classes}, seed {wildcards.seed}"
    shell:
        "workflow/run/in_env.sh workflow python -m workflow.outliers.measure_held_out"
        " --fit {input.fit:q} --scores {input.scores:q} --out {output:q} > {log:q} 2>&1"


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
