"""Measure how well a fit tells unseen classes from those it was trained on.

Inliers are the test images of the classes of the fit, outliers all others. Writes one record, with
the exact AUROC and the paper's 100-threshold AUC for every layer and evidence, and the mean
log-density of the images that were kept aside; a failed fit has a record too.
"""

from typing import Any

import numpy as np

from workflow.common import metrics
from workflow.common.command_line import of_scores, plain_errors
from workflow.data import datasets
from workflow.fit import methods, records
from workflow.fit import scores as saved_scores


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = of_scores("python -m workflow.outliers.measure_outliers", __doc__)
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        fit = records.read(options.fit)
        scores = saved_scores.read(options.scores, fit)
        inlier = datasets.by_classes(scores.labels, fit["classes"])
        counts = {"inliers": int(inlier.sum()), "outliers": int((~inlier).sum())}
        values = measure(scores.test, inlier) + held_out(scores.validation)
        records.write_task(options.out, fit, "outliers", counts, values)


def measure(scores: methods.Scores, inlier: np.ndarray) -> list[dict[str, Any]]:
    """Every metric on every evidence and layer.

    Args:
        scores: of the test images, evidence -> layer, bottom to top -> [n].
        inlier: mask [n].
    """
    return [
        _entry(name, evidence, layers, layer, metric(values[inlier], values[~inlier]))
        for evidence, layers in scores.items()
        for layer, values in layers.items()
        for name, metric in metrics.METRICS.items()
    ]


def held_out(scores: methods.Scores) -> list[dict[str, Any]]:
    """Mean log-density of the images kept aside, in nats."""
    return [
        _entry(metrics.VALIDATION, evidence, layers, layer, float(np.mean(values, dtype=float)))
        for evidence, layers in scores.items()
        for layer, values in layers.items()
    ]


def _entry(
    metric: str, evidence: str, layers: dict[str, np.ndarray], layer: str, value: float
) -> dict[str, Any]:
    return {
        "metric": metric,
        "evidence": evidence,
        "layer": layer,
        "top": layer == list(layers)[-1],
        "value": value,
    }


if __name__ == "__main__":
    main()
