"""Fit one method, score the test images with it, and record the outcome.

Writes `model/`, `scores.npz` (of all test images, of those kept aside, of some trained on and of
further test sets, see `workflow.fit.scores`), `curve.npz` (see `workflow.fit.curves`; empty without
`--curve`) and `fit.json` to the output folder. Starting a method's library takes seconds, so the
same job scores. A failed fit is a result too: its status and reason are recorded, without scores,
and the exit status is 0. A trouble of the machine (`workflow.common.troubles`) is not: it ends the
job without a record.

Several seeds, one folder each, are fitted in turn, or side by side with `--together` if the method
can; a failure of one does not stop the others. If the job is ended, finished seeds keep their
results.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from workflow.common import files, places, provenance
from workflow.common.command_line import plain_errors
from workflow.data import datasets
from workflow.fit import curves, fitting, limits, methods, model_files, set_scores
from workflow.fit import scores as saved_scores
from workflow.fit.fitting import Images


class Fitted(NamedTuple):
    """Result of the fit of one seed.

    Attributes:
        outcome: part of the record on how the fit went.
        scores: by split or test set, as in `workflow.fit.scores`; empty unless the status is `ok`.
        curve: scores during training, as in `curves.Curve`.
    """

    outcome: dict[str, Any]
    scores: dict[str, methods.Scores]
    curve: np.ndarray = curves.NO_SCORES


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = fitting.parser(__spec__, __doc__, several_seeds=True)
    parser.add_argument("--classes", required=True, help="of the training images, as in not0")
    parser.add_argument("--together", action="store_true", help="fit the seeds side by side")
    parser.add_argument("--sets", default=[], nargs="*", type=Path, help="test sets to score, .npz")
    parser.add_argument(
        "--curve", default={}, type=json.loads, help="JSON, of the training curve of a DCGMM"
    )
    options = parser.parse_args(arguments)
    fitting.use_device(options.device)
    with plain_errors(parser.prog):
        if len(options.seed) != len(options.out):
            raise ValueError(f"--seed has {len(options.seed)} values, --out {len(options.out)}")
        begun = provenance.begin(options.begun, options.lock)
        dataset = datasets.load(options.data)
        images = Images.choose(dataset, options.classes, options.training)
        sets = set_scores.load(options.sets, dataset.name, dataset.source)
        if sets:
            sets.insert(0, set_scores.of_training(images.train, dataset.source))
        folders = dict(zip(options.seed, options.out, strict=True))
        # The supervisor ended this command before: record that for the unfinished seeds.
        if options.ended:
            unfinished = [
                seed for seed in folders if not (folders[seed] / places.FIT_RECORD).exists()
            ]
            spent = fitting.Spent.of(options.ended, len(unfinished))
            for seed in unfinished:
                outcome = fitting.ended_outcome(options.ended, folders[seed] / "model")
                write_result(
                    options, dataset, images, sets, seed, Fitted(outcome, {}), spent, begun
                )
            return
        # Otherwise fit, all seeds at once or one after the other, and record each when done.
        for folder in folders.values():
            folder.mkdir(parents=True, exist_ok=True)
            (folder / places.FIT_RECORD).unlink(missing_ok=True)  # of an earlier fit
        meter = fitting.Meter()
        for seeds in [options.seed] if options.together else [[seed] for seed in options.seed]:
            results = fit_and_score(
                options.method,
                options.settings,
                images,
                sets,
                seeds=seeds,
                folders=[folders[seed] / "model" for seed in seeds],
                allowed=options.limits,
                monitored=monitored(options, dataset),
            )
            spent = meter.read(len(seeds))
            for seed, fitted in zip(seeds, results, strict=True):
                write_result(options, dataset, images, sets, seed, fitted, spent, begun)


def curve_images(options: argparse.Namespace, dataset: datasets.Dataset) -> np.ndarray:
    """Indices of the test images of the training curve, if one is asked for."""
    if not options.curve:
        return np.empty(0, int)
    return curves.sample(dataset.y_test, options.classes, options.curve["images"])


def monitored(options: argparse.Namespace, dataset: datasets.Dataset) -> dict[str, Any]:
    """Arguments of `DCGMM.fit` that measure the training curve."""
    if not options.curve:
        return {}
    return {
        "validation": dataset.x_test[curve_images(options, dataset)],
        "measurements": options.curve["measurements"],
        "validation_scores": True,
    }


def write_result(
    options: argparse.Namespace,
    dataset: datasets.Dataset,
    images: Images,
    sets: Sequence[set_scores.Scored],
    seed: int,
    fitted: Fitted,
    spent: fitting.Spent,
    begun: dict[str, Any],
) -> None:
    """Write scores and record of one seed to its folder."""
    folder = options.out[options.seed.index(seed)]
    counts = len(images.train), len(images.validation)
    conditions = provenance.end(begun, options.lock)
    together = len(options.seed) if options.together else 1
    record = fitting.record(
        options, dataset, options.classes, seed, counts, fitted.outcome, spent, conditions, together
    )
    record |= {"model": model_files.digests(folder / "model")}
    digests = {each.name: each.digest for each in sets}
    labels = images.validation_labels
    saved_scores.write(
        folder / "scores.npz", record, dataset.y_test, fitted.scores, labels, digests
    )
    measured = curve_images(options, dataset)
    curves.write(folder / "curve.npz", record, fitted.curve, dataset.y_test, measured)
    files.write_json(folder / places.FIT_RECORD, record)
    print(f"{folder}: {record['status']} {record['reason']}".rstrip(), flush=True)


def fit_and_score(
    method: str,
    settings: dict[str, Any],
    images: Images,
    sets: Sequence[set_scores.Scored],
    *,
    seeds: Sequence[int],
    folders: Sequence[Path],
    allowed: limits.Limits,
    monitored: dict[str, Any],
) -> list[Fitted]:
    """Fit, save and score with every seed.

    Args:
        method: name of the method.
        settings: of its grid point.
        images: to fit and to score.
        sets: to score as well.
        seeds: of the fits.
        folders: of the saved models, one per seed.
        allowed: limits; a fit estimated to exceed them is not started.
        monitored: further arguments of `fit`, see the function of that name.
    """
    outcome = fitting.new_outcome()
    clock = fitting.Clock(outcome["seconds"])
    fit_arguments = dict(monitored)
    if images.sample_weight is not None:
        fit_arguments["sample_weight"] = images.sample_weight
    try:
        models = [methods.create(method, settings, images.train.shape[1:]) for _ in seeds]
        if methods.classifies(models[0]):
            fit_arguments["labels"] = images.labels
        outcome["parameter_count"] = int(models[0].n_parameters)
        outcome["estimate"] = limits.check(models[0], len(images.train) * len(seeds), allowed)
        clock.start()
        histories = methods.fit(method, models, images.train, seeds, fit_arguments)
        clock.stop("fit", len(seeds))
    # A failure of the method is a row; a trouble of the machine aborts.
    except (Exception, SystemExit) as error:
        for folder in folders:
            folder.mkdir(exist_ok=True)
        return [Fitted(fitting.failed_outcome(error, outcome), {}) for _ in seeds]
    return [
        _save_and_score(*fit_results, outcome, images, sets)
        for fit_results in zip(models, histories, folders, strict=True)
    ]


def _save_and_score(
    model: Any,
    history: dict[str, Any] | Exception,
    folder: Path,
    outcome: dict[str, Any],
    images: Images,
    sets: Sequence[set_scores.Scored],
) -> Fitted:
    """Save one model and score with it; `outcome` is common to all models fitted together."""
    outcome = outcome | {"seconds": dict(outcome["seconds"])}
    clock = fitting.Clock(outcome["seconds"])
    scores: dict[str, methods.Scores] = {}
    curve = curves.NO_SCORES
    try:
        if isinstance(history, Exception):
            raise history
        if "val_score" in history:
            curve = np.array(history.pop("val_score"))
            del history["val_loss"]  # a mean over inliers and outliers
        outcome["history"] = fitting.as_json(history)
        model.save(folder)
        clock.start()
        scores["test"] = methods.score(model, images.test)
        clock.stop("score")
        if methods.classifies(model):
            scores["predicted"] = {"all": {"top": model.predict(datasets.as_float(images.test))}}
        if len(images.validation):
            # With a held-out class among them, score parts of images too, as in the test.
            score = methods.score if images.held_out else methods.score_whole
            scores["validation"] = score(model, images.validation)
        _check_finite(scores)
        scores |= set_scores.score(model, sets)
    except (Exception, SystemExit) as error:  # as above
        outcome = fitting.failed_outcome(error, outcome)
        scores, curve = {}, curves.NO_SCORES
    folder.mkdir(exist_ok=True)
    return Fitted(outcome, scores, curve)


def _check_finite(scores: dict[str, methods.Scores]) -> None:
    """Raise ArithmeticError for scores that are not finite."""
    for split, by_evidence in scores.items():
        for evidence, layers in by_evidence.items():
            for layer, values in layers.items():
                if n_invalid := int(np.sum(~np.isfinite(values))):
                    raise ArithmeticError(
                        f"the log-density under layer {layer} is not finite for {n_invalid} of "
                        f"{len(values)} {split} images (evidence: {evidence})"
                    )


if __name__ == "__main__":
    main()
