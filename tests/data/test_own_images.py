"""A user's images: folders of PNG files and `.npz`, read or refused in a sentence."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays, integer_dtypes

from workflow.data import own_images, png

SHAPE = (4, 5, 1)
RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (7, *SHAPE), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path):
    """With seven images, whose names are not in the order of writing."""
    for i in (3, 0, 6, 2, 1, 5, 4):
        (tmp_path / f"{i}.{'PNG' if i % 2 else 'png'}").write_bytes(png.encode(IMAGES[i]))
    (tmp_path / "notes.txt").write_text("no image")
    return tmp_path


def test_a_folder_is_read_by_name(folder):
    images, labels = own_images.read(folder, SHAPE)
    np.testing.assert_array_equal(images, IMAGES)
    assert (labels.dtype, labels.tolist()) == (np.int64, [0] * 7)


def test_a_thousand_are_enough(folder, monkeypatch):
    monkeypatch.setattr(own_images, "evenly_spaced", lambda n: np.array([0, 3, 6]))
    images, _ = own_images.read(folder, SHAPE)
    np.testing.assert_array_equal(images, IMAGES[[0, 3, 6]])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"text", r"2\.png is damaged or no PNG file; convert or remove it"),
        (png.encode(IMAGES[0].transpose(1, 0, 2)), r"2\.png has 5x4 pixels .* must have 4x5 and 1"),
        (png.encode(np.zeros((4, 5, 3), np.uint8)), r"2\.png has 4x5 pixels and 3 channel"),
        (bytes(png.MAX_FILE + 1), r"2\.png is larger than 16777216 bytes; remove it"),
    ],
    ids=["text", "size", "colour", "large"],
)  # fmt: skip
def test_one_bad_file_is_named(folder, content, message):
    (folder / "2.png").write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        own_images.read(folder, SHAPE)
    assert "\n" not in str(caught.value)


def test_nothing_there(tmp_path):
    with pytest.raises(ValueError, match=r"has no PNG file; put images of 4x5 pixels with 1 chann"):
        own_images.read(tmp_path, SHAPE)
    with pytest.raises(
        FileNotFoundError, match=r"gone is missing; put a folder of PNG files or an"
    ):
        own_images.read(tmp_path / "gone", SHAPE)


# Arrays.


@pytest.fixture
def saved(tmp_path):
    """Writes an `.npz` and reads it as a set."""

    def write_and_read(**arrays):
        np.savez(tmp_path / "mine.npz", **arrays)
        return own_images.read(tmp_path / "mine.npz", SHAPE)

    return write_and_read


@pytest.mark.parametrize("kind", ["uint8", "float16", "float32", "float64"])
@pytest.mark.parametrize("squeezed", [True, False])
def test_bytes_and_fractions_are_read(saved, kind, squeezed):
    images = IMAGES if kind == "uint8" else (IMAGES / 255).astype(kind)
    given_labels = np.arange(7, dtype=np.int16)
    read, labels = saved(images=images[..., 0] if squeezed else images, labels=given_labels)
    assert (read.dtype, read.shape, labels.dtype) == (np.uint8, (7, *SHAPE), np.int64)
    np.testing.assert_array_equal(read, IMAGES)
    assert labels.tolist() == list(range(7))
    assert saved(images=images)[1].tolist() == [0] * 7


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": IMAGES}, "holds 'x', it must hold the array 'images'"),
        ({}, "holds nothing, it must hold"),
        ({"images": IMAGES[:, :3]}, r"the shape \(7, 3, 5, 1\), it must be \(n, 4, 5, 1\)"),
        ({"images": IMAGES[0]}, r"the shape \(4, 5, 1\)"),
        ({"images": IMAGES[:0]}, r"the shape \(0, 4, 5, 1\), .* n above zero"),
        ({"images": np.repeat(IMAGES, 3, 3)}, r"the shape \(7, 4, 5, 3\)"),
        ({"images": IMAGES.astype(np.int64)}, "images are int64, they must be uint8 or float"),
        ({"images": IMAGES > 9}, "images are bool"),
        ({"images": IMAGES.astype("f4")}, r"values from \S+ to [\d.]+, they must be in \[0, 1\]"),
        ({"images": IMAGES / -255}, r"values from -0\.\d+ to"),
        ({"images": np.full((1, *SHAPE), np.nan)}, "values from nan to nan"),
        ({"images": np.array(["a"])}, r"the shape \(1,\)"),
        ({"images": np.array([{}], object)}, r"mine\.npz is damaged"),
        ({"images": IMAGES, "labels": np.arange(6)}, r"labels are int64 \(6,\), .* \(7,\)"),
        ({"images": IMAGES, "labels": np.arange(7.0)}, "labels are float64"),
    ],
)
def test_other_arrays_are_refused(saved, arrays, message):
    with pytest.raises(ValueError, match=message) as caught:
        saved(**arrays)
    assert "mine.npz" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"PK", b"text of any kind"])
def test_another_file_is_refused(tmp_path, content):
    (tmp_path / "mine.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"mine\.npz is damaged"):
        own_images.read(tmp_path / "mine.npz", SHAPE)


FLOATS = arrays(np.float32, (2, *SHAPE), elements=st.floats(0, 1, width=32))
ANY = arrays(
    st.one_of(integer_dtypes(), st.sampled_from(["u1", "f4", "?"])), array_shapes(max_side=5)
)


@given(FLOATS)
@settings(max_examples=50)
def test_fractions_become_the_nearest_byte(images):
    read = own_images._bytes(images, Path("a"))
    assert np.abs(read - images.astype(float) * 255).max() <= 0.5


@given(ANY)
@settings(max_examples=100)
def test_any_array_is_a_set_or_an_error(tmp_path_factory, images):
    path = tmp_path_factory.mktemp("own") / "a.npz"
    np.savez(path, images=images)
    try:
        read, labels = own_images.read(path, SHAPE)
    except ValueError as error:
        assert "a.npz" in str(error)
    else:
        assert read.shape == (len(labels), *SHAPE) and read.dtype == np.uint8
