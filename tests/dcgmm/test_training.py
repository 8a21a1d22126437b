"""The training loop against the plain reference, step by step; batches, waits, bounds."""

import functools

import numpy as np
import pytest
import reference
from keras import ops

from dcgmm import DCGMM, annealing, learning, notation, pixels, training
from dcgmm.annealing import AnnealingState
from dcgmm.layers.gmm import Parameters
from dcgmm.learning import LayerState
from dcgmm.recipes import Annealing, Recipe

STEPS, TOTAL, BATCH = 20, 29, 6
CASES = {  # notation, image, recipe
    "shared": ("F(3,2)-G(4)-F(2,1)-G(9)", (7, 9, 1), {}),
    "independent": ("F(3,2)-G(4)-F(2,1)-G(9)", (7, 9, 1), {"independent": (True, True)}),
    "pooling": ("F(2,1)-G(4)-P(2,2)-F(2,1)-G(4)", (6, 6, 1), {"independent": (True, False)}),
    "strips": ("F(4,2)-G(4)", (6, 8, 9), {}),
    "strips after pooling": ("G(9)-P(2,1)-F(3,1)-G(4)", (6, 5, 1), {}),
    "colour": ("F(2,2)-G(9)", (4, 6, 3), {}),
    "middle delayed, as in the release of F": (
        "G(4)-F(2,1)-G(4)-P(2,1)-G(4)", (4, 4, 2), {"waits": (0, 0.3, 0)},
    ),
    "bottom delayed most": ("F(2,1)-G(4)-G(4)", (3, 3, 1), {"waits": (0.3, 0.2)}),
}  # fmt: skip


class Case:
    """A compiled loop and where it starts: parameters off their initial, symmetric values."""

    def __init__(self, text, shape, changes):
        changes = {"waits": (0,) * text.count("G")} | changes
        quick = Annealing(window=4, tolerance=0.7)
        recipe = Recipe(
            batch_size=BATCH, lambda_mu=0.9, lambda_pi=0.5, lambda_sigma=0.6, annealing=quick
        )
        model = DCGMM(text, recipe.updated(**changes), shape)
        self.text, self.recipe = text, model.recipe
        self.gmms = [model.layers[index - 1] for index in model.gmm_indices]
        self.run = learning.training_loop(model.layers, self.recipe, shape, TOTAL)
        rng = np.random.default_rng(14)
        self.images = rng.random((4 * BATCH, *shape), "float32")
        self.order = rng.integers(0, len(self.images), (STEPS, BATCH)).astype("int32")
        self.parameters = [
            Parameters(
                mu=rng.random(layer.mu.shape, "float32"),
                root_precision=rng.uniform(2, 4.47, layer.mu.shape).astype("float32"),
                logits=rng.normal(size=layer.logits.shape).astype("float32"),
            )
            for layer in self.gmms
        ]

    def states(self, radius=None):
        result = []
        for layer, parameters in zip(self.gmms, self.parameters, strict=True):
            controller = annealing.initial_state(layer.components, self.recipe)
            if radius is not None:
                controller = controller._replace(radius=np.float32(radius))
            parts = Parameters(*parameters), AnnealingState(*controller)
            result.append(LayerState(*(type(p)(*map(ops.convert_to_tensor, p)) for p in parts)))
        return tuple(result)

    def train(self, states, first, order):
        """States after the steps of `order`, and the sum and number of losses [L, 2]."""
        images = ops.convert_to_tensor(self.images.reshape(len(self.images), -1))
        first = ops.convert_to_tensor(np.int32(first))
        [(states, seen)] = self.run([(states, ops.convert_to_tensor(order))], images, first)
        return states, np.asarray(seen)

    def train_singly(self, states, first, last):
        """States after steps [first, last), one call each, and `seen` [steps, L, 2]."""
        seen = []
        for i in range(first, last):
            states, of_step = self.train(states, i, self.order[i : i + 1])
            seen.append(of_step)
        return states, np.array(seen)


case = functools.cache(lambda name: Case(*CASES[name]))


@pytest.mark.backend
@pytest.mark.parametrize("radius", [None, 0.01], ids=["annealing", "annealed"])
@pytest.mark.parametrize("name", CASES)
def test_twenty_steps_are_those_of_the_equations(name, radius):
    fast = case(name)
    plain = reference.Stack(fast.text, fast.recipe, fast.parameters, TOTAL, radius)
    losses = [plain.step(fast.images[batch], i) for i, batch in enumerate(fast.order)]
    states, seen = fast.train_singly(fast.states(radius), 0, STEPS)

    for layer, (mixture, state) in enumerate(zip(plain.mixtures, states, strict=True)):
        # Scores closer than float32 resolves would make the winner a matter of chance.
        assert mixture.narrowest > 5e-5, mixture.narrowest
        learnt = [of_step[layer] is not None for of_step in losses]
        expected = [of_step[layer] or 0 for of_step in losses]
        np.testing.assert_array_equal(seen[:, layer, 1], learnt)
        np.testing.assert_allclose(seen[:, layer, 0], expected, rtol=5e-6, atol=2e-5)

        after = Parameters(mixture.mu, mixture.s, mixture.rho)
        for part in Parameters._fields:
            ours, theirs = np.asarray(getattr(state.parameters, part)), getattr(after, part)
            np.testing.assert_allclose(ours, theirs, atol=1e-5, err_msg=part)
            assert np.abs(theirs - getattr(fast.parameters[layer], part)).max() > 1e-3

        assert int(state.annealing.count) == sum(learnt)
        assert float(state.annealing.radius) == pytest.approx(mixture.controller.radius)
        assert float(state.annealing.learning_rate) == pytest.approx(mixture.controller.rate)
        if all(learnt):
            assert mixture.controller.firings  # or the step would not have been tried after one


@pytest.mark.backend
def test_bytes_train_to_the_same_bits_as_the_pixels_they_stand_for():
    fast, rng = case("colour"), np.random.default_rng(3)
    every = rng.permutation(np.arange(4 * BATCH * 72, dtype="int32") % 256)
    exact = (every.reshape(4 * BATCH, -1) / np.float32(255)).astype("float32")
    held = pixels.packed(exact, block=7)
    assert held.dtype == np.uint8
    assert held.nbytes == exact.nbytes // 4
    order, first = (ops.convert_to_tensor(part) for part in (fast.order, np.int32(0)))
    after = [
        fast.run([(fast.states(), order)], ops.convert_to_tensor(images), first)[0][0]
        for images in (exact, held)
    ]
    for ours, theirs in zip(*(state[0].parameters for state in after), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    between = np.nextafter(exact, np.float32(2))
    assert pixels.packed(between, block=7) is between


@pytest.mark.backend
def test_steps_in_one_call_are_the_same_steps():
    fast = case("colour")
    singly, seen = fast.train_singly(fast.states(), 0, STEPS)
    together, total = fast.train(fast.states(), 0, fast.order)
    np.testing.assert_allclose(total, seen.sum(axis=0), rtol=1e-5)
    for part in Parameters._fields:
        ours, theirs = (getattr(states[0].parameters, part) for states in (together, singly))
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.backend
def test_a_waiting_layer_and_its_controller_do_not_move():
    fast = case("middle delayed, as in the release of F")
    before = fast.states()
    wait = 9  # 9 / (29 + 1) = 0.3
    after, seen = fast.train_singly(before, 0, wait)
    moved = [
        [not np.array_equal(*values) for values in zip(*parts, strict=True)]
        for layer in zip(before, after, strict=True)
        for parts in zip(*layer, strict=True)
    ]
    assert not any(moved[2] + moved[3])  # parameters and controller of the middle layer
    assert all(moved[0] + moved[4])
    assert [int(state.annealing.count) for state in after] == [wait, 0, wait]
    np.testing.assert_array_equal(seen[:, 1], 0)

    after, seen = fast.train_singly(after, wait, wait + 1)
    assert [int(state.annealing.count) for state in after] == [wait + 1, 1, wait + 1]
    assert not np.array_equal(after[1].parameters.mu, before[1].parameters.mu)


def test_precisions_stay_within_their_bounds_at_brutal_rates():
    changes = {"lambda_sigma": 1e6, "min_precision": 1e-3, "max_precision": 20.0}
    brutal = Case("F(2,2)-G(4)", (4, 4, 1), changes)
    states, seen = brutal.train(brutal.states(), 0, brutal.order)
    precision = np.asarray(states[0].parameters.root_precision) ** 2
    assert np.isfinite(seen).all()
    assert precision.min() == pytest.approx(1e-3)
    assert precision.max() == pytest.approx(20)


@pytest.mark.backend
def test_fit_takes_the_steps_of_the_equations(fitted):
    model, images, history = fitted
    recipe, text = model.recipe, notation.write(model.notation)
    fresh = DCGMM(text, recipe, model.input_shape)  # as yet with the parameters of seed 0
    parameters = [fresh.layers[index - 1].parameters for index in fresh.gmm_indices]
    order = training.batches(len(images), recipe, seed=0)
    plain = reference.Stack(text, recipe, parameters, total_steps=4 * recipe.epochs)
    for epoch in range(recipe.epochs):
        losses = [plain.step(images[b], 4 * epoch + i) for i, b in enumerate(order(epoch))]
        for layer, mixture in enumerate(plain.mixtures):
            known = [of_step[layer] for of_step in losses if of_step[layer] is not None]
            expected = pytest.approx(np.mean(known), rel=1e-5) if known else None
            assert history["loss"][epoch][layer] == expected
            assert history["radius"][epoch][layer] == pytest.approx(mixture.controller.radius)
    assert history["loss"][0][1] is None  # the upper layer waits for 0.3 * 21 steps
    assert all(mixture.controller.firings for mixture in plain.mixtures)
    assert min(mixture.narrowest for mixture in plain.mixtures) > 5e-5  # as above

    scores = model.score_layers(images)
    for index, (expected, gamma) in zip(model.gmm_indices, plain.forward(images), strict=True):
        np.testing.assert_allclose(scores[index], expected, rtol=1e-5, atol=1e-4)
        np.testing.assert_allclose(model.responsibilities(images, index), gamma, atol=1e-4)


ORDERS = {shuffle: Recipe(batch_size=10, shuffle=shuffle) for shuffle in ("epoch", "once")}


@pytest.mark.parametrize("shuffle", ORDERS)
def test_an_epoch_takes_every_image_at_most_once_in_whole_batches(shuffle):
    order = training.batches(47, ORDERS[shuffle], seed=0)(5)
    assert order.shape == (4, 10)
    assert len(set(order.flat)) == 40
    assert set(order.flat) <= set(range(47))
    assert list(order.flat) != sorted(order.flat)


def test_shuffling_every_epoch_draws_other_batches_and_leaves_other_images_out():
    order = training.batches(47, ORDERS["epoch"], seed=0)
    assert not np.array_equal(order(0), order(1))
    assert set(order(0).flat) != set(order(1).flat)
    np.testing.assert_array_equal(order(1), training.batches(47, ORDERS["epoch"], seed=0)(1))


def test_shuffling_once_repeats_the_batches():
    order = training.batches(47, ORDERS["once"], seed=0)
    for epoch in (1, 2, 30):
        np.testing.assert_array_equal(order(0), order(epoch))


@pytest.mark.parametrize("shuffle", ORDERS)
def test_another_seed_shuffles_otherwise(shuffle):
    first, second = (training.batches(47, ORDERS[shuffle], seed)(0) for seed in (0, 1))
    assert not np.array_equal(first, second)
