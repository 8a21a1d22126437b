"""Inference over seeds: intervals, differences, multiple testing, and what n seeds can show.

Student's t is the rule, beside the BCa bootstrap where there are enough values.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestIndPower, TTestPower
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

LEVEL = 0.95
RESAMPLES = 9999
UNKNOWN = (math.nan, math.nan)
EQUAL = 1e-9  # values that differ by less differ by rounding

Interval = tuple[float, float]


@dataclass(frozen=True)
class Difference:
    """A difference of two means with its t interval and two-sided p; NaN where undefined."""

    mean: float
    low: float
    high: float
    p: float


def mean_interval(mean: float, std: float, n: int, level: float = LEVEL) -> Interval:
    """Student's t interval of a mean, from summary statistics."""
    if not n > 1:
        return UNKNOWN
    if std == 0:
        return mean, mean
    low, high = stats.t.interval(level, n - 1, loc=mean, scale=std / math.sqrt(n))
    return float(low), float(high)


def bootstrap_interval(values: Sequence[float], level: float = LEVEL, seed: int = 0) -> Interval:
    """BCa bootstrap interval of the mean (Efron 1987); NaN where it cannot have its level.

    The outermost resample repeats one value n times, with probability n^-n. If that exceeds the
    tail, the interval cannot have its level: at 95 %, below four values.
    """
    n = len(values)
    if n < 2 or outermost_resample(n) > (1 - level) / 2 or np.ptp(values) < EQUAL:
        return UNKNOWN
    result = stats.bootstrap(
        (np.asarray(values, float),),
        np.mean,
        confidence_level=level,
        method="BCa",
        n_resamples=RESAMPLES,
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return float(result.low), float(result.high)


def outermost_resample(n: int) -> float:
    """Probability that a bootstrap draws the smallest of n values n times."""
    return float(n) ** -n


def paired(ours: Sequence[float], theirs: Sequence[float], level: float = LEVEL) -> Difference:
    """Mean difference of pairs, such as two measures of one fit (paired t).

    Raises:
        ValueError: if the lengths differ.
    """
    if len(ours) != len(theirs):
        raise ValueError(f"{len(ours)} and {len(theirs)} values do not pair")
    differences = np.subtract(ours, theirs)
    degenerate = _degenerate(differences, np.zeros(len(differences)))
    return degenerate or _of_scipy(stats.ttest_rel(ours, theirs), float(differences.mean()), level)


def independent(ours: Sequence[float], theirs: Sequence[float], level: float = LEVEL) -> Difference:
    """Difference of the means of unpaired values with unequal variances (Welch)."""
    degenerate = _degenerate(ours, theirs)
    if degenerate:
        return degenerate
    result = stats.ttest_ind(ours, theirs, equal_var=False)
    return _of_scipy(result, float(np.mean(ours) - np.mean(theirs)), level)


def _degenerate(ours: Sequence[float], theirs: Sequence[float]) -> Difference | None:
    """Difference where no test is possible: too few values, or no variation."""
    if not len(ours) or not len(theirs):
        return Difference(*4 * (math.nan,))
    mean = float(np.mean(ours) - np.mean(theirs))
    if min(len(ours), len(theirs)) < 2:
        return Difference(mean, *3 * (math.nan,))
    if max(np.ptp(ours), np.ptp(theirs)) < EQUAL:
        return Difference(mean, mean, mean, math.nan)
    return None


def _of_scipy(result: Any, mean: float, level: float) -> Difference:
    interval = result.confidence_interval(level)
    return Difference(mean, float(interval.low), float(interval.high), float(result.pvalue))


def between_summaries(
    ours: tuple[float, float, int], theirs: tuple[float, float, int], level: float = LEVEL
) -> Difference:
    """Welch's difference from (mean, standard deviation, n) alone, as published in a paper."""
    mean = ours[0] - theirs[0]
    if not min(ours[2], theirs[2]) > 1 or math.isnan(ours[1]) or math.isnan(theirs[1]):
        return Difference(mean, *3 * (math.nan,))
    if ours[1] == theirs[1] == 0:
        return Difference(mean, mean, mean, math.nan)
    comparison = CompareMeans(_with_summary(*ours), _with_summary(*theirs))
    low, high = comparison.tconfint_diff(1 - level, usevar="unequal")
    return Difference(
        mean, float(low), float(high), float(comparison.ttest_ind(usevar="unequal")[1])
    )


def _with_summary(mean: float, std: float, n: int) -> DescrStatsW:
    """Weighted data with a given mean, sample standard deviation and number."""
    distance = std * math.sqrt((n - 1) / n)
    return DescrStatsW(np.array([mean - distance, mean + distance]), weights=np.full(2, n / 2))


def holm(p: Iterable[float]) -> np.ndarray:
    """Adjust p values for multiple testing (Holm 1979); NaN stays and does not count."""
    p = np.asarray(list(p), float)
    is_known = ~np.isnan(p)
    adjusted = np.full(len(p), np.nan)
    if is_known.any():
        adjusted[is_known] = multipletests(p[is_known], method="holm")[1]
    return adjusted


def limits(numbers: Iterable[int], level: float = LEVEL, power: float = 0.8) -> pd.DataFrame:
    """What n values, or n pairs, can show at best.

    Columns: `n`; the smallest two-sided p that the exact signed-rank test (n pairs) and the exact
    rank-sum test (n against n) can give; `half_width`, of the t interval in standard
    deviations; `effect_paired` and `effect_independent`, the differences in standard deviations
    that a t test finds with the given power; `bootstrap`, whether its interval can have its level.
    """
    return pd.DataFrame(_limit(n, level, power) for n in numbers)


def _limit(n: int, level: float, power: float) -> dict[str, float | int | bool]:
    """One row of `limits`; samples all positive, or without overlap, have the smallest p."""
    positive, larger = np.arange(1, n + 1), np.arange(n + 1, 2 * n + 1)
    arguments = {"effect_size": None, "alpha": 1 - level, "power": power}
    return {
        "n": n,
        "signed_rank_p": float(stats.wilcoxon(positive, method="exact").pvalue),
        "rank_sum_p": float(stats.mannwhitneyu(positive, larger, method="exact").pvalue),
        "half_width": float(stats.t.ppf((1 + level) / 2, n - 1) / math.sqrt(n)),
        "effect_paired": _solved(TTestPower(), nobs=n, **arguments),
        "effect_independent": _solved(TTestIndPower(), nobs1=n, **arguments),
        "bootstrap": outermost_resample(n) <= (1 - level) / 2,
    }


def _solved(test: TTestPower | TTestIndPower, **arguments: float | None) -> float:
    return float(np.squeeze(test.solve_power(**arguments)))
