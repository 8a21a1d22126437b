"""Smoothing on the torus, and when the controller fires, against a plain reimplementation."""

import functools
import math

import numpy as np
import pytest
import reference
from keras import ops

from dcgmm import annealing, backend
from dcgmm.annealing import AnnealingState
from dcgmm.recipes import Annealing, Recipe

QUICK = Annealing(window=10)


@functools.cache
def _observer(settings):
    def observe_all(state, losses):
        def observe(i, carry):
            state, radii, rates = carry
            state = annealing.observe(state, losses[i], settings, Recipe().final_learning_rate)
            here = ops.equal(ops.arange(losses.shape[0]), i)
            radii = ops.where(here, state.radius, radii)
            return state, radii, ops.where(here, state.learning_rate, rates)

        return ops.fori_loop(0, losses.shape[0], observe, (state, losses, losses))[1:]

    return backend.compiled(observe_all)


def anneal(losses, settings=None, components=49):
    """Radius and learning rate after each loss, and the losses, from 1, at which they shrank."""
    settings = settings or Annealing()
    state = annealing.initial_state(components, Recipe())
    state = AnnealingState(*map(ops.convert_to_tensor, state))
    losses = ops.convert_to_tensor(np.asarray(losses, "float32"))
    radii, rates = map(np.asarray, _observer(settings)(state, losses))
    before = np.concatenate([[state.radius], radii[:-1]])
    return radii, rates, list(np.flatnonzero(radii != before) + 1)


def anneal_plainly(losses, settings=None, components=49):
    settings = settings or Annealing()
    controller = reference.Controller(
        0.25 * math.sqrt(2 * components),
        0.011,
        window=settings.window,
        gamma=settings.factor,
        delta=settings.tolerance,
    )
    for loss in np.asarray(losses, "float32"):
        controller.add(float(loss))
    return controller


def windows(*means, size=100):
    return np.repeat(np.asarray(means, "float32"), size)


@pytest.mark.parametrize("side", range(2, 12))
def test_distances_are_those_on_a_torus(side):
    expected = reference.squared_distances(side**2)
    np.testing.assert_array_equal(annealing.torus_distances(side**2), expected)


@pytest.mark.parametrize("components", [-1, 0, 2, 50])
def test_other_than_square_numbers_of_components_are_refused(components):
    with pytest.raises(ValueError, match=f"components is {components}, but must be a perfect"):
        annealing.torus_distances(components)


@pytest.mark.parametrize("components", [4, 9, 25, 49])
@pytest.mark.parametrize("radius", [0.01, 0.1, 0.5, 2.5])
def test_smoothing_weights_are_normalised_gaussians(components, radius):
    distances = annealing.torus_distances(components)
    matrix = np.asarray(annealing.smoothing_matrix(np.float32(radius), distances))
    np.testing.assert_allclose(matrix.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(matrix, reference.mask(components, radius), rtol=2e-5, atol=1e-12)


@pytest.mark.parametrize("components", [4, 25, 49, 100])
def test_smoothing_ends_as_the_identity(components):
    distances = annealing.torus_distances(components)
    for radius in (0.01, annealing.IDENTITY_RADIUS):
        matrix = np.asarray(annealing.smoothing_matrix(np.float32(radius), distances))
        np.testing.assert_array_equal(matrix, np.eye(components, dtype="float32"))


@pytest.mark.parametrize(
    ("radius", "share"), [(0.6, 0.5), (0.4, 0.15), (0.3, 0.015), (0.25, 13e-4)]
)
def test_weight_of_the_4_neighbours_beside_that_of_the_component_itself(radius, share):
    distances = annealing.torus_distances(49)
    weights = np.asarray(annealing.smoothing_matrix(np.float32(radius), distances))[24]
    own, neighbours = weights[24], weights[[17, 23, 25, 31]].sum()
    assert neighbours / (own + neighbours) == pytest.approx(share, rel=0.05)


@pytest.mark.parametrize(
    ("components", "radius"),
    [(25, 1.768), (36, 2.121), (49, 2.475), (64, 2.828), (100, 3.536), (121, 3.889)],
)
def test_the_first_radius(components, radius):
    state = annealing.initial_state(components, Recipe())
    assert state.radius == pytest.approx(radius, abs=6e-4)
    assert state.learning_rate == np.float32(0.011)


def test_a_constant_loss_never_fires():
    assert anneal(windows(*[-3.7] * 30))[2] == []


def test_a_ramp_fires_first_where_a_window_adds_less_than_a_twentieth():
    losses = np.arange(3000)  # window m adds 1 / m of the progress so far: m = 20 is not less
    first = 22 * 100 + 99  # m = 21 is window 22
    assert anneal(losses)[2] == anneal_plainly(losses).firings == list(range(first, 3000, 100))


def test_a_saturating_loss_fires_once_it_has_saturated():
    losses = 1 - np.exp(-np.arange(3000) / 400)  # window 8 is the first to add under a twentieth
    assert anneal(losses)[2] == anneal_plainly(losses).firings == list(range(899, 3000, 100))


def test_the_first_firing_possible_is_at_the_299th_loss():
    assert anneal(windows(0, 10, 10, 10))[2] == [299, 399]


def test_the_last_loss_of_a_window_is_never_used():
    losses = windows(0, 10, 10.1, 10.2, 10.3)
    losses[99::100] = 1e6
    assert anneal(losses)[2] == [299, 399, 499]


@pytest.mark.parametrize("last_but_one", [197, 198])
def test_the_last_but_one_loss_of_a_window_is_used(last_but_one):
    losses = windows(0, 10, 10, 10)
    losses[last_but_one] = 990  # the mean of the second window is 20 by it
    assert anneal(losses)[2] == [399]  # back from 20 to 10 is no stagnation


@pytest.mark.parametrize(
    ("progress", "fires"),
    [(-0.101, False), (-0.099, True), (0, True), (0.049, True), (0.051, False)],
)
def test_stagnation_is_less_than_5_percent_up_or_10_percent_down(progress, fires):
    assert anneal(windows(0, 10, 10 + 10 * progress, 1e3))[2] == ([299] if fires else [])


def test_progress_is_measured_from_the_first_window_for_ever():
    # The step of 4 is small beside 100 since the first window, not beside the step of 5 before.
    assert anneal(windows(0, 95, 100, 104, 1e3))[2] == [399]


def test_radius_and_rate_shrink_by_a_factor_down_to_their_floors():
    radii, rates, fired = anneal(windows(0, *[1] * 60, size=10), QUICK, components=49)
    assert len(fired) == 53  # from 2.475 to 0.01
    assert radii[28] == pytest.approx(0.9 * 2.4749, rel=1e-4)
    assert radii[38] == pytest.approx(0.81 * 2.4749, rel=1e-4)
    assert radii[-1] == np.float32(0.01)
    assert (rates[27], rates[28], rates[-1]) == tuple(np.float32([0.011, 0.01, 0.01]))


@pytest.mark.backend
@pytest.mark.parametrize("seed", range(5))
def test_a_noisy_ascent_is_followed_step_by_step(seed):
    noise = np.random.default_rng(seed).normal(size=600)
    losses = 20 * np.log1p(np.arange(600)) + 4 * noise
    radii, rates, fired = anneal(losses, QUICK)
    plain = anneal_plainly(losses, QUICK)
    assert fired == plain.firings
    assert 3 < len(fired) < 55
    assert radii[-1] == pytest.approx(plain.radius, rel=1e-5)
    assert rates[-1] == pytest.approx(plain.rate, rel=1e-5)
