"""Intervals, differences and limits, against scipy on raw data and against closed forms."""

import math

import numpy as np
import pytest
from scipy import stats

from workflow.common import intervals

OURS = [92.1, 93.4, 92.8, 93.0, 92.2]
THEIRS = [91.0, 92.9, 93.1, 90.2]


def summary_of(values):
    return float(np.mean(values)), float(np.std(values, ddof=1)), len(values)


def test_interval_of_a_summary_is_that_of_its_values():
    expected = stats.t.interval(0.95, 4, np.mean(OURS), stats.sem(OURS))
    assert intervals.mean_interval(*summary_of(OURS)) == pytest.approx(expected)
    assert intervals.mean_interval(3.0, 0.0, 5) == (3.0, 3.0)
    assert all(map(math.isnan, intervals.mean_interval(3.0, math.nan, 1)))


def test_summaries_give_welchs_interval_and_p():
    known = intervals.between_summaries(summary_of(OURS), summary_of(THEIRS))
    scipys = stats.ttest_ind(OURS, THEIRS, equal_var=False)
    interval = scipys.confidence_interval(0.95)
    assert (known.low, known.high) == pytest.approx((interval.low, interval.high))
    assert known.p == pytest.approx(scipys.pvalue)
    own = intervals.independent(OURS, THEIRS)
    assert (own.mean, own.low, own.high, own.p) == pytest.approx(
        (known.mean, known.low, known.high, known.p)
    )


def test_a_summary_without_spread_has_no_interval():
    for theirs in [(90.0, math.nan, 5), (90.0, 0.5, 1), (90.0, 0.5, 0)]:
        known = intervals.between_summaries(summary_of(OURS), theirs)
        assert known.mean == pytest.approx(np.mean(OURS) - 90)
        assert all(map(math.isnan, (known.low, known.high, known.p)))


def test_pairs_are_the_interval_of_their_differences():
    differences = np.subtract(OURS[:4], THEIRS)
    half = stats.t.ppf(0.975, 3) * differences.std(ddof=1) / 2
    known = intervals.paired(OURS[:4], THEIRS)
    middle = differences.mean()
    assert (known.mean, known.low, known.high) == pytest.approx(
        (middle, middle - half, middle + half)
    )
    assert known.p == pytest.approx(stats.ttest_1samp(differences, 0).pvalue)
    with pytest.raises(ValueError, match="5 and 4 values do not pair"):
        intervals.paired(OURS, THEIRS)


@pytest.mark.parametrize("compare", [intervals.paired, intervals.independent])
def test_values_that_cannot_be_tested(compare):
    assert math.isnan(compare([], []).mean)
    alone = compare([3.0], [1.0])
    assert alone.mean == 2 and math.isnan(alone.low) and math.isnan(alone.p)
    same = compare([3.0, 3.0], [1.0, 1.0])
    assert (same.low, same.high) == (2, 2) and math.isnan(same.p)


def test_bootstrap_agrees_with_t_where_both_are_right():
    values = np.random.default_rng(1).normal(70, 3, 400)
    bounds = intervals.bootstrap_interval(values)
    assert bounds == pytest.approx(intervals.mean_interval(*summary_of(values)), abs=0.05)


def test_bootstrap_leans_to_the_long_tail():
    values = np.random.default_rng(2).exponential(1.0, 30)
    low, high = intervals.bootstrap_interval(values)
    assert high - values.mean() > values.mean() - low


def test_bootstrap_needs_four_values_that_differ():
    for values in ([], [1.0], [1.0, 2.0], [1.0, 2.0, 3.0], [4.0] * 6):
        assert all(map(math.isnan, intervals.bootstrap_interval(values)))
    low, high = intervals.bootstrap_interval([1.0, 2.0, 3.0, 5.0])
    assert 1 <= low < 2.75 < high <= 5


def test_holm_by_hand():
    assert intervals.holm([0.01, math.nan, 0.04, 0.03]) == pytest.approx(
        [0.03, math.nan, 0.06, 0.06], nan_ok=True
    )
    assert np.isnan(intervals.holm([math.nan])).all()


@pytest.mark.parametrize("n", [2, 5, 6, 9])
def test_limits_have_closed_forms(n):
    (row,) = intervals.limits([n]).to_dict("records")
    assert row["signed_rank_p"] == pytest.approx(2 / 2**n)
    assert row["rank_sum_p"] == pytest.approx(2 / math.comb(2 * n, n))
    assert row["half_width"] == pytest.approx(stats.t.ppf(0.975, n - 1) / math.sqrt(n))
    assert row["bootstrap"] == (n >= 4)
    for name, freedom, scale in (
        ("effect_paired", n - 1, math.sqrt(n)),
        ("effect_independent", 2 * n - 2, math.sqrt(n / 2)),
    ):
        shifted = stats.nct(freedom, row[name] * scale)
        bound = stats.t.ppf(0.975, freedom)
        assert shifted.sf(bound) + shifted.cdf(-bound) == pytest.approx(0.8, abs=1e-3)


def test_five_pairs_cannot_reach_five_percent_and_six_can():
    p = intervals.limits([5, 6])["signed_rank_p"]
    assert p[0] > 0.05 > p[1]
