"""A stack of layers as its cGMM layers see it: each with the transforms below it."""

from collections.abc import Sequence
from typing import Any

import keras

from dcgmm.layers import GMM, Folding
from dcgmm.layers import gmm as mixture


def transforms_below_each(layers: Sequence[keras.layers.Layer]) -> list[list]:
    """For each cGMM layer, the folding and pooling layers between it and the previous one."""
    result: list[list] = []
    waiting: list = []
    for layer in layers:
        if isinstance(layer, GMM):
            result.append(waiting)
            waiting = []
        else:
            waiting.append(layer)
    return result


def layer_features(x: Any, below: Sequence[keras.layers.Layer], layer: GMM) -> Any:
    """What a cGMM layer sees of `x` [H, W, C, N] through the transforms below it, [P, 2D, N]."""
    if not (below and isinstance(below[-1], Folding)):
        return mixture.features(layer.flatten(_through(x, below)))
    return below[-1].features(_through(x, below[:-1]))


def _through(x: Any, transforms: Sequence[keras.layers.Layer]) -> Any:
    for transform in transforms:
        x = transform.call(x)
    return x
