"""Every number beside the paper's: the right one of ours, and the right verdict on it."""

import math

import pandas as pd
import pytest
from scipy import stats

from tests import example_table
from tests.example_record import competitor, point, record
from workflow.common import tables
from workflow.common.intervals import Difference
from workflow.comparison import compare_with_paper as step
from workflow.comparison import paper_cells
from workflow.fit import reductions, tidy
from workflow.outliers import selection, table1, table2
from workflow.training import table5

PAPER = pd.read_csv("results/reference/paper.csv")
PLAN = {
    "paper": {"ratspn": ["K5-normal", "K5-binomial-unit", "K9-binomial-unit"]},
    "corrected": {"ratspn": ["K5-normal", "K5-binomial-bytes", "K9-binomial-bytes"]},
}


def instance_scores(values, exact=0.02):
    """Table I of instance B, whose exact AUROC lies above the paper's measure."""
    metrics = [
        [
            {"metric": name, "evidence": "all", "layer": "4", "top": True, "value": value + more}
            for name, more in (("auc100", 0), ("auroc", exact))
        ]
        for value in values
    ]
    records = [point("B", seed=seed, metrics=m) for seed, m in enumerate(metrics)]
    rows = tidy.table(records).rename(
        columns={"settings.instance": "instance", "settings.recipe": "recipe"}
    )
    return table1.with_paper(table1.summarised(rows), PAPER)


def competitors():
    """Two seeds: binomial leaves at two points under either protocol, and better normal leaves."""
    for seed in (0, 1):
        more = seed / 100
        for components, leaf, scaling, whole, half, kept in (
            (5, "binomial", "unit", 0.70, 0.40, -9), (9, "binomial", "unit", 0.60, 0.30, -8),
            (5, "binomial", "bytes", 0.80, 0.50, -7), (9, "binomial", "bytes", 0.90, 0.60, -9),
            (5, "normal", "bytes", 0.99, 0.98, 900),
        ):  # fmt: skip
            scores = {
                ("auroc", "all"): whole + more, ("auroc", "bottom_half"): half + more,
                ("auc100", "all"): whole - 0.02 + more,
                ("auc100", "bottom_half"): half - 0.02 + more,
                (selection.metrics.VALIDATION, "all"): kept,
            }  # fmt: skip
            yield competitor(scores, components=components, leaf=leaf, scaling=scaling, seed=seed)


def table2_files():
    grid = selection.grid_summary(selection.with_models(tidy.table(competitors())))
    chosen = table2.with_paper(selection.choose(grid, PLAN), PAPER)
    return {"table2": chosen, "table2_grid": grid}


def cell(result, *key):
    (row,) = result[(result[paper_cells.CELL] == list(key)).all(axis=1)].to_dict("records")
    return row


def test_table1_has_both_measures_beside_the_papers():
    values = [0.930, 0.934, 0.932]
    row = cell(paper_cells.compare(PAPER, {"table1": instance_scores(values)}), "I", "B", "mnist")
    assert (row["ours"], row["n"], row["metric"]) == (pytest.approx(93.2), 3, "auc100")
    assert (row["exact"], row["corrected"]) == (pytest.approx(95.2), pytest.approx(95.2))
    half = stats.t.ppf(0.975, 2) * 0.2 / math.sqrt(3)
    assert (row["ours_low"], row["ours_high"]) == pytest.approx((93.2 - half, 93.2 + half))
    assert (row["difference"], row["agreement"]) == (pytest.approx(-0.1), "within")
    assert (row["corrected_difference"], row["corrected_agreement"]) == (
        pytest.approx(1.9), "above",
    )  # fmt: skip
    assert row["p"] == pytest.approx(
        stats.ttest_ind_from_stats(93.2, 0.2, 3, 93.3, 0.5, 5, equal_var=False).pvalue
    )


def test_holm_counts_the_cells_of_one_table():
    both = pd.concat([instance_scores([0.93, 0.94]), instance_scores([0.7, 0.701])])
    both.loc[both["mean"] < 90, "dataset"] = "fashion_mnist"
    result = paper_cells.compare(PAPER, {"table1": both, **table2_files()})
    first = result[result["table"] == "I"]
    known = first["p"].dropna()
    assert len(known) == 2
    assert first["p_holm"].min() == pytest.approx(2 * known.min())


def test_table2_takes_the_leaves_that_the_paper_names():
    row = cell(paper_cells.compare(PAPER, table2_files()), "II", "RAT-SPN", "mnist")
    assert (row["point"], row["ours"]) == ("K5-binomial-unit", pytest.approx(38.5))
    assert row["exact"] == pytest.approx(40.5), "of the half that the protocol scores"
    assert (row["corrected_point"], row["corrected"]) == ("K5-binomial-bytes", pytest.approx(80.5))
    assert row["agreement"] == "below" and row["note"] == ""


def test_other_leaves_stand_in_and_are_named():
    files = table2_files()
    files["table2"] = files["table2"][files["table2"]["variant"] == "normal"]
    row = cell(paper_cells.compare(PAPER, files), "II", "RAT-SPN", "mnist")
    assert row["point"] == "K5-normal"
    assert row["note"] == "of the variant `normal`, since the paper's was not run"


def table3():
    """Three judges; counts of parameters as the suite makes them."""
    about = {"dataset": "mnist", "reasons": "", "judges": 3, "std_judges": 0.3}
    ours = {"method": "dcgmm", "title": "DCGMM-A", "variant": "paper", "point": "A-paper"}
    ours |= {"parameters": 76881, "centroids": 38416}
    spn = {"method": "pdspn", "title": "PD-SPN", "variant": "normal", "point": "K40-normal"}
    spn |= {"parameters": 515683, "centroids": math.nan}
    control = {"method": "control", "title": "Real test images", "published": False}
    return pd.DataFrame(
        about | model | {"treatment": treatment, "published": published, "mean": mean}
        for model, treatment, published, mean in (
            (ours, "recipe", True, 98.3), (ours, "full", False, 71.0), (spn, "full", True, 90.0),
            (control, "control", False, 99.0),
        )
    )  # fmt: skip


def test_table3_compares_noise_as_published_and_alike():
    result = paper_cells.compare(PAPER, {"table3": table3()})
    row = cell(result, "III", "DCGMM-A", "mnist")
    assert (row["ours"], row["agreement"], row["n"]) == (98.3, "within", 3)
    assert (row["corrected"], row["corrected_agreement"]) == (71.0, "below")
    spn = cell(result, "III", "PD-SPN", "mnist")
    assert spn["ours"] == spn["corrected"] == 90.0
    assert "of the variant `normal`" in spn["note"]


def test_counts_of_parameters_have_to_be_equal():
    result = paper_cells.compare(PAPER, {"table3": table3(), "table5": table5.counted()})
    for row in ("DCGMM-A", "PD-SPN"):
        assert cell(result, "III", row, "parameters")["agreement"] == "within"
    verdicts = result[result["table"] == "V"].set_index("row")["agreement"]
    assert verdicts.to_dict() == dict.fromkeys("ABDEFG", "within") | {"C": "above"}
    assert "F(10,1)" in cell(result, "V", "C", "parameters")["note"]


def test_what_is_missing_says_why():
    result = paper_cells.compare(PAPER, {"table1": instance_scores([0.9])})
    assert len(result) == len(PAPER)
    alone = cell(result, "I", "B", "mnist")
    assert (alone["agreement"], alone["note"]) == ("undecided", "a single value has no spread")
    assert cell(result, "I", "A", "mnist")["note"] == "not asked for in this run"
    assert cell(result, "II", "RAT-SPN", "mnist")["note"] == "Table II was not made"
    quoted = cell(result, "IV", "RAT-SPN", "mnist")
    assert quoted["agreement"] == "not run" and "literature" in quoted["note"]


def test_failed_fits_give_their_reason():
    rows = instance_scores([0.9])
    rows = rows.assign(n=0, mean=math.nan, std=math.nan, reasons="seed 0: the loss is nan")
    row = cell(paper_cells.compare(PAPER, {"table1": rows}), "I", "B", "mnist")
    assert (row["agreement"], row["note"]) == ("not run", "seed 0: the loss is nan")


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.1, 2, "above"), (-2, -0.1, "below"), (-1, 2, "within"), (-4.9, 4.9, "within"),
        (-30, 20, "undecided"), (0.1, 60, "above"), (math.nan, math.nan, "undecided"),
    ],
)  # fmt: skip
def test_rule_of_agreement(low, high, verdict):
    known = Difference(mean=1.0, low=low, high=high, p=math.nan)
    assert paper_cells.agreement({"column": "mnist"}, known) == verdict


def run_step(folder, made, source="full", schedule="recipe", fits=None):
    for name, table in made.items():
        example_table.write(folder / f"{name}.csv", table, float_format="%.4f")
    tables.write_csv(folder / "records.csv", tidy.table(fits or [record()]))
    values = [
        "--paper", "results/reference/paper.csv", "--run", "test", "--source", source,
        "--records", str(folder / "records.csv"),
        "--schedule", schedule, "--samples-schedule", schedule, "--out", str(folder),
        "--tables", *(str(folder / f"{name}.csv") for name in made),
    ]  # fmt: skip
    step.main(values)
    return (folder / "comparison.md").read_text("utf-8")


def test_step_tells_the_scale(tmp_path):
    made = {"table1": instance_scores([0.930, 0.934]), **table2_files(), "table3": table3()}
    page = run_step(tmp_path, made, "subset", "short")
    assert "shipped subset of the images; schedules `short`" in page
    assert "numbers of 2 seeds or judges where the paper has 5" in page
    assert "| 93.3 ± 0.5 | 100-threshold AUC | 93.2 ± 0.3 [90.7, 95.7] | 2 " in page
    written = pd.read_csv(tmp_path / "comparison.csv")
    assert set(written["schedule"]) == {"short", "none"}
    assert len(written) == len(PAPER)
    whole = run_step(tmp_path, {"table1": instance_scores([0.93, 0.931, 0.932, 0.933, 0.934])})
    assert "All images, the authors' epochs" in whole


def fit_of(method, fitted, kept_aside=900, **settings):
    """A record of a competitor that was fitted to some images."""
    images = {"train_images": fitted, "validation_images": kept_aside}
    return record(method=method, settings=settings, dataset=record()["dataset"] | images)


def test_competitors_that_had_less_than_in_the_paper_are_named(tmp_path):
    fits = [
        record(), fit_of("ratspn", 4500, epochs=25), fit_of("pdspn", 4500, epochs=5),
        fit_of("dgcspn", 640, epochs=15), fit_of("vae", 500, epochs=3, width=0.125),
        fit_of("gaussian", 4500),
    ]  # fmt: skip
    assert reductions.of_records(tidy.table(fits)) == [
        "PD-SPN: epochs 5 (published: 20)",
        "DGCSPN: images 640 of 4,500",
        "VAE: images 500 of 4,500, epochs 3 (published: 100), width 0.125 (published: 1)",
    ]
    page = run_step(tmp_path, {}, fits=fits)
    assert "\n- training was reduced: DGCSPN: images 640 of 4,500\n" in page
    assert "reduced" not in run_step(tmp_path, {})


def test_step_survives_a_run_without_any_table(tmp_path):
    page = run_step(tmp_path, {})
    assert "Table I was not made" in page and "nan" not in page
    assert set(pd.read_csv(tmp_path / "comparison.csv")["agreement"]) == {"not run"}
