"""What every step that fits shares: its command line, the images, and the record of the fit."""

import argparse
import json
import math
import os
import shutil
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from workflow.common import provenance, troubles, values
from workflow.data import datasets
from workflow.fit import limits


def parser(
    program: str, description: str | None, *, several_seeds: bool = False
) -> argparse.ArgumentParser:
    """The command line of a step that fits one method, by one seed or by several."""
    each = {"nargs": "+"} if several_seeds else {}
    result = argparse.ArgumentParser(prog=program, description=description)
    result.add_argument("--method", required=True)
    result.add_argument("--grid-point", required=True, help="name of the settings")
    result.add_argument("--settings", required=True, type=json.loads, help="JSON")
    result.add_argument("--training", required=True, type=json.loads, help="JSON, see records")
    result.add_argument("--limits", default={}, type=json.loads, help="JSON, of hours and memory")
    result.add_argument("--device", default="cpu", choices=["cpu", "gpu"])
    result.add_argument("--data", required=True, type=Path, help="a prepared dataset, .npz")
    result.add_argument("--seed", required=True, type=int, **each)
    result.add_argument("--lock", required=True, type=Path, help="of this environment")
    result.add_argument("--out", required=True, type=Path, help="folder, one a seed", **each)
    add_supervised(result)
    return result


def add_supervised(parser: argparse.ArgumentParser) -> None:
    """What `workflow.fit.supervise` says of the conditions, and of a training that it ended."""
    parser.add_argument("--begun", type=json.loads, help="JSON of provenance.note; else noted here")
    parser.add_argument("--ended", type=json.loads, help="JSON: how it was ended; it is not begun")


def use_device(name: str) -> None:
    """Keep a CPU's fit off the GPU, whatever the library; call it before that is imported."""
    if name == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = "-1"


@dataclass(frozen=True)
class Images:
    """What a fit sees and is scored on, bytes [n, H, W, C] each, which `methods` turns to pixels.

    Attributes:
        train: the images to fit.
        validation: kept aside, of the same classes and of one that is held out to choose by, if
            any; none without holdout.
        test: all test images.
        sample_weight: of the training images, float32 [n], or None.
        labels: classes of the training images, int64 [n].
        validation_labels: of those kept aside.
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    sample_weight: np.ndarray | None
    labels: np.ndarray
    validation_labels: np.ndarray

    @property
    def held_out(self) -> bool:
        """Whether images of a class that is not trained on are kept aside."""
        return bool(np.setdiff1d(self.validation_labels, self.labels).size)

    @classmethod
    def choose(cls, dataset: datasets.Dataset, classes: str, training: dict[str, Any]) -> "Images":
        """The images of some classes, split and cut as the record's `training` says."""
        chosen = datasets.by_classes(dataset.y_train, classes)
        none = np.zeros(len(chosen), bool)
        kept_aside = datasets.holdout(len(chosen)) if training["holdout"] else none
        train = np.flatnonzero(chosen & ~kept_aside)[: training["images"]]
        validation = kept_aside & datasets.by_classes(
            dataset.y_train, datasets.before_test(classes)
        )
        labels = dataset.y_train[train]
        weights = labels.astype("float32")
        return cls(
            train=dataset.x_train[train],
            validation=dataset.x_train[validation],
            test=dataset.x_test,
            sample_weight=weights if training["sample_weight"] == "label" else None,
            labels=labels,
            validation_labels=dataset.y_train[validation],
        )


def outcome() -> dict[str, Any]:
    """The part of a record that tells how a fit went, before it has begun."""
    return {
        "status": "ok",
        "reason": "",
        "estimate": {},
        "seconds": {"fit": None, "score": None},
        "parameter_count": None,
        "history": {},
    }


def ended(how: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The outcome of a fit that was ended from outside; what it had saved is removed."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return outcome() | {"status": how["status"], "reason": how["reason"]}


def failure(error: BaseException, outcome: dict[str, Any]) -> dict[str, Any]:
    """The outcome of a fit that raised.

    Raises:
        MachineError: as `told`.
    """
    estimate = getattr(error, "estimate", outcome["estimate"])
    return outcome | told(error) | {"estimate": estimate}


def told(error: BaseException) -> dict[str, str]:
    """Status and reason for whatever a method raised; the traceback goes to the log.

    Raises:
        MachineError: if the machine is to blame, so that there is nothing to record.
    """
    traceback.print_exception(error)
    troubles.check(error)
    return {"status": status(error), "reason": reason(error)}


def drawn(
    fit: dict[str, Any], draw: Callable[[], dict[str, np.ndarray]]
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The record of a fit and what it draws: nothing if it failed, or if drawing does.

    Raises:
        MachineError: if the machine is to blame.
    """
    if fit["status"] != "ok":
        return fit, {}
    try:
        return fit, draw()
    except Exception as error:  # what a method raises is a panel of the figures
        return fit | told(error), {}


class Spent(NamedTuple):
    """What a fit took of the machine.

    Attributes:
        cpu: seconds of its process on all cores; the first fit of a process has its start.
        memory_mb: most that the process has held so far.
    """

    cpu: float
    memory_mb: float

    @classmethod
    def of(cls, ended: dict[str, Any], shares: int) -> "Spent":
        """What each of some fits took of a process that was ended; see `workflow.fit.supervise`."""
        return cls(round(ended["cpu"] / max(shares, 1), 3), ended["memory_mb"])


class Meter:
    """Reads what a process has spent since the last reading, or since its start."""

    def __init__(self) -> None:
        self.read_before = 0.0

    def read(self, shares: int = 1) -> Spent:
        """What was spent, or the share of one of several fits."""
        now = time.process_time()
        cpu, self.read_before = now - self.read_before, now
        return Spent(round(cpu / shares, 3), provenance.peak_memory_mb())


def record(
    options: argparse.Namespace,
    dataset: datasets.Dataset,
    classes: str,
    seed: int,
    counts: tuple[int, int],
    outcome: dict[str, Any],
    spent: Spent,
    conditions: dict[str, Any],
    together: int = 1,
) -> dict[str, Any]:
    """The record of a fit.

    Args:
        options: what `parser` read.
        dataset: that it was fitted to.
        classes: of the training images, as in `not0`.
        seed: of the fit, maybe one of several of the process.
        counts: of training images, and of those kept aside.
        outcome: how it went.
        spent: what it took.
        conditions: of `provenance.end`.
        together: how many were fitted side by side.
    """
    return {
        "schema_version": 2,
        "suite_version": conditions["suite_version"],
        "method": options.method,
        "grid_point": options.grid_point,
        "settings": options.settings,
        "training": options.training,
        "dataset": {
            "name": dataset.name,
            "source": dataset.source,
            "sha256": dataset.digest,
            "train_images": counts[0],
            "validation_images": counts[1],
        },
        "classes": classes,
        "seed": seed,
        **({"together": together} if together > 1 else {}),
        **outcome,
        "seconds": outcome["seconds"] | {"cpu": spent.cpu},
        "memory_mb": {"host": spent.memory_mb, "gpu": provenance.peak_gpu_memory_mb()},
        **{key: conditions[key] for key in ("environment", "host", "commit")},
    }


class Clock:
    """Writes the seconds since its start under a name."""

    def __init__(self, seconds: dict[str, float | None]) -> None:
        self.seconds = seconds
        self.start()

    def start(self) -> None:
        """Count from now on."""
        self.since = time.perf_counter()

    def stop(self, name: str, shares: int = 1) -> None:
        """Write down what has passed, or the share of one of several that took it together."""
        self.seconds[name] = round((time.perf_counter() - self.since) / shares, 3)


def as_json(value: Any) -> Any:
    """Arrays as lists, and what JSON cannot say (NaN, infinity) as null."""
    if isinstance(value, dict):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [as_json(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def status(error: BaseException) -> str:
    """What a record says of a fit that raised."""
    if isinstance(error, limits.RefusedError):
        return "refused"
    return "diverged" if isinstance(error, ArithmeticError) else "failed"


def reason(error: BaseException) -> str:
    """One line, not too long for a record; what is refused by us needs no name of an exception."""
    name = "" if isinstance(error, limits.RefusedError) else f"{type(error).__name__}: "
    memory = "out of memory: " if troubles.lacked_memory(error) else ""
    return values.printable(f"{memory}{name}{error}".splitlines()[0], values.LONGEST - 100)
