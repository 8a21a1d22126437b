"""The quality table counts what is missing, and DCGMM-E's lead, by hand-made numbers."""

import pandas as pd
import pytest

from tests.example_record import failed, point
from workflow.claims import headline
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
    mnist, other = quality.of_records(ASKED, records).to_dict("records")
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


def a_row(title, protocol, mean, half, **more):
    """A row of Table II with an interval of `mean` ± `half`."""
    row = {
        "title": title, "protocol": protocol, "dataset": "mnist", "variant": "", "n": 5,
        "grid_point": "p", "evidence": "all", "mean": mean, "ci_low": mean - half,
        "ci_high": mean + half, "paper": 90.0,
    }  # fmt: skip
    return row | more


@pytest.mark.parametrize(
    ("ours", "half", "outcome", "answer"),
    [(95, 1, "ahead", "holds"), (85, 1, "behind", "does not hold"),
     (91, 1, "undecided", "undecided"),
     (95, float("nan"), "undecided", "undecided")],
)  # fmt: skip
def test_a_lead_counts_if_intervals_are_apart(ours, half, outcome, answer):
    table2 = pd.DataFrame([
        a_row("DCGMM-E", "paper", ours, half),
        a_row("PD-SPN", "paper", 60, 1), a_row("RAT-SPN", "paper", 90, 1, variant="normal"),
        a_row("VAE", "paper", 99, 1), a_row("DGCSPN", "paper", float("nan"), 1, n=0),
    ])  # fmt: skip
    (duel,) = headline.duels(table2)
    assert (duel.rival, duel.outcome, duel.difference) == ("RAT-SPN (normal)", outcome, ours - 90)
    assert duel.absent == ("DGCSPN",)
    assert headline.answers([duel], {}) == {"paper": answer, "corrected": "not run"}
    ruled = {"e-beats-spns-as-published": "undecided at this scale"}
    assert headline.answers([duel], ruled)["paper"] == "undecided at this scale"
    lines = headline.rows(table2)
    assert [line["model"] for line in lines] == ["DCGMM-E", "RAT-SPN (normal)", "PD-SPN", "DGCSPN"]
    assert lines[0]["ours"] and lines[0]["paper"] == ours and lines[0]["published"] == 90
    assert headline.Axis.of(lines).low == 60


def test_datasets_that_disagree_are_mixed():
    table2 = pd.DataFrame([
        a_row(title, "corrected", mean, 1, dataset=dataset)
        for dataset, means in (("mnist", (95, 90)), ("fashion_mnist", (85, 90)))
        for title, mean in zip(("DCGMM-E", "DGCSPN"), means, strict=True)
    ])  # fmt: skip
    assert headline.answers(headline.duels(table2), {})["corrected"] == "mixed"


def test_causes_compare_like_with_like():
    table2 = pd.DataFrame([
        a_row("RAT-SPN", "paper", 40, 1, evidence="bottom_half", grid_point="unit"),
        a_row("RAT-SPN", "corrected", 80, 1, grid_point="bytes"),
        a_row("DGCSPN", "paper", 40, 1), a_row("DGCSPN", "corrected", 80, 1),
    ])  # fmt: skip
    effects = pd.DataFrame([
        a_row("RAT-SPN", "", mean, 0, grid_point=point, evidence=evidence)
        for point, evidence, mean in (("unit", "all", 55), ("unit", "bottom_half", 42),
                                      ("bytes", "all", 80), ("bytes", "bottom_half", 70))
    ] + [a_row("DGCSPN", "", mean, 0, evidence=evidence)
         for evidence, mean in (("all", 80), ("bottom_half", 10))])  # fmt: skip
    assert headline.causes(table2, effects) == {
        "pixels": [("RAT-SPN, MNIST", 13)], "training": [("RAT-SPN, MNIST", 25)],
    }  # fmt: skip
    assert headline.causes(table2, effects.head(0)) == {"pixels": [], "training": []}
