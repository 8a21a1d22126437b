"""Measure how many test images a fit with a classifier layer assigns to their class (Table IV)."""

import argparse
from pathlib import Path

from workflow.evaluation import files, records
from workflow.evaluation import scores as saved_scores
from workflow.steps.cli import plain_errors


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argparse.ArgumentParser(
        prog="python -m workflow.steps.classification", description=__doc__
    )
    parser.add_argument("--fit", required=True, type=Path, help="fit.json")
    parser.add_argument("--scores", required=True, type=Path, help="scores.npz")
    parser.add_argument("--out", required=True, type=Path, help="record to write")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        fit = records.read(options.fit)
        scores = saved_scores.read(options.scores)
        metrics = [
            {
                "metric": "accuracy",
                "evidence": evidence,
                "layer": layer,
                "top": True,
                "value": float((predicted == scores.labels).mean()),
            }
            for evidence, layers in scores.predicted.items()
            for layer, predicted in layers.items()
        ]
        record = {key: value for key, value in fit.items() if key != "history"} | {
            "task": "classification",
            "counts": {"images": len(scores.labels)},
            "metrics": metrics,
        }
        files.write_json(options.out, records.check(record, str(options.out)))


if __name__ == "__main__":
    main()
