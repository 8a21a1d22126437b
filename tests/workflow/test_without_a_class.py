"""Fits that only some ask for reach their tables: other classes unseen, other recipes."""

import json

import pandas as pd
import pytest

MORE = "other_outliers: {instances: [A], classes: [1]}\nselection: {held_out: [4]}\n"
CHANGED = "ablations: {instances: [A]}\n"
OVERLAYS = ["tests/workflow/tiny.yaml", "more.yaml"]


def fits(files):
    """The fits among files."""
    return {file.removesuffix("/fit.json") for file in files if file.endswith("/fit.json")}


def test_nothing_is_held_out_unless_it_is_asked_for(project):
    files = project.files()
    assert not {"tiny/tables/outlier_classes.csv", "tiny/records/held_out.csv"} & files.keys()
    (project.folder / "more.yaml").write_text(MORE)
    more = project.files(overlay=OVERLAYS)
    networks = (f"K{k}-binomial-{scaling}" for k in (2, 3000) for scaling in ("unit", "bytes"))
    assert fits(more) - fits(files) == {
        "tiny/fit/dcgmm/A-paper/mnist/not1/seed0",
        *(f"tiny/fit/pdspn/{point}/mnist/not0_4/seed0" for point in networks),
    }
    assert {"tiny/tables/outlier_classes.csv", "tiny/records/held_out.csv"} <= more.keys()


def test_a_table_without_fits_says_what_to_ask_for(project):
    for table, key in (("ablations", "ablations"), ("outlier_classes", "other_outliers")):
        result = project.ask("--dry-run", table)
        assert result.returncode != 0
        said = f"this run has no fits for {table}: request some with {key}.instances"
        assert said in result.stdout + result.stderr


def test_seeds_of_figures_are_their_own(project):
    more = "pictures: {seeds: [0, 1]}\ndynamics: {seeds: [0, 1, 2]}\n"
    (project.folder / "more.yaml").write_text(more)
    files = project.files(overlay=OVERLAYS)
    assert {file for file in files if "/dynamics/" in file} == {
        f"tiny/dynamics/A-paper/mnist/1-epochs-{scheme}/seed{seed}.json"
        for scheme in ("joint", "layerwise")
        for seed in (0, 1, 2)
    }
    drawn = (f"tiny/fit/dcgmm/A-paper/mnist/not0/seed{seed}/draws.npz" for seed in (0, 1))
    assert {*drawn} <= files.keys()


@pytest.fixture(scope="module")
def extended(finished):
    """The finished run, with the tables of all these fits."""
    (finished.folder / "more.yaml").write_text(CHANGED)
    plan = finished.plan("ablations", overlay=OVERLAYS)
    assert plan["fit"] == 1, "batches drawn once; the recipe itself is fitted"
    (finished.folder / "more.yaml").write_text(MORE + CHANGED)
    result = finished.snakemake("outlier_classes", "selection", "ablations", overlay=OVERLAYS)
    assert result.returncode == 0, result.stdout + result.stderr
    return finished


def test_other_classes_have_a_table_and_choose(extended):
    run = extended.folder / "results/tiny"
    table = pd.read_csv(run / "tables/outlier_classes.csv").set_index("outlier")
    usual = pd.read_csv(run / "tables/table1.csv").set_index(["instance", "metric"])
    assert table["mean"].to_dict().keys() == {0, 1} and table["mean"].between(0, 100).all()
    assert table.loc[0, "mean"] == usual.loc[("A", "auroc"), "mean"], "the fits of Table I"
    fit = run / "fit/pdspn/K2-binomial-bytes/mnist/not0_4/seed0"
    record = json.loads((fit / "fit.json").read_text())
    assert record["dataset"]["train_images"] == 500
    rows = pd.read_csv(run / "records/held_out.csv").query("grid_point == 'K2-binomial-bytes'")
    (inliers,), (outliers,) = rows["inliers"].unique(), rows["outliers"].unique()
    assert inliers + outliers == record["dataset"]["validation_images"]
    assert inliers > 5 * outliers > 0, "eight classes, and one"
    assert set(rows["evidence"]) == {"all", "bottom_half", "top_half"}
    page = (run / "tables/selection.md").read_text("utf-8")
    assert "Held out: class 4; seeds 0." in page


def test_one_factor_at_a_time_has_a_table(extended):
    table = pd.read_csv(extended.folder / "results/tiny/tables/ablations.csv")
    exact = table[table["metric"] == "auroc"].set_index("point")
    assert exact.index.tolist() == ["A-paper", "A-paper-shuffle"]
    own, changed = (exact.loc[name] for name in exact.index)
    assert changed["changed"] == "shuffle once, not epoch"
    assert changed["difference"] == pytest.approx(changed["mean"] - own["mean"], abs=1e-3)
