"""F(f, stride): half-convolution (Sec. III-E, Eqs. 9-10)."""

from typing import Any

import keras
import numpy as np
from keras import ops

from dcgmm import notation


class Folding(keras.layers.Layer):
    """Copies every f x f patch into the channels of one position; computes nothing.

    Forward, channel c of position (h, w) is the input at row `h*stride + (c // C) // f`, column
    `w*stride + (c // C) % f`, channel `c % C`. Backward, each input position receives the mean
    over the J patches that cover it. Unlike a convolution it has no weights: the cGMM layer above
    supplies the filters.

    Args:
        kernel: side f of a patch.
        stride: step between patches.

    Input shape: [H, W, C, N]. Output shape: [H', W', f*f*C, N].
    """

    def __init__(self, kernel: int, stride: int = 1, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        if kernel < 1 or stride < 1:
            raise ValueError(f"kernel and stride must be at least 1, but are {kernel} and {stride}")
        self.kernel = kernel
        self.stride = stride

    def build(self, input_shape: tuple) -> None:
        """Work out, for every position and offset, the row of the input that is copied."""
        height, width, channels = input_shape[:3]
        self.input_size = (height, width, channels)
        folding = notation.Folding(self.kernel, self.stride)
        rows, columns, self.depth = folding.output_shape(self.input_size)
        self.output_size = (rows, columns)
        self.is_whole = self.kernel == height == width  # a single patch, already in order
        self.source = self._rows(rows, self.kernel).reshape(-1)  # [H'*W'*f*f]
        covers = np.bincount(self.source, minlength=height * width)
        self.coverage = np.maximum(covers, 1).reshape(height, width, 1, 1).astype("float32")
        self.built = True

    def call(self, x: Any) -> Any:
        """Forward: [H, W, C, N] -> [H', W', f*f*C, N]."""
        height, width, _ = self.input_size
        rows = ops.reshape(x, (height * width, -1))  # a row: C*N contiguous numbers
        if not self.is_whole:
            rows = ops.take(rows, self.source, axis=0)
        return ops.reshape(rows, (*self.output_size, self.depth, -1))

    def features(self, x: Any) -> Any:
        """Squares and values of the forward result, [H, W, C, N] -> [H'*W', 2*f*f*C, N].

        What a cGMM layer needs; squared before folding, where every number stands only once.
        """
        positions = self.output_size[0] * self.output_size[1]
        return self._features(x, None if self.is_whole else self.source.reshape(positions, -1))

    @property
    def strips_each(self) -> int:
        """How many strips of `stride` rows make a patch; 1 where they do not."""
        return 1 if self.kernel % self.stride else self.kernel // self.stride

    def strip_features(self, x: Any) -> Any:
        """The features of strips, of which patches share all but their own, [S, 2*D/M, N]."""
        strips = self.output_size[0] + self.strips_each - 1
        return self._features(x, self._rows(strips, self.stride))

    def _features(self, x: Any, source: np.ndarray | None) -> Any:
        """Squares and values of the rows that `source` [P, n] names; of all, in one."""
        height, width, channels = self.input_size
        rows = ops.reshape(x, (height * width, -1))
        both = ops.concatenate([ops.square(rows), rows], axis=0)
        if source is None:
            return ops.reshape(both, (1, 2 * height * width * channels, -1))
        both = ops.take(both, np.hstack([source, source + height * width]).reshape(-1), axis=0)
        return ops.reshape(both, (len(source), 2 * source.shape[1] * channels, -1))

    def _rows(self, count: int, height: int) -> np.ndarray:
        """What pieces of `height` rows copy, `count` of them from top to bottom, [P, n]."""
        row = np.arange(count)[:, None, None, None] * self.stride + np.arange(height)[:, None]
        column = np.arange(self.output_size[1])[:, None, None] * self.stride
        column = column + np.arange(self.kernel)
        source = row * self.input_size[1] + column
        return source.reshape(count * self.output_size[1], -1).astype("int32")

    def backward(self, t: Any) -> Any:
        """Backward: [H', W', f*f*C, N] -> [H, W, C, N], the mean over covering patches.

        Positions that no patch covers are 0.
        """
        return self.total(t) / self.coverage

    def backward_variance(self, t: Any) -> Any:
        """Variances of what `backward` gives, from those of an input of independent numbers."""
        return self.backward(t) / self.coverage

    def total(self, t: Any) -> Any:
        """The sum over covering patches, [H', W', f*f*C, N] -> [H, W, C, N]: `call` transposed."""
        height, width, channels = self.input_size
        rows = ops.reshape(t, (self.source.size, -1))
        if not self.is_whole:
            rows = ops.segment_sum(rows, self.source, num_segments=height * width)
        return ops.reshape(rows, (height, width, channels, -1))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Shape of the forward result."""
        folding = notation.Folding(self.kernel, self.stride)
        return (*folding.output_shape(tuple(input_shape[:3])), input_shape[3])

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {**super().get_config(), "kernel": self.kernel, "stride": self.stride}
