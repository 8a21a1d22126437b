"""Folding against loops, against the paper's index formula, and against its own inverse."""

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st

from dcgmm.layers import Folding

CASES = {  # height, width, channels, kernel, stride
    "colour": (6, 6, 3, 2, 2),
    "not square": (5, 9, 2, 3, 1),
    "uncovered edge": (6, 8, 1, 3, 2),
    "gaps": (7, 10, 2, 2, 3),
    "kernel 1": (3, 4, 2, 1, 1),
    "whole": (4, 4, 3, 4, 1),
    "whole height": (4, 6, 2, 4, 1),
    "instance B": (28, 28, 1, 8, 2),
    "top of D": (5, 5, 25, 5, 5),
}
case = pytest.mark.parametrize("height, width, channels, kernel, stride", CASES.values(), ids=CASES)

sizes = st.tuples(
    st.integers(1, 9), st.integers(1, 9), st.integers(1, 3), st.integers(1, 9), st.integers(1, 4)
).filter(lambda size: size[3] <= min(size[0], size[1]))


def folding(height, width, channels, kernel, stride, images=2):
    layer = Folding(kernel, stride)
    layer.build((height, width, channels, images))
    return layer


def random(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def patches(height, width, kernel, stride):
    """(h, w, rows, columns) of every patch."""
    for h, top in enumerate(range(0, height - kernel + 1, stride)):
        for w, left in enumerate(range(0, width - kernel + 1, stride)):
            yield h, w, slice(top, top + kernel), slice(left, left + kernel)


@pytest.mark.backend
@case
def test_channels_are_the_patch_row_by_row(height, width, channels, kernel, stride):
    x = random(height, width, channels, 2)
    folded = np.asarray(folding(height, width, channels, kernel, stride)(x))
    count = 0
    for h, w, rows, columns in patches(height, width, kernel, stride):
        np.testing.assert_array_equal(folded[h, w], x[rows, columns].reshape(-1, 2))
        count += 1
    assert count == folded.shape[0] * folded.shape[1]


@case
def test_indices_are_those_of_equations_9_and_10(height, width, channels, kernel, stride):
    x = random(height, width, channels, 2)
    folded = np.asarray(folding(height, width, channels, kernel, stride)(x))
    expected = reference.fold(x.transpose(3, 0, 1, 2), kernel, stride)
    np.testing.assert_array_equal(folded.transpose(3, 0, 1, 2), expected)


@pytest.mark.backend
@case
def test_backward_is_the_mean_over_the_patches_that_cover_a_pixel(
    height, width, channels, kernel, stride
):
    layer = folding(height, width, channels, kernel, stride)
    signal = random(*layer.compute_output_shape((height, width, channels, 2)))
    total, covers = np.zeros((height, width, channels, 2)), np.zeros((height, width, 1, 1))
    for h, w, rows, columns in patches(height, width, kernel, stride):
        total[rows, columns] += signal[h, w].reshape(kernel, kernel, channels, 2)
        covers[rows, columns] += 1
    expected = np.divide(total, covers, out=np.zeros_like(total), where=covers > 0)
    np.testing.assert_allclose(layer.backward(signal), expected, rtol=1e-5, atol=1e-6)


@given(sizes)
@settings(max_examples=15)
def test_backward_inverts_forward_and_leaves_uncovered_pixels_0(size):
    height, width, channels, kernel, stride = size
    layer = folding(*size)
    x = random(height, width, channels, 2)
    folded = layer(x)
    assert folded.shape == layer.compute_output_shape(x.shape)
    covered = np.zeros((height, width, 1, 1), bool)
    for *_, rows, columns in patches(height, width, kernel, stride):
        covered[rows, columns] = True
    np.testing.assert_allclose(layer.backward(folded), np.where(covered, x, 0), rtol=1e-5)


@pytest.mark.parametrize("stride", [1, 2])
def test_a_constant_comes_back_as_that_constant(stride):
    layer = folding(8, 6, 3, 4, stride)
    signal = np.full(layer.compute_output_shape((8, 6, 3, 2)), 0.7, "float32")
    np.testing.assert_allclose(layer.backward(signal), np.full((8, 6, 3, 2), 0.7), rtol=1e-6)


def test_a_kernel_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="kernel may be at most 4"):
        folding(4, 6, 1, 5, 1)


@pytest.mark.parametrize(("kernel", "stride"), [(0, 1), (2, 0), (-1, 1)])
def test_kernel_and_stride_are_at_least_1(kernel, stride):
    with pytest.raises(ValueError, match=f"at least 1, but are {kernel} and {stride}"):
        Folding(kernel, stride)


def test_a_configuration_makes_the_layer_again():
    copy = Folding.from_config(Folding(3, 2, name="f").get_config())
    assert (copy.kernel, copy.stride, copy.name) == (3, 2, "f")
