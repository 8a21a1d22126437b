"""Values of the multiverse from a score bank."""

import pytest

from tests.outliers import bank
from workflow.data import tasks
from workflow.outliers import multiverse, multiverse_values, score_bank


@pytest.fixture
def values(tmp_path):
    """Of a model of one point, and of one whose protocols choose two on one dataset alone."""
    entries, known = [], [bank.images(dataset) for dataset in ("mnist", "fashion_mnist")]
    for images in known:
        entries.append(bank.entry(images, protocols=["paper", "corrected"]))
        chosen = {"K5": ["paper"], "K10": ["corrected"]}
        if images.dataset["name"] == "fashion_mnist":
            chosen = {"K5": ["paper", "corrected"]}
        entries += [
            bank.entry(images, point, method="ratspn", title="RAT-SPN", variant="normal", **of)
            for point, names in chosen.items()
            for of in [{"protocols": names, "published_evidence": "bottom_half"}]
        ]
    score_bank.write(tmp_path, known, entries)
    return multiverse_values.of_bank(tmp_path, tasks.of_run({}).values())


def test_a_rule_of_choice_is_named_wherever_a_model_has_several_points(values):
    searched = values[values["title"] == "RAT-SPN (normal)"]
    for _, rows in searched.groupby("dataset"):
        assert {*rows["choice"]} == {"test", "likelihood"}
    single = values[values["title"] == "DCGMM-E"]
    assert {*single["choice"]} == {""}
    assert {*single["recipe"]} == {"paper"} and {*searched["recipe"]} == {""}


def test_outliers_are_the_class_left_out_and_the_tasks_but_single_levels(values):
    assert {"0", "inverted", "constant"} <= {*values["outlier"]}
    assert not {"black", "grey", "white"} & {*values["outlier"]}


def test_published_evidence_is_what_the_release_scores(values):
    evidence = values.groupby("title")["evidence"].unique().map(set)
    assert evidence["DCGMM-E"] == {"all", "published"}
    assert evidence["RAT-SPN (normal)"] == {"all"}, "its bottom half was not scored here"


def test_they_can_be_compared(values):
    compared = multiverse.specifications(values)
    assert {*compared["first"]} == {"DCGMM-E"}
    assert len(compared[compared["dataset"] == "mnist"]) > 10
