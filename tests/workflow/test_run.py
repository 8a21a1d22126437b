"""The real workflow, small: it makes all, then nothing, then exactly what an edit touches."""

import contextlib
import json
import re

import pandas as pd
import pytest

from tests.workflow.conftest import OVERLAY
from workflow.samples import judgements, sample_files

OUTPUTS = (
    "records/all.csv",
    "tables/table1.csv",
    "tables/table1_layers.csv",
    "tables/table1.md",
    "tables/table1.tex",
    "tables/table2.csv",
    "tables/table2_grid.csv",
    "tables/table2_effects.csv",
    "tables/table2.md",
    "tables/table2.tex",
    "tables/table3.csv",
    "tables/table3_classes.csv",
    "tables/table3.md",
    "tables/table3.tex",
    "tables/table4.csv",
    "tables/table4.md",
    "tables/table4.tex",
    "tables/table5.md",
    "tables/table6.md",
    "figures/figure10.svg",
    "figures/figure10.png",
    "figures/figure10.csv",
    "figures/table2_grid.svg",
    "figures/table2_grid.png",
    "figures/table2_grid.csv",
    "figures/figure4.svg",
    "figures/figure4.png",
    "figures/figure4.csv",
    "figures/figure4_ends.csv",
    "figures/figure6.svg",
    "figures/figure6.png",
    "figures/semantics.svg",
    "figures/semantics.png",
    "figures/samples_mnist.png",
    "figures/figure8.svg",
    "figures/figure8.png",
    "figures/figure8.csv",
    "figures/figure12.svg",
    "figures/figure12.png",
    "figures/figure14.png",
    "figures/diagram_A.svg",
    "figures/diagram_B-class.png",
    "figures/competitors.svg",
    "figures/competitors.png",
    "figures/critical_difference.png",
    "tables/claims.csv",
    "tables/claims.md",
    "tables/comparison.csv",
    "tables/comparison.md",
    "figures/comparison.png",
    "tables/statistics.md",
    "tables/selection.md",
    "tables/efficiency.md",
    "tables/efficiency.tex",
)
# They follow whatever any table says, so that plans are compared without them.
SUMMARIES = {
    "complete",
    "claims",
    "comparison",
    "comparison_figure",
    "statistics",
    "selection",
    "efficiency",
}
DCGMM, GAUSSIAN, PDSPN = 3, 1, 4  # fits
FITS = DCGMM + GAUSSIAN + PDSPN  # of outlier tests
TABLES = {"records": 3, "table1": 1, "table2": 1, "table2_grid": 1, "figure10": 1, "all": 1}
FIGURE12 = {"samples": 1, "semantics": 1}  # of DCGMM alone
FIGURE8 = {"figure8_accuracy": 1, "figure8": 1}  # beside which a judge's verdict stands
PICTURES = {"draws": 3, "inpainting": 1, "figure14": 1} | FIGURE8 | FIGURE12
CLASSIFIED = {"classification": 1, "table4": 1}
DRAWS = {"draws": 2, "competitors": 1, "samples": 1}  # of competitors alone: Figure 6
DYNAMICS = {"dynamics": 2, "figure4": 1}  # all layers at once, and layer by layer
JUDGED = {"judgements": 1, "table3": 1}


def sampled(fits, draws=None):
    """What new fits to each class, or new draws from old ones, bring about."""
    drawn = {"class_samples": fits if draws is None else draws}
    rules = drawn | {"fit_classes": fits, "contact_sheets": 1} | JUDGED
    return {rule: number for rule, number in rules.items() if number}


def work(project, **how):
    """The plan, but for the summaries."""
    return {rule: number for rule, number in project.plan(**how).items() if rule not in SUMMARIES}


SAMPLED = {"dcgmm": 2, "gaussian": 1, "pdspn": 1}  # A and B; of a competitor the first point


PROBE = """
include: "Snakefile"
import json
Path("targets.json").write_text(json.dumps(list(rules.results.input)))
"""


def test_every_file_that_a_run_makes_is_asked_for_by_name(finished):
    """Else nobody would miss one that is deleted below a finished table."""
    (finished.folder / "probe.smk").write_text(PROBE)
    made = finished.snakemake("-s", "probe.smk", "--summary", "all")
    assert made.returncode == 0, made.stderr
    lines = [line.split("\t") for line in made.stdout.splitlines() if line.startswith("results/")]
    targets = json.loads((finished.folder / "targets.json").read_text())
    assert {line[0] for line in lines} - {*targets} == {"results/tiny/complete.txt"}
    assert len(lines) > 100


def test_fresh_clone_has_jobs(project):
    assert {project.plan()[rule] for rule in SUMMARIES} == {1}
    jobs = work(project)
    made = {"data": 1, "fit": FITS + 1, "outliers": FITS, "table5": 1, "table6": 1}
    made |= {"diagrams": 1, "judge": 1} | DYNAMICS | sampled(sum(SAMPLED.values()))
    both = {"records": 4, "draws": 3 + 2, "samples": 2}
    assert jobs == made | TABLES | DRAWS | PICTURES | CLASSIFIED | both


def test_full_scale_is_planned_whole(project):
    points = {
        "dcgmm": 7 * 2,
        "gaussian": 1,
        "gmm": 2 * 2,
        "ratspn": 3 * 3 * 3,  # binomial leaves are fitted under either scaling
        "pdspn": 4 * 3,
        "dgcspn": 2,
        "vae": 1,
    }
    classified = (2 + len("DEFG")) * 2 * 5  # B by both recipes
    pictured = 2 * (len("ABEF") + 5 * len("CD"))  # of all classes
    pictured += len("AF") * (5 + 4)  # of zeros, and of all classes by more seeds
    pictured += 2 * len(points.keys() - {"dcgmm"})  # of all classes, beside DCGMM-F
    pictured += 5 * len("AB") + 1  # of SVHN's ones, and the VAE of all of it
    others = len("AE") * 9 * 2 * 5  # without another class
    held_out = (points["gmm"] + points["ratspn"] + points["pdspn"]) * 3 * 2  # without a second one
    changed = (2 * len("BC") + 3 * len("DG") + len("BCDG")) * 2 * 3  # one factor, or the epochs
    planned = project.plan(overlay="config/cpu.yaml")
    fits = sum(points.values()) * 2 * 5 + classified + pictured + others + held_out + changed
    assert planned["fit"] == fits
    assert planned["held_out"] == held_out
    assert planned["fit_classes"] == planned["class_samples"] == 2 * (2 * len("ABCDEFG") + 6)
    assert planned["judge"] == planned["judgements"] == 2 * 5
    assert planned["dynamics"] == 2 * len((3, 30)) * 2 * 5
    assert planned["sharpening"] == 2 * len("CD") * 5 + 5, "and of B on SVHN"
    assert planned["inpainting"] == len("AF") * 2 * 5


def test_named_targets(project):
    tables = ("table1", "table2", "table2_grid", "table3", "table4", "table5", "table6")
    figures = ("figure4", "figure8", "figure10", "figure14", "semantics")
    targets = (*tables, *figures, "competitors")
    jobs = project.plan(*targets, "report")
    assert {target: jobs[target] for target in targets} == dict.fromkeys(targets, 1)
    assert project.plan("table1")["fit"] == DCGMM
    assert project.plan("table2")["fit"] == 1 + GAUSSIAN + PDSPN, "of DCGMM, E alone"
    assert project.plan("figure4") == {"data": 1} | DYNAMICS


def test_colour_images_are_made_or_left_out(project):
    (project.folder / "colour.yaml").write_text("colour: {dataset: colour_digits, classes: [3, 4]}")
    jobs = project.plan("figure7", overlay=[OVERLAY, "colour.yaml"])
    assert jobs == {"data": 1, "fit": 4, "draws": 2, "sharpening": 2, "figure7": 1}
    (project.folder / "vae.yaml").write_text("baselines: {vae: null}")
    jobs = project.plan("figure7", overlay=[OVERLAY, "colour.yaml", "vae.yaml"])
    assert jobs == {"data": 1, "fit": 4 + 1, "draws": 2 + 1, "sharpening": 2, "figure7": 1}
    (project.folder / "colour.yaml").write_text("colour: {dataset: null}")
    assert "figure7" not in project.plan(overlay=[OVERLAY, "colour.yaml"])


def test_everything_is_made(finished):
    run = finished.folder / "results/tiny"
    for name in OUTPUTS:
        assert (run / name).stat().st_size > 100, name
    assert not list(run.rglob("*.part"))
    table = pd.read_csv(run / "tables/table1.csv")
    assert table["instance"].tolist() == ["A", "A", "B", "B", "E", "E"]
    assert table[table["instance"] != "B"]["mean"].between(0, 100).all()
    layers = pd.read_csv(run / "tables/table1_layers.csv")
    assert sorted(layers[layers["instance"] == "E"]["layer"].unique()) == [2, 4, 6]


def test_competitors_stand_beside_dcgmm(finished):
    run = finished.folder / "results/tiny"
    table = pd.read_csv(run / "tables/table2.csv").set_index(["title", "protocol"])
    assert table["mean"].between(0, 100).all()
    assert table.loc[("PD-SPN", "paper"), "evidence"] == "bottom_half"
    assert table.loc[("PD-SPN", "paper"), "grid_point"] == "K2-binomial-unit"
    assert table.loc[("PD-SPN", "corrected"), "grid_point"] == "K2-binomial-bytes"
    assert set(table["train_images"]) == {5400, 4521, 500}
    record = json.loads((run / "fit/pdspn/K2-binomial-bytes/mnist/not0/seed0/fit.json").read_text())
    assert record["dataset"]["validation_images"] == 5400 - 4521
    assert record["estimate"].keys() == {"memory_gb"}


def test_a_fit_that_is_too_large_is_a_row(finished):
    run = finished.folder / "results/tiny"
    records = pd.read_csv(run / "records/all.csv", dtype={"layer": "string"})
    large = records[records["grid_point"].str.startswith("K3000")]
    assert large["status"].tolist() == ["refused", "refused"]
    assert large["estimate_memory_gb"].gt(500).all()
    page = (run / "tables/table2.md").read_text("utf-8")
    assert "`K3000-binomial-unit`, `K3000-binomial-bytes`: refused: this fit" in page


def test_a_fit_that_diverges_is_a_row(finished):
    run = finished.folder / "results/tiny"
    records = pd.read_csv(run / "records/table1.csv").set_index("settings.instance")
    assert records["status"].to_dict() == {"A": "ok", "B": "diverged", "E": "ok"}
    assert records.loc["B", "reason"].startswith("DivergenceError: the loss of layer ")
    page = (run / "tables/table1.md").read_text("utf-8")
    assert "0 of 1" in page
    assert "- B, paper: seed 0: diverged, DivergenceError: the loss of layer " in page


def test_a_run_says_what_is_missing_and_a_retry_plans_it(finished):
    (finished.folder / "strict.yaml").write_text("max_failed: 1")
    trainings = FITS + 1 + sum(SAMPLED.values()) + DYNAMICS["dynamics"] + 1
    sentence = f"results/tiny: 4 of {trainings} trainings have no result and are missing from the "
    strict = finished.snakemake(overlay=[OVERLAY, "strict.yaml"])
    assert strict.returncode == 1, "2 diverged, and 1 may; 2 that were refused do not count"
    assert sentence + "tables: 2 diverged, 2 refused" in strict.stdout + strict.stderr
    usual = finished.snakemake()
    assert usual.returncode == 0
    assert sentence in "\n".join(usual.stderr.splitlines()[-15:])
    plan = finished.plan("retry")
    assert (plan["fit"], plan["fit_classes"]) == (1 + 2, 1)
    assert "dynamics" not in plan and "judge" not in plan


def test_both_schemes_of_training_are_measured(finished):
    """A has one layer: to train it alone, or all of its layers at once, is the same."""
    run = finished.folder / "results/tiny"
    table = pd.read_csv(run / "figures/figure4.csv")
    joint, layerwise = (table[table["scheme"] == name] for name in ("joint", "layerwise"))
    assert joint["step"].tolist() == layerwise["step"].tolist() == [30, 60], "of 6000 images"
    assert joint["loss"].tolist() == pytest.approx(layerwise["loss"].tolist(), rel=1e-5)
    assert joint["loss"].is_monotonic_increasing
    ends = pd.read_csv(run / "figures/figure4_ends.csv")
    assert ends["layer"].tolist() == [2]
    assert ends["joint"].tolist() == joint["loss"].tolist()[-1:]


def test_samples_of_every_class_are_judged(finished):
    run = finished.folder / "results/tiny"
    table = pd.read_csv(run / "tables/table3.csv").set_index(["title", "treatment"])
    models = ("DCGMM-A", "DCGMM-B", "PD-SPN", "Gaussian pixels")
    assert table.index.unique("title").tolist() == [*models, judgements.TEST, judgements.MEAN]
    drawn = table[(table["method"] != "control") & (table["point"] != "B-paper")]
    assert set(drawn.loc["DCGMM-A"].index) == {"recipe", "full", "mean"}
    assert set(drawn["images"]) == {2 * 10}, "two classes"
    assert set(drawn["judges"]) == set(drawn["seeds"]) == {1}
    about, arrays = sample_files.read(
        run / "samples/pdspn/K2-binomial-bytes/mnist/seed0/samples.npz"
    )
    assert about["train_images"] < 2 * 500, "of either class 500, less what is held out"
    assert arrays.keys() == {f"{noise}/{label}" for noise in ("full", "mean") for label in (0, 1)}
    assert {images.shape for images in arrays.values()} == {(10, 28, 28, 1)}


def test_a_model_that_cannot_draw_is_a_row_with_the_reason(finished):
    run = finished.folder / "results/tiny"
    table = pd.read_csv(run / "tables/table3.csv").set_index(["title", "treatment"])
    lost = table.loc["DCGMM-B"]
    assert lost.index.tolist() == ["recipe"], "once, where the paper has a number"
    assert lost[["images", "judges", "seeds", "seeds_asked"]].values.tolist() == [[0, 0, 0, 1]]
    assert lost["mean"].isna().all() and lost["paper"].tolist() == [98.7]
    reason = lost["reasons"].iloc[0]
    assert reason.startswith("class 0: DivergenceError: the loss of layer ")
    page = (run / "tables/table3.md").read_text("utf-8")
    assert f"- DCGMM-B (B-paper), the recipe's fraction: {reason}\n" in page
    _, arrays = sample_files.read(run / "samples/dcgmm/B-paper/mnist/seed0/samples.npz")
    assert not arrays


def test_inpainted_images_are_judged(finished):
    table = pd.read_csv(finished.folder / "results/tiny/figures/figure8.csv")
    assert table["title"].unique().tolist() == ["DCGMM-A"]
    assert table[["accuracy", "accuracy_whole"]].stack().between(0, 1).all()
    assert table["accuracy_whole"].nunique() == 1, "of the same images"


def test_controls_bound_what_is_judged(finished):
    """Real images vary as real images do, and a judge says one thing of one image."""
    run = finished.folder / "results/tiny"
    table = pd.read_csv(run / "tables/table3.csv").set_index("title")
    real, mean = table.loc[judgements.TEST], table.loc[judgements.MEAN]
    assert (real["images"], mean["images"]) == (10 * 10, 10 * 10)
    judge = json.loads((run / "judges/mnist/seed0/judge.json").read_text())
    assert judge["status"] == "ok" and judge["accuracy"]["test"] > 0.5, "guessing is 0.1"
    assert real["mean"] == pytest.approx(100 * judge["accuracy"]["test"], abs=15)
    assert real["diversity"] > 0.5 and mean["diversity"] == pytest.approx(0, abs=1e-4)
    classes = pd.read_csv(run / "tables/table3_classes.csv").set_index("title")
    assert set(classes.loc[judgements.MEAN, "accuracy"]) <= {0, 100}


def test_second_run_has_nothing_to_do(finished):
    result = finished.snakemake()
    assert result.returncode == 0
    assert "Nothing to be done" in result.stdout + result.stderr


def test_a_deleted_fit_is_made_again(finished):
    fit = finished.folder / "results/tiny/fit/dcgmm/A-paper/mnist/not0/seed0"
    moved = fit.rename(fit.with_name("moved"))
    try:
        plan = finished.plan()
    finally:
        moved.rename(fit)
    assert (plan["fit"], plan["outliers"]) == (1, 1)


@pytest.mark.parametrize(
    ("target", "name", "text"),
    [("report", "report.html", "figure10"), ("front_page", "index.html", "Does DCGMM-E beat")],
)
def test_report_is_one_file_that_needs_no_network(finished, target, name, text):
    result = finished.snakemake(target)
    assert result.returncode == 0, result.stdout + result.stderr
    page = (finished.folder / "results/tiny" / name).read_text("utf-8")
    assert text in page
    assert not re.search(r'<(script|link|img)[^>]+(src|href)="https?:', page)


@contextlib.contextmanager
def edited(path, addition):
    """The file with something at its end, and as it was again afterwards."""
    before = path.read_bytes()
    path.write_bytes(before + addition.encode())
    try:
        yield
    finally:
        path.write_bytes(before)


NOTHING = (
    "config.yaml",
    "config/cpu.yaml",
    "envs/jax.lock",
    "envs/jax-gpu.lock",
    "envs/tensorflow-gpu.lock",
    "workflow/report/table1.rst",
)


OF_DCGMM = {"fit": DCGMM + 1, "outliers": DCGMM} | TABLES | {"records": 4} | PICTURES | CLASSIFIED
OF_DCGMM |= DYNAMICS | sampled(SAMPLED["dcgmm"])
REDRAWN = {"draws": 3, "inpainting": 1} | FIGURE8 | FIGURE12  # from fits that stay
REJUDGED = {"judge": 1, "all": 1} | JUDGED | FIGURE8
RECAST = DRAWS | {"draws": 1} | sampled(0, draws=1)  # one competitor


def of_method(fits, **changes):
    """What a method's new fits bring about."""
    return {
        rule: number
        for rule, number in ({"fit": fits, "outliers": fits} | TABLES | changes).items()
        if number
    }


@pytest.mark.parametrize(
    ("files", "touched"),
    [
        (NOTHING, {}),
        (("workflow/report/table2.rst", "baselines/ratspn/model.py"), {}),
        (
            ("dcgmm/instances.toml",),
            {"table5": 1, "table6": 1, "diagrams": 1, "all": 1}
            | REDRAWN
            | sampled(0, draws=SAMPLED["dcgmm"]),
        ),
        (
            ("baselines/pdspn/method.toml",),
            {"table2": 1, "table2_grid": 1, "all": 1} | RECAST,
        ),
        (("workflow/samples/judge.py",), REJUDGED),
        (("workflow/training/figure4.py", "workflow/report/figure4.rst"), {"figure4": 1, "all": 1}),
        (
            ("workflow/common/metrics.py",),  # which knows the ranges of all measures, too
            {"outliers": FITS} | TABLES | {"records": 4} | CLASSIFIED,
        ),
        (("dcgmm/layers/gmm.py",), OF_DCGMM),
        (("envs/tensorflow.lock",), OF_DCGMM | {"judge": 1}),
        (
            ("baselines/einet/learning.py",),
            of_method(PDSPN, figure10=0, table1=0, records=2) | RECAST | sampled(1),
        ),
    ],
)
def test_an_edit_reruns_what_it_touches(finished, files, touched):
    with contextlib.ExitStack() as edits:
        for file in files:
            edits.enter_context(edited(finished.folder / file, "\n# edited\n"))
        assert work(finished) == touched


@pytest.mark.parametrize(
    ("lines", "touched"),
    [
        ("seeds: [0, 1]", of_method(FITS + 1, outliers=FITS, records=4, **CLASSIFIED)),
        (
            "dcgmm: {schedules: {tiny: {A: {epochs: 2}}}}",
            of_method(1, records=2, table2=0, table2_grid=0, figure14=0)
            | {"draws": 1, "inpainting": 1}
            | FIGURE8
            | FIGURE12
            | DYNAMICS
            | sampled(1),
        ),
        (
            "dcgmm: {recipes: [paper, released], instances: [A, B, E, G]}",
            of_method(6, outliers=5, figure10=0, records=4, diagrams=1, **CLASSIFIED)
            | sampled(SAMPLED["dcgmm"]),
        ),
        ("limits: {hours: 1}", {}),
        ("protocols: [corrected]", {"records": 2, "table2": 1, "table2_grid": 1, "all": 1}),
        (
            "baselines: {gaussian: false}",
            {"records": 2, "table2": 1, "table2_grid": 1, "all": 1}
            | {"competitors": 1, "samples": 1}
            | sampled(0),
        ),
        ("samples: {images: 11}", {"all": 1} | sampled(0, draws=sum(SAMPLED.values()))),
        ("samples: {schedule: null}", {}),  # the run's own, which is the same
        ("judges: {epochs: 2}", REJUDGED),
        ("judges: {learning_rates: [0.003, 0.002]}", REJUDGED),
        ("judges: {seeds: [0, 1]}", {"judge": 1, "all": 1} | JUDGED),  # the first is as it was
        ("dynamics: {measurements: 3}", {"all": 1} | DYNAMICS),
    ],
)
def test_a_changed_setting_reruns_what_it_changes(finished, lines, touched):
    (finished.folder / "more.yaml").write_text(lines)
    assert work(finished, overlay=["tests/workflow/tiny.yaml", "more.yaml"]) == touched


def test_an_edited_claim_is_judged_anew_and_nothing_else(finished):
    with edited(finished.folder / "workflow/claims/claims.yaml", "\n# edited\n"):
        assert finished.plan() == {"claims": 1, "complete": 1, "all": 1}


def test_a_mistake_in_the_configuration_is_one_sentence(project):
    overlay = project.folder / "wrong.yaml"
    overlay.write_text("datasets: [mnits]\n")
    result = project.snakemake("-n", overlay="wrong.yaml")
    assert result.returncode == 1
    assert "wrong.yaml: datasets[0] is 'mnits'; did you mean 'mnist'?" in result.stderr
    assert "Traceback" not in result.stderr
