"""Fit one method once, score the test images with it, and write down how it went.

Writes `model/`, `scores.npz` (scores of all test images and of those kept aside, see
`workflow.evaluation.scores`) and `fit.json` into the output folder. Starting a method's library
takes seconds, so scoring belongs to this job. A fit that fails is a result too: its status and
reason are recorded, there are no scores, and the exit status is 0.
"""

from pathlib import Path
from typing import Any

import numpy as np

from workflow.evaluation import datasets, files, fitting, limits, methods
from workflow.evaluation import scores as saved_scores
from workflow.evaluation.fitting import Images
from workflow.steps.cli import plain_errors


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = fitting.parser("python -m workflow.steps.fit", __doc__)
    parser.add_argument("--classes", required=True, help="of the training images, as in not0")
    options = parser.parse_args(arguments)
    fitting.use_device(options.device)
    with plain_errors(parser.prog):
        dataset = datasets.load(options.data)
        images = Images.choose(dataset, options.classes, options.training)
        options.out.mkdir(parents=True, exist_ok=True)
        if options.ended:
            outcome, scores = fitting.ended(options.ended, options.out / "model"), {}
        else:
            outcome, scores = fit_and_score(
                options.method,
                options.settings,
                images,
                seed=options.seed,
                folder=options.out / "model",
                allowed=options.limits,
            )
        counts = len(images.train), len(images.validation)
        record = fitting.record(options, dataset, options.classes, counts, outcome)
        labels = dataset.y_test, images.validation_labels
        saved_scores.write(options.out / "scores.npz", labels[0], scores, labels[1])
        files.write_json(options.out / "fit.json", record)
    print(f"{options.out}: {record['status']} {record['reason']}".rstrip())


def fit_and_score(
    method: str,
    settings: dict[str, Any],
    images: Images,
    *,
    seed: int,
    folder: Path,
    allowed: limits.Limits,
) -> tuple[dict[str, Any], dict[str, methods.Scores]]:
    """Fit, save to `folder` and score.

    Args:
        method: name of the method.
        settings: of its grid point.
        images: to fit and to score.
        seed: of the fit.
        folder: where the model is saved.
        allowed: a fit estimated above these is not started.

    Returns:
        The part of the record that tells the outcome, and the scores of `test` and `validation`
        images; none unless the status is `ok`.
    """
    outcome = fitting.outcome()
    scores: dict[str, methods.Scores] = {}
    clock = fitting.Clock(outcome["seconds"])
    more = {} if images.sample_weight is None else {"sample_weight": images.sample_weight}
    try:
        model = methods.create(method, settings, images.train.shape[1:])
        if methods.classifies(model):
            more["labels"] = images.labels
        outcome["parameter_count"] = int(model.n_parameters)
        outcome["estimate"] = limits.check(model, len(images.train), allowed)
        clock.start()
        history = model.fit(images.train, seed=seed, progress=True, **more)
        outcome["history"] = fitting.as_json(history)
        clock.stop("fit")
        model.save(folder)
        clock.start()
        scores["test"] = methods.score(model, images.test)
        clock.stop("score")
        if methods.classifies(model):
            scores["predicted"] = {"all": {"top": model.predict(images.test)}}
        if len(images.validation):
            # Outliers among them are told from the others as in the test, by parts of images too.
            score = methods.score if images.held_out else methods.score_whole
            scores["validation"] = score(model, images.validation)
        _check_finite(scores)
    except (Exception, SystemExit) as error:  # whatever a method raises is a row, not an abort
        outcome = fitting.failure(error, outcome)
        scores = {}
    folder.mkdir(exist_ok=True)
    return outcome, scores


def _check_finite(scores: dict[str, methods.Scores]) -> None:
    for split, by_evidence in scores.items():
        for evidence, layers in by_evidence.items():
            for layer, values in layers.items():
                if bad := int(np.sum(~np.isfinite(values))):
                    raise ArithmeticError(
                        f"the log-density under layer {layer} is not finite for {bad} of "
                        f"{len(values)} {split} images (evidence: {evidence})"
                    )


if __name__ == "__main__":
    main()
