"""A step of training, and the compiled loop of steps.

A step goes through the layers bottom to top. Each cGMM layer computes scores, its output, its loss
and its update from the output that its predecessor had before its own update; nothing is
propagated back between layers. A classifier on top learns in the same way from the outputs of the
cGMM layers that it reads. State comes in and goes out as tuples: no hidden variables.
"""

from collections.abc import Callable, Sequence
from functools import partial
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
    return backend.side_by_side(partial(_run, Step(layers, recipe), input_shape, total_steps))


def _run(
    step: "Step",
    input_shape: tuple,
    total_steps: int,
    states_and_order: tuple,
    images: Any,
    first: Any,
    labels: Any = None,
) -> tuple:
    """All steps of one model in `order`: its states after them, and the sum of what was seen."""
    states, order = states_and_order
    are_bytes = keras.backend.standardize_dtype(images.dtype) == "uint8"

    def take_step(i: Any, carry: tuple) -> tuple:
        states, total = carry
        batch = ops.take(images, order[i], axis=0)  # [N, H*W*C]
        batch = pixels.unpacked(batch) if are_bytes else batch
        batch_labels = None if labels is None else ops.take(labels, order[i])
        x = ops.reshape(ops.transpose(batch), (*input_shape, -1))  # [H, W, C, N]
        fraction = ops.cast(first + i, "float32") / (total_steps + 1)
        states, seen = step(states, x, batch_labels, fraction)
        return states, total + ops.stack(seen)

    steps = ops.shape(order)[0]
    return backend.repeat(steps, take_step, (states, ops.zeros((step.rows, 2), "float32")))


class Step:
    """One step of all layers: `step(states, x, labels, fraction) -> states, seen`.

    `fraction` is the part of the run that has passed. A layer whose delay has not passed hands its
    output upwards without learning; above the highest layer that learns, nothing is computed.

    Args:
        layers: of the model, built.
        recipe: how it is trained.
    """

    def __init__(self, layers: Sequence[keras.layers.Layer], recipe: Recipe) -> None:
        self.gmms = [layer for layer in layers if isinstance(layer, GMM)]
        below = transforms_below_each(layers)
        self.inputs = [products.of(*pair) for pair in zip(below, self.gmms, strict=False)]
        self.learners = [
            Learner(layer, recipe, each) for layer, each in zip(self.gmms, self.inputs, strict=True)
        ]
        self.waits, self.rows = recipe.waits, len(self.gmms)  # rows of `seen`
        if isinstance(layers[-1], Classifier):
            self.read = classification.reader(layers, recipe)
            self.learn_classes = classification.learner(recipe)
            self.waits, self.rows = (*self.waits, recipe.classifier.wait), self.rows + 2

    def __call__(self, states: tuple, x: Any, labels: Any, fraction: Any) -> tuple:
        """The states after the step, and for every row of `seen` a sum and a number, [2]."""
        return self._from(0, states, (x,), labels, fraction)

    def _from(
        self, index: int, states: tuple, activities: tuple, labels: Any, fraction: Any
    ) -> tuple:
        """Train cGMM layer `index` and all above it on the activities of the image and below."""
        if index == len(self.gmms):
            return self._classifier(states[-1], activities[1:], labels, fraction)
        features = self.inputs[index].features(activities[-1])
        state, output, seen = _when(
            fraction,
            self.waits[index],
            lambda: self._learning(index, states[index], features),
            lambda: self._waiting(index, states[index], features),
        )
        above = self.waits[index + 1 :]
        if not above:
            return (state,), (seen,)
        rest, seen_above = _when(
            fraction,
            min(above),
            lambda: self._above(index, states, activities, output, labels, fraction),
            lambda: self._at_rest(index + 1, states),
        )
        return (state, *rest), (seen, *seen_above)

    def _learning(self, index: int, state: LayerState, features: Any) -> tuple:
        """State after the update, responsibilities [P, K, N] before it, and [loss, 1]."""
        state, output, loss = self.learners[index](state, features)
        return state, output, ops.stack([loss, ops.ones((), "float32")])

    def _waiting(self, index: int, state: LayerState, features: Any) -> tuple:
        """The same of a layer that does not learn yet."""
        scores = products.log_scores(self.inputs[index], state.parameters, features)
        return state, mixture.responsibilities(scores), ops.zeros(2, "float32")

    def _above(
        self,
        index: int,
        states: tuple,
        activities: tuple,
        output: Any,
        labels: Any,
        fraction: Any,
    ) -> tuple:
        """Train what lies above cGMM layer `index` on its output [P, K, N]."""
        layer = self.gmms[index]
        gamma = ops.reshape(output, (*layer.size, layer.components, -1))
        return self._from(index + 1, states, (*activities, gamma), labels, fraction)

    def _at_rest(self, index: int, states: tuple) -> tuple:
        """Layer `index` and all above it as they are, and nothing seen."""
        return tuple(states[index:]), (ops.zeros(2, "float32"),) * (self.rows - index)

    def _classifier(self, parameters: Any, activities: tuple, labels: Any, fraction: Any) -> tuple:
        """Train the classifier on the activities of the cGMM layers."""
        return _when(
            fraction,
            self.waits[-1],
            lambda: self._learning_classes(parameters, activities, labels),
            lambda: ((parameters,), (ops.zeros(2, "float32"),) * 2),
        )

    def _learning_classes(self, parameters: Any, activities: tuple, labels: Any) -> tuple:
        learnt, *seen = self.learn_classes(parameters, self.read(activities), labels)
        return (learnt,), tuple(ops.stack([value, ops.ones((), "float32")]) for value in seen)


class Learner:
    """One cGMM layer's step: `learn(state, features) -> state, responsibilities [P, K, N], loss`.

    Element-wise pieces are fused, each one pass over its operands; the matrix products between
    them are not.

    Args:
        layer: the cGMM layer.
        recipe: how it is trained.
        inputs: the matrix products of its features.
    """

    def __init__(self, layer: GMM, recipe: Recipe, inputs: products.Patches) -> None:
        self.layer, self.recipe, self.inputs = layer, recipe, inputs
        self.distances = annealing.torus_distances(layer.components)
        self.projection = backend.fused(self._projection)
        self.sharp = backend.fused(self._sharp)
        self.unsmoothed = backend.fused(self._unsmoothed)
        self.winners = backend.fused(self._winners)
        self.update = backend.fused(self._update)

    def __call__(self, state: LayerState, features: Any) -> tuple:
        """One step on a batch."""
        matrix, offset = self.projection(state.parameters)
        parts = self.inputs.scores(matrix, features)
        radius = state.annealing.radius
        gamma, weights, loss = ops.cond(
            backend.everywhere(radius < annealing.IDENTITY_RADIUS),
            lambda: self.sharp(parts, offset),
            lambda: self._smooth(parts, offset, radius),
        )
        moments = self.inputs.moments(weights, features)
        return self.update(state, moments, weights, loss), gamma, loss

    def _projection(self, parameters: Parameters) -> tuple:
        matrix, offset = mixture.projection(parameters)
        return self.inputs.split(matrix), offset

    def _sharp(self, parts: Any, offset: Any) -> tuple:
        """Responsibilities, weights of the scores in the loss, and the loss (Eq. 8)."""
        scores = self.inputs.total(parts) + offset
        weights, loss = self._winners(scores)
        return mixture.responsibilities(scores), weights, loss

    def _smooth(self, parts: Any, offset: Any, radius: Any) -> tuple:
        """The same while annealing lasts: the loss is that of the smoothed scores."""
        scores, gamma, mixing, mixing_transposed = self.unsmoothed(parts, offset, radius)
        weights, loss = self.winners(backend.matmul(mixing, scores))
        return gamma, backend.matmul(mixing_transposed, weights), loss

    def _unsmoothed(self, parts: Any, offset: Any, radius: Any) -> tuple:
        scores = self.inputs.total(parts) + offset
        mixing = annealing.smoothing_matrix(radius, self.distances)
        return scores, mixture.responsibilities(scores), mixing[None], ops.transpose(mixing)[None]

    def _winners(self, scores: Any) -> tuple:
        loss = ops.mean(mixture.max_component(scores)) + self.layer.log_constant
        return mixture.winners(scores), loss

    def _update(self, state: LayerState, moments: Any, weights: Any, loss: Any) -> LayerState:
        counts = ops.sum(weights, axis=2)  # [P, K]
        shares = weights.shape[2]
        if not self.layer.independent:
            counts = ops.sum(counts, axis=0, keepdims=True)
            shares = shares * self.layer.positions
        means = self.inputs.join(moments) / shares
        return ascend(state, means, counts / shares, loss, self.recipe)


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
