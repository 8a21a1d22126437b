"""Bits per dimension against those of codes whose length is known."""

import numpy as np
import pandas as pd
import pytest

from tests.example_record import record
from workflow.common import files
from workflow.data import datasets
from workflow.density import bits_per_dimension
from workflow.fit import scores
from workflow.plan import catalogue

PIXELS = 2 * 3
LABELS = np.array([0, 1, 1, 0])


@pytest.fixture
def data(tmp_path):
    """A prepared dataset of images of 2x3, and where it lies."""
    images = np.zeros((4, 2, 3, 1), "uint8")
    path = tmp_path / "mnist.npz"
    datasets.Dataset("mnist", "subset", images, LABELS, images, LABELS, {}).save(path)
    return path


def fit(folder, bits, seed=0, **changes):
    """The folder of a fit of RAT-SPN that needs so many bits a pixel for each test image."""
    settings = {"leaf": "categorical", "components": 5}
    one = record(method="ratspn", grid_point="K5-categorical", settings=settings, seed=seed)
    one = {key: one[key] for key in one if key not in ("task", "counts", "metrics")} | changes
    nats = -np.log(2) * PIXELS * np.array(bits, float)
    by_split = {"test": {"all": {"top": nats}}, "validation": {"all": {"top": nats[:1]}}}
    path = folder / f"seed{seed}-{len(list(folder.iterdir()))}"
    files.write_json(path / "fit.json", one)
    scores.write(
        path / "scores.npz", one, LABELS, by_split if one["status"] == "ok" else {}, LABELS[:1]
    )
    return path


def step(folder, data, *fits):
    words = ["--data", data, "--run", "mine", "--out", folder, "--fits", *fits]
    bits_per_dimension.main([str(word) for word in words])
    text = (folder / "bits_per_dimension.md").read_text("utf-8")
    return pd.read_csv(folder / "bits_per_dimension.csv"), text


def test_bits_are_those_of_the_classes_trained_on(tmp_path, data):
    table, text = step(tmp_path, data, fit(tmp_path, [100, 3, 5, 100]))
    line = table.iloc[0]
    assert line["test_mean"] == pytest.approx(
        4, rel=1e-5
    )  # of the two images of class 1; scores have 16 bits
    assert line["validation_mean"] == pytest.approx(100, rel=1e-5)
    assert np.isnan(line["test_ci_low"]) and line["n"] == 1
    assert "**4.000**" in text and "the shipped subset of MNIST, classes `not0`" in text


def test_seeds_are_averaged_and_failures_told(tmp_path, data):
    failed = {"status": "diverged", "reason": "the loss is nan"}
    fits = [fit(tmp_path, [0, 8, 8, 0], 0), fit(tmp_path, [0, 2, 2, 0], 1),
            fit(tmp_path, [0] * 4, 2, **failed)]  # fmt: skip
    table, text = step(tmp_path, data, *fits)
    assert table[["test_mean", "test_std", "n", "seeds"]].values.tolist() == [
        pytest.approx([5, np.sqrt(18), 2, 3], abs=1e-4)
    ]
    assert "| 2 of 3 |" in text
    assert "- no result: RAT-SPN, `K5-categorical`: diverged: the loss is nan" in text


def test_without_fits_one_sentence_says_what_to_do(tmp_path, data):
    with pytest.raises(SystemExit, match="list one under 'baselines'"):
        step(tmp_path, data)


@pytest.mark.parametrize(
    ("method", "settings", "discrete"),
    [
        ("ratspn", {"leaf": "categorical"}, True),
        ("ratspn", {"leaf": "normal"}, False),
        ("pdspn", {"leaf": "binomial"}, False),
        ("gaussian", {}, False),
        ("dcgmm", {}, False),
    ],
)
def test_methods_say_what_is_discrete(method, settings, discrete):
    assert catalogue.method(method).is_discrete(settings) == discrete
