"""Sharpening (Sec. III-I): a folding layer's signal climbs the likelihood of a layer above.

Going down through a folding layer averages overlapping patches, and through pooling copies values,
so that the signal no longer looks like what the layers above were trained on. From the signal X
that leaves folding layer L downwards, gradient ascent maximises, for each image by itself,

    J(X') = L_t(X') - omega * mean((X' - X)^2)

with L_t the loss of a target layer t above L (Eq. 8: the mean over positions of the best smoothed
log-score, with its constant; once annealing is over, of the best log-score) and the mean over rows,
columns and channels.

**Step size.** The release climbs the average of J over a batch of 100 images, so that the gradient
of one image carries a factor 1/100: a rate r there is the step r / 100 here, whatever the batch.
Eq. 8 being a mean over the h_t * w_t positions of the target, their number needs no conversion of
its own; with an objective summed over positions the step would be r / (100 h_t w_t). The paper's
rate 1.0 is the step 0.01, the default.

**The likelihood never falls.** Where t is the cGMM layer directly above the folding layer, each
component's score is a concave parabola in every pixel, and the best score after a step is at least
that of the component that was best before it. A step of at most 2 / s^2, 0.1 for the precisions up
to 20, therefore cannot lower L_t. Towards higher targets, through responsibilities, no such bound
holds; there, and for larger steps, a step that would lower J (by more than float32 rounds) is not
made, and that image's step is halved.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
from keras import ops

from dcgmm import annealing, backend, inference
from dcgmm.layers import GMM, Folding
from dcgmm.layers import gmm as mixture

_ROUNDING = 1e-6  # of a score, relative to it or to one a dimension


class Ascent(NamedTuple):
    """The settings of one folding layer, see `dcgmm.sampling_recipe.Sharpening`."""

    iterations: int
    step: float
    omega: float
    target: int


def sharpener(layers: Sequence[keras.layers.Layer], index: int, ascent: Ascent) -> Callable:
    """Return `sharpen(states, x [H, W, C, N]) -> x, before, after`, to be compiled.

    `before` and `after` [N] are the log-likelihoods of the target layer in nats.

    Args:
        layers: of the model.
        index: of the folding layer, from 1; `x` is its signal downwards.
        ascent: how.
    """
    target = layers[ascent.target - 1]
    which = sum(isinstance(layer, GMM) for layer in layers[: ascent.target]) - 1

    def sharpen(states: tuple, start: Any) -> tuple:
        likelihood = _likelihood(layers, index, ascent.target, states[: which + 1])

        def penalty(x: Any) -> Any:
            return ascent.omega * ops.mean(ops.square(x - start), axis=(0, 1, 2))

        def objective(x: Any) -> tuple:
            value, gradient = likelihood(x)
            if ascent.omega == 0:
                return value, gradient
            pull = 2 * ascent.omega / (x.shape[0] * x.shape[1] * x.shape[2])
            return value - penalty(x), gradient - pull * (x - start)

        def climb(_: Any, carry: tuple) -> tuple:
            x, value, gradient, step = carry
            trial = x + step * gradient
            reached, slope = objective(trial)
            rounding = _ROUNDING * ops.maximum(ops.abs(value), float(target.dimension))
            rises = reached >= value - rounding
            return (
                ops.where(rises, trial, x),
                ops.where(rises, reached, value),
                ops.where(rises, slope, gradient),
                ops.where(rises, step, step / 2),
            )

        value, gradient = objective(start)
        carry = (start, value, gradient, ops.full_like(value, ascent.step))
        x, reached, *_ = backend.repeat(ascent.iterations, climb, carry)
        return x, value, reached + penalty(x)

    return sharpen


def _likelihood(
    layers: Sequence[keras.layers.Layer], index: int, target: int, states: tuple
) -> Callable:
    """Return `likelihood(x [H, W, C, N]) -> [N], its gradient [H, W, C, N]`."""
    if target == index + 1:
        return closed_form(layers[index - 1], layers[index], states[-1])
    return automatic(layers[index - 1 : target], states)


def closed_form(folding: Folding, layer: GMM, state: Any) -> Callable:
    """Eq. 8 of the cGMM layer on top of a folding layer, and its gradient.

    With w the weight that a score carries in Eq. 8 and j the places of pixel i in the P patches,

        dL/dx_i = 1/P sum_j sum_k w_jk s_k^2 (mu_k - x_i).
    """
    matrix, offset = mixture.projection(state.parameters)
    transposed = ops.transpose(matrix, (0, 2, 1))  # [Q, 2D, K]
    radius = state.annealing.radius
    mixing = annealing.smoothing_matrix(radius, annealing.torus_distances(layer.components))[None]

    def likelihood(x: Any) -> tuple:
        features = folding.features(x)  # [P, 2D, N]: squares, values
        scores = backend.matmul(matrix, features) + offset

        def sharp() -> tuple:
            return mixture.max_component(scores), mixture.winners(scores)

        def smooth() -> tuple:
            smoothed = backend.matmul(mixing, scores)
            weights = mixture.winners(smoothed)
            neighbours = backend.matmul(ops.transpose(mixing, (0, 2, 1)), weights)
            return mixture.max_component(smoothed), neighbours

        value, weights = ops.cond(radius < annealing.IDENTITY_RADIUS, sharp, smooth)
        slopes = backend.matmul(transposed, weights)  # [P, 2D, N]: of squares, of values
        halves = slopes[:, : layer.dimension], slopes[:, layer.dimension :]
        patches = 2 * halves[0] * features[:, layer.dimension :] + halves[1]
        patches = ops.reshape(patches, (*folding.output_size, layer.dimension, -1))
        return value + layer.log_constant, folding.total(patches) / layer.positions

    return likelihood


def automatic(layers: Sequence[keras.layers.Layer], states: tuple) -> Callable:
    """Eq. 8 of the last of some layers, and its gradient by automatic differentiation."""
    gmm_states = states[len(states) - sum(isinstance(layer, GMM) for layer in layers) :]

    def score(x: Any) -> Any:
        remaining = iter(gmm_states)
        for layer in layers:
            if not isinstance(layer, GMM):
                x = layer.call(x)
                continue
            state = next(remaining)
            scores = mixture.log_scores(state.parameters, mixture.features(layer.flatten(x)))
            gamma = mixture.responsibilities(scores)
            x = ops.reshape(gamma, (*layer.size, layer.components, -1))
        return inference.layer_score(layer, state, scores)

    return lambda x: backend.value_and_gradient(score, x)
