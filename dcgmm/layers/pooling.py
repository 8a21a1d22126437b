"""P(f, stride): max-pooling with a backward mode (Sec. III-D)."""

import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from dcgmm import backend, notation


class MaxPooling(keras.layers.Layer):
    """Maximum over f x f windows; backward, the value of a window is copied to all its positions.

    A window may reach over the lower and right edge (the output size is rounded up); what lies
    outside never wins. The release reads input element (0, 0) there instead.

    Args:
        kernel: side f of a window.
        stride: step between windows.

    Input shape: [H, W, C, N]. Output shape: [H', W', C, N].
    """

    def __init__(self, kernel: int, stride: int | None = None, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        stride = kernel if stride is None else stride
        if kernel < 1 or stride < 1:
            raise ValueError(f"kernel and stride must be at least 1, but are {kernel} and {stride}")
        self.kernel = kernel
        self.stride = stride

    def build(self, input_shape: tuple) -> None:
        """Work out the output size, the padding, and for every input row its window."""
        height, width, channels = input_shape[:3]
        pooling = notation.MaxPooling(self.kernel, self.stride)
        rows, columns, _ = pooling.output_shape((height, width, channels))
        self.output_size = (rows, columns)
        self.padding = tuple(
            max(0, (outputs - 1) * self.stride + self.kernel - size)
            for size, outputs in ((height, rows), (width, columns))
        )
        self.window_row = np.minimum(np.arange(height) // self.stride, rows - 1)
        self.window_column = np.minimum(np.arange(width) // self.stride, columns - 1)
        self.built = True

    def call(self, x: Any) -> Any:
        """Forward: [H, W, C, N] -> [H', W', C, N]."""
        return self._windows_maximum(x)

    @functools.cached_property
    def _windows_maximum(self) -> Callable:
        return backend.fused(self._maximum)

    def _maximum(self, x: Any) -> Any:
        below, right = self.padding
        if below or right:
            x = ops.pad(x, ((0, below), (0, right), (0, 0), (0, 0)), constant_values=-np.inf)
        rows, columns = self.output_size
        spans = [
            x[i : i + (rows - 1) * self.stride + 1 : self.stride,
              j : j + (columns - 1) * self.stride + 1 : self.stride]
            for i in range(self.kernel)
            for j in range(self.kernel)
        ]  # fmt: skip
        result = spans[0]
        for span in spans[1:]:
            result = ops.maximum(result, span)
        return result

    def backward(self, t: Any) -> Any:
        """Backward: [H', W', C, N] -> [H, W, C, N], nearest-neighbour upsampling."""
        return ops.take(ops.take(t, self.window_row, axis=0), self.window_column, axis=1)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Shape of the forward result."""
        pooling = notation.MaxPooling(self.kernel, self.stride)
        return (*pooling.output_shape(tuple(input_shape[:3])), input_shape[3])

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {**super().get_config(), "kernel": self.kernel, "stride": self.stride}
