"""The exact AUROC against counting pairs, the paper's AUC against a plain loop."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from workflow.common import metrics

scores = st.lists(st.integers(-5, 5), min_size=1, max_size=20)  # integers, so that ties occur


def pairs(inliers, outliers):
    """Fraction of pairs in the right order, ties counting half."""
    return np.mean([(i > o) + 0.5 * (i == o) for i in inliers for o in outliers])


def loop(inliers, outliers):
    """The release's estimate: 100 thresholds, points sorted by x, trapezoids."""
    everything = [*inliers, *outliers]
    low, high = min(everything), max(everything)
    points = []
    for i in range(100):
        t = low + i * (high - low) / 100
        x = sum(s > t for s in inliers) / len(inliers)
        y = sum(s < t for s in outliers) / len(outliers)
        points.append((x, -i, y))  # equal x by falling threshold: the curve in one direction
    points.sort()
    area = 0.0
    for (x0, _, y0), (x1, _, y1) in itertools.pairwise(points):
        area += (x1 - x0) * (y0 + y1) / 2
    return area


@given(scores, scores)
def test_auroc_is_the_fraction_of_ordered_pairs(inliers, outliers):
    result = metrics.auroc(np.array(inliers), np.array(outliers))
    assert result == pytest.approx(pairs(inliers, outliers), abs=1e-12)


def test_auroc_is_that_of_scikit_learn():
    random = np.random.default_rng(0)
    inliers = random.normal(1, 1, 5000).round(2).astype(np.float32)
    outliers = random.normal(0, 1, 500).round(2).astype(np.float32)
    labels, scores = np.repeat([1, 0], [5000, 500]), np.concatenate([inliers, outliers])
    assert metrics.auroc(inliers, outliers) == pytest.approx(
        roc_auc_score(labels, scores), abs=1e-12
    )


@given(scores, scores)
def test_threshold_auc_is_the_loop(inliers, outliers):
    result = metrics.threshold_auc(np.array(inliers), np.array(outliers))
    assert result == pytest.approx(loop(inliers, outliers), abs=1e-12)


def test_both_agree_on_gaussian_scores():
    random = np.random.default_rng(0)
    inliers, outliers = random.normal(1, 1, 9000), random.normal(0, 1, 900)
    exact = metrics.auroc(inliers, outliers)
    assert exact == pytest.approx(0.76, abs=0.02)
    assert metrics.threshold_auc(inliers, outliers) == pytest.approx(exact, abs=1e-3)


def test_one_extreme_inlier_breaks_the_papers_measure_alone():
    random = np.random.default_rng(0)
    inliers, outliers = random.normal(10, 1, 9000), random.normal(8.6, 1, 900)
    exact = metrics.auroc(inliers, outliers)
    inliers[0] = -1000.0
    assert metrics.auroc(inliers, outliers) == pytest.approx(exact, abs=1e-3)
    assert metrics.threshold_auc(inliers, outliers) < 0.01


def test_heavy_lower_tail_biases_the_papers_measure_down():
    random = np.random.default_rng(0)
    inliers, outliers = -random.lognormal(0, 1, 9000), -random.lognormal(1, 1, 900)
    difference = metrics.auroc(inliers, outliers) - metrics.threshold_auc(inliers, outliers)
    assert difference > 0.1


def test_perfect_and_reversed_order():
    low, high = np.linspace(0, 1, 500), np.linspace(10, 11, 500)
    assert metrics.auroc(high, low) == 1
    assert metrics.auroc(low, high) == 0
    assert metrics.threshold_auc(low, high) == 0
    # The highest threshold lies 0.11 below the highest score: what it keeps is not counted.
    assert metrics.threshold_auc(high, low) == pytest.approx(0.89, abs=0.01)


def test_float32_scores_are_resolved():
    inliers = np.float32(-1e6) + np.arange(100, dtype=np.float32) / 16
    outliers = inliers - np.float32(1 / 16)
    assert metrics.auroc(inliers, outliers) == pytest.approx(pairs(inliers, outliers))


def test_exact_curve_encloses_the_auroc():
    random = np.random.default_rng(1)
    inliers, outliers = random.normal(1, 1, 200), random.normal(0, 1, 100)
    kept, rejected, _ = metrics.exact_curve(inliers, outliers)
    assert np.trapezoid(rejected, kept) == pytest.approx(metrics.auroc(inliers, outliers))
    assert (kept[0], rejected[0]) == (0, 1)
    assert (kept[-1], rejected[-1]) == (1, 0)


@pytest.mark.parametrize(
    ("inliers", "outliers", "message"),
    [
        ([], [1.0], "0 inliers and 1 outliers"),
        ([1.0], [], "1 inliers and 0 outliers"),
        ([1.0, np.nan], [1.0], "1 of 3 scores are not finite"),
        ([1.0], [-np.inf], "1 of 2 scores are not finite"),
    ],
)
@pytest.mark.parametrize("measure", metrics.METRICS.values())
def test_refuses_what_cannot_be_measured(measure, inliers, outliers, message):
    with pytest.raises(ValueError, match=message):
        measure(np.array(inliers), np.array(outliers))
