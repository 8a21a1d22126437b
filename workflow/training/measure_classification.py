"""Measure how many test images a fit with a classifier layer assigns to their class (Table IV)."""

from workflow.common.command_line import of_scores, plain_errors
from workflow.fit import records
from workflow.fit import scores as saved_scores


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = of_scores("python -m workflow.training.measure_classification", __doc__)
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        fit = records.read(options.fit)
        scores = saved_scores.read(options.scores, fit)
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
        counts = {"images": len(scores.labels)}
        records.write_task(options.out, fit, "classification", counts, metrics)


if __name__ == "__main__":
    main()
