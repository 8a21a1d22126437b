"""Measure how well a fit tells unseen classes from those it was trained on.

Inliers are the test images of the classes of the fit, outliers all others. Writes one record, with
the exact AUROC and the paper's 100-threshold AUC for every layer and evidence, and the mean
log-density of the images that were kept aside; a failed fit has a record too.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from workflow.evaluation import datasets, files, methods, metrics, records
from workflow.evaluation import scores as saved_scores
from workflow.steps.cli import plain_errors


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argparse.ArgumentParser(prog="python -m workflow.steps.outliers", description=__doc__)
    parser.add_argument("--fit", required=True, type=Path, help="fit.json")
    parser.add_argument("--scores", required=True, type=Path, help="scores.npz")
    parser.add_argument("--out", required=True, type=Path, help="record to write")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        fit = records.read(options.fit)
        scores = saved_scores.read(options.scores)
        inlier = datasets.by_classes(scores.labels, fit["classes"])
        record = {key: value for key, value in fit.items() if key != "history"} | {
            "task": "outliers",
            "counts": {"inliers": int(inlier.sum()), "outliers": int((~inlier).sum())},
            "metrics": measure(scores.test, inlier) + held_out(scores.validation),
        }
        files.write_json(options.out, records.check(record, str(options.out)))


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
