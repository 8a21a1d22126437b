# Whether every training has a result, and those again that have none.
from workflow.run import missing


def trainings():
    """The records of all trainings, as products of folders: a list would not fit a command line."""
    products = [
        folders(GROUPS[group], table_fits.classes(group, config), table_fits.seeds(group, config))
        for group in table_fits.WHOLE
    ]
    of_tables = {*missing.paths(Path(RUN), products)}
    if judges():
        models = [f"{method}/{point}" for method in METHODS for point in SAMPLED[method]]
        products.append(folders(models, ["each"], DRAWN_SEEDS))
    others = [f"{folder}/fit.json" for folder in pictured_fits()]
    others += [*dynamics_runs(), *(f"{folder}/judge.json" for folder in judges())]
    others = sorted({*map(Path, others)} - of_tables)
    return [*products, [[str(path.relative_to(RUN)) for path in others]]]


def folders(models, classes, seeds):
    """The records of some fits, a list of choices for each part of their paths."""
    of_seeds = [f"seed{seed}" for seed in seeds]
    return [["fit"], models, config["datasets"], classes, of_seeds, ["fit.json"]]


def pictured_fits():
    """Folders of the fits behind the figures, of which many are behind the tables, too."""
    shown = [*DRAWN_BY.values(), *SHARPENED_BY.values(), INPAINTED_BY, ALPHABETS]
    return [fit for fits in shown for fit in fits] + (
        dcgmm_in_colour(deep=False) + dcgmm_in_colour(deep=True) + vae_in_colour()
        if COLOUR["dataset"]
        else []
    )


rule complete:
    # Last of all: fails if more trainings than `max_failed` have no result.
    input:
        rules.results.input,
        step=step_files("run.complete"),
    output:
        f"{RUN}/complete.txt",
    log:
        f"{LOG}/complete.log",
    params:
        root=lambda wildcards, output: Path(output[0]).parent,
        trainings=json.dumps(trainings()),
        max_failed=config["max_failed"],
    message:
        "complete: {params.root}"
    shell:
        "workflow/run/in_env.sh workflow python -m workflow.run.complete --root {params.root:q}"
        " --trainings {params.trainings:q} --max-failed {params.max_failed:q} --out {output:q}"
        " > {log:q} 2>&1"


def forced(wildcards):
    """Nothing more to make; but the trainings without a result are forced, as -R does it."""
    lost = missing.among(missing.paths(Path(RUN), trainings()))
    workflow.dag.forcefiles.update(str(each.record) for each in lost)
    return []


rule retry:
    # All results, and those trainings again that have none by now.
    input:
        rules.results.input,
        rules.complete.output,
        forced,


onsuccess:
    if any(job.rule.name == "complete" for job in workflow.dag.jobs):
        print(Path(rules.complete.output[0]).read_text("utf-8"), end="", file=sys.stderr)
