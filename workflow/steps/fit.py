"""Fit one method once, score the test images with it, and write down how it went.

Writes `model/`, `scores.npz` (scores of all test images and of those kept aside, see
`workflow.evaluation.scores`) and `fit.json` into the output folder. Starting a method's library
takes seconds, so scoring belongs to this job. A fit that fails is a result too: its status and
reason are recorded, there are no scores, and the exit status is 0.
"""

import argparse
import json
import math
import os
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workflow.evaluation import datasets, files, limits, methods, provenance
from workflow.evaluation import scores as saved_scores
from workflow.steps.cli import plain_errors


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argparse.ArgumentParser(prog="python -m workflow.steps.fit", description=__doc__)
    parser.add_argument("--method", required=True)
    parser.add_argument("--grid-point", required=True, help="name of the settings")
    parser.add_argument("--settings", required=True, type=json.loads, help="JSON")
    parser.add_argument("--training", required=True, type=json.loads, help="JSON, see records")
    parser.add_argument("--limits", default={}, type=json.loads, help="JSON, of hours and memory")
    parser.add_argument("--device", default="cpu", choices=["cpu", "gpu"])
    parser.add_argument("--data", required=True, type=Path, help="a prepared dataset, .npz")
    parser.add_argument("--classes", required=True, help="of the training images, as in not0")
    parser.add_argument("--seed", required=True, type=int)
    parser.add_argument("--lock", required=True, type=Path, help="of this environment")
    parser.add_argument("--out", required=True, type=Path, help="folder")
    options = parser.parse_args(arguments)
    if options.device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = "-1"  # whatever the library, before it is imported
    with plain_errors(parser.prog):
        dataset = datasets.load(options.data)
        images = Images.choose(dataset, options.classes, options.training)
        options.out.mkdir(parents=True, exist_ok=True)
        record = {
            "schema_version": 2,
            "suite_version": provenance.suite_version(),
            "method": options.method,
            "grid_point": options.grid_point,
            "settings": options.settings,
            "training": options.training,
            "dataset": {
                "name": dataset.name,
                "source": dataset.source,
                "sha256": dataset.digest,
                "train_images": len(images.train),
                "validation_images": len(images.validation),
            },
            "classes": options.classes,
            "seed": options.seed,
        }
        outcome, scores = fit_and_score(
            options.method,
            options.settings,
            images,
            seed=options.seed,
            folder=options.out / "model",
            allowed=options.limits,
        )
        record |= outcome | {
            "seconds": outcome["seconds"] | {"cpu": round(time.process_time(), 3)},
            "memory_mb": {"host": provenance.peak_memory_mb(), "gpu": None},
            "environment": provenance.environment(options.lock),
            "host": provenance.host(),
            "commit": provenance.commit(),
        }
        saved_scores.write(options.out / "scores.npz", dataset.y_test, scores)
        files.write_json(options.out / "fit.json", record)
    print(f"{options.out}: {record['status']} {record['reason']}".rstrip())


@dataclass(frozen=True)
class Images:
    """What a fit sees and is scored on, float32 [n, H, W, C] in [0, 1] each.

    Attributes:
        train: the images to fit.
        validation: of the same classes, kept aside; none without holdout.
        test: all test images.
        sample_weight: of the training images, float32 [n], or None.
        labels: classes of the training images, int64 [n].
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    sample_weight: np.ndarray | None
    labels: np.ndarray

    @classmethod
    def choose(cls, dataset: datasets.Dataset, classes: str, training: dict[str, Any]) -> "Images":
        """The images of some classes, split and cut as the record's `training` says."""
        chosen = datasets.by_classes(dataset.y_train, classes)
        none = np.zeros(len(chosen), bool)
        kept_aside = datasets.holdout(len(chosen)) if training["holdout"] else none
        train = np.flatnonzero(chosen & ~kept_aside)[: training["images"]]
        labels = dataset.y_train[train]
        weights = labels.astype("float32")
        return cls(
            train=datasets.as_float(dataset.x_train[train]),
            validation=datasets.as_float(dataset.x_train[chosen & kept_aside]),
            test=datasets.as_float(dataset.x_test),
            sample_weight=weights if training["sample_weight"] == "label" else None,
            labels=labels,
        )


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
    outcome: dict[str, Any] = {
        "status": "ok",
        "reason": "",
        "estimate": {},
        "seconds": {"fit": None, "score": None},
        "parameter_count": None,
        "history": {},
    }
    scores: dict[str, methods.Scores] = {}
    clock = _Clock(outcome["seconds"])
    more = {} if images.sample_weight is None else {"sample_weight": images.sample_weight}
    try:
        model = methods.create(method, settings, images.train.shape[1:])
        if methods.classifies(model):
            more["labels"] = images.labels
        outcome["parameter_count"] = int(model.n_parameters)
        outcome["estimate"] = limits.check(model, len(images.train), allowed)
        clock.start()
        history = model.fit(images.train, seed=seed, progress=True, **more)
        outcome["history"] = _as_json(history)
        clock.stop("fit")
        model.save(folder)
        clock.start()
        scores["test"] = methods.score(model, images.test)
        clock.stop("score")
        if methods.classifies(model):
            scores["predicted"] = {"all": {"top": model.predict(images.test)}}
        if len(images.validation):
            scores["validation"] = methods.score_whole(model, images.validation)
        _check_finite(scores)
    except Exception as error:  # whatever a method raises is a row of the tables, not an abort
        traceback.print_exc()
        outcome |= {
            "status": _status(error),
            "reason": _reason(error),
            "estimate": getattr(error, "estimate", outcome["estimate"]),
        }
        scores = {}
    folder.mkdir(exist_ok=True)
    return outcome, scores


def _status(error: Exception) -> str:
    if isinstance(error, limits.RefusedError):
        return "refused"
    return "diverged" if isinstance(error, ArithmeticError) else "failed"


def _reason(error: Exception) -> str:
    """One line; what is refused by us needs no name of an exception."""
    name = "" if isinstance(error, limits.RefusedError) else f"{type(error).__name__}: "
    return f"{name}{error}".splitlines()[0]


class _Clock:
    """Writes the seconds since its start under a name."""

    def __init__(self, seconds: dict[str, float | None]) -> None:
        self.seconds = seconds
        self.start()

    def start(self) -> None:
        self.since = time.perf_counter()

    def stop(self, name: str) -> None:
        self.seconds[name] = round(time.perf_counter() - self.since, 3)


def _check_finite(scores: dict[str, methods.Scores]) -> None:
    for split, by_evidence in scores.items():
        for evidence, layers in by_evidence.items():
            for layer, values in layers.items():
                if bad := int(np.sum(~np.isfinite(values))):
                    raise ArithmeticError(
                        f"the log-density under layer {layer} is not finite for {bad} of "
                        f"{len(values)} {split} images (evidence: {evidence})"
                    )


def _as_json(value: Any) -> Any:
    """Arrays as lists, and what JSON cannot say (NaN, infinity) as null."""
    if isinstance(value, dict):
        return {str(key): _as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_as_json(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


if __name__ == "__main__":
    main()
