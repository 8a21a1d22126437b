"""Measure how many test images a fit with a classifier layer assigns to their class (Table IV)."""

from workflow.evaluation import records
from workflow.evaluation import scores as saved_scores
from workflow.steps.cli import of_scores, plain_errors


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = of_scores("python -m workflow.steps.classification", __doc__)
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
