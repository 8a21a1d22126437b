"""A run beside published results: tolerances by hand, and every verdict."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.example_record import failed, record
from workflow.common import frames
from workflow.comparison import compare_with_published, reproduction
from workflow.fit import tidy


def runs(values, **changes):
    """A tidy table of one measure, a seed a value."""
    metric = {"metric": "auroc", "evidence": "all", "layer": "4", "top": True}
    return tidy.table(
        record(seed=seed, metrics=[metric | {"value": value}], **changes)
        for seed, value in enumerate(values)
    )


def verdict(ours, published):
    """The verdict on the only cell."""
    return reproduction.compare(ours, published)["verdict"].item()


def test_tolerance_is_the_prediction_interval():
    # Of 20,000 means of 3 new values, 95 % lie as near to the mean of 5 as the tolerance says.
    draws = np.random.default_rng(0).normal(size=(20_000, 8))
    known, new = draws[:, :5], draws[:, 5:].mean(axis=1)
    allowed = [reproduction.tolerance(std, 5, 3) for std in known.std(axis=1, ddof=1)]
    inside = np.abs(new - known.mean(axis=1)) <= allowed
    assert stats.binomtest(int(inside.sum()), len(inside), 0.95).pvalue > 0.001
    assert math.isnan(reproduction.tolerance(math.nan, 1, 3))


@pytest.mark.parametrize(
    ("ours", "published", "expected"),
    [
        ([0.7, 0.71], [0.7, 0.71, 0.72], "equal"),
        ([0.705], [0.7, 0.71, 0.72], "within"),
        ([0.9], [0.7, 0.71, 0.72], "outside"),
        ([0.9], [0.7], "no spread"),
    ],
)
def test_verdicts(ours, published, expected):
    assert verdict(runs(ours), runs(published)) == expected


def test_other_settings_are_named():
    theirs = record()["settings"] | {"hyperparameters": {"epochs": 80, "new": 1}}
    result = reproduction.compare(runs([0.7]), runs([0.7, 0.8], settings=theirs))
    assert result["verdict"].item() == "other settings"
    assert result["settings"].item() == "hyperparameters.epochs"


def test_other_images_are_other_settings():
    theirs = record()["dataset"] | {"source": "full"}
    assert verdict(runs([0.7]), runs([0.7, 0.8], dataset=theirs)) == "other settings"


def test_unpublished_and_failed():
    other = runs([0.7], grid_point="C-paper")
    assert verdict(other, runs([0.7, 0.8])) == "not published"
    assert verdict(runs([0.7]), tidy.table([failed()])) == "not published"
    assert reproduction.compare(tidy.table([failed()]), runs([0.7])).empty


def test_readers_see_first_what_lies_outside(tmp_path):
    ours = pd.concat([runs([0.7]), runs([0.9], grid_point="C-paper")])
    published = pd.concat([runs([0.7, 0.71]), runs([0.7, 0.71], grid_point="C-paper")])
    frames.write_csv(tmp_path / "ours.csv", ours)
    frames.write_csv(tmp_path / "published.csv", published)
    arguments = f"--records {tmp_path}/ours.csv --published {tmp_path}/published.csv --run x"
    compare_with_published.main([*arguments.split(), "--out", str(tmp_path)])
    text = (tmp_path / "reproduction.md").read_text("utf-8")
    assert "Of 2 cells: 1 equal, 0 within, 1 outside" in text
    assert text.index("dcgmm C-paper") < text.index("dcgmm B-paper")
