"""Separation of inliers from outliers by scores: the exact measure and the paper's.

A higher score means a more likely inlier.
"""

import numpy as np

THRESHOLDS = 100


def auroc(inliers: np.ndarray, outliers: np.ndarray) -> float:
    """Probability that an inlier [n] scores above an outlier [m], ties counting half."""
    _labelled(inliers, outliers)
    # Equal to scikit-learn's roc_auc_score, whose import would cost each record over a second.
    ranked = np.sort(outliers)
    below, not_above = (np.searchsorted(ranked, inliers, side=side) for side in ("left", "right"))
    return float((below + not_above).mean() / 2 / len(outliers))


def threshold_auc(inliers: np.ndarray, outliers: np.ndarray, thresholds: int = THRESHOLDS) -> float:
    """Area under `threshold_curve`, as the authors' release measures it.

    It is biased for scores with tails: thresholds are evenly spaced between the extreme scores, and
    the curve is not closed at the left, so that one extreme score can remove the whole area.
    """
    kept, rejected, _ = threshold_curve(inliers, outliers, thresholds)
    # From the highest threshold down, `kept` rises: the order that the trapezoids need.
    return float(np.trapezoid(rejected[::-1], kept[::-1]))


def threshold_curve(
    inliers: np.ndarray, outliers: np.ndarray, thresholds: int = THRESHOLDS
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fractions of inliers kept (score above t) and of outliers rejected (score below t).

    Args:
        inliers: scores [n].
        outliers: scores [m].
        thresholds: number of t, evenly spaced from the lowest score up to the highest, excluded.

    Returns:
        kept, rejected, t: each [thresholds], by rising threshold.
    """
    _, scores = _labelled(inliers, outliers)
    low, high = scores.min(), scores.max()
    t = low + np.arange(thresholds) * (high - low) / thresholds
    above = np.searchsorted(np.sort(inliers), t, side="right")  # number of inliers not above t
    below = np.searchsorted(np.sort(outliers), t, side="left")
    return 1 - above / len(inliers), below / len(outliers), t


def exact_curve(
    inliers: np.ndarray, outliers: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The fractions of `threshold_curve` at every threshold that changes them, corners only.

    Returns:
        kept, rejected, t: each [corners], by falling threshold; the first keeps nothing.
    """
    from sklearn.metrics import roc_curve

    accepted, kept, t = roc_curve(*_labelled(inliers, outliers))
    return kept, 1 - accepted, t


VALIDATION = "validation_log_likelihood"  # mean over the inliers kept aside, in nats
METRICS = {"auroc": auroc, "auc100": threshold_auc}
ACCURACY = "accuracy"  # of a classifier layer
SHARES = (*METRICS, ACCURACY)  # in [0, 1], up to rounding of sums; all others are finite


def _labelled(inliers: np.ndarray, outliers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Concatenate labels (inlier 1) and scores.

    Raises:
        ValueError: if one side is empty or a score is not finite.
    """
    if not len(inliers) or not len(outliers):
        raise ValueError(f"there are {len(inliers)} inliers and {len(outliers)} outliers")
    # In float64: the thresholds divide a range that float32 may not resolve.
    scores = np.concatenate([inliers, outliers]).astype(np.float64)
    if not np.isfinite(scores).all():
        raise ValueError(f"{np.sum(~np.isfinite(scores))} of {len(scores)} scores are not finite")
    return np.repeat([1, 0], [len(inliers), len(outliers)]), scores
