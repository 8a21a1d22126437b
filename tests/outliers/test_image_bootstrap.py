"""Bootstrap over test images against DeLong's interval, and by its coverage."""

import math

import numpy as np
import pytest

from workflow.common.metrics import MEASURES
from workflow.outliers import delong, image_bootstrap


def gaussian(seed, inliers=900, outliers=100):
    random = np.random.default_rng(seed)
    return random.normal(1, 1, inliers), random.normal(0, 1, outliers)


def test_agrees_with_delong_on_the_auroc():
    scores = gaussian(0)
    bounds = image_bootstrap.interval(MEASURES["auroc"], *scores)
    assert bounds == pytest.approx(delong.interval(*scores), abs=0.006)
    assert bounds != image_bootstrap.interval(MEASURES["auroc"], *scores, seed=1)


@pytest.mark.parametrize("name", MEASURES)
def test_contains_the_value_and_repeats(name):
    scores, measure = gaussian(1), MEASURES[name]
    low, high = image_bootstrap.interval(measure, *scores)
    assert low < measure.function(*scores) < high
    assert image_bootstrap.interval(measure, *scores) == (low, high)


def test_interval_covers_a_known_rate():
    # Uniform scores: outliers on [0, 1], inliers on [0, 2], so that 95 % of inliers exceed 0.1.
    covered = 0
    for seed in range(60):
        random = np.random.default_rng(seed)
        scores = 2 * random.random(200), random.random(100)
        low, high = image_bootstrap.interval(MEASURES["fpr95"], *scores)
        covered += low <= 0.9 <= high
    assert covered >= 53


def test_no_interval_from_too_few_or_alike():
    fpr95 = MEASURES["fpr95"]
    for inliers, outliers in ((np.arange(3.0), np.arange(9.0)), (np.ones(9), np.zeros(9))):
        assert all(map(math.isnan, image_bootstrap.interval(fpr95, inliers, outliers)))
    with pytest.raises(ValueError, match="1 of 10 scores are NaN"):
        image_bootstrap.interval(fpr95, np.append(np.ones(4), np.nan), np.zeros(5))
