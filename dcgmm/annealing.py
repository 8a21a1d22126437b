"""SOM-like smoothing of component log-scores, and the controller that ends it.

The components of a layer lie on a square grid that wraps around. Early in training, each
component's log-score is averaged with its neighbours' so that no component is left behind; the
radius of the neighbourhood shrinks whenever the layer's loss stagnates ([3] and [4] of the paper;
constants from the authors' release).
"""

import math
from typing import Any, NamedTuple

import numpy as np
from keras import ops

from dcgmm.recipes import Annealing, Recipe

# Below this radius every neighbour's weight is under 1e-44: the identity, in float32.
IDENTITY_RADIUS = 0.07


class AnnealingState(NamedTuple):
    """Scalars of one layer's controller.

    Attributes:
        count: losses observed so far.
        mean: running mean of the current window.
        first: mean of the first window, for ever the reference of total progress.
        last: mean of the previous window.
        radius: of the smoothing, in grid units.
        learning_rate: of SGD.
    """

    count: Any
    mean: Any
    first: Any
    last: Any
    radius: Any
    learning_rate: Any


def initial_state(components: int, recipe: Recipe) -> AnnealingState:
    """The controller before training: radius 0.25 * sqrt(2 K)."""
    zero = np.float32(0)
    return AnnealingState(
        count=np.int32(0),
        mean=zero,
        first=zero,
        last=zero,
        radius=np.float32(0.25 * math.sqrt(2 * components)),
        learning_rate=np.float32(recipe.learning_rate),
    )


def torus_distances(components: int) -> np.ndarray:
    """Squared Euclidean distances [K, K] on a sqrt(K) x sqrt(K) grid that wraps around.

    Raises:
        ValueError: if `components` is not a perfect square.
    """
    side = math.isqrt(max(components, 0))
    if side == 0 or side**2 != components:
        raise ValueError(
            f"components is {components}, but must be a perfect square, "
            f"such as {max(side, 1) ** 2} or {(max(side, 1) + 1) ** 2}"
        )
    apart = np.abs(np.subtract.outer(np.arange(side), np.arange(side)))
    squared = np.minimum(apart, side - apart) ** 2  # along one axis
    return (squared[:, None, :, None] + squared[None, :, None, :]).reshape(components, components)


def smoothing_matrix(radius: Any, distances: np.ndarray) -> Any:
    """Weights [K, K] of every component's neighbours; rows sum to 1."""
    return ops.softmax(-distances.astype("float32") / (2 * radius * radius), axis=1)


def observe(state: AnnealingState, loss: Any, annealing: Annealing, final_rate: float) -> Any:
    """Take in one training loss; shrink radius and learning rate where progress has stalled.

    Windows follow one another without overlap, and a window is judged one loss before it is full,
    as in the release: with a window of 100, after 99 losses. Progress is measured against all
    progress since the first window; the first judgement is made in the third.
    """
    window = annealing.window
    position = ops.cast(state.count % window, "float32")
    mean = (state.mean * position + loss) / (position + 1)
    count = state.count + 1
    judged = ops.equal(count % window, window - 1)
    number = count // window

    progress = (mean - state.last) / (state.last - state.first)  # 0/0 is NaN: never stalled
    stalled = (progress > -2 * annealing.tolerance) & (progress < annealing.tolerance)
    fires = judged & (number >= 2) & stalled
    return AnnealingState(
        count=count,
        mean=mean,
        first=ops.where(judged & ops.equal(number, 0), mean, state.first),
        last=ops.where(judged, mean, state.last),
        radius=ops.where(
            fires,
            ops.maximum(annealing.factor * state.radius, annealing.final_radius),
            state.radius,
        ),
        learning_rate=ops.where(
            fires, ops.maximum(annealing.factor * state.learning_rate, final_rate),
            state.learning_rate,
        ),
    )  # fmt: skip
