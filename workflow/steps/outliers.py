"""Measure how well a fit tells unseen classes from those it was trained on (Table I).

Inliers are the test images of the classes of the fit, outliers all others. Writes one record, with
the exact AUROC and the paper's 100-threshold AUC for every layer; a failed fit has a record too.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from workflow.evaluation import datasets, files, metrics, records
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
        labels, scores = records.read_scores(options.scores)
        inlier = datasets.by_classes(labels, fit["classes"])
        record = {key: value for key, value in fit.items() if key != "history"} | {
            "task": "outliers",
            "counts": {"inliers": int(inlier.sum()), "outliers": int((~inlier).sum())},
            "metrics": measure(scores, inlier),
        }
        files.write_json(options.out, records.check(record, str(options.out)))


def measure(scores: dict[str, np.ndarray], inlier: np.ndarray) -> list[dict[str, Any]]:
    """Every metric on every layer.

    Args:
        scores: layer, bottom to top -> [n].
        inlier: mask [n].
    """
    return [
        {
            "metric": name,
            "layer": layer,
            "top": layer == list(scores)[-1],
            "value": metric(values[inlier], values[~inlier]),
        }
        for layer, values in scores.items()
        for name, metric in metrics.METRICS.items()
    ]


if __name__ == "__main__":
    main()
