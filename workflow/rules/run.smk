# The files behind the tables and figures of a run, by name, since Snakemake does not miss a deleted
# file behind a finished table.
from workflow.run import missing


def intermediate_files():
    """List every file that this run makes on the way to its tables and figures."""
    return sorted(
        {
            *fit_files(),
            *picture_files(),
            *sample_files(),
            *dynamics_runs(),
            *data_files(),
            *bank_files(),
        }
    )


def fit_files():
    """Fits behind the tables, and their records."""
    groups = [group for group in GROUPS if GROUPS[group] and group_fits(group)]
    for group in groups:
        yield from with_files(group_fits(group), ["model", "scores.npz", "curve.npz", "fit.json"])
    yield from expand(f"{RUN}/records/{{group}}.csv", group=groups)


def picture_files():
    """Fits behind the figures, and their draws."""
    fits = {*(fit for fits in DRAWN.values() for fit in fits)}
    yield from with_files(fits, ["draws.npz"])
    yield from with_files({*fits, *ALPHABETS}, ["model", "scores.npz", "curve.npz", "fit.json"])
    if INPAINTED_BY:
        yield from (f"{INPAINTING_JUDGE}/{name}" for name in ("judge.json", "weights.npz"))
        yield from rules.figure8_accuracy.output


def sample_files():
    """Files of Table III: fits of each class, their draws, judges and their judgements."""
    if judges():
        yield from sample_sets(config["datasets"])
        fits = sample_sets(config["datasets"], pattern=f"{RUN}/fit/{EACH}")
        yield from with_files(fits, ["model", "fit.json"])
        yield from with_files(judges(), ["judge.json", "weights.npz", "judgements.json"])


def data_files():
    """Prepared images of every dataset that is fitted, and of those that others are scored on."""
    names = [*config["datasets"], *([COLOUR["dataset"]] if COLOUR["dataset"] else [])]
    others = [other for name in config["datasets"] for other in test_sets.other_datasets(name)]
    yield from expand(DATA, dataset=[*names, *others], source=config["source"])
    yield from expand(
        f"{SETS}/{{set}}.npz",
        dataset=config["datasets"],
        source=config["source"],
        set=test_sets.shipped(),
    )


def bank_files():
    """The score bank, and the scores in it that fits do not make themselves."""
    yield from rules.score_bank.output
    for dataset in config["datasets"]:
        yield from set_files(dataset, further=True)
    yield from banked(lambda dataset: ["further.npz"] if set_files(dataset, further=True) else [])


def with_files(folders, names):
    """Expand file names over folders."""
    return expand("{folder}/{name}", folder=folders, name=names)


def made():
    """Everything that a run makes except its pages."""
    return [
        intermediate_files(),
        rules.table1.output,
        rules.table2.output if METHODS[1:] else [],
        rules.table2_grid.output if METHODS[1:] else [],
        rules.competitors.output if METHODS[1:] else [],
        rules.detection.output,
        rules.multiverse.output,
        rules.table4.output if CLASSIFIERS else [],
        rules.outlier_classes.output if GROUPS["outlier_classes"] else [],
        rules.ablations.output if GROUPS["ablations"] else [],
        rules.table5.output,
        rules.table6.output,
        rules.figure10.output if curve_fits() else [],
        generation_figures(),
        rules.figure4.output if dynamics_runs() else [],
        rules.detection_curves.output if detection_fits() else [],
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
    ]


rule results:
    # All results of a run except its pages, or what the published records suffice for.
    input:
        published() if FROM_ARCHIVE else made(),


# Check that every training has a result, and retry those without.
def trainings():
    """Records of all trainings, as products of folders: a list would exceed a command line."""
    products = [
        record_product(
            GROUPS[group], table_fits.classes(group, config), table_fits.seeds(group, config)
        )
        for group in table_fits.WHOLE
    ]
    table_records = {*missing.record_paths(Path(RUN), products)}
    if judges():
        models = [f"{method}/{point}" for method in METHODS for point in SAMPLED[method]]
        products.append(record_product(models, ["each"], config["samples"]["seeds"]))
    picture_fits = {*ALPHABETS, *(fit for fits in DRAWN.values() for fit in fits)}
    other_records = [f"{folder}/fit.json" for folder in picture_fits]
    other_records += [*dynamics_runs(), *(f"{folder}/judge.json" for folder in judges())]
    other_records = sorted({*map(Path, other_records)} - table_records)
    return [*products, [[str(path.relative_to(RUN)) for path in other_records]]]


def record_product(models, classes, seeds):
    """Records of fits, as a list of choices for each part of their paths."""
    seed_folders = [f"seed{seed}" for seed in seeds]
    return [["fit"], models, config["datasets"], classes, seed_folders, ["fit.json"]]


rule complete:
    # Runs last; fails if more trainings than `max_failed` have no result.
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


def force_missing(wildcards):
    """Force the trainings without a result, as -R does; adds no input."""
    missing_records = missing.among(missing.record_paths(Path(RUN), trainings()))
    workflow.dag.forcefiles.update(str(training.record) for training in missing_records)
    return []


rule retry:
    # All results, with the trainings repeated that have none so far.
    input:
        rules.results.input,
        rules.complete.output,
        force_missing,


onsuccess:
    if any(job.rule.name == "complete" for job in workflow.dag.jobs):
        print(Path(rules.complete.output[0]).read_text("utf-8"), end="", file=sys.stderr)
