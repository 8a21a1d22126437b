"""Max-pooling against loops, padding included, and its backward mode."""

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st

from dcgmm import notation
from dcgmm.layers import MaxPooling

CASES = {  # height, width, kernel, stride
    "divisible": (6, 8, 2, 2),
    "not divisible, as in C": (21, 21, 2, 2),
    "not divisible along one axis": (6, 7, 2, 2),
    "overlapping": (7, 9, 3, 2),
    "overlapping and padded": (6, 8, 3, 2),
    "gaps": (8, 5, 2, 3),
    "stride 1": (4, 5, 2, 1),
    "larger than its input": (2, 3, 4, 4),
    "kernel 1": (3, 4, 1, 1),
}
case = pytest.mark.parametrize("height, width, kernel, stride", CASES.values(), ids=CASES)


def pooling(height, width, kernel, stride, channels=3, images=2):
    layer = MaxPooling(kernel, stride)
    layer.build((height, width, channels, images))
    return layer


@pytest.mark.backend
@case
def test_forward_is_the_maximum_of_every_window_and_padding_never_wins(
    height, width, kernel, stride
):
    x = -np.random.default_rng(0).random((height, width, 3, 2), "float32") - 1
    pooled = np.asarray(pooling(height, width, kernel, stride)(x))
    expected = reference.pool(x.transpose(3, 0, 1, 2), kernel, stride)
    np.testing.assert_array_equal(pooled.transpose(3, 0, 1, 2), expected)


@given(
    st.integers(1, 9), st.integers(1, 9), st.integers(1, 4).flatmap(
        lambda kernel: st.tuples(st.just(kernel), st.integers(1, kernel))
    ),
)  # fmt: skip
@settings(max_examples=15)
def test_any_size_pools_to_the_shape_of_its_windows(height, width, window):
    x = np.random.default_rng(0).normal(size=(height, width, 1, 2)).astype("float32")
    layer = pooling(height, width, *window, channels=1)
    with reference.eagerly():
        pooled = np.asarray(layer(x))
    assert pooled.shape == layer.compute_output_shape(x.shape)
    expected = reference.pool(x.transpose(3, 0, 1, 2), *window)
    np.testing.assert_array_equal(pooled.transpose(3, 0, 1, 2), expected)


@pytest.mark.backend
@pytest.mark.parametrize(("height", "width", "kernel"), [(6, 8, 2), (7, 5, 2), (7, 8, 3)])
def test_backward_copies_a_value_to_its_whole_window(height, width, kernel):
    layer = pooling(height, width, kernel, kernel)
    signal = np.random.default_rng(0).normal(size=layer.compute_output_shape((height, width, 3, 2)))
    result = np.asarray(layer.backward(signal.astype("float32")))
    assert result.shape == (height, width, 3, 2)
    for row in range(height):
        for column in range(width):
            expected = signal[row // kernel, column // kernel].astype("float32")
            np.testing.assert_array_equal(result[row, column], expected)


def test_backward_gives_every_pixel_a_window_that_covers_it_where_windows_overlap():
    layer = pooling(7, 9, 3, 2, channels=1, images=1)
    signal = np.arange(12, dtype="float32").reshape(3, 4, 1, 1)
    result = np.asarray(layer.backward(signal))[:, :, 0, 0].astype(int)
    for (row, column), value in np.ndenumerate(result):
        top, left = 2 * (value // 4), 2 * (value % 4)
        assert top <= row < top + 3
        assert left <= column < left + 3


def test_pooling_what_backward_has_spread_returns_it():
    layer = pooling(7, 9, 2, 2)
    signal = np.random.default_rng(0).normal(size=(4, 5, 3, 2)).astype("float32")
    np.testing.assert_array_equal(layer(layer.backward(signal)), signal)


def test_the_stride_is_the_kernel_unless_given():
    assert MaxPooling(3).stride == 3


@pytest.mark.parametrize(("kernel", "stride"), [(0, 1), (2, 0), (2, -1)])
def test_kernel_and_stride_are_at_least_1(kernel, stride):
    with pytest.raises(ValueError, match=f"at least 1, but are {kernel} and {stride}"):
        MaxPooling(kernel, stride)


def test_a_configuration_makes_the_layer_again():
    copy = MaxPooling.from_config(MaxPooling(3, 2, name="p").get_config())
    assert (copy.kernel, copy.stride, copy.name) == (3, 2, "p")


def test_no_window_begins_outside():
    pooling = MaxPooling(2, 3)
    pooling.build((6, 6, 1, None))
    assert np.isfinite(np.asarray(pooling.call(np.zeros((6, 6, 1, 1), "float32")))).all()
    assert notation.MaxPooling(2, 3).output_shape((6, 6, 1)) == (2, 2, 1)
