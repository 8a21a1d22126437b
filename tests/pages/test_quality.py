"""The quality table counts what is missing or out of range, by hand-made numbers."""

import pandas as pd
import pytest

from tests.example_record import failed, point
from workflow.fit import tidy
from workflow.pages import quality

ASKED = quality.Asked(
    "outliers", ["dcgmm/A-paper", "dcgmm/B-paper"], ["mnist", "other"], ["not0"], [0, 1]
)


def a_record(instance, seed, value):
    """A fit with one metric of this value."""
    metric = {"metric": "auroc", "evidence": "all", "layer": "2", "top": True, "value": value}
    return point(instance, seed=seed, metrics=[metric, metric | {"metric": "auc100"}])


def test_every_fit_that_was_asked_for_is_counted_once():
    records = tidy.table([
        a_record("A", 0, 0.9), a_record("A", 1, 1.5), a_record("A", 7, 0.5),
        failed(seed=0), failed(seed=1, status="refused", reason="too large"),
    ])  # fmt: skip
    again = quality.Asked("outliers", ["dcgmm/B-paper"], ["mnist"], ["not0"], [0, 1])
    mnist, other = quality.of_records([ASKED, again], records).to_dict("records")
    assert (mnist["method"], mnist["data"]) == ("DCGMM", "MNIST")
    counts = {name: mnist[name] for name in quality.COUNTS if mnist[name]}
    assert counts == {
        "asked": 4, "ok": 2, "diverged": 1, "refused": 1, "out of range": 2, "seeds short": 1,
    }  # fmt: skip
    assert mnist["reasons"] == "B-paper diverged: the loss is nan; B-paper refused: too large"
    assert (other["asked"], other["missing"], other["seeds short"]) == (4, 4, 2)


@pytest.mark.parametrize(
    ("metric", "value", "bad"),
    [
        ("auroc", 1.0, False), ("auroc", -0.1, True), ("accuracy", 1.01, True),
        ("auc100", float("nan"), True), ("validation_log_likelihood", -900.0, False),
        ("validation_log_likelihood", float("-inf"), True), (None, float("nan"), False),
    ],
)  # fmt: skip
def test_ranges_are_those_of_the_measures(metric, value, bad):
    rows = pd.DataFrame({"metric": [metric], "value": [value]})
    assert quality.out_of_range(rows).tolist() == [bad]


def test_samples_that_could_not_be_drawn_are_failures():
    table3 = pd.DataFrame({
        "method": ["dcgmm", "dcgmm", "dcgmm", "control"], "dataset": "mnist",
        "published": [True, False, True, True], "seeds_asked": [2, 2, 2, 1],
        "seeds": [2, 2, 0, 1], "mean": [98.0, 101.0, None, 99.0], "precision": [1.0, 1.0, None, 1],
        "recall": [0.5, 0.5, None, 1], "diversity": [0.1, 0.1, None, 1],
        "reasons": [None, None, "diverged", None],
    })  # fmt: skip
    (line,) = quality.of_samples(table3).to_dict("records")
    assert (line["asked"], line["ok"], line["failed"], line["seeds short"]) == (4, 2, 2, 1)
    assert line["out of range"] == 1 and line["reasons"] == "diverged"
