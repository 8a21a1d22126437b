"""Printed glyphs: legible, in MNIST's size and place, each drawn differently."""

import unicodedata

import numpy as np
import pytest
from PIL import ImageFont

from workflow.data import glyphs, preparation


@pytest.fixture(scope="module")
def made():
    """Images [n, 28, 28] and labels [n]."""
    images, labels = glyphs.make(400)
    return images[..., 0], labels


def test_glyphs_are_digits_and_letters_of_three_scripts():
    assert len({*glyphs.GLYPHS}) == len(glyphs.GLYPHS) == 10 + 52 + 48 + 64
    names = [unicodedata.name(glyph) for glyph in glyphs.GLYPHS]
    assert [name.split()[0] for name in names[:10]] == ["DIGIT"] * 10
    for script, number in (("LATIN", 52), ("GREEK", 48), ("CYRILLIC", 64)):
        assert sum(name.startswith(script) for name in names) == number


@pytest.mark.parametrize("font", glyphs._fonts(), ids=glyphs.FONTS)
def test_every_font_has_every_glyph(font: ImageFont.FreeTypeFont):
    missing = bytes(font.getmask("\uffff"))
    assert not [g for g in glyphs.GLYPHS if bytes(font.getmask(g)) in (missing, b"")]


def test_labels_are_indices_and_evenly_many(made):
    images, labels = made
    assert (images.dtype, labels.dtype, images.shape) == (np.uint8, np.int64, (400, 28, 28))
    assert np.ptp(np.bincount(labels, minlength=len(glyphs.GLYPHS))) == 1


def test_they_lie_as_mnist_does(made):
    mnist = preparation.prepare("mnist", "subset", "nowhere").x_test[..., 0]
    for images in (made[0], mnist):
        inked = images > 0
        for axis in (1, 2):
            lines = inked.any(axis=axis)  # [n, 28]
            spans = 28 - lines.argmax(1) - lines[:, ::-1].argmax(1)
            assert spans.max() <= 20
            mass = images.sum(axis=axis, dtype=float)
            centre = (mass * np.arange(28)).sum(1) / mass.sum(1)
            assert np.abs(centre - 14).max() < 2.5
            assert abs(np.mean(centre) - 14) < 0.6
    assert 0.6 < made[0].mean() / mnist.mean() < 1.6
    assert made[0].max(axis=(1, 2)).min() > 150


def test_edges_are_smooth(made):
    between = (made[0] > 20) & (made[0] < 235)
    assert 0.2 < between.sum() / (made[0] > 20).sum() < 0.8


def test_no_two_are_the_same(made):
    assert len({image.tobytes() for image in made[0]}) == 400


def test_an_image_depends_on_its_own_words_alone(made):
    images, labels = glyphs.make(7)
    np.testing.assert_array_equal(images[..., 0], made[0][:7])
    np.testing.assert_array_equal(labels, made[1][:7])


def test_a_glyph_is_drawn_unmoved_without_a_map():
    font = glyphs._fonts()[0]
    upright = glyphs._image("I", font, 0, 0, 0)
    columns = np.flatnonzero(upright.any(axis=0))
    assert 1 <= len(columns) <= 4 and abs(columns.mean() - 13.5) <= 0.5
    turned = glyphs._image("I", font, 1, 0, 0)  # 15 degrees clockwise, as rows point down
    rows = np.flatnonzero(turned.any(axis=1))[2:-2]
    centres = turned[rows] @ np.arange(28.0) / turned[rows].sum(axis=1)
    slope = np.polyfit(rows, centres, 1)[0]
    assert slope == pytest.approx(-np.tan(np.deg2rad(15)), abs=0.02)
    wide, narrow = (glyphs._image("O", font, 0, 0, stretch) for stretch in (1, -1))
    height = np.count_nonzero(wide.any(axis=1))
    assert height < np.count_nonzero(narrow.any(axis=1)) == 20
