"""What a job is expected to take, from jobs like it that were measured.

The nearest kin is taken, and how near it is stands with the number: the same work (`measured`), the
same model over other epochs or images (`scaled`, in proportion), or another model (`guessed`). What
the method itself reckons comes before a guess (`timed`, see `workflow.cost.own_estimates`).
"""

import hashlib
import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, astuple, dataclass, fields
from typing import Any

from workflow.cost.jobs import Job

WORK = ("settings", "training", "epochs", "images", "rates", "measurements", "classes")
"""Parameters of rules that say how much is to be done."""
IMAGES = {"subset": 6_000, "full": 60_000}

# From the nearest kin to the farthest: what must be alike, and what the number is then called.
_KINDS = (
    (("rule", "device", "method", "point", "source", "work", "dataset", "classes"), "measured"),
    (("rule", "device", "method", "point", "source", "work", "classes"), "measured"),
    (("rule", "device", "method", "point"), "scaled"),
    (("rule", "device", "method"), "guessed"),
    (("rule", "device"), "guessed"),
)


@dataclass(frozen=True)
class Measurement:
    """What jobs that differ in nothing but the seed took; the mean of them.

    Attributes:
        work: digest of the parameters that say how much is to be done.
        amount: images seen in training, the measure of what is done, or 1 for other rules.
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
    """What is expected of a job.

    Attributes:
        basis: `measured`, `scaled`, `timed` or `guessed`.
        beside: of the seconds, those beside the training: to start, to score, to save.
    """

    seconds: float
    memory_mb: float | None
    basis: str
    beside: float


def measurements(jobs: Iterable[Job]) -> list[Measurement]:
    """What the jobs of a plan that were measured have taken."""
    alike: dict[tuple, list[Job]] = {}
    for job in jobs:
        if job.seconds is not None:
            alike.setdefault(tuple(_about(job).values()), []).append(job)
    return [
        Measurement(
            **_about(group[0]),
            seconds=_mean(group, "seconds"),
            seconds_fit=_mean(group, "seconds_fit"),
            memory_mb=_mean(group, "memory_mb"),
            n=len(group),
        )
        for group in alike.values()
    ]


class Expectation:
    """Costs of jobs by measurements, those that come first before the others.

    Args:
        sources: lists of measurements, the most trusted first.
    """

    def __init__(self, *sources: Sequence[Measurement]) -> None:
        self._known: dict[tuple, list[Measurement]] = {}
        for keys, _ in _KINDS:
            for source in sources:
                found: dict[tuple, list[Measurement]] = {}
                for measured in source:
                    key = (keys, *(getattr(measured, name) for name in keys))
                    found.setdefault(key, []).append(measured)
                self._known = found | self._known

    def __call__(self, job: Job) -> Cost | None:
        """What is expected of a job; None if nothing like it was measured on its device."""
        about = _about(job)
        for keys, basis in _KINDS:
            if kin := self._known.get((keys, *(about[name] for name in keys))):
                seconds = statistics.fmean(_scaled(each, about["amount"]) for each in kin)
                memory = max((each.memory_mb or 0 for each in kin), default=0)
                beside = statistics.fmean(each.seconds - _training(each) for each in kin)
                return Cost(seconds, memory or None, basis, beside)
        return None


def images(job: Job) -> tuple[int, int]:
    """How many images a model of the job is trained on, about, and how many models there are."""
    training = json.loads(job.params.get("training", "{}"))
    classes = job.wildcards.get("classes", "all")
    share = 0.9 if classes.startswith("not") else 0.1 if classes.startswith("only") else 1.0
    each = job.rule == "fit_classes"
    seen = IMAGES[job.source] * (0.1 if each else share) * (5 / 6 if training.get("holdout") else 1)
    seen = round(min(seen, training.get("images") or seen))
    return seen, len(job.params["classes"]) if each else 1


def write(found: Sequence[Measurement]) -> list[dict[str, Any]]:
    """Measurements as rows of a table, in a fixed order."""
    return [asdict(each) for each in sorted(found, key=lambda each: astuple(each)[:9])]


def read(rows: Iterable[dict[str, str]]) -> list[Measurement]:
    """Measurements from the rows of a CSV file."""
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


def _about(job: Job) -> dict[str, Any]:
    """What tells one job from another, but for its seed."""
    work = {key: job.params[key] for key in WORK if key in job.params}
    words = {key: job.wildcards.get(key, "") for key in ("method", "point", "dataset", "classes")}
    return {
        "rule": job.rule,
        "device": "gpu" if job.gpu else "cpu",
        **words,
        "source": job.source,
        "work": hashlib.sha256(json.dumps(work, sort_keys=True).encode()).hexdigest()[:12],
        "amount": _amount(job),
    }


def _amount(job: Job) -> float:
    """Images that a training sees, all epochs and classes together; 1 for what trains nothing."""
    settings = json.loads(job.params.get("settings", "{}"))
    epochs = job.wildcards.get("epochs") or job.params.get("epochs") or settings.get("epochs")
    epochs = epochs or settings.get("hyperparameters", {}).get("epochs")
    if not (epochs or settings):
        return 1.0
    seen, models = images(job)
    return float(epochs or 1) * seen * models * len(job.params.get("rates", [1]))


def _scaled(measured: Measurement, amount: float) -> float:
    """Its seconds for another amount of work: training in proportion, all else as it was."""
    return measured.seconds + _training(measured) * (amount / measured.amount - 1)


def _training(measured: Measurement) -> float:
    """The seconds of training; all of them where no record tells."""
    return measured.seconds if measured.seconds_fit is None else measured.seconds_fit


def _mean(jobs: Sequence[Job], name: str) -> float | None:
    values = [getattr(job, name) for job in jobs if getattr(job, name) is not None]
    return round(statistics.fmean(values), 2) if values else None
