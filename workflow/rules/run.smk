# What the tables and figures of a run are made of, by name: a deleted file below a finished table
# would not be missed.
from workflow.run import missing


def parts():
    """Every file that this run makes on its way to its tables and figures."""
    return sorted(
        {*fit_parts(), *picture_parts(), *sample_parts(), *dynamics_runs(), *data_parts()}
    )


def fit_parts():
    """The fits behind the tables, and the tables of what was measured of them."""
    used = [group for group in GROUPS if GROUPS[group] and group_fits(group)]
    for group in used:
        yield from with_files(group_fits(group), ["model", "scores.npz", "fit.json"])
    yield from expand(f"{RUN}/records/{{group}}.csv", group=used)


def picture_parts():
    """The fits behind the figures, and what they drew."""
    fits = {*(fit for fits in DRAWN.values() for fit in fits)}
    yield from with_files(fits, ["draws.npz"])
    yield from with_files({*fits, *ALPHABETS}, ["model", "scores.npz", "fit.json"])
    if INPAINTED_BY:
        yield from (f"{INPAINTING_JUDGE}/{name}" for name in ("judge.json", "weights.npz"))
        yield from rules.figure8_accuracy.output


def sample_parts():
    """Of Table III: fits of each class, what they drew, judges and what those say."""
    if judges():
        yield from sample_sets(config["datasets"])
        fits = sample_sets(config["datasets"], pattern=f"{RUN}/fit/{EACH}")
        yield from with_files(fits, ["model", "fit.json"])
        yield from with_files(judges(), ["judge.json", "weights.npz", "judgements.json"])


def data_parts():
    """The images of every dataset that something is fitted to."""
    names = [*config["datasets"], *([COLOUR["dataset"]] if COLOUR["dataset"] else [])]
    return expand(DATA, dataset=names, source=config["source"])


def with_files(folders, names):
    """Files of these names in every folder."""
    return expand("{folder}/{name}", folder=folders, name=names)


rule results:
    # Everything that a run makes, but its pages.
    input:
        parts(),
        rules.table1.output,
        rules.table2.output if METHODS[1:] else [],
        rules.table2_grid.output if METHODS[1:] else [],
        rules.competitors.output if METHODS[1:] else [],
        rules.table4.output if CLASSIFIERS else [],
        rules.outlier_classes.output if GROUPS["outlier_classes"] else [],
        rules.ablations.output if GROUPS["ablations"] else [],
        rules.table5.output,
        rules.table6.output,
        rules.figure10.output if curve_fits() else [],
        generation_figures(),
        rules.figure4.output if dynamics_runs() else [],
        sampling_results(),
        rules.figure7.output if COLOUR["dataset"] else [],
        rules.diagrams.output,
        rules.claims.output,
        rules.comparison.output,
        rules.comparison_figure.output,
        rules.statistics.output,
        rules.selection.output if METHODS[1:] else [],
        rules.efficiency.output,
        rules.bits_per_dimension.output if discrete_fits() else [],


# Whether every training has a result, and those again that have none.
def trainings():
    """The records of all trainings, as products of folders: a list would not fit a command line."""
    products = [
        folders(GROUPS[group], table_fits.classes(group, config), table_fits.seeds(group, config))
        for group in table_fits.WHOLE
    ]
    of_tables = {*missing.record_paths(Path(RUN), products)}
    if judges():
        models = [f"{method}/{point}" for method in METHODS for point in SAMPLED[method]]
        products.append(folders(models, ["each"], config["samples"]["seeds"]))
    pictured = {*ALPHABETS, *(fit for fits in DRAWN.values() for fit in fits)}
    others = [f"{folder}/fit.json" for folder in pictured]
    others += [*dynamics_runs(), *(f"{folder}/judge.json" for folder in judges())]
    others = sorted({*map(Path, others)} - of_tables)
    return [*products, [[str(path.relative_to(RUN)) for path in others]]]


def folders(models, classes, seeds):
    """The records of some fits, a list of choices for each part of their paths."""
    of_seeds = [f"seed{seed}" for seed in seeds]
    return [["fit"], models, config["datasets"], classes, of_seeds, ["fit.json"]]


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
    lost = missing.among(missing.record_paths(Path(RUN), trainings()))
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
