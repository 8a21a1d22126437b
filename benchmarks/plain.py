"""The textbook formulation of one training step, to measure the fast one against.

NHWC activities, an explicit [N, P, K, D] tensor of differences, the gradient by the backend's
autodiff, one compiled step a call: what the paper's equations say, word for word.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from dcgmm import annealing, backend, notation
from dcgmm.model import DCGMM

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    def value_and_gradients(loss: Callable, parameters: list) -> tuple:
        """Losses' outputs and the gradient of the first of them."""
        with tf.GradientTape() as tape:
            tape.watch(parameters)
            value, output = loss(parameters)
        return (value, output), tape.gradient(value, parameters)

else:
    import jax

    def value_and_gradients(loss: Callable, parameters: list) -> tuple:
        """Losses' outputs and the gradient of the first of them."""
        return jax.value_and_grad(loss, has_aux=True)(parameters)


def plain_step(model: DCGMM) -> tuple[list, Callable]:
    """Initial parameters, and a compiled `step(parameters, radii, x) -> parameters, losses`."""
    recipe = model.recipe
    start = [[np.asarray(w) for w in state.parameters] for state in model.network.states()]

    def step(all_parameters: list, radii: Any, x: Any) -> tuple:
        updated, losses = [], []
        for symbolic in model.notation:
            if isinstance(symbolic, notation.Folding):
                x = fold(x, symbolic)
            elif isinstance(symbolic, notation.MaxPooling):
                x = ops.max_pool(x, symbolic.kernel, symbolic.stride, padding="same")
            else:
                index = len(updated)

                def objective(parameters: list, x: Any = x, index: int = index) -> tuple:
                    return layer_loss(parameters, radii[index], x)

                (loss, x), gradient = value_and_gradients(objective, all_parameters[index])
                x = ops.stop_gradient(x)
                updated.append(ascend(all_parameters[index], gradient, recipe))
                losses.append(loss)
        return updated, losses

    return start, backend.compiled(step)


def fold(x: Any, layer: notation.Folding) -> Any:
    """[N, H, W, C] -> [N, H', W', f*f*C] (Eqs. 9-10)."""
    height, width, channels = x.shape[1:]
    rows, columns, depth = layer.output_shape((height, width, channels))
    h, w, c = np.ogrid[:rows, :columns, :depth]
    row = h * layer.stride + (c // channels) // layer.kernel
    column = w * layer.stride + (c // channels) % layer.kernel
    flat = (row * width + column) * channels + c % channels
    return ops.take(ops.reshape(x, (-1, height * width * channels)), flat, axis=1)


def layer_loss(parameters: list, radius: Any, x: Any) -> tuple:
    """Smoothed Eq. 8, and the responsibilities, [N, H, W, D] -> [N, H, W, K]."""
    mu, root_precision, logits = parameters
    positions = x.shape[1] * x.shape[2]
    flat = ops.reshape(x, (-1, positions, 1, x.shape[3]))
    difference = root_precision * (flat - mu)  # [N, P, K, D]
    scores = logits - ops.logsumexp(logits) + ops.sum(ops.log(root_precision), axis=2)
    scores = scores - 0.5 * ops.sum(ops.square(difference), axis=3)
    mixing = annealing.smoothing_matrix(radius, annealing.torus_distances(mu.shape[1]))
    smoothed = ops.matmul(scores, ops.transpose(mixing))
    # Every position of an independent layer learns at the full rate.
    full_rate = positions if mu.shape[0] > 1 else 1
    loss = full_rate * ops.mean(ops.max(smoothed, axis=2))
    return loss, ops.reshape(ops.softmax(scores, axis=2), (-1, *x.shape[1:3], mu.shape[1]))


def ascend(parameters: list, gradient: list, recipe: Any) -> list:
    """SGD, precisions clipped."""
    factors = (recipe.lambda_mu, recipe.lambda_sigma, recipe.lambda_pi)
    mu, root_precision, logits = (
        p + factor * recipe.learning_rate * g
        for p, factor, g in zip(parameters, factors, gradient, strict=True)
    )
    bounds = recipe.min_precision**0.5, recipe.max_precision**0.5
    return [mu, ops.clip(root_precision, *bounds), logits]
