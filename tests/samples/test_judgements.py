"""Rows of judgements, by a judge whose mind is known."""

import numpy as np
import pytest

from workflow.data.datasets import Dataset
from workflow.samples import judgements, sample_files

SHAPE = (2, 2, 1)
ABOUT = {
    "method": "mine", "title": "Mine", "variant": "", "point": "p", "dataset": "toy",
    "source": "full", "train_images": 20, "seed": 0, "status": "ok", "reason": "",
    "published": "full", "parameter_count": 9, "centroid_count": 4,
}  # fmt: skip


class Judge:
    """Dark images are of class 0, light ones of class 1; pixels are the features."""

    classes, input_shape = 2, SHAPE

    def __init__(self):
        self.seen = 0

    def look(self, images):
        self.seen += len(images)
        features = images.reshape(len(images), -1)
        return (features.mean(1) > 0.5).astype(int), features


def greys(means, seed=0):
    """Images [n, 2, 2, 1] around these greys, uint8."""
    noise = np.random.default_rng(seed).integers(-20, 21, (len(means), *SHAPE))
    return (np.asarray(means)[:, None, None, None] + noise).astype(np.uint8)


@pytest.fixture
def bench():
    labels = np.arange(40) % 2
    train, test = (greys(60 + 120 * labels, seed) for seed in (1, 2))
    data = Dataset("toy", "full", train, labels, test, labels, {"file": 64 * "c"})
    return judgements.Bench(Judge(), data)


def rows_of(bench, path, about=ABOUT, **arrays):
    named = {key.replace("_", "/"): images for key, images in arrays.items()}
    sample_files.write(path, about, named)
    return {(row["treatment"], row["class"]): row for row in bench.file_rows(path)}


def test_rows_tell_what_a_judge_says_of_each_class(bench, tmp_path):
    drawn = greys([60] * 6 + [180] * 2)
    real = bench.dataset.x_train[bench.dataset.y_train == 0]
    rows = rows_of(bench, tmp_path / "s.npz", full_0=drawn, full_1=drawn, mean_0=real)
    assert [rows["full", label]["accuracy"] for label in "01"] == [0.75, 0.25]
    assert rows["full", "0"]["n"] == rows["full", "0"]["compared"] == 8
    same = rows["mean", "0"]
    assert (same["precision"], same["recall"], same["diversity"]) == (1, 1, pytest.approx(1))
    assert same["frechet"] == pytest.approx(0, abs=1e-9)
    assert (rows["full", "0"]["published"], same["published"]) == (True, False)
    assert (same["parameter_count"], same["centroid_count"], same["seed"]) == (9, 4, 0)
    features = drawn.reshape(8, 4) / 255
    first = real[:8].reshape(8, 4) / 255
    ratio = np.trace(np.cov(features.T)) / np.trace(np.cov(first.T))
    assert rows["full", "0"]["diversity"] == pytest.approx(ratio, rel=1e-5)


def test_every_image_passes_once(bench, tmp_path):
    rows_of(bench, tmp_path / "s.npz", full_0=greys([60] * 7), full_1=greys([60] * 7))
    assert bench.judge.seen == 14 + 14, "and as many real ones"
    rows_of(bench, tmp_path / "s.npz", full_0=greys([60] * 7), full_1=greys([60] * 7))
    assert bench.judge.seen == 28 + 14, "which are kept"


def test_fewer_real_images_than_drawn_ones_are_compared_with_the_first(bench, tmp_path):
    row = rows_of(bench, tmp_path / "s.npz", full_0=greys([60] * 30))["full", "0"]
    assert (row["n"], row["compared"]) == (30, 20)
    few = rows_of(bench, tmp_path / "s.npz", full_0=greys([60] * 3))["full", "0"]
    assert few["accuracy"] == 1 and few["status"] == "ok"
    assert few["precision"] is few["frechet"] is few["diversity"] is None


@pytest.mark.parametrize(
    ("key", "images", "reason"),
    [
        ("full/1", np.full((3, *SHAPE), np.nan), "full/1: 12 values are not finite"),
        ("full/1", np.full((3, *SHAPE), 1.5), "full/1: values are from 1.5 to 1.5"),
        ("full/1", np.zeros((3, 4, 4, 1), "uint8"), "full/1: the images are [3, 4, 4, 1]"),
        ("full/7", greys([60]), "full/7: the judge knows no class 7, only 0 to 1"),
        ("full/x", greys([60]), "full/x: 'full/x' is not an array's name"),
    ],
)
def test_what_is_wrong_is_a_row_and_spoils_no_other(bench, tmp_path, key, images, reason):
    sample_files.write(tmp_path / "s.npz", ABOUT, {"full/0": greys([60] * 5), key: images})
    good, bad = sorted(bench.file_rows(tmp_path / "s.npz"), key=lambda row: row["status"] != "ok")
    assert (good["class"], good["accuracy"]) == ("0", 1)
    assert bad["status"] == "failed" and bad["reason"].startswith(reason)
    assert bad["accuracy"] is None and bad["n"] == 0
    assert good.keys() == bad.keys()


def test_files_that_say_nothing_or_are_of_another_dataset_are_rows(bench, tmp_path):
    folder = tmp_path / "mine/p/toy/each/seed0"
    folder.mkdir(parents=True)
    (folder / "samples.npz").write_bytes(b"no archive")
    (row,) = bench.file_rows(folder / "samples.npz")
    assert (row["title"], row["dataset"]) == ("mine/p/toy/each/seed0", "toy")
    assert "no file of samples" in row["reason"]
    other = rows_of(bench, folder / "samples.npz", ABOUT | {"dataset": "mnist"})
    assert "is of dataset mnist, but its place is" in next(iter(other.values()))["reason"]
    failed = ABOUT | {"status": "diverged", "reason": "the loss is nan"}
    (row,) = rows_of(bench, folder / "samples.npz", failed).values()
    assert (row["title"], row["class"], row["reason"]) == ("Mine", None, "the loss is nan")


def test_controls_bound_the_measures(bench):
    rows = {(row["title"], row["class"]): row for row in bench.controls(15)}
    assert len(rows) == 4
    for label in "01":
        mean, test = rows[judgements.MEAN, label], rows[judgements.TEST, label]
        assert (mean["accuracy"], test["accuracy"]) == (1, 1)
        assert (mean["n"], test["n"]) == (15, 15)
        assert mean["diversity"] == pytest.approx(0, abs=1e-9) and mean["recall"] <= 1 / 15
        assert test["diversity"] > 0.3 and test["recall"] > 0.3
        assert test["frechet"] < mean["frechet"]
