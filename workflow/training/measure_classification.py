"""Measure the test accuracy of fits with a classifier layer (Table IV).

Writes a tidy CSV with the accuracy of every fit; a failed fit has a row too.
"""

from typing import Any

from workflow.common import metrics
from workflow.fit import measurement
from workflow.fit.scores import Saved


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    measurement.step(__spec__, __doc__, "classification", measure, arguments)


def measure(fit: dict[str, Any], scores: Saved) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """The task `classification`, as `workflow.fit.measurement.Measure`."""
    accuracies = [
        {
            "metric": metrics.ACCURACY,
            "evidence": evidence,
            "layer": layer,
            "top": True,
            "value": float((predicted == scores.labels).mean()),
        }
        for evidence, layers in scores.predicted.items()
        for layer, predicted in layers.items()
    ]
    return {"images": len(scores.labels)}, accuracies


if __name__ == "__main__":
    main()
