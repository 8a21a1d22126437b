"""Training: every cGMM layer climbs its own loss, all in one pass over the images (Sec. III-G).

A step goes through the layers bottom to top. Each cGMM layer computes scores, its output, its loss
and its update from the output that its predecessor had before its own update; nothing is
propagated back between layers. State comes in and goes out as tuples: no hidden variables.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from dcgmm import annealing, backend
from dcgmm.annealing import AnnealingState
from dcgmm.layers import GMM
from dcgmm.layers import gmm as mixture
from dcgmm.layers.gmm import Parameters
from dcgmm.recipes import Recipe
from dcgmm.stack import layer_features, transforms_below_each

_ORDER = 1  # which of a seed's random streams; the initial centroids have another


class LayerState(NamedTuple):
    """What one cGMM layer carries from step to step."""

    parameters: Parameters
    annealing: AnnealingState


def batches(count: int, recipe: Recipe, seed: int) -> Callable[[int], np.ndarray]:
    """A function from the epoch to the image indices of its steps, [steps, batch_size].

    The remainder smaller than a batch is left out: another one every epoch, or with
    `shuffle="once"` the same for ever.
    """
    steps = count // recipe.batch_size

    def order(epoch: int) -> np.ndarray:
        stream = (seed, _ORDER, epoch if recipe.shuffle == "epoch" else 0)
        shuffled = np.random.default_rng(stream).permutation(count)
        return shuffled[: steps * recipe.batch_size].reshape(steps, -1).astype("int32")

    return order


def training_loop(
    layers: Sequence[keras.layers.Layer], recipe: Recipe, input_shape: tuple, total_steps: int
) -> Callable:
    """Compile `run(states, images, order, first) -> states, seen`.

    `images` [n, H*W*C] stays on the device; `order` [steps, batch_size] selects the batches, and
    `first` is the number of steps already made of `total_steps`, from which the delays follow.
    `seen` [L, 2] holds, for every cGMM layer, the sum of its losses and their number.
    """
    gmms = [layer for layer in layers if isinstance(layer, GMM)]
    learners = [learner(layer, recipe) for layer in gmms]
    below = transforms_below_each(layers)

    def layer_step(index: int, states: tuple, x: Any, fraction: Any) -> tuple:
        """Train cGMM layer `index` and those above it on the activities `x` below it."""
        layer, wait, above = gmms[index], recipe.waits[index], recipe.waits[index + 1 :]
        features = layer_features(x, below[index], layer)

        def learning() -> tuple:
            state, output, loss = learners[index](states[index], features)
            return state, output, ops.stack([loss, ops.ones(())])

        def waiting() -> tuple:
            scores = mixture.log_scores(states[index].parameters, features)
            return states[index], mixture.responsibilities(scores), ops.zeros(2)

        state, output, seen = _when(fraction, wait, learning, waiting)
        if not above:
            return (state,), (seen,)

        def continuing() -> tuple:
            gamma = ops.reshape(output, (*layer.size, layer.components, -1))
            return layer_step(index + 1, states, gamma, fraction)

        def stopping() -> tuple:
            return tuple(states[index + 1 :]), (ops.zeros(2),) * len(above)

        rest, seen_above = _when(fraction, min(above), continuing, stopping)
        return (state, *rest), (seen, *seen_above)

    def run(states: tuple, images: Any, order: Any, first: Any) -> tuple:
        def step(i: Any, carry: tuple) -> tuple:
            states, total = carry
            batch = ops.take(images, order[i], axis=0)
            x = ops.reshape(ops.transpose(batch), (*input_shape, -1))
            fraction = ops.cast(first + i, "float32") / (total_steps + 1)
            states, seen = layer_step(0, states, x, fraction)
            return states, total + ops.stack(seen)

        count = ops.shape(order)[0]
        return backend.repeat(count, step, (states, ops.zeros((len(gmms), 2))))

    return backend.compiled(run)


def learner(layer: GMM, recipe: Recipe) -> Callable:
    """Return `learn(state, features [P, 2D, N]) -> state, responsibilities [P, K, N], loss`."""
    distances = annealing.torus_distances(layer.components)

    @backend.fused
    def sharp(products: Any, offset: Any) -> tuple:
        scores = products + offset
        weights = mixture.winners(scores)
        loss = ops.mean(mixture.max_component(scores)) + layer.log_constant
        return mixture.responsibilities(scores), weights, loss

    @backend.fused
    def unsmoothed(products: Any, offset: Any, radius: Any) -> tuple:
        scores = products + offset
        mixing = annealing.smoothing_matrix(radius, distances)
        return scores, mixture.responsibilities(scores), mixing[None], ops.transpose(mixing)[None]

    @backend.fused
    def smoothed_winners(scores: Any) -> tuple:
        loss = ops.mean(mixture.max_component(scores)) + layer.log_constant
        return mixture.winners(scores), loss

    def smooth(products: Any, offset: Any, radius: Any) -> tuple:
        scores, gamma, mixing, mixing_transposed = unsmoothed(products, offset, radius)
        weights, loss = smoothed_winners(backend.matmul(mixing, scores))
        return gamma, backend.matmul(mixing_transposed, weights), loss

    @backend.fused
    def update(state: LayerState, moments: Any, weights: Any, loss: Any) -> LayerState:
        counts = ops.sum(weights, axis=2)  # [P, K]
        shares = weights.shape[2]
        if not layer.independent:
            moments, counts = (ops.sum(m, axis=0, keepdims=True) for m in (moments, counts))
            shares = shares * layer.positions
        return ascend(state, moments / shares, counts / shares, loss, recipe)

    projection = backend.fused(mixture.projection)

    def learn(state: LayerState, features: Any) -> tuple:
        matrix, offset = projection(state.parameters)
        products = backend.matmul(matrix, features)  # [P, K, N]
        radius = state.annealing.radius
        gamma, weights, loss = ops.cond(
            radius < annealing.IDENTITY_RADIUS,
            lambda: sharp(products, offset),
            lambda: smooth(products, offset, radius),
        )
        moments = backend.matmul(weights, features, transpose_b=True)  # [P, K, 2D]
        return update(state, moments, weights, loss), gamma, loss

    return learn


def ascend(state: LayerState, moments: Any, counts: Any, loss: Any, recipe: Recipe) -> LayerState:
    """One step of gradient ascent and of the annealing controller."""
    rate = state.annealing.learning_rate
    old, gradient = state.parameters, mixture.gradients(state.parameters, moments, counts)
    bounds = recipe.min_precision**0.5, recipe.max_precision**0.5
    parameters = Parameters(
        mu=old.mu + recipe.lambda_mu * rate * gradient.mu,
        root_precision=ops.clip(
            old.root_precision + recipe.lambda_sigma * rate * gradient.root_precision, *bounds
        ),
        logits=old.logits + recipe.lambda_pi * rate * gradient.logits,
    )
    controller = annealing.observe(
        state.annealing, loss, recipe.annealing, recipe.final_learning_rate
    )
    return LayerState(parameters, controller)


def _when(fraction: Any, wait: float, then: Callable, otherwise: Callable) -> Any:
    """`then()` once a fraction `wait` of the run has passed; no branch where that is always."""
    return then() if wait == 0 else ops.cond(fraction >= wait, then, otherwise)
