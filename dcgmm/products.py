"""The two large matrix products of a cGMM layer: of patches, or of the strips they share.

A patch of f x f at a stride s is f/s strips of s rows on top of one another, and a strip is part of
as many patches. Where patches are large, it pays to multiply each strip once with all the
parameters that its patches have for it: fewer numbers are copied, and the products are larger.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from dcgmm import backend
from dcgmm.layers import GMM, Folding
from dcgmm.layers import gmm as mixture
from dcgmm.stack import layer_features, through


class Patches:
    """Products of every position's whole patch.

    Args:
        below: the transforms between the cGMM layer and the previous one.
        layer: the cGMM layer.
    """

    def __init__(self, below: Sequence[keras.layers.Layer], layer: GMM) -> None:
        self.below, self.layer = below, layer

    def features(self, x: Any) -> Any:
        """Squares and values, [H, W, C, N] -> [P, 2D, N]."""
        return layer_features(x, self.below, self.layer)

    def split(self, matrix: Any) -> Any:
        """The matrix [Q, K, 2D] of `gmm.projection` as `scores` takes it."""
        return matrix

    def scores(self, matrix: Any, features: Any) -> Any:
        """Scores without their offset, in parts that `total` adds up."""
        return backend.matmul(matrix, features)

    def total(self, parts: Any) -> Any:
        """[P, K, N]."""
        return parts

    def moments(self, weights: Any, features: Any) -> Any:
        """Sums over images of w x^2 and of w x, in parts that `join` puts together."""
        return backend.matmul(weights, features, transpose_b=True)

    def join(self, parts: Any) -> Any:
        """[Q, K, 2D]."""
        return parts if self.layer.independent else ops.sum(parts, axis=0, keepdims=True)


class Strips(Patches):
    """The same of strips, S of them, where positions share their parameters.

    M strips make a patch, and each has d numbers, D = M d.
    """

    def __init__(self, below: Sequence[keras.layers.Layer], layer: GMM) -> None:
        super().__init__(below, layer)
        self.rows, self.columns = below[-1].output_size
        self.each = below[-1].strips_each
        # The position whose part i a strip is; where none is, the row of zeros after the last.
        above = np.arange(self.rows + self.each - 1)[:, None, None] - np.arange(self.each)
        position = above * self.columns + np.arange(self.columns)[:, None]
        inside = (above >= 0) & (above < self.rows)
        self.position = np.where(inside, position, layer.positions).reshape(-1).astype("int32")

    def features(self, x: Any) -> Any:
        """Squares and values, [H, W, C, N] -> [S, 2d, N]."""
        return self.below[-1].strip_features(through(x, self.below[:-1]))

    def split(self, matrix: Any) -> Any:
        """[1, K, 2D] -> [1, M*K, 2d]."""
        parts = ops.reshape(matrix, (self.layer.components, 2, self.each, -1))
        return ops.reshape(
            ops.transpose(parts, (2, 0, 1, 3)), (1, self.each * self.layer.components, -1)
        )

    def total(self, parts: Any) -> Any:
        """[S, M*K, N] -> [P, K, N]."""
        shape = (-1, self.columns, self.each, self.layer.components, parts.shape[2])
        parts = ops.reshape(parts, shape)
        scores = sum(parts[i : i + self.rows, :, i] for i in range(self.each))
        return ops.reshape(scores, (-1, *shape[3:]))

    def moments(self, weights: Any, features: Any) -> Any:
        """[P, K, N], [S, 2d, N] -> [S, 2d, M*K]."""
        nowhere = ops.zeros((1, *weights.shape[1:]), weights.dtype)
        weights = ops.concatenate([weights, nowhere], axis=0)
        spread = ops.take(weights, self.position, axis=0)
        spread = ops.reshape(spread, (-1, self.each * self.layer.components, weights.shape[2]))
        return backend.matmul(features, spread, transpose_b=True)

    def join(self, parts: Any) -> Any:
        """[S, 2d, M*K] -> [1, K, 2D]."""
        parts = ops.reshape(ops.sum(parts, axis=0), (2, -1, self.each, self.layer.components))
        return ops.reshape(ops.transpose(parts, (3, 0, 2, 1)), (1, self.layer.components, -1))


def of(below: Sequence[keras.layers.Layer], layer: GMM) -> Patches:
    """Strips where they are possible and move fewer numbers."""
    if layer.independent or not (below and isinstance(below[-1], Folding)):
        return Patches(below, layer)
    rows, columns = below[-1].output_size
    each, strips = below[-1].strips_each, (rows + below[-1].strips_each - 1) * columns
    copied = 2 * layer.dimension * (layer.positions - strips / each)
    multiplied = 2 * layer.components * (each * strips - layer.positions)
    return Strips(below, layer) if copied > multiplied else Patches(below, layer)


def log_scores(inputs: Patches, parameters: mixture.Parameters, features: Any) -> Any:
    """q, Sec. III-C: [P, K, N]."""
    matrix, offset = mixture.projection(parameters)
    return inputs.total(inputs.scores(inputs.split(matrix), features)) + offset
