"""The real workflow, small: it makes all, then nothing, then exactly what an edit touches."""

import contextlib
import itertools
import json
import re
from fnmatch import filter as fnmatch_filter
from fnmatch import fnmatch

import pandas as pd
import pytest

from tests.workflow.conftest import OVERLAY
from workflow.samples import judgements, sample_files

OUTPUTS = (
    "records/all.csv",
    "tables/table1.csv",
    "tables/table1_layers.csv",
    "tables/table1.md",
    "tables/table1.sections.json",
    "tables/table1.tex",
    "tables/table2.csv",
    "tables/table2_grid.csv",
    "tables/table2_effects.csv",
    "tables/table2.md",
    "tables/table2.tex",
    "tables/detection.csv",
    "tables/detection.md",
    "tables/multiverse.csv",
    "figures/multiverse.png",
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
    "figures/detection_curves_mnist.svg",
    "figures/detection_curves_mnist.png",
    "figures/detection_curves.csv",
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
    "tables/claims.sections.json",
    "tables/comparison.csv",
    "tables/comparison.md",
    "figures/comparison.png",
    "tables/statistics.md",
    "tables/selection.md",
    "tables/efficiency.md",
    "tables/efficiency.tex",
)
# They follow whatever any table says, so that plans are compared without them.
SUMMARIES = (
    "tables/claims*", "tables/comparison*", "tables/statistics*", "tables/selection*",
    "tables/efficiency*", "figures/comparison*", "figures/critical_difference*", "complete.txt",
)  # fmt: skip
# What follows from other things, as patterns of files below the results of the run.
CURVES = ["figures/detection_curves*"]
DETECTION = ["scores", "tables/detection.*", "tables/multiverse*", "figures/multiverse*"]
TABLE1 = [
    "records/table1.csv", "records/all.csv", "tables/table1*", "figures/figure10.*", *CURVES,
    *DETECTION,
]  # fmt: skip
TABLE2 = [
    "records/table2.csv", "records/all.csv", "tables/table2*", "figures/table2_grid.*", *DETECTION,
]  # fmt: skip
TABLE4 = ["records/table4.csv", "tables/table4.*"]
TABLE3 = ["judges/mnist/seed0/judgements.json", "tables/table3*"]
SHEET = ["figures/samples_mnist.png"]
FIGURE4 = ["dynamics/*", "figures/figure4*"]
FIGURE6 = ["figures/figure6.*", "figures/competitors.*"]  # of competitors alone
FIGURE8 = ["figures/figure8*"]  # beside which a judge's verdict stands
DRAWN_BY_DCGMM = ["fit/dcgmm/*/draws.npz", "figures/figure12.*", "figures/semantics.*", *FIGURE8]
JUDGED = ["judges/*", *TABLE3, *FIGURE8]
A = "fit/dcgmm/A-paper/mnist/not0/seed0/*"
OF_DCGMM = [
    "fit/dcgmm/*", "dynamics/*", "samples/dcgmm/*", *TABLE1, *TABLE2, *TABLE4, *TABLE3, *SHEET,
    *FIGURE4, *DRAWN_BY_DCGMM, "figures/figure14.*",
]  # fmt: skip
TRAININGS = [
    "fit/dcgmm/A-paper/mnist/not0/seed0", "fit/dcgmm/B-paper/mnist/not0/seed0",
    "fit/dcgmm/E-paper/mnist/not0/seed0", "fit/dcgmm/B-class-paper/mnist/all/seed0",
    "fit/gaussian/default/mnist/not0/seed0", "fit/pdspn/K2-binomial-bytes/mnist/not0/seed0",
    "fit/pdspn/K2-binomial-unit/mnist/not0/seed0",
    "fit/pdspn/K3000-binomial-bytes/mnist/not0/seed0",
    "fit/pdspn/K3000-binomial-unit/mnist/not0/seed0",
    "fit/dcgmm/A-paper/mnist/each/seed0", "fit/dcgmm/B-paper/mnist/each/seed0",
    "fit/gaussian/default/mnist/each/seed0", "fit/pdspn/K2-binomial-bytes/mnist/each/seed0",
]  # fmt: skip


def made(project, *targets, run="tiny", overlay=OVERLAY):
    """Files below the results of a run that are to be made, but for the summaries."""
    files = project.files(*targets, overlay=overlay)
    pending = {file.removeprefix(f"{run}/") for file, now in files.items() if now}
    return {file for file in pending if not any(fnmatch(file, each) for each in SUMMARIES)}


def of_patterns(files, patterns):
    """Those files that patterns name, each of which must name some."""
    named = {pattern: fnmatch_filter([*files], pattern) for pattern in patterns}
    assert all(named.values()), [pattern for pattern in patterns if not named[pattern]]
    return {file for found in named.values() for file in found}


@pytest.fixture(scope="module")
def whole(finished):
    """Every file of the finished run."""
    return {file.removeprefix("tiny/") for file in finished.files()}


PROBE = """
include: "Snakefile"
import json
Path("targets.json").write_text(json.dumps(list(rules.results.input)))
"""


def test_every_file_that_a_run_makes_is_asked_for_by_name(finished, whole):
    """Else nobody would miss one that is deleted below a finished table."""
    (finished.folder / "probe.smk").write_text(PROBE)
    result = finished.ask("-s", "probe.smk", "--summary", "all")
    assert result.returncode == 0, result.stderr
    targets = json.loads((finished.folder / "targets.json").read_text())
    targets = {target.removeprefix("results/").removeprefix("tiny/") for target in targets}
    assert whole - targets == {"complete.txt"}
    assert len(whole) > 100


def test_a_fresh_clone_makes_every_training_and_whatever_is_shown_of_it(project):
    files = {file.removeprefix("tiny/") for file, now in project.files().items() if now}
    assert set(OUTPUTS) <= files
    trained = {file.removesuffix("/fit.json") for file in files if file.endswith("/fit.json")}
    assert trained == set(TRAININGS)
    assert {file for file in files if file.startswith("dynamics/")} == {
        f"dynamics/A-paper/mnist/1-epochs-{scheme}/seed0.json" for scheme in ("joint", "layerwise")
    }
    assert {file.split("/", 2)[1] for file in files if file.startswith("judges/")} == {"mnist"}
    assert "data/mnist-subset.npz" in files


def test_full_scale_is_planned_whole(project):
    files = {file for file in project.files(overlay="config/cpu.yaml") if file.startswith("cpu/")}
    seeds, datasets = range(5), ("mnist", "fashion_mnist")

    def fits(classes, points, seeds=seeds, datasets=datasets):
        for point, dataset, each, seed in itertools.product(points, datasets, classes, seeds):
            yield f"cpu/fit/{point}/{dataset}/{each}/seed{seed}/fit.json"

    dcgmm = [f"dcgmm/{name}-{recipe}" for name in "ABCDEFG" for recipe in ("paper", "released")]
    ratspn = [
        f"ratspn/K{k}-D{d}-R10-{leaf}"
        for k, d in itertools.product((5, 10, 20), (1, 4, 5))
        for leaf in ("normal", "binomial-bytes", "binomial-unit")
    ]
    pdspn = [
        f"pdspn/K{k}-{leaf}"
        for k in (5, 10, 20, 40)
        for leaf in ("normal", "binomial-bytes", "binomial-unit")
    ]
    gmm = [f"gmm/K{k}-{name}" for k in (20, 50) for name in ("diagonal", "full_pca")]
    others = ["gaussian/default", "dgcspn/S16-image", "vae/w0.125"]
    others.append("dgcspn/S16-global-label_weighted")
    wanted = {*fits(["not0"], [*dcgmm, *ratspn, *pdspn, *gmm, *others])}
    classifiers = ["B-class-paper", "B-class-released", *(f"{c}-class-paper" for c in "DEFG")]
    wanted |= {*fits(["all"], [f"dcgmm/{name}" for name in classifiers])}
    wanted |= {*fits([f"not{c}" for c in range(1, 10)], ["dcgmm/A-paper", "dcgmm/E-paper"])}
    wanted |= {*fits([f"not0_{c}" for c in (1, 4, 7)], [*ratspn, *pdspn, *gmm], [0])}
    drawn = ["gmm/K20-diagonal", "ratspn/K10-D4-R10-normal", "pdspn/K40-normal"]
    drawn += ["dgcspn/S16-image", "gaussian/default", "vae/w0.125"]
    wanted |= {*fits(["each"], [*dcgmm, *drawn], [0])}
    wanted |= {*fits(["all"], [*drawn, *(f"dcgmm/{name}-paper" for name in "ABEF")], [0])}
    wanted |= {*fits(["all"], [f"dcgmm/{name}-paper" for name in "CD"])}
    inpainting = [f"dcgmm/{name}-paper" for name in "AF"]
    wanted |= {*fits(["all", "only0"], inpainting, datasets=["mnist"])}
    wanted |= {*fits(["only1"], ["dcgmm/A-svhn-paper", "dcgmm/B-svhn-paper"], datasets=["svhn"])}
    wanted |= {*fits(["all"], ["vae/w0.125"], [0], ["svhn"])}
    planned = {file for file in files if file.endswith("/fit.json")}
    ablated = {file for file in planned if re.search(r"dcgmm/[BCDG]-paper-\w+/.*seed[012]/", file)}
    assert planned - ablated == wanted
    factors = {re.search(r"dcgmm/([BCDG])-paper-(\w+)/", file).groups() for file in ablated}
    assert {name for name, factor in factors if factor == "epochs"} == set("BCDG")
    assert len(ablated) == len(factors) * 2 * 3
    judged = {file for file in files if file.endswith("/judgements.json")}
    assert judged == {f"cpu/judges/{d}/seed{s}/judgements.json" for d in datasets for s in seeds}


def test_named_targets(project):
    fits = [f"fit/dcgmm/{name}-paper/mnist/not0/seed0/fit.json" for name in "ABE"]
    files = made(project, "table1", "figure10")
    assert {file for file in files if file.endswith("/fit.json")} == {*fits}
    assert {"tables/table1.md", "figures/figure10.svg"} <= files
    networks = {f"{fit}/fit.json" for fit in TRAININGS if "/not0/" in fit and "dcgmm" not in fit}
    files = made(project, "table2")
    assert {file for file in files if file.endswith("/fit.json")} == {fits[2], *networks}
    assert made(project, "figure4") == {
        "data/mnist-subset.npz",
        *(f"dynamics/A-paper/mnist/1-epochs-{name}/seed0.json" for name in ("joint", "layerwise")),
        *(f"figures/figure4{name}" for name in (".svg", ".png", ".csv", "_ends.csv")),
    }
    for target in ("table3", "table4", "table5", "table6", "table2_grid", "competitors"):
        files = made(project, target)
        assert {f"tables/{target}.csv", f"figures/{target}.svg"} & files


def test_colour_images_are_made_or_left_out(project):
    fit = "fit/{}/colour_digits/{}/seed0/draws.npz"
    points = ("A-svhn-paper", "B-svhn-paper")
    dcgmm = {fit.format(f"dcgmm/{p}", f"only{c}") for p in points for c in (3, 4)}
    (project.folder / "colour.yaml").write_text("colour: {dataset: colour_digits, classes: [3, 4]}")
    files = made(project, "figure7", overlay=[OVERLAY, "colour.yaml"])
    assert {file for file in files if file.endswith("draws.npz")} == dcgmm
    (project.folder / "vae.yaml").write_text("baselines: {vae: null}")
    files = made(project, "figure7", overlay=[OVERLAY, "colour.yaml", "vae.yaml"])
    drawn = {file for file in files if file.endswith("draws.npz")}
    assert len(drawn - dcgmm) == 1 and "fit/vae/" in str(drawn - dcgmm)
    (project.folder / "colour.yaml").write_text("colour: {dataset: null}")
    assert "figures/figure7.svg" not in made(project, overlay=[OVERLAY, "colour.yaml"])


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
    trainings = len(TRAININGS) + 2 + 1  # of Figure 4, and a judge
    sentence = f"results/tiny: 4 of {trainings} trainings have no result and are missing from the "
    strict = finished.snakemake(overlay=[OVERLAY, "strict.yaml"])
    assert strict.returncode == 1, "2 diverged, and 1 may; 2 that were refused do not count"
    assert sentence + "tables: 2 diverged, 2 refused" in strict.stdout + strict.stderr
    usual = finished.snakemake()
    assert usual.returncode == 0
    assert sentence in "\n".join(usual.stderr.splitlines()[-15:])
    trained = ("/fit.json", "/judge.json")
    again = {file for file in made(finished, "retry") if file.endswith(trained)}
    lost = ("B-paper/mnist/not0", "B-paper/mnist/each")
    large = (f"pdspn/K3000-binomial-{scaling}/mnist/not0" for scaling in ("unit", "bytes"))
    folders = [*(f"dcgmm/{name}" for name in lost), *large]
    assert again == {f"fit/{folder}/seed0/fit.json" for folder in folders}


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
    result = finished.ask("-n")
    assert result.returncode == 0
    assert "Nothing to be done" in result.stdout + result.stderr


def test_a_deleted_fit_is_made_again(finished):
    fit = finished.folder / "results/tiny/fit/dcgmm/A-paper/mnist/not0/seed0"
    moved = fit.rename(fit.with_name("moved"))
    try:
        files = made(finished)
    finally:
        moved.rename(fit)
    remade = [*TABLE1, A, "fit/dcgmm/A-paper/mnist/not0/seed0/draws.npz"]
    assert of_patterns(files, remade) <= files


def test_pages_are_one_file_each_that_needs_no_network(finished):
    result = finished.snakemake("report", "front_page", "explorer")
    assert result.returncode == 0, result.stdout + result.stderr
    for name, text in (
        ("report.html", "figure10"),
        ("index.html", "Does DCGMM-E beat"),
        ("explorer.html", '"dcgmm/A-paper/all/'),
    ):
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


@pytest.mark.parametrize(
    ("files", "touched"),
    [
        (NOTHING, []),
        (("workflow/report/table2.rst", "baselines/ratspn/model.py"), []),
        (
            ("dcgmm/instances.toml",),
            ["tables/table5.*", "tables/table6*", "figures/diagram_*", "samples/dcgmm/*", *TABLE3,
             *SHEET, *DRAWN_BY_DCGMM],
        ),
        (
            ("baselines/pdspn/method.toml",),
            ["tables/table2*", "figures/table2_grid.*", "fit/pdspn/*/draws.npz", "samples/pdspn/*",
             *FIGURE6, *TABLE3, *SHEET, *DETECTION],
        ),
        (("workflow/samples/judge.py",), JUDGED),
        (("workflow/training/figure4.py", "workflow/report/figure4.rst"), ["figures/figure4*"]),
        (
            ("workflow/common/metrics.py",),  # which knows the ranges of all measures, too
            [*TABLE1, *TABLE2, *TABLE4],
        ),
        (("dcgmm/layers/gmm.py",), OF_DCGMM),
        (("envs/tensorflow.lock",), [*OF_DCGMM, "judges/*"]),
        (
            ("baselines/einet/learning.py",),
            ["fit/pdspn/*", "samples/pdspn/*", *TABLE2, *FIGURE6, *TABLE3, *SHEET],
        ),
    ],
)  # fmt: skip
def test_an_edit_remakes_what_it_touches(finished, whole, files, touched):
    with contextlib.ExitStack() as edits:
        for file in files:
            edits.enter_context(edited(finished.folder / file, "\n# edited\n"))
        assert made(finished) == of_patterns(whole, touched)


@pytest.mark.parametrize(
    ("lines", "touched", "new"),
    [
        (
            "seeds: [0, 1]",
            [*TABLE1, *TABLE2, *TABLE4],
            [f"{fit.removesuffix('0')}1/*" for fit in TRAININGS if "/each/" not in fit],
        ),
        (
            "dcgmm: {schedules: {tiny: {A: {epochs: 2}}}}",
            [A, "fit/dcgmm/A-paper/mnist/each/*", "samples/dcgmm/A-paper/*", *TABLE1, *TABLE3,
             *SHEET, *FIGURE4, *FIGURE8, "figures/figure12.*", "figures/semantics.*"],
            [],
        ),
        (
            "dcgmm: {recipes: [paper, released], instances: [A, B, E, G]}",
            ["records/table1.csv", "tables/table1*", *TABLE2, *TABLE4, *TABLE3, *SHEET, *CURVES,
             "figures/diagram_*"],
            ["fit/dcgmm/*-released/*", "fit/dcgmm/G-paper/*", "samples/dcgmm/*-released/*",
             "figures/diagram_G.*"],
        ),
        ("limits: {hours: 1}", [], []),
        (
            "protocols: [corrected]",
            TABLE2,
            [],
        ),
        (
            "baselines: {gaussian: false}",
            [*TABLE2, *FIGURE6, *TABLE3, *SHEET],
            [],
        ),
        ("samples: {images: 11}", ["samples/*", *TABLE3, *SHEET], []),
        ("samples: {schedule: null}", [], []),  # the run's own, which is the same
        ("judges: {epochs: 2}", JUDGED, []),
        ("judges: {learning_rates: [0.003, 0.002]}", JUDGED, []),
        ("judges: {seeds: [0, 1]}", ["tables/table3*"], ["judges/mnist/seed1/*"]),
        ("dynamics: {measurements: 3}", FIGURE4, []),
        (
            "curves: {images: 50}",
            ["fit/dcgmm/*/not0/*", *TABLE1, *TABLE2, *DRAWN_BY_DCGMM, "figures/figure14.*"],
            [],
        ),
    ],
)  # fmt: skip
def test_a_changed_setting_remakes_what_it_changes(finished, whole, lines, touched, new):
    (finished.folder / "more.yaml").write_text(lines)
    files = made(finished, overlay=["tests/workflow/tiny.yaml", "more.yaml"])
    assert files & whole == of_patterns(whole, touched)
    assert files - whole == of_patterns(files - whole, new)


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
