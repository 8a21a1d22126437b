"""The dataset that stands in for SVHN: always the same bytes, and the digit in the middle."""

import hashlib

import numpy as np
import pytest

from workflow.data import colour_digits, preparation
from workflow.data import make_dataset as data_step

PIXELS = {
    "x_train": "ebc7bfcf558aa0d42d93580b705a6f7748a6eb6fffa2b4f05ab8151aa0f9e6e6",
    "x_test": "f5e040346d4f18fb1441e4f4877a833e8e74c531ea083260e5bd8c86329eccd8",
}


@pytest.fixture(scope="module")
def prepared():
    """Of the shipped images."""
    return preparation.prepare("colour_digits", "subset", "nowhere")


def test_the_bytes_are_always_the_same(prepared):
    for name, digest in PIXELS.items():
        pixels = getattr(prepared, name)
        assert hashlib.sha256(pixels.tobytes()).hexdigest() == digest, name
        assert prepared.sha256[name] == digest


def test_it_keeps_the_labels_and_the_split_of_mnist(prepared):
    mnist = preparation.prepare("mnist", "subset", "nowhere")
    assert (prepared.name, prepared.source) == ("colour_digits", "subset")
    assert prepared.x_train.shape == (6000, 32, 32, 3)
    assert prepared.x_test.shape == (1000, 32, 32, 3)
    np.testing.assert_array_equal(prepared.y_train, mnist.y_train)
    np.testing.assert_array_equal(prepared.y_test, mnist.y_test)
    assert mnist.sha256.items() < prepared.sha256.items()
    assert prepared.digest != mnist.digest


def test_an_image_has_its_own_digit_in_the_middle(prepared):
    mnist = preparation.prepare("mnist", "subset", "nowhere")
    digits = mnist.x_test[:, :, 8:20, 0].astype(float)  # where no neighbour reaches
    grey = prepared.x_test[:, 2:30, 10:22].mean(axis=3)
    for digit, image in zip(digits, grey, strict=True):
        assert abs(np.corrcoef(digit.ravel(), image.ravel())[0, 1]) > 0.5


def test_without_strokes_only_a_gradual_ground_is_left():
    ground = colour_digits.make(np.zeros((50, 28, 28), np.uint8), seed=3).astype(int)
    for axis in (1, 2):
        assert np.abs(np.diff(ground, axis=axis)).max() <= 2
    assert (ground[:, -1, -1] != ground[:, 0, 0]).any(axis=1).mean() > 0.9
    assert 0.2 < (ground[:, 15, 15].mean(axis=1) > 128).mean() < 0.8, "dark and light ones"


def test_a_full_stroke_is_of_one_colour_that_differs_from_the_ground():
    blank, solid = (
        colour_digits.make(np.full((50, 28, 28), value, np.uint8), seed=3)[:, 2:30, 2:30]
        for value in (0, 255)
    )
    assert (solid == solid[:, :1, :1]).all()
    assert np.abs(solid.astype(int) - blank).mean(axis=(1, 2, 3)).min() > 60


def test_neighbours_show_at_the_sides_alone_and_not_always():
    digits = np.full((400, 28, 28), 255, np.uint8)
    digits[::2] = 0  # every other own digit is blank, its neighbours may not be
    made = colour_digits.make(digits, seed=5)[::2].astype(int)
    blank = colour_digits.make(np.zeros_like(digits), seed=5)[::2]
    touched = (made != blank).any(axis=(1, 3))  # [n, 32] columns
    assert not touched[:, 14:18].any()
    for column in (0, 31):  # a neighbour in 3 of 4, half of which are blank
        assert 0.25 < touched[:, column].mean() < 0.5
    assert touched[:, 0].any() and not touched[:, 0].all()


def test_an_image_depends_on_its_own_words_alone():
    digits = np.zeros((colour_digits.BATCH + 3, 28, 28), np.uint8)
    whole = colour_digits.make(digits, seed=1)
    np.testing.assert_array_equal(colour_digits.make(digits[:5], seed=1), whole[:5])
    assert (whole[-3:] != whole[:3]).any()
    assert (colour_digits.make(digits[:5], seed=2) != whole[:5]).any()


def test_integers_are_uniform():
    words = np.random.PCG64(0).random_raw(200_000)
    drawn = colour_digits._between(words, -3, 4)
    counts = np.bincount(drawn + 3, minlength=7)
    assert len(counts) == 7
    np.testing.assert_allclose(counts / len(words), 1 / 7, atol=0.004)  # five standard errors
    ends = np.array([0, 2**64 - 1], np.uint64)
    assert colour_digits._between(ends, -3, 4).tolist() == [-3, 3]


def test_svhn_cannot_be_had_of_the_subset(tmp_path):
    arguments = ["--source", "subset", "--out", str(tmp_path / "x.npz")]
    with pytest.raises(SystemExit, match=r"no subset of SVHN ships.* dataset colour_digits"):
        data_step.main(["--dataset", "svhn", *arguments])
