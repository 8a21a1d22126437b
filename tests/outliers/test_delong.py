"""DeLong's error of an AUROC against the sum over pairs, published values and simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from workflow.common import metrics
from workflow.outliers import delong

tied = st.lists(st.sampled_from([-np.inf, -1.0, 0.0, 0.5, 1.0, np.inf]), min_size=2, max_size=12)

# Albumin, total protein, K-G score and outcome of DeLong et al.'s patients, areas and errors:
# SAS/STAT User's Guide, PROC LOGISTIC, "Comparing Receiver Operating Characteristic Curves".
PATIENTS = """
3.0 5.8 10 0  3.2 6.3 5 1  3.9 6.8 3 1  2.8 4.8 6 0  3.2 5.8 3 1  0.9 4.0 5 0  2.5 5.7 8 0
1.6 5.6 5 1   3.8 5.7 5 1  3.7 6.7 6 1  3.2 5.4 4 1  3.8 6.6 6 1  4.1 6.6 5 1  3.6 5.7 5 1
4.3 7.0 4 1   3.6 6.7 4 0  2.3 4.4 6 1  4.2 7.6 4 0  4.0 6.6 6 0  3.5 5.8 6 1  3.8 6.8 7 1
3.0 4.7 8 0   4.5 7.4 5 1  3.7 7.4 5 1  3.1 6.6 6 1  4.1 8.2 6 1  4.3 7.0 5 1  4.3 6.5 4 1
3.2 5.1 5 1   2.6 4.7 6 1  3.3 6.8 6 0  1.7 4.0 7 0  3.7 6.1 5 1  3.3 6.3 7 1  4.2 7.7 6 1
3.5 6.2 5 1   2.9 5.7 9 0  2.1 4.8 7 1  2.8 6.2 8 0  4.0 7.0 7 1  3.3 5.7 6 1  3.7 6.9 5 1
3.6 6.6 5 1
"""
PUBLISHED = {"albumin": (0.7366, 0.0927), "protein": (0.6478, 0.1000), "k-g": (0.7258, 0.1028)}


def patients():
    """Test -> its scores of both groups."""
    albumin, protein, score, group = np.array(PATIENTS.split(), float).reshape(-1, 4).T
    scores = {"albumin": albumin, "protein": protein, "k-g": 10 - score}
    return {name: (values[group == 1], values[group == 0]) for name, values in scores.items()}


def of_pairs(inliers, outliers):
    """The area's kernel of every pair: 1 in the right order, 1/2 if tied."""
    x, y = np.array(inliers)[:, None], np.array(outliers)[None]
    return (x > y) + 0.5 * (x == y)


def error_of_pairs(kernel):
    """Standard error from the structural components, which are means of rows and of columns."""
    inside, outside = kernel.mean(axis=1), kernel.mean(axis=0)
    return math.sqrt(inside.var(ddof=1) / len(inside) + outside.var(ddof=1) / len(outside))


@given(tied, tied)
def test_error_is_that_of_all_pairs(inliers, outliers):
    result = delong.standard_error(np.array(inliers), np.array(outliers))
    assert result == pytest.approx(error_of_pairs(of_pairs(inliers, outliers)), abs=1e-12)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=4, max_size=20))
def test_paired_error_is_that_of_the_pairs_differences(images):
    ours, theirs = np.array(images, float).T
    half = len(images) // 2
    sides = [(scores[:half], scores[half:]) for scores in (ours, theirs)]
    kernel = of_pairs(*sides[0]) - of_pairs(*sides[1])
    result, error = delong.paired(*sides), error_of_pairs(kernel)
    assert result.mean == pytest.approx(kernel.mean(), abs=1e-12)
    assert result.high - result.low == pytest.approx(2 * 1.959964 * error, abs=1e-6)
    if error > 1e-9:
        assert result.p == pytest.approx(2 * stats.norm.sf(abs(kernel.mean()) / error), abs=1e-9)
    else:
        assert math.isnan(result.p)


def test_published_areas_and_errors():
    for name, scores in patients().items():
        measured = metrics.auroc(*scores), delong.standard_error(*scores)
        assert measured == pytest.approx(PUBLISHED[name], abs=5e-5), name


def test_published_test_of_two_areas():
    scores = patients()
    result = delong.paired(scores["protein"], scores["k-g"])
    assert result.mean == pytest.approx(-0.0780, abs=5e-5)
    assert (result.low, result.high) == pytest.approx((-0.2830, 0.1271), abs=5e-5)
    assert result.p == pytest.approx(0.4561, abs=5e-5)
    assert delong.paired(scores["albumin"], scores["k-g"]).p == pytest.approx(0.9102, abs=5e-5)


def test_interval_is_symmetric_in_logits():
    inliers, outliers = patients()["albumin"]
    area, error = metrics.auroc(inliers, outliers), delong.standard_error(inliers, outliers)
    low, high = delong.interval(inliers, outliers, level=0.9)
    logits = [math.log(p / (1 - p)) for p in (low, area, high)]
    assert np.diff(logits) == pytest.approx(2 * [1.644854 * error / (area * (1 - area))], rel=1e-6)


def test_intervals_have_their_level():
    random = np.random.default_rng(0)
    area, covered, rejected = 0.95, 0, 0
    shift = math.sqrt(2) * stats.norm.ppf(area)
    for _ in range(600):
        common = [random.normal(mean, 0.7, n) for mean, n in ((shift, 90), (0, 40))]
        ours, theirs = (tuple(s + random.normal(0, 0.714, len(s)) for s in common) for _ in "ab")
        low, high = delong.interval(*ours)
        covered += low <= area <= high
        rejected += delong.paired(ours, theirs).p < 0.05
    assert covered / 600 == pytest.approx(0.95, abs=0.025)
    assert rejected / 600 == pytest.approx(0.05, abs=0.025)


def test_pairing_sees_what_two_intervals_cannot():
    random = np.random.default_rng(1)
    theirs = random.normal(1, 1, 500), random.normal(0, 1, 200)
    ours = theirs[0] + 0.05 + random.normal(0, 0.01, 500), theirs[1]
    assert delong.interval(*ours)[0] < delong.interval(*theirs)[1]
    assert delong.paired(ours, theirs).p < 1e-6


def test_scores_that_tell_no_error():
    apart = np.array([2.0, 3.0]), np.array([0.0, 1.0])
    for scores in (apart, apart[::-1], (np.zeros(3), np.zeros(3)), (np.ones(1), np.zeros(9))):
        assert all(map(math.isnan, delong.interval(*scores)))
    same = delong.paired(apart, apart)
    assert (same.mean, same.low, same.high) == (0, 0, 0) and math.isnan(same.p)
    alone = delong.paired((np.ones(1), np.zeros(9)), (np.zeros(1), np.ones(9)))
    assert alone.mean == 1 and math.isnan(alone.low) and math.isnan(alone.p)


def test_refuses_what_does_not_pair():
    with pytest.raises(ValueError, match=r"scores of \(3, 2\) and \(2, 2\) images"):
        delong.paired((np.zeros(3), np.zeros(2)), (np.zeros(2), np.zeros(2)))
    with pytest.raises(ValueError, match="1 of 4 scores are NaN"):
        delong.standard_error(np.array([np.nan, 1.0]), np.zeros(2))
