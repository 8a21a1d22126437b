"""Effect sizes with Student's t intervals over repetitions.

Values are Series indexed by repetition (a seed, a judge); a failed one is NaN.
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
    """Mean of the values."""
    summary = summarise(list(values.dropna()), level)
    return Effect(summary.mean, summary.low, summary.high, summary.n)


def of_number(value: float) -> Effect:
    """An exactly known number."""
    return Effect(value, value, value, 0)


def paired(ours: pd.Series, theirs: pd.Series, level: float = LEVEL) -> Effect:
    """Mean difference over the common repetitions (paired t)."""
    return of_values(ours - theirs, level)


def independent(ours: pd.Series, theirs: pd.Series, level: float = LEVEL) -> Effect:
    """Difference of the means of unpaired repetitions (Welch's t).

    `n` is that of the smaller side.
    """
    ours, theirs = ours.dropna(), theirs.dropna()
    difference = intervals.independent(ours, theirs, level)
    n = min(len(ours), len(theirs))
    return Effect(difference.mean, difference.low, difference.high, n)


def slope(table: pd.DataFrame, x: str, repetition: str, value: str = "value") -> Effect:
    """Mean slope of the least-squares line over repetitions."""
    slopes = {
        name: stats.linregress(rows[x], rows[value]).slope
        for name, rows in table.dropna(subset=value).groupby(repetition)
        if rows[x].nunique() > 1
    }
    return of_values(pd.Series(slopes, dtype=float))


def share_descending(x: pd.Series, y: pd.Series) -> float:
    """Share of the pairs with different x whose larger x has the smaller y."""
    dx, dy = (np.subtract.outer(v.to_numpy(), v.to_numpy()) for v in (x, y))
    larger = dx > 0
    return float((dy[larger] < 0).mean()) if larger.any() else UNKNOWN


def linearity(x: pd.Series, y: pd.Series) -> float:
    """Coefficient of determination of the least-squares line; NaN below three points."""
    return float(stats.linregress(x, y).rvalue ** 2) if x.nunique() > 2 else UNKNOWN
