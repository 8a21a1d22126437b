"""Expected time and memory of a job, from measurements of the most similar jobs.

Each number names its basis: the same work (`measured`), the same model over other epochs or images
(`scaled`, in proportion), or another model (`guessed`). A method's own estimate is preferred to a
guess (`timed`, see `workflow.cost.method_estimates`).
"""

import hashlib
import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, astuple, dataclass, fields
from typing import Any

from workflow.cost.jobs import Job

WORK = ("settings", "training", "epochs", "images", "rates", "measurements", "classes")
"""Parameters of rules that determine the amount of work."""
IMAGES = {"subset": 6_000, "full": 60_000}

# From the most similar jobs to the least: the keys that must match, and the basis that this gives.
_SIMILARITIES = (
    (("rule", "device", "method", "point", "source", "work", "dataset", "classes"), "measured"),
    (("rule", "device", "method", "point", "source", "work", "classes"), "measured"),
    (("rule", "device", "method", "point"), "scaled"),
    (("rule", "device", "method"), "guessed"),
    (("rule", "device"), "guessed"),
)


@dataclass(frozen=True)
class Measurement:
    """Mean time and memory of jobs that differ only in the seed.

    Attributes:
        work: digest of the parameters that determine the amount of work.
        amount: images seen in training, the measure of work, or 1 for rules that do not train.
        n: number of jobs.
    """

    rule: str
    device: str
    method: str
    point: str
    dataset: str
    classes: str
    source: str
    work: str
    amount: float
    seconds: float
    seconds_fit: float | None
    memory_mb: float | None
    n: int


@dataclass(frozen=True)
class Cost:
    """Expected time and memory of a job.

    Attributes:
        basis: `measured`, `scaled`, `timed` or `guessed`.
        beside: seconds not spent on training, but on starting, scoring and saving.
    """

    seconds: float
    memory_mb: float | None
    basis: str
    beside: float


def measurements(jobs: Iterable[Job]) -> list[Measurement]:
    """Average the measured jobs of a plan over seeds."""
    groups: dict[tuple, list[Job]] = {}
    for job in jobs:
        if job.seconds is not None:
            groups.setdefault(tuple(_identity(job).values()), []).append(job)
    return [
        Measurement(
            **_identity(group[0]),
            seconds=_mean(group, "seconds"),
            seconds_fit=_mean(group, "seconds_fit"),
            memory_mb=_mean(group, "memory_mb"),
            n=len(group),
        )
        for group in groups.values()
    ]


class Expectation:
    """Expected costs of jobs, from the measurements of the most trusted source that has any.

    Args:
        sources: lists of measurements, the most trusted first.
    """

    def __init__(self, *sources: Sequence[Measurement]) -> None:
        self._measurements: dict[tuple, list[Measurement]] = {}
        for keys, _ in _SIMILARITIES:
            for source in sources:
                similar: dict[tuple, list[Measurement]] = {}
                for measured in source:
                    key = (keys, *(getattr(measured, name) for name in keys))
                    similar.setdefault(key, []).append(measured)
                self._measurements = similar | self._measurements

    def __call__(self, job: Job) -> Cost | None:
        """Estimate the cost of a job; None if no similar job was measured on its device."""
        identity = _identity(job)
        for keys, basis in _SIMILARITIES:
            key = (keys, *(identity[name] for name in keys))
            if similar := self._measurements.get(key):
                seconds = statistics.fmean(_scaled(each, identity["amount"]) for each in similar)
                memory = max((each.memory_mb or 0 for each in similar), default=0)
                beside = statistics.fmean(each.seconds - _training(each) for each in similar)
                return Cost(seconds, memory or None, basis, beside)
        return None


def images_and_models(job: Job) -> tuple[int, int]:
    """Approximate number of training images per model, and number of models of a job."""
    training = json.loads(job.params.get("training", "{}"))
    classes = job.wildcards.get("classes", "all")
    share = 0.9 if classes.startswith("not") else 0.1 if classes.startswith("only") else 1.0
    per_class = job.rule == "fit_classes"
    images = IMAGES[job.source] * (0.1 if per_class else share)
    images *= 5 / 6 if training.get("holdout") else 1
    images = round(min(images, training.get("images") or images))
    return images, len(job.params["classes"]) if per_class else 1


def to_rows(measured: Sequence[Measurement]) -> list[dict[str, Any]]:
    """Convert measurements to rows of a table, in a fixed order."""
    return [asdict(each) for each in sorted(measured, key=lambda each: astuple(each)[:9])]


def from_rows(rows: Iterable[dict[str, str]]) -> list[Measurement]:
    """Convert rows of a CSV file to measurements."""
    numbers = {"amount", "seconds", "seconds_fit", "memory_mb", "n"}
    return [
        Measurement(
            **{
                field.name: (float(text) if text else None) if field.name in numbers else text
                for field in fields(Measurement)
                for text in [row[field.name]]
            }
        )
        for row in rows
    ]


def _identity(job: Job) -> dict[str, Any]:
    """Properties that distinguish jobs, except the seed."""
    work = {key: job.params[key] for key in WORK if key in job.params}
    names = {key: job.wildcards.get(key, "") for key in ("method", "point", "dataset", "classes")}
    return {
        "rule": job.rule,
        "device": "gpu" if job.gpu else "cpu",
        **names,
        "source": job.source,
        "work": hashlib.sha256(json.dumps(work, sort_keys=True).encode()).hexdigest()[:12],
        "amount": _amount(job),
    }


def _amount(job: Job) -> float:
    """Images that a training sees, over all epochs and classes; 1 for jobs that do not train."""
    settings = json.loads(job.params.get("settings", "{}"))
    epochs = job.wildcards.get("epochs") or job.params.get("epochs") or settings.get("epochs")
    epochs = epochs or settings.get("hyperparameters", {}).get("epochs")
    if not (epochs or settings):
        return 1.0
    images, models = images_and_models(job)
    return float(epochs or 1) * images * models * len(job.params.get("rates", [1]))


def _scaled(measured: Measurement, amount: float) -> float:
    """Seconds for another amount of work: training scales in proportion, the rest is constant."""
    return measured.seconds + _training(measured) * (amount / measured.amount - 1)


def _training(measured: Measurement) -> float:
    """Seconds of training; all seconds of the job if no record has them."""
    return measured.seconds if measured.seconds_fit is None else measured.seconds_fit


def _mean(jobs: Sequence[Job], name: str) -> float | None:
    values = [getattr(job, name) for job in jobs if getattr(job, name) is not None]
    return round(statistics.fmean(values), 2) if values else None
