"""Intervals over seeds."""

import math

import numpy as np
import pytest
from scipy import stats

from workflow.common.summaries import summarise


def test_interval_is_students():
    values = [92.1, 93.4, 92.8, 93.0, 92.2]
    result = summarise(values)
    low, high = stats.t.interval(0.95, 4, np.mean(values), stats.sem(values))
    assert (result.low, result.high) == pytest.approx((low, high))
    assert (result.n, result.mean, result.std) == pytest.approx((5, 92.7, np.std(values, ddof=1)))


def test_two_seeds_have_a_wide_interval():
    result = summarise([70.0, 72.0])
    assert result.high - result.low == pytest.approx(2 * 12.706, abs=1e-2)


def test_one_value_has_no_spread():
    result = summarise([70.0])
    assert (result.n, result.mean) == (1, 70.0)
    assert all(map(math.isnan, (result.std, result.low, result.high)))


def test_no_value_has_no_mean():
    result = summarise([])
    assert result.n == 0
    assert math.isnan(result.mean)


def test_interval_covers_the_mean_as_often_as_it_says():
    random = np.random.default_rng(0)
    hits = 0
    for _ in range(2000):
        result = summarise(random.normal(5, 2, 5))
        hits += result.low < 5 < result.high
    assert hits / 2000 == pytest.approx(0.95, abs=0.02)
