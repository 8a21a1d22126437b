"""Friedman's test and critical differences, against published values and perfect orders."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from workflow.comparison import critical_difference
from workflow.comparison.ranking import rank


def test_critical_difference_is_demsars():
    """Demšar 2006, Sec. 3.2.2: four classifiers on 14 data sets have CD = 1.25 at 5 %."""
    random = np.random.default_rng(0)
    ranking = rank(pd.DataFrame(random.normal(size=(14, 4)), columns=list("abcd")))
    assert ranking.critical_difference == pytest.approx(1.25, abs=0.005)
    assert ranking.ranks.sum() == pytest.approx(10)


def test_a_perfect_order_gives_the_smallest_p():
    values = pd.DataFrame([[3, 1, 2], [30, 10, 20], [9, 7, 8], [6, 4, 5]], columns=list("abc"))
    ranking = rank(values)
    assert ranking.ranks.to_dict() == {"a": 1, "c": 2, "b": 3}
    assert ranking.p == pytest.approx(ranking.smallest_p)
    assert ranking.p == pytest.approx(np.exp(-4)), "chi-squared 8 of 2 degrees of freedom"
    assert ranking.pairs.loc["a", "b"] < ranking.pairs.loc["a", "c"]


def test_pairs_differ_where_ranks_do_by_the_critical_difference():
    random = np.random.default_rng(3)
    values = pd.DataFrame(random.normal(size=(10, 5)) + np.arange(5), columns=list("abcde"))
    ranking = rank(values)
    for one in values:
        for other in values:
            apart = abs(ranking.ranks[one] - ranking.ranks[other]) > ranking.critical_difference
            assert (ranking.pairs.loc[one, other] < 0.05) == apart


def test_what_cannot_be_ranked_is_refused():
    for shape in [(1, 4), (5, 2), (0, 0)]:
        with pytest.raises(ValueError, match=f"{shape[1]} models in {shape[0]} blocks"):
            rank(pd.DataFrame(np.ones(shape)))
    with pytest.raises(ValueError, match="lacks a value"):
        rank(pd.DataFrame([[1, 2, np.nan], [1, 2, 3]]))


def test_bars_are_drawn_from_the_best_rank_to_the_worst():
    """So that a figure of the same numbers is the same file, whatever the order of a set."""
    models = [f"model {i}" for i in range(12)]
    values = pd.DataFrame(np.random.default_rng(1).normal(size=(3, 12)), columns=models)
    figure, axis = plt.subplots()
    critical_difference.draw_panel(axis, "paper", rank(values))
    bars = [list(line.get_xdata()) for line in axis.lines if line.get_linewidth() == 2.5]
    plt.close(figure)
    assert bars and all(bar == sorted(bar) for bar in bars)
