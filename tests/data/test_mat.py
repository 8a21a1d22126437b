"""SVHN's files of MATLAB: read as published, every other file refused in a sentence."""

import hashlib
import io
import tempfile
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from hypothesis import given, settings
from hypothesis import strategies as st

from workflow.data import mat, originals

rng = np.random.default_rng(0)
IMAGES = rng.integers(0, 256, (12, 32, 32, 3), dtype=np.uint8)
LABELS = np.array([10, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1], dtype=np.uint8)


def written(compressed=True, version="5", **arrays):
    """The bytes of a file with these arrays, by default those of SVHN's kind."""
    file = io.BytesIO()
    arrays = arrays or {"X": IMAGES.transpose(1, 2, 3, 0), "y": LABELS[:, None]}
    scipy.io.savemat(file, arrays, do_compression=compressed, format=version)
    return file.getvalue()


SMALL = {"X": IMAGES[:2].transpose(1, 2, 3, 0), "y": LABELS[:2, None]}
VALID = {compressed: written(compressed, **SMALL) for compressed in (True, False)}


@pytest.mark.parametrize("compressed", [True, False])
def test_images_come_first_and_ten_is_zero(compressed):
    images, labels = mat.decode(written(compressed), name="a.mat")
    np.testing.assert_array_equal(images, IMAGES)
    assert labels.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
    assert (images.dtype, labels.dtype) == (np.uint8, np.uint8)
    assert images.flags.c_contiguous


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"X": None}, "holds 'y', but must hold the arrays 'X' and 'y' of SVHN"),
        ({"X": None, "images": 1}, "holds 'y', 'images', but must hold"),
        ({"X": IMAGES}, r"X is uint8 \(12, 32, 32, 3\), but must be uint8 \(32, 32, 3, 'n'\)"),
        ({"X": SMALL["X"] / 255}, "X is double"),
        ({"X": SMALL["X"][..., 0]}, r"X is uint8 \(32, 32, 3\)"),
        ({"X": SMALL["X"][..., :0]}, r"X is uint8 \(32, 32, 3, 0\)"),
        ({"y": np.array([[1, 2]])}, r"y is int64 \(1, 2\), but must be numbers \(2, 1\)"),
        ({"y": np.array([[1]])}, r"y is int64 \(1, 1\), but must be numbers \(2, 1\)"),
        ({"y": np.array([[1], [0]])}, "has the label 0, those of SVHN are 1 to 10"),
        ({"y": np.array([[1], [11]])}, "has the label 11"),
        ({"y": np.array([[1], [1.5]])}, "has the label 1.5"),
        ({"y": np.array([[1], [np.nan]])}, "has the label nan"),
        ({"y": np.array([["a"], ["b"]], dtype=object)}, r"y is cell \(2, 1\)"),
        ({"y": np.array(["a", "b"])}, r"y is char \(2,\)"),
    ],
)
def test_other_arrays_are_refused(change, message):
    arrays = {key: value for key, value in (SMALL | change).items() if value is not None}
    with pytest.raises(ValueError, match=message) as caught:
        mat.decode(written(**arrays), name="train.mat")
    assert str(caught.value).startswith("train.mat")
    assert "\n" not in str(caught.value)


def test_matlab_7_3_is_named():
    header = b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM"
    with pytest.raises(ValueError, match=r"a file of MATLAB 7\.3 \(HDF5\).*'-v7'"):
        mat.decode(header.ljust(512, b"\0") + b"\x89HDF\r\n\x1a\n", name="train.mat")


@pytest.mark.parametrize("content", [b"", b"no such file", b"\x89PNG\r\n" * 40, b"\0" * 200])
def test_another_file_is_refused(content):
    with pytest.raises(ValueError, match=r"train\.mat (is damaged or no file of|holds nothing)"):
        mat.decode(content, name="train.mat")


@given(st.sampled_from([True, False]), st.data())
@settings(max_examples=100)
def test_a_truncated_file_is_refused(compressed, data):
    whole = VALID[compressed]
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    with pytest.raises(ValueError, match=r"^cut\.mat"):
        mat.decode(cut, name="cut.mat")


@given(st.integers(0, len(VALID[True]) - 1), st.integers(1, 255))
@settings(max_examples=100)
def test_no_changed_byte_reaches_the_reader(place, change):
    content = bytearray(VALID[True])
    content[place] ^= change
    digest = hashlib.sha256(VALID[True]).hexdigest()
    row = originals.Original("svhn", "test", "both", "a.mat", digest, "none", (), ())
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "a.mat").write_bytes(content)
        with pytest.raises(ValueError, match=f"the test images and labels of svhn have {digest}"):
            originals.obtain(row, Path(folder))


SHAPES = st.sampled_from([(32, 32, 3, 2), (2, 32, 32, 3), (32, 32, 2), (2, 1), (1, 2), (3, 1)])
KINDS = st.sampled_from(["uint8", "int16", "uint64", "float32", "float64", "bool"])
ARRAYS = st.tuples(SHAPES, KINDS, st.integers(0, 12)).map(lambda a: np.full(a[0], a[2], a[1]))


@given(st.dictionaries(st.sampled_from(["X", "y", "z"]), ARRAYS, min_size=1), st.booleans())
@settings(max_examples=300)
def test_any_other_arrays_are_refused_and_no_fitting_ones(arrays, compressed):
    X, y = arrays.get("X", np.zeros(0)), arrays.get("y", np.zeros(0))
    fits = X.shape == (32, 32, 3, 2) and X.dtype == np.uint8 and y.shape == (2, 1)
    fits &= y.dtype.kind in "iuf" and 1 <= y.max(initial=0) <= 10
    content = written(compressed, **arrays)
    if fits:
        images, labels = mat.decode(content, name="a.mat")
        np.testing.assert_array_equal(images, X.transpose(3, 0, 1, 2))
        assert labels.tolist() == (y[:, 0] % 10).tolist()
    else:
        with pytest.raises(ValueError, match=r"^a\.mat"):
            mat.decode(content, name="a.mat")


@given(st.binary(max_size=300))
@settings(max_examples=200)
def test_garbage_is_only_ever_a_value_error(content):
    with pytest.raises(ValueError, match=r"^a\.mat"):
        mat.decode(content, name="a.mat")
