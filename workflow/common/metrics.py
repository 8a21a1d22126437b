"""Separation of inliers from outliers by scores: measures of detection, the paper's among them.

A higher score means a more likely inlier. Measures of ranks alone take infinite scores, which rank
first or last; those of thresholds need finite ones. None takes NaN, which has no rank.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

THRESHOLDS = 100


def auroc(inliers: np.ndarray, outliers: np.ndarray) -> float:
    """Probability that an inlier [n] scores above an outlier [m], ties counting half."""
    inliers, outliers = checked(inliers, outliers)
    # Equal to scikit-learn's roc_auc_score, whose import would cost each record over a second.
    return float(placements(inliers, outliers).mean() / len(outliers))


def placements(scores: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Number of the others [m] that lie below each score [n], ties counting half."""
    ranked = np.sort(others)
    below, not_above = (np.searchsorted(ranked, scores, side=side) for side in ("left", "right"))
    return (below + not_above) / 2


def aupr_in(inliers: np.ndarray, outliers: np.ndarray) -> float:
    """Area under precision against recall, inliers positive: scikit-learn's average precision.

    Steps, not trapezoids as in OpenOOD, which flatter where scores are few or tied (Davis and
    Goadrich 2006). Its value by chance is the share of inliers: compare it within one task only.
    """
    return _average_precision(*checked(inliers, outliers))


def aupr_out(inliers: np.ndarray, outliers: np.ndarray) -> float:
    """`aupr_in` with outliers positive, found by low scores; by chance, the share of outliers."""
    inliers, outliers = checked(inliers, outliers)
    return _average_precision(-outliers, -inliers)


def _average_precision(positives: np.ndarray, negatives: np.ndarray) -> float:
    """Mean over the positives of the precision where the threshold is the positive's score."""
    positives, negatives = np.sort(positives), np.sort(negatives)
    true, false = (
        len(side) - np.searchsorted(side, positives, side="left") for side in (positives, negatives)
    )
    return float((true / (true + false)).mean())


def fpr95(inliers: np.ndarray, outliers: np.ndarray) -> float:
    """Share of outliers accepted where 95 % of the inliers are, by the highest such threshold.

    Inliers are positive, and a score equal to the threshold is accepted. OpenOOD 1.5 has outliers
    positive: the share of inliers rejected where 95 % of the outliers are, another number.
    """
    inliers, outliers = checked(inliers, outliers)
    rejected = len(inliers) * 5 // 100  # in whole numbers: 0.95 n may round up
    return float((outliers >= np.sort(inliers)[rejected]).mean())


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


@dataclass(frozen=True)
class Measure:
    """A measure of detection, as readers meet it.

    Attributes:
        function: scores of inliers [n] and of outliers [m] -> value, from 0 to 1.
        title: its name in tables and figures.
        unit: in which tables and figures give it.
        higher_is_better: whether a better detector has a higher value.
    """

    function: Callable[[np.ndarray, np.ndarray], float]
    title: str
    unit: str = "%"
    higher_is_better: bool = True


MEASURES = {
    "auroc": Measure(auroc, "exact AUROC"),
    "auc100": Measure(threshold_auc, "100-threshold AUC"),
    "aupr_out": Measure(aupr_out, "AUPR, outliers positive"),
    "aupr_in": Measure(aupr_in, "AUPR, inliers positive"),
    "fpr95": Measure(fpr95, "FPR at 95 % TPR", higher_is_better=False),
}
METRICS = {name: MEASURES[name].function for name in ("auroc", "auc100")}
"""The measures in the records of Tables I and II."""
VALIDATION = "validation_log_likelihood"  # mean over the inliers kept aside, in nats
ACCURACY = "accuracy"  # of a classifier layer
SHARES = (*MEASURES, ACCURACY)  # in [0, 1], up to rounding of sums; all others are finite


def checked(inliers: np.ndarray, outliers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scores of both sides in float64, which represents any float32.

    Raises:
        ValueError: if one side is empty or a score is NaN.
    """
    if not len(inliers) or not len(outliers):
        raise ValueError(f"there are {len(inliers)} inliers and {len(outliers)} outliers")
    inliers, outliers = (np.asarray(side, np.float64) for side in (inliers, outliers))
    if unranked := int(np.isnan(inliers).sum() + np.isnan(outliers).sum()):
        raise ValueError(f"{unranked} of {len(inliers) + len(outliers)} scores are NaN")
    return inliers, outliers


def _labelled(inliers: np.ndarray, outliers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Concatenate labels (inlier 1) and scores, in float64: float32 may not resolve thresholds.

    Raises:
        ValueError: if one side is empty or a score is not finite.
    """
    scores = np.concatenate(checked(inliers, outliers))
    if infinite := int(np.isinf(scores).sum()):
        raise ValueError(
            f"{infinite} of {len(scores)} scores are infinite, and no thresholds span them"
        )
    return np.repeat([1, 0], [len(inliers), len(outliers)]), scores
