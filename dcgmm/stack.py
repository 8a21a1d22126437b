"""A stack of layers: made from its notation, and as its cGMM layers see it."""

import math
from collections.abc import Sequence
from typing import Any

import keras

from dcgmm import notation, streams
from dcgmm.layers import GMM, Classifier, Folding, MaxPooling
from dcgmm.layers import gmm as mixture
from dcgmm.recipes import Recipe


def build(
    symbols: Sequence[notation.Layer], recipe: Recipe, input_shape: notation.Shape, seed: int
) -> list[keras.layers.Layer]:
    """Layers with fresh weights; every layer that draws some has a random stream of its own."""
    result: list[keras.layers.Layer] = []
    sizes = [input_shape, *notation.shapes(symbols, input_shape)]
    independent = recipe.independent_layers(symbols)
    for index, symbol in enumerate(symbols, start=1):
        shape: tuple = (*sizes[index - 1], None)
        match symbol:
            case notation.Folding(kernel, stride):
                layer = Folding(kernel, stride)
            case notation.MaxPooling(kernel, stride):
                layer = MaxPooling(kernel, stride)
            case notation.GMM(components):
                layer = GMM(
                    components,
                    independent=index in independent,
                    mu_init=recipe.mu_init,
                    max_precision=recipe.max_precision,
                    seed=(seed, streams.CENTROIDS, index),
                )
            case notation.Classifier(classes):
                layer = Classifier(classes, seed=(seed, streams.WEIGHTS, index))
                shape = (sum(math.prod(sizes[below]) for below in recipe.classifier.inputs), None)
        layer.build(shape)
        result.append(layer)
    return result


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
        return mixture.features(layer.flatten(through(x, below)))
    return below[-1].features(through(x, below[:-1]))


def through(x: Any, transforms: Sequence[keras.layers.Layer]) -> Any:
    """What layers without parameters make of `x`, one after the other."""
    for transform in transforms:
        x = transform.call(x)
    return x
