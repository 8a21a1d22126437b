"""Error of any measure of detection that comes from the finite test set, by resampling images.

For measures without a closed form; `workflow.outliers.delong` has that of the exact AUROC.
"""

import numpy as np
from scipy import stats

from workflow.common import metrics
from workflow.common.intervals import LEVEL, UNKNOWN, Interval, outermost_resample

RESAMPLES = 999  # a second or less for 10,000 images


def interval(
    measure: metrics.Measure,
    inliers: np.ndarray,
    outliers: np.ndarray,
    level: float = LEVEL,
    seed: int = 0,
) -> Interval:
    """Percentile bootstrap interval of a measure, inliers and outliers resampled apart.

    The numbers of both sides stay, since AUPR depends on them. NaN below four images on a side,
    where the interval cannot have its level, and where no resample changes the value.

    Args:
        measure: an entry of `metrics.MEASURES`.
        inliers: scores [n].
        outliers: scores [m].
        level: of confidence.
        seed: of the resamples.

    Raises:
        ValueError: if the measure refuses the scores.
    """
    measure.function(inliers, outliers)  # refuses by its own numbers, not by a resample's
    if outermost_resample(min(len(inliers), len(outliers))) > (1 - level) / 2:
        return UNKNOWN
    result = stats.bootstrap(
        (inliers, outliers),
        measure.function,
        vectorized=False,
        confidence_level=level,
        method="percentile",
        n_resamples=RESAMPLES,
        batch=100,  # of resamples in memory
        rng=np.random.default_rng(seed),
    )
    if np.ptp(result.bootstrap_distribution) == 0:
        return UNKNOWN
    return float(result.confidence_interval.low), float(result.confidence_interval.high)
