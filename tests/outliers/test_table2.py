"""Table II: which point each protocol chooses, and that nothing is missing without a word."""

import json

import pandas as pd
import pytest

from tests.example_record import competitor, point
from workflow.common import tables
from workflow.fit import tidy
from workflow.outliers import selection, table2, table2_grid

PLAN = {
    "paper": {
        "dcgmm": ["E-paper"],
        "ratspn": ["K5-binomial-unit", "K9-binomial-unit", "K5-normal"],
    },
    "corrected": {
        "dcgmm": ["E-paper"],
        "ratspn": ["K5-binomial-bytes", "K9-binomial-bytes", "K5-normal"],
    },
}


def scores(whole, half, kept_aside, auc100=None):
    """The metrics of a fit; the paper's measure lies lower unless it is given."""
    return {
        ("auroc", "all"): whole,
        ("auc100", "all"): whole - 0.01,
        ("auroc", "bottom_half"): half,
        ("auc100", "bottom_half"): half - 0.01 if auc100 is None else auc100,
        ("validation_log_likelihood", "all"): kept_aside,
    }


def fits():
    """Two seeds of every point but one, which failed by one seed."""
    for seed in (0, 1):
        more = seed / 100
        yield point("E", seed=seed)
        yield competitor(scores(0.7, 0.4 + more, -9), components=5, scaling="unit", seed=seed)
        yield competitor(scores(0.6, 0.3, -8), components=9, scaling="unit", seed=seed)
        yield competitor(scores(0.8 + more, 0.5, -700), components=5, seed=seed)
        nine = competitor(scores(0.9, 0.2, -900), components=9, seed=seed)
        if seed:
            nine |= {"status": "refused", "reason": "about 9.0 hours", "metrics": []}
        yield nine
        yield competitor(scores(0.75, 0.45, 900), components=5, leaf="normal", seed=seed)


def grid_of(records):
    return selection.grid_summary(selection.with_models(tidy.table(records)))


def chosen_of(records=None, plan=PLAN):
    chosen = selection.choose(grid_of(list(records or fits())), plan)
    return chosen.set_index(["protocol", "title", "variant"])


def test_the_paper_chooses_by_the_test_and_we_by_what_was_kept_aside():
    chosen = chosen_of()
    paper = chosen.loc[("paper", "RAT-SPN", "binomial")]
    assert (paper["grid_point"], paper["evidence"]) == ("K5-binomial-unit", "bottom_half")
    assert (paper["metric"], paper["mean"]) == ("auc100", pytest.approx(39.5))
    ours = chosen.loc[("corrected", "RAT-SPN", "binomial")]
    assert ours["grid_point"] == "K5-binomial-bytes", "K9 is better on the test images alone"
    assert (ours["evidence"], ours["metric"], ours["candidates"]) == ("all", "auroc", 2)
    assert (ours["mean"], ours["n"]) == (pytest.approx(80.5), 2)


def test_likelihoods_of_different_leaves_are_not_compared():
    chosen = chosen_of()
    normal = chosen.loc[("corrected", "RAT-SPN", "normal")]
    assert (normal["grid_point"], normal["mean"]) == ("K5-normal", pytest.approx(75.0))


def test_a_single_point_needs_nothing_kept_aside():
    chosen = chosen_of()
    ours = chosen.loc[("corrected", "DCGMM-E", "paper")]
    assert (ours["mean"], ours["candidates"]) == (pytest.approx(70.0), 1)
    records = [*fits(), point("E", recipe="released")]
    plan = {"corrected": {"dcgmm": ["E-paper", "E-released"]}}
    assert len(chosen_of(records, plan)) == 2, "recipes are variants"


def test_points_that_cannot_be_told_apart_are_refused():
    records = [point("E"), point("E", grid_point="E-more")]
    with pytest.raises(ValueError, match="2 grid points but nothing to choose them by"):
        chosen_of(records, {"corrected": {"dcgmm": ["E-paper", "E-more"]}})


def test_effects_compare_the_same_place_of_the_grid():
    grid = grid_of(fits())
    effects = selection.effects(grid, selection.choose(grid, PLAN), PLAN)
    table = effects.set_index(["grid_point", "evidence"])["mean"].round(6).to_dict()
    assert table == {
        ("K5-binomial-bytes", "all"): 80.5,
        ("K5-binomial-bytes", "bottom_half"): 50.0,
        ("K5-binomial-unit", "all"): 70.0,
        ("K5-binomial-unit", "bottom_half"): 40.5,
        ("K5-normal", "all"): 75.0,
        ("K5-normal", "bottom_half"): 45.0,
    }


def test_one_protocol_alone_has_its_effects_too():
    plan = {"paper": PLAN["paper"]}
    grid = grid_of(fits())
    assert selection.effects(grid, selection.choose(grid, plan), plan).empty


def write(folder, records, plan=PLAN):
    """Run both steps in a folder."""
    tables.write_csv(folder / "records.csv", tidy.table(records))
    values = {
        "records": folder / "records.csv", "paper": "results/reference/paper.csv",
        "plan": json.dumps(plan), "run": "demo", "out": folder,
    }  # fmt: skip
    table2.main([word for key, value in values.items() for word in (f"--{key}", str(value))])
    table2_grid.main(["--grid", str(folder / "table2_grid.csv"), "--out", str(folder / "f")])
    return (folder / "table2.md").read_text("utf-8")


def test_steps_write_all_files(tmp_path):
    page = write(tmp_path, list(fits()))
    (line,) = [x for x in page.splitlines() if "K5-binomial-unit (of 2)" in x]
    assert "39.5 ± 0.7 [33.1, 45.9]" in line
    assert "| 91.8 ± 0.7 | −52.3 " in line
    assert "| bottom half |" in line
    assert "MNIST, bottom half" in page and "top half" not in page, "which no fit was scored by"
    assert "**80.5 ± 0.7**" in page
    assert "no result: RAT-SPN, `K9-binomial-bytes`: refused: about 9.0 hours" in page
    table = pd.read_csv(tmp_path / "table2.csv")
    assert table["best"].sum() == 2
    assert r"\textbf{80.5 $\pm$ 0.7}" in (tmp_path / "table2.tex").read_text("utf-8")
    for name in ("svg", "png", "csv"):
        assert (tmp_path / f"f/table2_grid.{name}").stat().st_size > 100


def test_a_run_in_which_all_fits_failed_still_has_a_table(tmp_path):
    failed = {"status": "failed", "reason": "no", "metrics": []}
    page = write(tmp_path, [record | failed for record in fits()])
    assert "0 of 2" in page
    assert "`K5-normal`: failed: no" in page


def test_components_are_sorted_as_numbers():
    names = ["D10-normal", "D4-normal", " ", "D4-binomial"]
    assert sorted(names, key=table2_grid.natural) == [" ", "D4-binomial", "D4-normal", "D10-normal"]


def test_papers_table_is_whole():
    paper = pd.read_csv("results/reference/paper.csv")
    rows = paper[paper["table"] == "II"]
    assert set(rows["row"]) == {"DCGMM-E", "RAT-SPN", "DGCSPN", "PD-SPN"}
    assert len(rows) == 8
