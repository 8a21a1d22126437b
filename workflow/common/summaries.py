"""Summaries of values over seeds: mean, spread, interval."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats


@dataclass(frozen=True)
class Summary:
    """Mean, sample standard deviation and interval of the mean; NaN where undefined."""

    n: int
    mean: float
    std: float
    low: float
    high: float


def summarise(values: Sequence[float], level: float = 0.95) -> Summary:
    """Mean of the values with Student's t interval; the spread needs two values."""
    n = len(values)
    if n == 0:
        return Summary(0, math.nan, math.nan, math.nan, math.nan)
    mean = float(np.mean(values))
    if n == 1:
        return Summary(1, mean, math.nan, math.nan, math.nan)
    std = float(np.std(values, ddof=1))
    half = float(stats.t.ppf((1 + level) / 2, n - 1)) * std / math.sqrt(n)
    return Summary(n, mean, std, mean - half, mean + half)


def area_summary(values: Sequence[float]) -> dict[str, float]:
    """Summarise areas in percent as columns; the interval is clipped to [0, 100]."""
    result = summarise(values)
    return {
        "n": result.n,
        "mean": result.mean,
        "std": result.std,
        "ci_low": max(result.low, 0.0),
        "ci_high": min(result.high, 100.0),
    }
