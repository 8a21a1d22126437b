"""Ranks of models over datasets and tasks, by Friedman's and Nemenyi's tests (Demšar 2006)."""

import math
from dataclasses import dataclass

import pandas as pd
import scikit_posthocs
from scipy import stats


@dataclass(frozen=True)
class Ranking:
    """Mean ranks of models over blocks, 1 the best.

    Attributes:
        ranks: of each model, best first.
        blocks: their number.
        p: of Friedman's test (the chi-squared approximation).
        smallest_p: the p if all blocks ranked the models alike.
        critical_difference: of mean ranks, at 5 % (Nemenyi).
        pairs: p of each pair of models, adjusted for their number (Nemenyi).
    """

    ranks: pd.Series
    blocks: int
    p: float
    smallest_p: float
    critical_difference: float
    pairs: pd.DataFrame


def rank(values: pd.DataFrame) -> Ranking:
    """Rank models by their values; higher is better.

    Args:
        values: a row for each block, a column for each model, none missing.

    Raises:
        ValueError: if there are fewer than three models or two blocks, values are missing, or
            all models are equal in every block.
    """
    blocks, models = values.shape
    if models < 3 or blocks < 2:
        raise ValueError(f"{models} models in {blocks} blocks cannot be ranked; 3 in 2 are needed")
    if values.isna().any(axis=None):
        raise ValueError("a model lacks a value in some block; leave it out")
    if values.nunique(axis=1).eq(1).all():
        raise ValueError(f"{models} models are equal in all {blocks} blocks and cannot be ranked")
    ranks = values.rank(axis=1, ascending=False).mean().sort_values(kind="stable")
    quantile = stats.studentized_range.ppf(0.95, models, math.inf) / math.sqrt(2)
    return Ranking(
        ranks=ranks,
        blocks=blocks,
        p=float(stats.friedmanchisquare(*values.to_numpy().T).pvalue),
        smallest_p=float(stats.chi2.sf(blocks * (models - 1), models - 1)),
        critical_difference=float(quantile * math.sqrt(models * (models + 1) / (6 * blocks))),
        pairs=scikit_posthocs.posthoc_nemenyi_friedman(values.reset_index(drop=True)),
    )
