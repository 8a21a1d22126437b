"""Measures of detection against counting, against plain loops and against scikit-learn."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from workflow.common import metrics

scores = st.lists(st.integers(-5, 5), min_size=1, max_size=20)  # integers, so that ties occur
extreme = st.lists(st.sampled_from([-np.inf, -1.0, 0.0, 1.0, np.inf]), min_size=1, max_size=20)
RANKED = ("auroc", "aupr_in", "aupr_out", "fpr95")


def pairs(inliers, outliers):
    """Fraction of pairs in the right order, ties counting half."""
    return np.mean([(i > o) + 0.5 * (i == o) for i in inliers for o in outliers])


def precision(positives, negatives):
    """Average precision: precision at each distinct score, weighted by the recall that it adds."""
    area = before = 0.0
    for t in sorted(set(positives), reverse=True):
        true, false = (sum(s >= t for s in side) for side in (positives, negatives))
        area += (true / len(positives) - before) * true / (true + false)
        before = true / len(positives)
    return area


def accepted(inliers, outliers):
    """Share of outliers accepted by the highest threshold that accepts 95 % of the inliers."""
    for t in sorted(inliers, reverse=True):
        if 100 * sum(s >= t for s in inliers) >= 95 * len(inliers):
            return np.mean([s >= t for s in outliers])
    raise AssertionError("the lowest inlier accepts all")


COUNTED = {
    "auroc": pairs,
    "aupr_in": precision,
    "aupr_out": lambda inliers, outliers: precision([-s for s in outliers], [-s for s in inliers]),
    "fpr95": accepted,
}


def sklearns(inliers, outliers):
    """The ranked measures by scikit-learn."""
    labels = np.repeat([1, 0], [len(inliers), len(outliers)])
    values = np.concatenate([inliers, outliers])
    false, true, _ = roc_curve(labels, values, drop_intermediate=False)
    return {
        "auroc": roc_auc_score(labels, values),
        "aupr_in": average_precision_score(labels, values),
        "aupr_out": average_precision_score(1 - labels, -values),
        "fpr95": false[np.argmax(true >= 0.95)],
    }


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


@pytest.mark.parametrize("name", RANKED)
@given(extreme | scores, extreme | scores)
def test_ranked_measures_are_what_counting_gives(name, inliers, outliers):
    result = metrics.MEASURES[name].function(np.array(inliers), np.array(outliers))
    assert result == pytest.approx(COUNTED[name](inliers, outliers), abs=1e-12)


@given(scores, scores)
def test_ranked_measures_are_those_of_scikit_learn(inliers, outliers):
    for name, value in sklearns(inliers, outliers).items():
        result = metrics.MEASURES[name].function(np.array(inliers), np.array(outliers))
        assert result == pytest.approx(value, abs=1e-12), name


def test_ranked_measures_are_those_of_scikit_learn_on_many_scores():
    random = np.random.default_rng(0)
    inliers = random.normal(1, 1, 5000).round(2).astype(np.float32)
    outliers = random.normal(0, 1, 500).round(2).astype(np.float32)
    for name, value in sklearns(inliers, outliers).items():
        result = metrics.MEASURES[name].function(inliers, outliers)
        assert result == pytest.approx(value, abs=1e-12), name


@given(extreme, extreme)
def test_ranked_measures_see_ranks_alone(inliers, outliers):
    ranks = {-np.inf: -1e300, -1.0: 3, 0.0: 3.5, 1.0: 4, np.inf: 5}
    for name in RANKED:
        measure = metrics.MEASURES[name].function
        same = [np.array([ranks[s] for s in side]) for side in (inliers, outliers)]
        assert measure(np.array(inliers), np.array(outliers)) == measure(*same), name


@pytest.mark.parametrize("n", range(1, 201))
def test_95_percent_of_the_inliers_are_whole_images(n):
    needed = -(-95 * n // 100)
    inliers, outliers = np.arange(n), np.arange(n) + 0.5  # one outlier above each inlier
    assert metrics.fpr95(inliers, outliers) == needed / n


def test_one_image_a_side():
    for name, values in {
        "auroc": (1, 0.5, 0), "aupr_in": (1, 0.5, 0.5), "aupr_out": (1, 0.5, 0.5),
        "fpr95": (0, 1, 1),
    }.items():  # fmt: skip
        measure = metrics.MEASURES[name].function
        assert tuple(measure(np.array([s]), np.array([0.0])) for s in (1.0, 0.0, -1.0)) == values


def test_chance_is_a_half_or_the_share_of_the_positives():
    same = np.zeros(30), np.zeros(10)
    assert metrics.auroc(*same) == 0.5
    assert metrics.aupr_in(*same) == 0.75
    assert metrics.aupr_out(*same) == 0.25
    assert metrics.fpr95(*same) == 1, "one threshold accepts all or nothing"


def test_outliers_positive_is_another_fpr():
    inliers, outliers = np.arange(100.0), np.append(np.full(99, -1.0), 200)
    assert metrics.fpr95(inliers, outliers) == pytest.approx(0.01)
    assert metrics.fpr95(-outliers, -inliers) == 0  # as OpenOOD


def test_measures_say_which_way_is_better():
    apart = np.array([2.0, 3.0]), np.array([0.0, 1.0])
    for name, measure in metrics.MEASURES.items():
        good, bad = measure.function(*apart), measure.function(*apart[::-1])
        assert (good > bad) is measure.higher_is_better, name
        assert min(good, bad) >= 0 and max(good, bad) <= 1


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
        ([1.0, np.nan], [1.0], "1 of 3 scores are NaN"),
        ([np.nan], [np.nan, np.inf], "2 of 3 scores are NaN"),
    ],
)
@pytest.mark.parametrize("measure", metrics.MEASURES.values(), ids=lambda m: m.title)
def test_refuses_what_cannot_be_measured(measure, inliers, outliers, message):
    with pytest.raises(ValueError, match=message):
        measure.function(np.array(inliers), np.array(outliers))


@pytest.mark.parametrize("curve", [metrics.threshold_auc, metrics.exact_curve])
def test_thresholds_need_finite_scores(curve):
    with pytest.raises(ValueError, match="1 of 2 scores are infinite"):
        curve(np.array([1.0]), np.array([-np.inf]))
