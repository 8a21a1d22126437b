"""What choosing on the test images flatters: known choices, and pure noise."""

import json

import numpy as np
import pandas as pd
import pytest

from tests.example_record import competitor
from workflow.common import metrics, tables
from workflow.fit import scores, tidy
from workflow.outliers import optimism
from workflow.outliers import selection_table as step

VALUES = {5: (0.70, -700), 9: (0.80, -900), 20: (0.60, -800)}  # AUROC, likelihood kept aside
POINTS = [f"K{components}-binomial-bytes" for components in VALUES]
PLAN = {"corrected": {"ratspn": POINTS}}
RUNS = 6


def records(values=VALUES, seeds=(0, 1)):
    for seed in seeds:
        for components, (auroc, kept) in values.items():
            measured = {("auroc", "all"): auroc, (metrics.VALIDATION, "all"): kept}
            yield competitor(measured, components=components, seed=seed)


def of_rule(halves, many=None, plan=PLAN, held_out=None):
    result = optimism.table(tidy.table(many or records()), plan, halves, held_out)
    return result.set_index("rule")


def same_halves(run, evidence, metric):
    return run["value"], run["value"]


def test_each_rule_takes_its_point_and_tells_its_price():
    # The first half likes K5, the second K9.
    liked = {POINTS[0]: (0.9, 0.5), POINTS[1]: (0.8, 0.8), POINTS[2]: (0.6, 0.6)}
    rules = of_rule(lambda run, evidence, metric: liked[run["grid_point"]])
    assert rules.loc["test", "point"] == POINTS[1]
    assert rules.loc["test", "optimism"] == 0
    assert rules.loc["likelihood", "point"] == POINTS[0]
    assert rules.loc["likelihood", "mean"] == pytest.approx(70)
    assert rules.loc["likelihood", "optimism"] == pytest.approx(10)
    crossed = rules.loc["test halves"]
    assert crossed["point"] == f"{POINTS[0]} / {POINTS[1]}"
    assert crossed["mean"] == pytest.approx(100 * (0.5 + 0.8) / 2), "each on the other half"
    assert crossed["optimism"] == pytest.approx(80 - 65)
    assert (crossed["n"], crossed["candidates"]) == (2, 3)


def without_a_second(values, classes="not0_1", seed=0, **more):
    """Fits that go without another class: point -> AUROC against it, among images kept aside."""
    for components, auroc in values.items():
        measured = {("auroc", "all"): auroc, ("auroc", "bottom_half"): 1 - auroc}
        yield competitor(measured, components=components, seed=seed) | {
            "task": "held_out", "classes": classes, **more,
        }  # fmt: skip


def test_a_class_that_neither_training_nor_test_has_chooses():
    fits = [
        *without_a_second({5: 0.6, 9: 0.7, 20: 0.8}),
        *without_a_second({5: 0.9, 9: 0.7, 20: 0.5}, classes="not0_4"),
    ]
    held_out = tidy.table(fits)
    first = held_out[held_out["classes"] == "not0_1"]
    assert of_rule(same_halves, held_out=first).loc["held-out class", "point"] == POINTS[2]
    chosen = of_rule(same_halves, held_out=held_out).loc["held-out class"]
    assert chosen["point"] == POINTS[0], "75 on average, others 70 and 65"
    assert (chosen["mean"], chosen["optimism"]) == pytest.approx((70, 10)), "of the usual fits"
    lost = {"status": "failed", "reason": "no", "metrics": []}
    held_out = tidy.table([*fits[1:], *without_a_second({5: 1.0}, **lost)])
    chosen = of_rule(same_halves, held_out=held_out).loc["held-out class"]
    assert chosen["point"] == POINTS[1], "K5 lacks a fit, so that its mean is of other classes"


def test_without_such_fits_no_point_is_chosen_by_a_class():
    rules = of_rule(same_halves)
    assert rules.loc["held-out class", "n"] == 0
    assert "`selection: {held_out: [1]}`" in rules.loc["held-out class", "note"]


def test_a_single_point_is_not_flattered():
    rules = of_rule(same_halves, plan={"corrected": {"ratspn": POINTS[:1]}})
    assert (rules["candidates"] == 1).all() and (rules["optimism"] == 0).all()


def test_a_model_without_fits_says_so():
    failed = {"status": "refused", "reason": "9 hours", "metrics": []}
    rules = of_rule(same_halves, [record | failed for record in records()])
    assert (rules["n"] == 0).all() and (rules["candidates"] == 0).all()
    assert rules.loc["test", "note"] == "refused: 9 hours"


def test_points_without_likelihoods_have_no_choice_by_them():
    without = [
        record | {"metrics": [m for m in record["metrics"] if m["metric"] == "auroc"]}
        for record in records()
    ]
    rules = of_rule(same_halves, without)
    assert rules.loc["likelihood", "n"] == 0
    assert "nothing to choose them by" in rules.loc["likelihood", "note"]
    assert rules.loc["test", "mean"] == pytest.approx(80)


def test_halves_split_every_class():
    labels = np.array([0, 0, 1, 1, 1, 0, 2, 0])
    half = optimism.first_half(labels)
    assert half.tolist() == [True, False, True, False, True, True, True, False]


def write_fits(folder, points, noise, seed=0):
    """Fits whose scores are `noise` alone, for inliers and outliers of class 0 alike; records."""
    random = np.random.default_rng(seed)
    labels = np.repeat([0, 1], 60)
    for place in range(points):
        top = random.normal(size=120) if noise else labels + np.zeros(120)
        own = competitor({}, components=place + 1)
        path = folder / f"ratspn/{own['grid_point']}/mnist/not0/seed0/scores.npz"
        scores.write(path, own, labels, {"test": {"all": {"low": -top, "top": top}}})
        auroc = metrics.auroc(top[labels == 1], top[labels == 0])
        measured = {("auroc", "all"): auroc, (metrics.VALIDATION, "all"): float(random.normal())}
        yield competitor(measured, components=place + 1)


def test_the_top_layer_of_saved_scores_is_halved(tmp_path):
    (record,) = write_fits(tmp_path, 1, noise=False)
    row = tidy.table([record]).iloc[0]
    assert optimism.halves_of(tmp_path)(row, "all", "auroc") == (1.0, 1.0)


def test_noise_is_flattered_by_the_test_and_by_nothing_else(tmp_path):
    """With 20 points that know nothing, the best on the test is above chance, others are at it."""
    many = {"test": [], "likelihood": [], "test halves": []}
    for seed in range(RUNS):
        folder = tmp_path / str(seed)
        noise = list(write_fits(folder, 20, noise=True, seed=seed))
        plan = {"corrected": {"ratspn": [record["grid_point"] for record in noise]}}
        rules = of_rule(optimism.halves_of(folder), noise, plan)
        for rule, values in many.items():
            values.append(rules.loc[rule, "mean"])
    error = 100 * np.sqrt(121 / (12 * 60 * 60)) / np.sqrt(RUNS)  # of their mean, under noise
    assert np.mean(many["test"]) > 50 + 3 * error
    assert np.mean(many["likelihood"]) == pytest.approx(50, abs=3 * error)
    assert np.mean(many["test halves"]) == pytest.approx(50, abs=3 * error)


def test_step_writes_its_tables(tmp_path):
    noise = list(write_fits(tmp_path / "fit", 4, noise=True))
    plan = {"corrected": {"ratspn": [record["grid_point"] for record in noise]}}
    tables.write_csv(tmp_path / "records.csv", tidy.table(noise))
    step.main(
        [
            "--records", str(tmp_path / "records.csv"), "--plan", json.dumps(plan),
            "--fits", str(tmp_path / "fit"), "--run", "test", "--out", str(tmp_path),
        ]
    )  # fmt: skip
    page = (tmp_path / "selection.md").read_text("utf-8")
    assert "Protocol corrected, MNIST" in page and "nan" not in page
    written = pd.read_csv(tmp_path / "selection.csv")
    assert written["rule"].tolist() == list(optimism.RULE_NAMES)
    assert written["optimism"].iloc[0] == 0 and written["candidates"].eq(4).all()
