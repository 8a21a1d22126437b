"""The score bank: what comes back, and what is refused."""

import json

import numpy as np
import pytest

from tests.outliers import bank
from workflow.data import test_sets
from workflow.outliers import external_scores, score_bank


@pytest.fixture
def made(tmp_path):
    return bank.written(tmp_path / "scores")


def test_what_is_written_is_read(made):
    images = score_bank.read_images(made.folder)
    assert images["mnist"].sets == made.images.sets
    for kind in ("labels", "compressed_bits"):
        for name, values in getattr(made.images, kind).items():
            np.testing.assert_array_equal(getattr(images["mnist"], kind)[name], values)
    flat, deep = score_bank.read(made.folder, images)
    for one, expected in ((flat, made.flat), (deep, made.deep)):
        assert (one.metadata, one.seeds) == (expected.metadata, expected.seeds)
        assert [*one.scores] == [*expected.scores]
        for key, values in expected.scores.items():
            np.testing.assert_array_equal(one.scores[key], values)
    assert deep.layers("all") == ["2", "6"]
    assert deep.evidence == ["all"]


def test_numpy_alone_reads_it(made):
    """As docs/score-bank.md shows."""
    scores = np.load(made.folder / made.deep.place)
    sets = np.load(made.folder / "sets/mnist.npz")
    about = json.loads(scores["about"].item())
    assert about["seeds"] == [0, 1, 2]
    *_, top = [name.split("/")[2] for name in scores.files if name.startswith("test/all/")]
    inliers = scores[f"test/all/{top}"][:, sets["labels/test"] != 0]
    np.testing.assert_array_equal(
        inliers, made.deep.scores["test", "all", "6"][:, made.images.labels["test"] != 0]
    )


def move(folder, made):
    path = folder / made.deep.place
    path.rename(path.with_name("not1.npz"))
    return "belongs at dcgmm/E-paper/mnist/not0.npz"


def other_images(folder, made):
    digests = made.deep.metadata["digests"] | {"inverted": "another"}
    one = score_bank.Entry(made.deep.metadata | {"digests": digests}, bank.SEEDS, made.deep.scores)
    score_bank.write(folder, [], [one])
    return "has scores of other images in the set 'inverted'"


def fewer(folder, made):
    scores = made.deep.scores | {("inverted", "all", "6"): np.zeros((3, 39), np.float32)}
    score_bank.write(folder, [], [score_bank.Entry(made.deep.metadata, bank.SEEDS, scores)])
    return "inverted has 39 scores a seed"


def text(folder, made):
    scores = made.deep.scores | {("inverted", "all", "6"): np.full((3, 40), "1.0")}
    score_bank.write(folder, [], [score_bank.Entry(made.deep.metadata, bank.SEEDS, scores)])
    return "inverted has scores of"


def a_bit(folder, made):
    path = folder / made.deep.place
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    return "is damaged|was altered"


@pytest.mark.parametrize("wound", [move, other_images, fewer, text, a_bit])
def test_a_wrong_file_is_refused_by_name(made, wound):
    expected = wound(made.folder, made)
    images = score_bank.read_images(made.folder)
    with pytest.raises(ValueError, match=rf"E-paper.*({expected})"):
        list(score_bank.read(made.folder, images))


def test_pictures_of_the_extremes_are_kept():
    rng = np.random.default_rng(0)
    names = {"test": 60, "inverted": 40}
    known = bank.images()
    sets = [
        test_sets.TestSet(
            name, name, "mnist", "subset", rng.integers(0, 255, (n, 4, 4, 1), np.uint8),
            known.labels[name], known.compressed_bits[name], "PNG",
        )
        for name, n in names.items()
    ]  # fmt: skip
    entries = [bank.entry(known), bank.entry(known, "A-paper", failed=[0])]
    images = score_bank.with_pictures(known, sets, entries)
    for one in sets:
        mean = [np.nanmean(e.scores[one.name, "all", "6"].astype(float), axis=0) for e in entries]
        order = [np.argsort(m, kind="stable") for m in mean]
        expected = {int(i) for o in order for i in (*o[:8], *o[-8:])}
        assert {*images.kept[one.name].tolist()} == expected
        np.testing.assert_array_equal(images.pictures[one.name], one.images[sorted(expected)])


# Scores from elsewhere.

CONTENT = {"origin": "someone", "classes": "not0", "density": False}


def external(path, **arrays):
    np.savez(path, **arrays)
    return external_scores.entry("theirs", CONTENT | {"scores": str(path)}, bank.images())


def test_scores_from_elsewhere_are_an_entry(tmp_path):
    one = external(tmp_path / "x.npz", test=np.arange(60.0), inverted=np.zeros((1, 40)))
    assert one.seeds == (0,)
    assert one.metadata["reasons"] == {}
    assert one.metadata["settings"] == {"origin": "someone"}
    assert one.place == "external/theirs/mnist/not0.npz"
    np.testing.assert_array_equal(one.scores["test", "all", "top"], np.arange(60.0)[None])


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"inverted": np.zeros(40)}, r"lacks the array 'test'"),
        ({"test": np.zeros(59)}, r"'test' is float64 \(59,\), it must be numbers \(60,\)"),
        ({"test": np.full(60, np.nan)}, r"'test' holds 60 NaN"),
        ({"test": np.full(60, "a")}, r"'test' is <U1"),
        ({"test": np.zeros(60), "nothing": np.zeros(3)}, r"'nothing' is no test set of this run"),
        ({"test": np.zeros(60), "kmnist": np.zeros(0)}, r"'kmnist' is no test set of this run"),
        ({"test": np.zeros((2, 60)), "inverted": np.zeros(40)}, r"different numbers of seeds"),
    ],
)
def test_a_wrong_file_of_scores_is_a_row_without_numbers(tmp_path, arrays, reason):
    one = external(tmp_path / "x.npz", **arrays)
    assert one.scores == {}
    (said,) = one.metadata["reasons"].values()
    assert str(tmp_path / "x.npz") in said
    import re

    assert re.search(reason, said)


def test_a_missing_file_of_scores_says_so(tmp_path):
    content = CONTENT | {"scores": str(tmp_path / "none.npz")}
    one = external_scores.entry("theirs", content, bank.images())
    assert "none.npz is missing" in one.metadata["reasons"]["0"]
