"""How large something is and how sure that is: effects with Student's t intervals over repetitions.

Values are Series indexed by repetition (a seed, a judge); NaN is one that failed.
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from workflow.common import intervals
from workflow.common.summaries import summarise

LEVEL = 0.95
UNKNOWN = math.nan


@dataclass(frozen=True)
class Effect:
    """An effect, its interval (NaN where there is none) and the repetitions it rests on."""

    value: float
    low: float
    high: float
    n: int


def of_values(values: pd.Series, level: float = LEVEL) -> Effect:
    """The mean."""
    summary = summarise(list(values.dropna()), level)
    return Effect(summary.mean, summary.low, summary.high, summary.n)


def of_number(value: float) -> Effect:
    """A number that is known exactly."""
    return Effect(value, value, value, 0)


def paired(ours: pd.Series, theirs: pd.Series, level: float = LEVEL) -> Effect:
    """Mean difference over the repetitions that both have (paired t)."""
    return of_values(ours - theirs, level)


def independent(ours: pd.Series, theirs: pd.Series, level: float = LEVEL) -> Effect:
    """Difference of the means of repetitions that have nothing in common (Welch's t).

    `n` is that of the side that has fewer.
    """
    ours, theirs = ours.dropna(), theirs.dropna()
    difference = intervals.independent(ours, theirs, level)
    n = min(len(ours), len(theirs))
    return Effect(difference.mean, difference.low, difference.high, n)


def slope(table: pd.DataFrame, x: str, repetition: str, value: str = "value") -> Effect:
    """Mean over repetitions of the slope of the least-squares line."""
    slopes = {
        name: stats.linregress(rows[x], rows[value]).slope
        for name, rows in table.dropna(subset=value).groupby(repetition)
        if rows[x].nunique() > 1
    }
    return of_values(pd.Series(slopes, dtype=float))


def share_descending(x: pd.Series, y: pd.Series) -> float:
    """Of all pairs that differ in x, the share whose larger x has the smaller y."""
    dx, dy = (np.subtract.outer(v.to_numpy(), v.to_numpy()) for v in (x, y))
    larger = dx > 0
    return float((dy[larger] < 0).mean()) if larger.any() else UNKNOWN


def linearity(x: pd.Series, y: pd.Series) -> float:
    """The coefficient of determination of the least-squares line; unknown below three points."""
    return float(stats.linregress(x, y).rvalue ** 2) if x.nunique() > 2 else UNKNOWN
