"""Measure how well fits tell unseen classes from those they were trained on.

Inliers are the test images of the classes that a fit was trained on, outliers all others. Writes a
tidy CSV with the exact AUROC and the paper's 100-threshold AUC for every fit, layer and evidence,
and the mean log-density of the training images kept aside; a failed fit has a row too.
"""

from typing import Any

import numpy as np

from workflow.common import metrics
from workflow.data import datasets
from workflow.fit import measurement, methods
from workflow.fit.scores import Saved


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    measurement.step(__spec__, __doc__, "outliers", measure, arguments)


def measure(fit: dict[str, Any], scores: Saved) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """The task `outliers`, as `workflow.fit.measurement.Measure`."""
    inlier = datasets.by_classes(scores.labels, fit["classes"])
    counts = {"inliers": int(inlier.sum()), "outliers": int((~inlier).sum())}
    return counts, detection(scores.test, inlier) + log_densities(scores.validation)


def detection(scores: methods.Scores, inlier: np.ndarray) -> list[dict[str, Any]]:
    """Compute every metric of outlier detection for every evidence and layer.

    Args:
        scores: evidence -> layer, bottom to top -> [n].
        inlier: mask [n].
    """
    return [
        _entry(name, evidence, layers, layer, metric(values[inlier], values[~inlier]))
        for evidence, layers in scores.items()
        for layer, values in layers.items()
        for name, metric in metrics.METRICS.items()
    ]


def log_densities(scores: methods.Scores) -> list[dict[str, Any]]:
    """Mean log-density of the training images kept aside, in nats."""
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
