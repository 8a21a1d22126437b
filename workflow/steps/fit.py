"""Fit one method once, score the test images with it, and write down how it went.

Writes `model/`, `scores.npz` (each layer's scores of all test images, and their labels) and
`fit.json` into the output folder. Starting a method's library takes seconds, so scoring belongs to
this job. A fit that fails is a result too: its status and reason are recorded, there are no
scores, and the exit status is 0.
"""

import argparse
import json
import math
import time
import traceback
from pathlib import Path
from typing import Any

import numpy as np

from workflow.evaluation import datasets, files, methods, provenance
from workflow.steps.cli import plain_errors


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argparse.ArgumentParser(prog="python -m workflow.steps.fit", description=__doc__)
    parser.add_argument("--method", required=True)
    parser.add_argument("--grid-point", required=True, help="name of the settings")
    parser.add_argument("--settings", required=True, type=json.loads, help="JSON")
    parser.add_argument("--data", required=True, type=Path, help="a prepared dataset, .npz")
    parser.add_argument("--classes", required=True, help="of the training images, as in not0")
    parser.add_argument("--seed", required=True, type=int)
    parser.add_argument("--lock", required=True, type=Path, help="of this environment")
    parser.add_argument("--out", required=True, type=Path, help="folder")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        dataset = datasets.load(options.data)
        chosen = datasets.by_classes(dataset.y_train, options.classes)
        images = datasets.as_float(dataset.x_train[chosen])
        options.out.mkdir(parents=True, exist_ok=True)
        record = {
            "schema_version": 1,
            "suite_version": provenance.suite_version(),
            "method": options.method,
            "grid_point": options.grid_point,
            "settings": options.settings,
            "dataset": {
                "name": dataset.name,
                "source": dataset.source,
                "sha256": dataset.digest,
                "train_images": len(images),
            },
            "classes": options.classes,
            "seed": options.seed,
        }
        outcome, scores = fit_and_score(
            options.method,
            options.settings,
            images,
            datasets.as_float(dataset.x_test),
            seed=options.seed,
            folder=options.out / "model",
        )
        record |= outcome | {
            "seconds": outcome["seconds"] | {"cpu": round(time.process_time(), 3)},
            "memory_mb": {"host": provenance.peak_memory_mb(), "gpu": None},
            "environment": provenance.environment(options.lock),
            "host": provenance.host(),
            "commit": provenance.commit(),
        }
        with files.replacing(options.out / "scores.npz") as file:
            np.savez(file, labels=dataset.y_test, **{f"layer{k}": v for k, v in scores.items()})
        files.write_json(options.out / "fit.json", record)
    print(f"{options.out}: {record['status']} {record['reason']}".rstrip())


def fit_and_score(
    method: str,
    settings: dict[str, Any],
    images: np.ndarray,
    test_images: np.ndarray,
    *,
    seed: int,
    folder: Path,
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Fit, save to `folder` and score.

    Args:
        method: name of the method.
        settings: of its grid point.
        images: float32 [n, H, W, C] in [0, 1].
        test_images: float32 [m, H, W, C] in [0, 1].
        seed: of the fit.
        folder: where the model is saved.

    Returns:
        The part of the record that tells the outcome, and for every layer its scores [m] in nats;
        none unless the status is `ok`.
    """
    outcome: dict[str, Any] = {
        "status": "ok",
        "reason": "",
        "seconds": {"fit": None, "score": None},
        "parameter_count": None,
        "history": {},
    }
    scores: dict[str, np.ndarray] = {}
    clock = _Clock(outcome["seconds"])
    try:
        model = methods.create(method, settings, images.shape[1:])
        outcome["parameter_count"] = int(model.n_parameters)
        outcome["history"] = _as_json(model.fit(images, seed=seed, progress=True))
        clock.stop("fit")
        model.save(folder)
        scores = methods.score(model, test_images)
        clock.stop("score")
        _check_finite(scores)
    except Exception as error:  # whatever a method raises is a row of the tables, not an abort
        traceback.print_exc()
        diverged = isinstance(error, ArithmeticError)
        outcome |= {
            "status": "diverged" if diverged else "failed",
            "reason": f"{type(error).__name__}: {error}".splitlines()[0],
        }
        scores = {}
    folder.mkdir(exist_ok=True)
    return outcome, scores


class _Clock:
    """Writes the seconds since its last stop under a name."""

    def __init__(self, seconds: dict[str, float | None]) -> None:
        self.seconds, self.last = seconds, time.perf_counter()

    def stop(self, name: str) -> None:
        now = time.perf_counter()
        self.seconds[name], self.last = round(now - self.last, 3), now


def _check_finite(scores: dict[str, np.ndarray]) -> None:
    for layer, values in scores.items():
        if bad := int(np.sum(~np.isfinite(values))):
            raise ArithmeticError(
                f"the log-density under layer {layer} is not finite for {bad} of {len(values)} "
                "test images"
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
