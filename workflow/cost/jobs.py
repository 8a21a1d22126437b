"""The jobs of a run as Snakemake plans them, and what those that are done have taken."""

import contextlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snakemake.api import SnakemakeApi
from snakemake.settings.enums import Quietness
from snakemake.settings.types import ConfigSettings, DAGSettings, OutputSettings, ResourceSettings


@dataclass(frozen=True)
class Job:
    """One job.

    Attributes:
        number: of the job, which others need it by.
        memory_limit: GiB that a fit may need, or None.
        needs: numbers of the jobs that come before it.
        pending: whether it is still to run.
        seconds: that it took, if it ran with the parameters of today.
        memory_mb: peak of the host's memory, if measured.
        seconds_fit: of those seconds, the training, if its record tells.
    """

    number: int
    rule: str
    wildcards: dict[str, str]
    params: dict[str, Any]
    source: str
    threads: int
    gpu: int
    memory_limit: float | None
    needs: tuple[int, ...]
    pending: bool
    seconds: float | None
    memory_mb: float | None
    seconds_fit: float | None


def planned(configfiles: Sequence[Path], targets: Sequence[str] = ("all",)) -> list[Job]:
    """All jobs that some targets take, by a plan that runs nothing and takes no lock."""
    with SnakemakeApi(OutputSettings(dryrun=True, quiet={Quietness.ALL})) as api:
        asked = api.workflow(
            resource_settings=ResourceSettings(cores=1),
            config_settings=ConfigSettings(configfiles=list(configfiles)),
        )
        graph = asked.dag(DAGSettings(targets=set(targets)))
        with contextlib.redirect_stdout(io.StringIO()):
            graph.printd3dag()  # the cheapest call that plans; the plan itself has no public name
        workflow = asked._workflow
        return _read(workflow.dag, workflow.persistence, workflow.globals["config"])


def _read(dag: Any, persistence: Any, config: dict[str, Any]) -> list[Job]:
    numbers = {job: number for number, job in enumerate(job for job in dag.jobs if job.output)}
    return [
        Job(
            number=number,
            rule=job.rule.name,
            wildcards=job.wildcards_dict,
            params=dict(job.params.items()),
            source=job.wildcards_dict.get("source", config["source"]),
            threads=job.threads,
            gpu=int(job.resources.get("gpu", 0)),
            memory_limit=config["limits"]["memory_gb"],
            needs=tuple(numbers[before] for before in dag.job_dependencies(job)),
            pending=dag.needrun(job),
            **_measured(job, persistence),
        )
        for job, number in numbers.items()
    ]


def _measured(job: Any, persistence: Any) -> dict[str, float | None]:
    """What the job's last run took, by Snakemake's notes, its benchmark file and its record."""
    nothing = {"seconds": None, "memory_mb": None, "seconds_fit": None}
    notes = persistence.metadata(job.output[0])
    whole = all(Path(file).exists() for file in job.output)
    if not (whole and notes and notes.endtime) or persistence.params_changed(job):
        return nothing
    told = _record(job.output)
    if told.get("status", "ok") != "ok":
        return nothing  # what was refused or has failed is no measure of the work
    return {
        "seconds": round(notes.endtime - notes.starttime, 2),
        "memory_mb": _one(told.get("memory_mb"), "host") or _benchmark(job).get("max_rss"),
        "seconds_fit": _training(told),
    }


def _training(told: dict[str, Any]) -> float | None:
    """Seconds of training; a record of one seed of several tells its share."""
    seconds = _one(told.get("seconds"), "fit")
    return None if seconds is None else round(seconds * told.get("together", 1), 3)


def _one(value: Any, name: str) -> float | None:
    """One of several numbers of a record, or the number that stands alone."""
    return value.get(name) if isinstance(value, dict) else value


def _record(files: Sequence[str]) -> dict[str, Any]:
    """The record that a training leaves among its files; empty for all other jobs."""
    for file in map(Path, files):
        if file.name in ("fit.json", "judge.json") or "dynamics" in file.parts:
            return json.loads(file.read_text("utf-8"))
    return {}


def _benchmark(job: Any) -> dict[str, Any]:
    """The job's benchmark file; empty where there is none."""
    if not (job.benchmark and Path(job.benchmark).exists()):
        return {}
    return json.loads(Path(job.benchmark).read_text("utf-8").splitlines()[-1])
