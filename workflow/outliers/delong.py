"""Error of an exact AUROC that comes from the finite test set, by DeLong's variance.

The AUROC is a mean over pairs, so its variance is that of the images' placements: of each inlier,
the share V of outliers below it; of each outlier, the share W of inliers above it; ties count half.
With n inliers and m outliers, var = var(V) / n + var(W) / m (DeLong, DeLong and Clarke-Pearson
1988). Sorting gives all placements in O((n + m) log(n + m)), as Sun and Xu's midranks do (2014).

The model is held fixed: the spread over seeds is another error, and neither contains the other.
Areas are in [0, 1].
"""

import math
from collections.abc import Sequence

import numpy as np
from scipy import special, stats

from workflow.common import metrics
from workflow.common.intervals import LEVEL, UNKNOWN, Difference, Interval

ROUNDING = 1e-12  # share of a variance
Scores = tuple[np.ndarray, np.ndarray]
"""Scores of inliers [n] and of outliers [m]."""


def standard_error(inliers: np.ndarray, outliers: np.ndarray) -> float:
    """Standard error of `metrics.auroc`; NaN with a single image on a side."""
    return _standard_error(*_counts(inliers, outliers))


def interval(inliers: np.ndarray, outliers: np.ndarray, level: float = LEVEL) -> Interval:
    """Confidence interval of `metrics.auroc`, symmetric on the logit scale (Pepe 2003, Sec. 5.2).

    It stays within [0, 1], and keeps its level where a symmetric interval, cut at 1, loses it: of
    Gaussian scores of 100 inliers and 40 outliers with an AUROC of 0.98, it covers 93 %, the other
    85 %. NaN where the variance is 0, as where the sides do not overlap: such scores tell no error.
    """
    return _interval(metrics.auroc(inliers, outliers), standard_error(inliers, outliers), level)


def _interval(area: float, error: float, level: float) -> Interval:
    if not error > 0:
        return UNKNOWN
    half = _quantile(level) * error / (area * (1 - area))
    low, high = special.expit(special.logit(area) + np.array([-half, half]))
    return float(low), float(high)


def mean_interval(inliers: np.ndarray, outliers: np.ndarray, level: float = LEVEL) -> Interval:
    """`interval` of the mean AUROC of several models on the same images.

    The placements of an image are averaged over models, as the mean of their AUROCs is that of the
    averages. That holds the models, for example one a seed, fixed.

    Args:
        inliers: [models, n].
        outliers: [models, m].
        level: of confidence.
    """
    below, above = mean_counts(inliers, outliers)
    return _interval(below.mean() / len(above), _standard_error(below, above), level)


def mean_counts(inliers: np.ndarray, outliers: np.ndarray) -> Scores:
    """Placements as numbers of images, averaged over models, [n] and [m]; see `mean_interval`."""
    counts = [_counts(*scores) for scores in zip(inliers, outliers, strict=True)]
    below, above = (np.mean(side, axis=0) for side in zip(*counts, strict=True))
    return below, above


def paired_errors(counts: Sequence[Scores]) -> np.ndarray:
    """Standard error of the difference of every two AUROCs, as in `paired`, from `mean_counts`.

    Returns:
        [models, models]; NaN with a single image on a side.
    """
    below, above = (np.stack(side) for side in zip(*counts, strict=True))
    n, m = below.shape[1], above.shape[1]
    if min(n, m) < 2:
        return np.full((len(counts), len(counts)), np.nan)
    covariance = np.cov(below / m).reshape(len(counts), -1) / n
    covariance += np.cov(above / n).reshape(len(counts), -1) / m
    variance = np.diag(covariance)
    both = variance[:, None] + variance
    difference = both - 2 * covariance
    return np.sqrt(np.where(difference > ROUNDING * both, difference, 0))


def paired(ours: Scores, theirs: Scores, level: float = LEVEL) -> Difference:
    """Difference of the AUROCs of two models on the same images in the same order (DeLong's test).

    Interval and two-sided p are those of the normal distribution; NaN with a single image on a
    side. Where all placements differ alike, as those of one model from itself, the difference has
    no spread and no p.

    Raises:
        ValueError: if the models have different numbers of images.
    """
    sizes = [tuple(map(len, scores)) for scores in (ours, theirs)]
    if sizes[0] != sizes[1]:
        raise ValueError(f"scores of {sizes[0]} and {sizes[1]} images (in, out) do not pair")
    mean = metrics.auroc(*ours) - metrics.auroc(*theirs)
    counts = zip(_counts(*ours), _counts(*theirs), strict=True)
    error = _standard_error(*(first - second for first, second in counts))
    half = _quantile(level) * error
    p = 2 * stats.norm.sf(abs(mean) / error) if error > 0 else math.nan
    return Difference(mean, mean - half, mean + half, float(p))


def _counts(inliers: np.ndarray, outliers: np.ndarray) -> Scores:
    """Placements as numbers of images, which are exact: outliers below [n], inliers above [m]."""
    inliers, outliers = metrics.checked(inliers, outliers)
    above = len(inliers) - metrics.placements(outliers, inliers)
    return metrics.placements(inliers, outliers), above


def _standard_error(below: np.ndarray, above: np.ndarray) -> float:
    """Standard error from `_counts`, or from the differences of two models' counts."""
    n, m = len(below), len(above)
    if min(n, m) < 2:
        return math.nan
    return math.sqrt(below.var(ddof=1) / m**2 / n + above.var(ddof=1) / n**2 / m)


def _quantile(level: float) -> float:
    return float(stats.norm.ppf((1 + level) / 2))
