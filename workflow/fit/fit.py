"""Fit one method, score the test images with it, and write down how it went.

Writes `model/`, `scores.npz` (scores of all test images and of those kept aside, see
`workflow.fit.scores`) and `fit.json` into the output folder. Starting a method's library
takes seconds, so scoring belongs to this job. A fit that fails is a result too: its status and
reason are recorded, there are no scores, and the exit status is 0. A trouble of the machine is none
(`workflow.common.troubles`): it ends the job without a record.

Several seeds, with a folder each, are fitted in turn, or side by side if the method can and
`--together` says so; what fails for one stops no other. If the job is ended, the seeds that are
done keep their results.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from workflow.common import files, places, provenance
from workflow.common.command_line import plain_errors
from workflow.data import datasets
from workflow.fit import fitting, limits, methods
from workflow.fit import scores as saved_scores
from workflow.fit.fitting import Images


class Fitted(NamedTuple):
    """How the fit of one seed went.

    Attributes:
        outcome: the part of the record that tells it.
        scores: of `test` and `validation` images; none unless the status is `ok`.
    """

    outcome: dict[str, Any]
    scores: dict[str, methods.Scores]


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = fitting.parser("python -m workflow.fit.fit", __doc__, several_seeds=True)
    parser.add_argument("--classes", required=True, help="of the training images, as in not0")
    parser.add_argument("--together", action="store_true", help="fit the seeds side by side")
    options = parser.parse_args(arguments)
    fitting.use_device(options.device)
    with plain_errors(parser.prog):
        if len(options.seed) != len(options.out):
            raise ValueError(f"--seed has {len(options.seed)} values, --out {len(options.out)}")
        begun = provenance.begin(options.begun, options.lock)
        dataset = datasets.load(options.data)
        images = Images.choose(dataset, options.classes, options.training)
        folders = dict(zip(options.seed, options.out, strict=True))
        if options.ended:
            left = [seed for seed in folders if not (folders[seed] / places.FIT_RECORD).exists()]
            spent = fitting.Spent.of(options.ended, len(left))
            for seed in left:
                outcome = fitting.ended(options.ended, folders[seed] / "model")
                write(options, dataset, images, seed, Fitted(outcome, {}), spent, begun)
            return
        for folder in folders.values():
            folder.mkdir(parents=True, exist_ok=True)
            (folder / places.FIT_RECORD).unlink(missing_ok=True)  # of a fit before this one
        meter = fitting.Meter()
        for seeds in [options.seed] if options.together else [[seed] for seed in options.seed]:
            results = fit_and_score(
                options.method,
                options.settings,
                images,
                seeds=seeds,
                folders=[folders[seed] / "model" for seed in seeds],
                allowed=options.limits,
            )
            spent = meter.read(len(seeds))
            for seed, fitted in zip(seeds, results, strict=True):
                write(options, dataset, images, seed, fitted, spent, begun)


def write(
    options: argparse.Namespace,
    dataset: datasets.Dataset,
    images: Images,
    seed: int,
    fitted: Fitted,
    spent: fitting.Spent,
    begun: dict[str, Any],
) -> None:
    """Write scores and record of one seed into its folder."""
    folder = options.out[options.seed.index(seed)]
    counts = len(images.train), len(images.validation)
    conditions = provenance.end(begun, options.lock)
    together = len(options.seed) if options.together else 1
    record = fitting.record(
        options, dataset, options.classes, seed, counts, fitted.outcome, spent, conditions, together
    )
    labels = images.validation_labels
    saved_scores.write(folder / "scores.npz", record, dataset.y_test, fitted.scores, labels)
    files.write_json(folder / places.FIT_RECORD, record)
    print(f"{folder}: {record['status']} {record['reason']}".rstrip(), flush=True)


def fit_and_score(
    method: str,
    settings: dict[str, Any],
    images: Images,
    *,
    seeds: Sequence[int],
    folders: Sequence[Path],
    allowed: limits.Limits,
) -> list[Fitted]:
    """Fit, save and score, by every seed.

    Args:
        method: name of the method.
        settings: of its grid point.
        images: to fit and to score.
        seeds: of the fits.
        folders: where the models are saved, one a seed.
        allowed: fits estimated above these are not started.
    """
    outcome = fitting.outcome()
    clock = fitting.Clock(outcome["seconds"])
    more = {} if images.sample_weight is None else {"sample_weight": images.sample_weight}
    try:
        models = [methods.create(method, settings, images.train.shape[1:]) for _ in seeds]
        if methods.classifies(models[0]):
            more["labels"] = images.labels
        outcome["parameter_count"] = int(models[0].n_parameters)
        outcome["estimate"] = limits.check(models[0], len(images.train) * len(seeds), allowed)
        clock.start()
        histories = methods.fit(method, models, images.train, seeds, more)
        clock.stop("fit", len(seeds))
    except (
        Exception,
        SystemExit,
    ) as error:  # what a method raises is a row; the machine's, an abort
        for folder in folders:
            folder.mkdir(exist_ok=True)
        return [Fitted(fitting.failure(error, outcome), {}) for _ in seeds]
    return [
        _save_and_score(*each, outcome, images)
        for each in zip(models, histories, folders, strict=True)
    ]


def _save_and_score(
    model: Any,
    history: dict[str, Any] | Exception,
    folder: Path,
    outcome: dict[str, Any],
    images: Images,
) -> Fitted:
    """What becomes of one model; `outcome` is what is known of all that were fitted with it."""
    outcome = outcome | {"seconds": dict(outcome["seconds"])}
    clock = fitting.Clock(outcome["seconds"])
    scores: dict[str, methods.Scores] = {}
    try:
        if isinstance(history, Exception):
            raise history
        outcome["history"] = fitting.as_json(history)
        model.save(folder)
        clock.start()
        scores["test"] = methods.score(model, images.test)
        clock.stop("score")
        if methods.classifies(model):
            scores["predicted"] = {"all": {"top": model.predict(datasets.as_float(images.test))}}
        if len(images.validation):
            # Outliers among them are told from the others as in the test, by parts of images too.
            score = methods.score if images.held_out else methods.score_whole
            scores["validation"] = score(model, images.validation)
        _check_finite(scores)
    except (Exception, SystemExit) as error:  # as above
        outcome = fitting.failure(error, outcome)
        scores = {}
    folder.mkdir(exist_ok=True)
    return Fitted(outcome, scores)


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
