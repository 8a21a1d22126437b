"""Measure how well fits tell a class that was held out of them, among training images kept aside.

A grid point may be chosen by this: none of the images is of the test, nor is the class that of its
outliers. Writes a tidy CSV with every measure of the outlier test for every fit, layer and
evidence; a failed fit has a row too.
"""

from typing import Any

import numpy as np

from workflow.data import datasets
from workflow.fit import measurement
from workflow.fit.scores import Saved
from workflow.outliers.measure_outliers import detection


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    program = "python -m workflow.outliers.measure_held_out"
    measurement.step(program, __doc__, "held_out", measure, arguments)


def measure(fit: dict[str, Any], scores: Saved) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """The task `held_out`, as `workflow.fit.measurement.Measure`.

    Raises:
        ValueError: for a fit that was to hold no class out.
    """
    if not (held_out := datasets.held_out(fit["classes"])):
        raise ValueError(
            f"{fit['method']}/{fit['grid_point']} was fitted to the classes {fit['classes']}, "
            "which hold none out to choose by; not0_1 would hold out class 1"
        )
    inlier = ~np.isin(scores.validation_labels, held_out)
    counts = {"inliers": int(inlier.sum()), "outliers": int((~inlier).sum())}
    return counts, detection(scores.validation, inlier)


if __name__ == "__main__":
    main()
