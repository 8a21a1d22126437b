"""Estimates of a fit's duration: the arithmetic with a step's time given, and real steps once."""

import pytest

from baselines.einet import method, timing
from baselines.pdspn import PDSPN
from baselines.ratspn import RATSPN

SIZE = (8, 8, 1)


@pytest.fixture
def timed(monkeypatch):
    """Every step takes half a second; the arguments of `step_seconds` are noted."""
    calls = []
    monkeypatch.setattr(timing, "step_seconds", lambda *given: calls.append(given) or 0.5)
    return calls


@pytest.mark.parametrize("n, steps", [(7, 1), (10, 1), (100, 10), (200, 20), (101, 11)])
@pytest.mark.parametrize("epochs", [1, 4])
def test_a_fit_takes_its_steps(timed, n, steps, epochs):
    model = PDSPN(delta=4, epochs=epochs, batch_size=10, input_shape=SIZE)
    assert model.estimated_seconds(n) == pytest.approx(0.5 * steps * epochs)
    assert timed[0][3] == min(n, 10)


@pytest.mark.parametrize("memory, few", [(1.0, 8), (0.5, 4), (0.3, 2), (0.01, 1)])
def test_large_circuits_are_timed_with_fewer_repetitions(timed, monkeypatch, memory, few):
    model = RATSPN(depth=2, repetitions=8, epochs=1, input_shape=SIZE)
    monkeypatch.setattr(method, "_TIMED", int(memory * model.estimated_memory))
    assert model.estimated_seconds(100) == pytest.approx(0.5 * 8 / few)
    assert len(timed[0][0].leaves) == few * 4


def test_a_structure_without_repetitions_is_timed_as_it_is(timed, monkeypatch):
    monkeypatch.setattr(method, "_TIMED", 1)
    model = PDSPN(delta=4, epochs=1, input_shape=SIZE)
    assert model.estimated_seconds(100) == 0.5
    assert timed[0][0] is model._plan


@pytest.mark.parametrize("leaf", ["binomial", "normal", "categorical"])
@pytest.mark.parametrize("optimizer", ["online_em", "full_em", "adam"])
def test_real_steps_take_time_and_leave_no_model(leaf, optimizer):
    model = RATSPN(
        depth=2, repetitions=2, components=2, leaf=leaf, optimizer=optimizer, input_shape=SIZE
    )
    assert model.estimated_seconds(100) > 0
    with pytest.raises(ValueError, match="fit first"):
        _ = model.trained


def test_the_first_step_does_not_count_and_long_ones_are_few(monkeypatch):
    now = iter([0.0, 0.7, 0.7, 1.2])
    monkeypatch.setattr(timing.time, "perf_counter", lambda: next(now))
    steps = []
    assert timing.median_seconds(lambda: steps.append(1)) == pytest.approx(0.6)
    assert len(steps) == 3
