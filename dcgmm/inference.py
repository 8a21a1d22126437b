"""The forward mode: scores and responsibilities of every cGMM layer (Sec. III-H)."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from dcgmm import annealing, backend
from dcgmm.layers import GMM
from dcgmm.layers import gmm as mixture
from dcgmm.stack import layer_features, transforms_below_each

BATCH = 100


def forward_pass(layers: Sequence[keras.layers.Layer], up_to: int) -> Callable:
    """Compile `forward(states, x [H, W, C, N]) -> scores, gamma`, through layer `up_to`.

    `scores` holds one [N] a cGMM layer: the mean over positions of the log-density of the best
    component, in nats; `gamma` [H', W', K, N] are the responsibilities of the last one.
    """
    gmms = [layer for layer in layers[:up_to] if isinstance(layer, GMM)]
    below = transforms_below_each(layers[:up_to])

    def forward(states: tuple, x: Any) -> tuple:
        scores = []
        for layer, transforms, state in zip(gmms, below, states, strict=True):
            features = layer_features(x, transforms, layer)
            log_scores = mixture.log_scores(state.parameters, features)
            scores.append(layer_score(layer, state, log_scores))
            gamma = mixture.responsibilities(log_scores)
            x = ops.reshape(gamma, (*layer.size, layer.components, -1))
        return tuple(scores), x

    return backend.compiled(forward)


def in_batches(forward: Callable, states: tuple, images: np.ndarray) -> Any:
    """Yield `(scores, gamma)` as arrays, batch by batch; the last one is padded, then cut.

    Args:
        forward: from `forward_pass`.
        states: of the cGMM layers.
        images: float32 [n, H, W, C].
    """
    for start, batch in zip(range(0, len(images), BATCH), batches(images), strict=True):
        scores, gamma = forward(states, batch)
        count = min(BATCH, len(images) - start)
        yield [np.asarray(score)[:count] for score in scores], np.asarray(gamma)[..., :count]


def batches(images: np.ndarray) -> Iterator[Any]:
    """Put images on the device, batch by batch, [H, W, C, BATCH], the last one padded."""
    for start in range(0, len(images), BATCH):
        batch = images[start : start + BATCH]
        padded = np.concatenate([batch, np.zeros((BATCH - len(batch), *batch.shape[1:]), "f4")])
        yield ops.convert_to_tensor(padded.transpose(1, 2, 3, 0))


def layer_scores(outputs: Iterable) -> np.ndarray:
    """Scores under every cGMM layer, float32 [L, n], from the outputs of a forward pass."""
    return np.concatenate([np.stack(scores) for scores, _ in outputs], axis=1)


def layer_score(layer: GMM, state: Any, scores: Any) -> Any:
    """Eq. 8 with whatever smoothing annealing has left, and with its constant, [N]."""
    radius = state.annealing.radius
    distances = annealing.torus_distances(layer.components)
    smoothed = ops.cond(
        radius < annealing.IDENTITY_RADIUS,
        lambda: scores,
        lambda: backend.matmul(annealing.smoothing_matrix(radius, distances)[None], scores),
    )
    return mixture.max_component(smoothed) + layer.log_constant
