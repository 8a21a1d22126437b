"""What a step of training does, and the compiled loop of steps.

A step goes through the layers bottom to top. Each cGMM layer computes scores, its output, its loss
and its update from the output that its predecessor had before its own update; nothing is
propagated back between layers. A classifier on top learns in the same way from the outputs of the
cGMM layers that it reads. State comes in and goes out as tuples: no hidden variables.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
from keras import ops

from dcgmm import annealing, backend, classification, pixels, products
from dcgmm.annealing import AnnealingState
from dcgmm.layers import GMM, Classifier
from dcgmm.layers import gmm as mixture
from dcgmm.layers.gmm import Parameters
from dcgmm.recipes import Recipe
from dcgmm.stack import transforms_below_each


class LayerState(NamedTuple):
    """What one cGMM layer carries from step to step."""

    parameters: Parameters
    annealing: AnnealingState


def training_loop(
    layers: Sequence[keras.layers.Layer], recipe: Recipe, input_shape: tuple, total_steps: int
) -> Callable:
    """Compile `run([(states, order), ...], images, first, labels=None) -> [(states, seen), ...]`.

    Each pair is a model of its own, trained beside the others. `order` [steps, batch_size] selects
    its batches of `images` [n, H*W*C], pixels or bytes, which stay on the device; `first` is the
    number of steps already made of `total_steps`, from which the delays follow.
    `seen` [L, 2] holds, for every cGMM layer, the sum of its losses and their number.

    Where the last layer is a classifier, `labels` [n] are needed, the last of `states` are its
    parameters, and `seen` has two more rows: its cross-entropy and its accuracy.
    """
    gmms = [layer for layer in layers if isinstance(layer, GMM)]
    inputs = [products.of(*pair) for pair in zip(transforms_below_each(layers), gmms, strict=False)]
    learners = [learner(layer, recipe, each) for layer, each in zip(gmms, inputs, strict=True)]
    waits, rows = recipe.waits, len(gmms)
    if isinstance(layers[-1], Classifier):
        read = classification.reader(layers, recipe)
        learn_classes = classification.learner(recipe)
        waits, rows = (*waits, recipe.classifier.wait), rows + 2

    def layer_step(
        index: int, states: tuple, activities: tuple, labels: Any, fraction: Any
    ) -> tuple:
        """Train cGMM layer `index` and all above it on the activities of the image and below."""
        if index == len(gmms):
            return classifier_step(states[-1], activities[1:], labels, fraction)
        layer, wait, above = gmms[index], waits[index], waits[index + 1 :]
        features = inputs[index].features(activities[-1])

        def learning() -> tuple:
            state, output, loss = learners[index](states[index], features)
            return state, output, ops.stack([loss, ops.ones((), "float32")])

        def waiting() -> tuple:
            scores = products.log_scores(inputs[index], states[index].parameters, features)
            return states[index], mixture.responsibilities(scores), ops.zeros(2, "float32")

        state, output, seen = _when(fraction, wait, learning, waiting)
        if not above:
            return (state,), (seen,)

        def continuing() -> tuple:
            gamma = ops.reshape(output, (*layer.size, layer.components, -1))
            return layer_step(index + 1, states, (*activities, gamma), labels, fraction)

        def stopping() -> tuple:
            return tuple(states[index + 1 :]), (ops.zeros(2, "float32"),) * (rows - index - 1)

        rest, seen_above = _when(fraction, min(above), continuing, stopping)
        return (state, *rest), (seen, *seen_above)

    def classifier_step(parameters: Any, activities: tuple, labels: Any, fraction: Any) -> tuple:
        """Train the classifier on the activities of the cGMM layers."""

        def learning() -> tuple:
            learnt, *seen = learn_classes(parameters, read(activities), labels)
            return (learnt,), tuple(ops.stack([value, ops.ones((), "float32")]) for value in seen)

        def waiting() -> tuple:
            return (parameters,), (ops.zeros(2, "float32"),) * 2

        return _when(fraction, recipe.classifier.wait, learning, waiting)

    def run(own: tuple, images: Any, first: Any, labels: Any = None) -> tuple:
        states, order = own
        are_bytes = keras.backend.standardize_dtype(images.dtype) == "uint8"

        def step(i: Any, carry: tuple) -> tuple:
            states, total = carry
            batch = ops.take(images, order[i], axis=0)
            batch = pixels.unpacked(batch) if are_bytes else batch
            batch_labels = None if labels is None else ops.take(labels, order[i])
            x = ops.reshape(ops.transpose(batch), (*input_shape, -1))
            fraction = ops.cast(first + i, "float32") / (total_steps + 1)
            states, seen = layer_step(0, states, (x,), batch_labels, fraction)
            return states, total + ops.stack(seen)

        count = ops.shape(order)[0]
        return backend.repeat(count, step, (states, ops.zeros((rows, 2), "float32")))

    return backend.side_by_side(run)


def learner(layer: GMM, recipe: Recipe, inputs: products.Patches) -> Callable:
    """Return `learn(state, features) -> state, responsibilities [P, K, N], loss`."""
    distances = annealing.torus_distances(layer.components)

    @backend.fused
    def sharp(parts: Any, offset: Any) -> tuple:
        scores = inputs.total(parts) + offset
        weights = mixture.winners(scores)
        loss = ops.mean(mixture.max_component(scores)) + layer.log_constant
        return mixture.responsibilities(scores), weights, loss

    @backend.fused
    def unsmoothed(parts: Any, offset: Any, radius: Any) -> tuple:
        scores = inputs.total(parts) + offset
        mixing = annealing.smoothing_matrix(radius, distances)
        return scores, mixture.responsibilities(scores), mixing[None], ops.transpose(mixing)[None]

    @backend.fused
    def smoothed_winners(scores: Any) -> tuple:
        loss = ops.mean(mixture.max_component(scores)) + layer.log_constant
        return mixture.winners(scores), loss

    def smooth(parts: Any, offset: Any, radius: Any) -> tuple:
        scores, gamma, mixing, mixing_transposed = unsmoothed(parts, offset, radius)
        weights, loss = smoothed_winners(backend.matmul(mixing, scores))
        return gamma, backend.matmul(mixing_transposed, weights), loss

    @backend.fused
    def update(state: LayerState, moments: Any, weights: Any, loss: Any) -> LayerState:
        counts = ops.sum(weights, axis=2)  # [P, K]
        shares = weights.shape[2]
        if not layer.independent:
            counts = ops.sum(counts, axis=0, keepdims=True)
            shares = shares * layer.positions
        return ascend(state, inputs.join(moments) / shares, counts / shares, loss, recipe)

    @backend.fused
    def projection(parameters: Parameters) -> tuple:
        matrix, offset = mixture.projection(parameters)
        return inputs.split(matrix), offset

    def learn(state: LayerState, features: Any) -> tuple:
        matrix, offset = projection(state.parameters)
        parts = inputs.scores(matrix, features)
        radius = state.annealing.radius
        gamma, weights, loss = ops.cond(
            backend.everywhere(radius < annealing.IDENTITY_RADIUS),
            lambda: sharp(parts, offset),
            lambda: smooth(parts, offset, radius),
        )
        moments = inputs.moments(weights, features)
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
    """`then()` once a fraction `wait` of the run has passed; no branch where it is clear."""
    if wait in (0, 1):  # a fraction of 1 is never reached
        return then() if wait == 0 else otherwise()
    return ops.cond(fraction >= wait, then, otherwise)
