"""Measure how well fits reject a held-out class among the training images kept aside.

This may choose a grid point: it uses no test image, and the class differs from the test's outliers.
Writes a tidy CSV with every measure of outlier detection for every fit, layer and evidence; a
failed fit has a row too.
"""

from typing import Any

import numpy as np

from workflow.data import datasets
from workflow.fit import measurement
from workflow.fit.scores import Saved
from workflow.outliers.measure_outliers import detection


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    measurement.step(__spec__, __doc__, "held_out", measure, arguments)


def measure(fit: dict[str, Any], scores: Saved) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """The task `held_out`, as `workflow.fit.measurement.Measure`.

    Raises:
        ValueError: for a fit that holds no class out.
    """
    if not (held_out := datasets.held_out(fit["classes"])):
        raise ValueError(
            f"{fit['method']}/{fit['grid_point']} was fitted to the classes {fit['classes']}, "
            "which hold out no class to choose by; not0_1 would hold out class 1"
        )
    inlier = ~np.isin(scores.validation_labels, held_out)
    counts = {"inliers": int(inlier.sum()), "outliers": int((~inlier).sum())}
    return counts, detection(scores.validation, inlier)


if __name__ == "__main__":
    main()
