"""Measure how well a fit tells a class that was held out of it, among training images kept aside.

This is what a grid point may be chosen by: the images are none of the test's, nor is the class that
of its outliers. Writes one record, with every measure of the outlier test for every layer and
evidence; a failed fit has a record too.
"""

import numpy as np

from workflow.common.command_line import of_scores, plain_errors
from workflow.data import datasets
from workflow.fit import records
from workflow.fit import scores as saved_scores
from workflow.outliers.measure_outliers import measure


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = of_scores("python -m workflow.outliers.measure_held_out", __doc__)
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        fit = records.read(options.fit)
        scores = saved_scores.read(options.scores, fit)
        if not (held_out := datasets.held_out(fit["classes"])):
            raise ValueError(
                f"{options.fit} is of the classes {fit['classes']}, which hold none out to choose "
                "by; not0_1 would hold out class 1"
            )
        inlier = ~np.isin(scores.validation_labels, held_out)
        counts = {"inliers": int(inlier.sum()), "outliers": int((~inlier).sum())}
        records.write_task(options.out, fit, "held_out", counts, measure(scores.validation, inlier))


if __name__ == "__main__":
    main()
