"""Shared by all steps that fit: command line, images, and the record of a fit."""

import argparse
import json
import math
import os
import shutil
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from workflow.common import provenance, troubles, values
from workflow.common.command_line import argument_parser
from workflow.data import datasets
from workflow.fit import limits


def parser(
    spec: ModuleSpec, description: str | None, *, several_seeds: bool = False
) -> argparse.ArgumentParser:
    """Make the command line of a step that fits one method, with one seed or several."""
    per_seed = {"nargs": "+"} if several_seeds else {}
    command_line = argument_parser(spec, description)
    command_line.add_argument("--method", required=True)
    command_line.add_argument("--grid-point", required=True, help="name of the settings")
    command_line.add_argument("--settings", required=True, type=json.loads, help="JSON")
    command_line.add_argument(
        "--training", required=True, type=json.loads, help="JSON, see records"
    )
    command_line.add_argument(
        "--limits", default={}, type=json.loads, help="JSON, of hours and memory"
    )
    command_line.add_argument("--device", default="cpu", choices=["cpu", "gpu"])
    command_line.add_argument("--data", required=True, type=Path, help="a prepared dataset, .npz")
    command_line.add_argument("--seed", required=True, type=int, **per_seed)
    command_line.add_argument("--lock", required=True, type=Path, help="of this environment")
    command_line.add_argument(
        "--out", required=True, type=Path, help="folder, one per seed", **per_seed
    )
    add_supervised(command_line)
    return command_line


def add_supervised(parser: argparse.ArgumentParser) -> None:
    """Add the options of `workflow.fit.supervise`: conditions, and the end of a training."""
    parser.add_argument(
        "--begun", type=json.loads, help="JSON of provenance.note; by default noted here"
    )
    parser.add_argument(
        "--ended", type=json.loads, help="JSON: how it was ended; record that, do not fit"
    )


def use_device(name: str) -> None:
    """Hide the GPU from a fit on the CPU; call this before importing its library."""
    if name == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = "-1"


@dataclass(frozen=True)
class Images:
    """Images of a fit, bytes [n, H, W, C] each, which `methods` scales to pixels.

    Attributes:
        train: to fit.
        validation: kept aside, of the same classes and of one held out to choose by, if any; empty
            without holdout.
        test: all test images.
        sample_weight: of the training images, float32 [n], or None.
        labels: classes of the training images, int64 [n].
        validation_labels: classes of the images kept aside.
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    sample_weight: np.ndarray | None
    labels: np.ndarray
    validation_labels: np.ndarray

    @property
    def held_out(self) -> bool:
        """Whether the images kept aside include a class that is not trained on."""
        return bool(np.setdiff1d(self.validation_labels, self.labels).size)

    @classmethod
    def choose(cls, dataset: datasets.Dataset, classes: str, training: dict[str, Any]) -> "Images":
        """Choose the images of some classes, split as the record's `training` says."""
        in_classes = datasets.by_classes(dataset.y_train, classes)
        none = np.zeros(len(in_classes), bool)
        kept_aside = datasets.holdout(len(in_classes)) if training["holdout"] else none
        train = np.flatnonzero(in_classes & ~kept_aside)[: training["images"]]
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


def new_outcome() -> dict[str, Any]:
    """Part of a record on how a fit went, before it starts."""
    return {
        "status": "ok",
        "reason": "",
        "estimate": {},
        "seconds": {"fit": None, "score": None},
        "parameter_count": None,
        "history": {},
    }


def ended_outcome(ending: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Outcome of a fit that was ended from outside; removes what it saved."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return new_outcome() | {"status": ending["status"], "reason": ending["reason"]}


def failed_outcome(error: BaseException, outcome: dict[str, Any]) -> dict[str, Any]:
    """Outcome of a fit that raised.

    Raises:
        MachineError: if the machine is to blame.
    """
    estimate = getattr(error, "estimate", outcome["estimate"])
    return outcome | status_and_reason(error) | {"estimate": estimate}


def status_and_reason(error: BaseException) -> dict[str, str]:
    """Status and reason of a fit that raised; the traceback goes to the log.

    Raises:
        MachineError: if the machine is to blame; then nothing is recorded.
    """
    traceback.print_exception(error)
    troubles.check(error)
    return {"status": status(error), "reason": reason(error)}


def try_drawing(
    fit: dict[str, Any], draw: Callable[[], dict[str, np.ndarray]]
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Draw with a fit; return its record, and no draws if the fit or the drawing failed.

    Raises:
        MachineError: if the machine is to blame.
    """
    if fit["status"] != "ok":
        return fit, {}
    try:
        return fit, draw()
    except Exception as error:  # a failure of the method is a panel of the figures
        return fit | status_and_reason(error), {}


class Spent(NamedTuple):
    """Resources that a fit used.

    Attributes:
        cpu: seconds on all cores; the first fit of a process includes its start.
        memory_mb: peak of the process so far.
    """

    cpu: float
    memory_mb: float

    @classmethod
    def of(cls, ended: dict[str, Any], shares: int) -> "Spent":
        """Share of each fit in the usage of an ended process; see `workflow.fit.supervise`."""
        return cls(round(ended["cpu"] / max(shares, 1), 3), ended["memory_mb"])


class Meter:
    """Measures what a process used since the last reading, or since its start."""

    def __init__(self) -> None:
        self.read_before = 0.0

    def read(self, shares: int = 1) -> Spent:
        """Usage since the last reading, divided among `shares` fits."""
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
    """Make the record of a fit.

    Args:
        options: parsed by `parser`.
        dataset: of the fit.
        classes: of the training images, as in `not0`.
        seed: of the fit, possibly one of several of the process.
        counts: numbers of training images and of images kept aside.
        outcome: how the fit went.
        spent: resources it used.
        conditions: from `provenance.end`.
        together: number of fits side by side.
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
    """Stopwatch that stores seconds under a name."""

    def __init__(self, seconds: dict[str, float | None]) -> None:
        self.seconds = seconds
        self.start()

    def start(self) -> None:
        """Restart the stopwatch."""
        self.since = time.perf_counter()

    def stop(self, name: str, shares: int = 1) -> None:
        """Store the elapsed time under a name, divided among `shares` fits."""
        self.seconds[name] = round((time.perf_counter() - self.since) / shares, 3)


def as_json(value: Any) -> Any:
    """Convert to JSON values: arrays to lists, NaN and infinity to null."""
    if isinstance(value, dict):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [as_json(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def status(error: BaseException) -> str:
    """Status of a fit that raised."""
    if isinstance(error, limits.RefusedError):
        return "refused"
    return "diverged" if isinstance(error, ArithmeticError) else "failed"


def reason(error: BaseException) -> str:
    """Reason of a failure in one line that fits a record; a refusal needs no exception's name."""
    name = "" if isinstance(error, limits.RefusedError) else f"{type(error).__name__}: "
    memory = "out of memory: " if troubles.lacked_memory(error) else ""
    return values.printable(f"{memory}{name}{error}".splitlines()[0], values.LONGEST - 100)
