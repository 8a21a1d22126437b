"""Jobs of a run (trainings, draws, judgements), and the time and memory of finished ones.

Tables, figures and pages, which take seconds, are left out.
"""

import json
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workflow.common import files, places
from workflow.plan import grid
from workflow.plan.config import as_overlay


@dataclass(frozen=True)
class Job:
    """A fit, the draws from one, or a judgement; seeds that share a Snakemake job count one each.

    Attributes:
        rule: that makes it; for fits `fit` or, for models of one class each, `fit_classes`.
        wildcards: of the rule.
        params: parameters of the rule that determine the amount of work.
        source: of the images.
        threads: number of threads.
        gpu: number of GPUs.
        memory_limit: GiB that a fit may need, or None.
        pending: whether it is still to run.
        seconds: that it took, if it is done.
        memory_mb: peak of the host's memory, if measured.
        seconds_fit: seconds of training among them, if recorded.
    """

    rule: str
    wildcards: dict[str, str]
    params: dict[str, Any]
    source: str
    threads: int
    gpu: int
    memory_limit: float | None
    pending: bool
    seconds: float | None = None
    memory_mb: float | None = None
    seconds_fit: float | None = None


RULES = {
    "fit.json": "fit",
    "draws.npz": "draws",
    "samples.npz": "class_samples",
    "judge.json": "judge",
    "judgements.json": "judgements",
}
"""Name of the file that a job leaves -> its rule."""
TRAIN = ("fit", "fit_classes", "judge", "dynamics")


def planned(config: dict[str, Any]) -> list[Job]:
    """List the jobs of a run.

    Args:
        config: checked, of the run.

    Raises:
        ValueError: if Snakemake cannot plan, or a record is damaged.
    """
    methods = grid.methods(config)
    fitted = {method: grid.points(method, config) for method in methods}
    fitted["dcgmm"] |= grid.ablated_points(config) | grid.colour_points(config)
    sampled = {method: grid.sampled_points(method, config) for method in methods}
    return [
        _job(path, rule, pending, config, sampled if rule == "fit_classes" else fitted)
        for path, pending in _files(config)
        if (rule := _rule(path))
    ]


def _files(config: dict[str, Any]) -> Iterator[tuple[Path, bool]]:
    """Yield every file that `all` needs, and whether Snakemake plans to make it."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as overlay:
        overlay.write(as_overlay(config))
        overlay.flush()
        command = ["snakemake", "all", "--summary", "--nolock", "--configfile", overlay.name]
        plan = subprocess.run(command, capture_output=True, text=True)
    if plan.returncode:
        raise ValueError(f"Snakemake could not plan the run:\n{plan.stderr}")
    for line in plan.stdout.splitlines():
        file, *_, state = line.split("\t")
        if file.startswith("results/"):
            yield Path(file), state == "update pending"


def _rule(path: Path) -> str | None:
    """Name the rule that makes a file, if it takes long."""
    if "dynamics" in path.parts:
        return "dynamics"
    rule = RULES.get(path.name)
    return "fit_classes" if rule == "fit" and "each" in path.parts else rule


def _job(
    path: Path, rule: str, pending: bool, config: dict[str, Any], points: dict[str, grid.Points]
) -> Job:
    """The job that makes a file."""
    place = places.expected_identity(path)
    wildcards = {"point" if key == "grid_point" else key: place[key] for key in place}
    if rule == "fit_classes":
        del wildcards["classes"]
    return Job(
        rule=rule,
        wildcards=wildcards,
        params=_params(rule, wildcards, config, points),
        source=config["source"],
        threads=1 if rule == "draws" else config["threads"],
        gpu=int(config["device"] == "gpu" and rule in TRAIN),
        memory_limit=config["limits"]["memory_gb"],
        pending=pending,
        **({} if pending else _measured(path, config)),
    )


def _params(
    rule: str, wildcards: dict[str, str], config: dict[str, Any], points: dict[str, grid.Points]
) -> dict[str, Any]:
    """Parameters of the rule that determine the amount of work, as the rule has them."""
    if rule == "class_samples":
        return {"images": config["samples"]["images"]}
    if rule == "judge":
        settings = config["judges"]
        return {"epochs": settings["epochs"], "rates": settings["learning_rates"]}
    method, point = wildcards.get("method", "dcgmm"), wildcards.get("point")
    if rule == "dynamics":
        settings = points[method][point]["settings"]
        measurements = config["dynamics"]["measurements"]
        return {"settings": json.dumps(settings), "measurements": measurements}
    if rule == "fit":
        launch, classes = grid.launch_seeds(method, config), {}
    elif rule == "fit_classes":
        launch = grid.launch(method, config)
        classes = {"classes": config["samples"]["classes"]}
    else:
        return {}
    work = {key: json.dumps(points[method][point][key]) for key in ("settings", "training")}
    return work | classes | {"environment": launch}


def _measured(path: Path, config: dict[str, Any]) -> dict[str, float | None]:
    """Time and memory of a job, from its benchmark file and record; empty without a result."""
    record = files.read_json(path) if path.suffix == ".json" else {}
    if record.get("status", "ok") != "ok":  # refused or failed, which is no measure of the work
        return {}
    benchmark, shares = _benchmark(path, config)
    if not benchmark:
        return {}
    return {
        "seconds": round(benchmark["s"] / shares, 2),
        "memory_mb": _component(record.get("memory_mb"), "host") or benchmark["max_rss"],
        "seconds_fit": _component(record.get("seconds"), "fit"),
    }


def _benchmark(path: Path, config: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Snakemake's benchmark of the job that made a file, and the number of fits in that job."""
    results = Path("results") / config["run"]
    place = path.relative_to(results)
    kind, *between = place.parts[:-1]
    if place.name in ("draws.npz", "judgements.json"):
        kind = place.stem
    folder = results.joinpath("log", kind, *between)
    if kind == "dynamics":
        return _last_benchmark(folder / f"{place.stem}.jsonl"), 1
    if kind == "samples":
        folder = folder.parent / "each" / folder.name
    single = _last_benchmark(folder.with_suffix(".jsonl"))
    if single or kind != "fit":
        return single, 1
    return _last_benchmark(folder.with_name("seeds.jsonl")), len(config["seeds"])


def _last_benchmark(path: Path) -> dict[str, Any]:
    """The last line of a benchmark file; empty where there is none."""
    if not path.exists():
        return {}
    return json.loads(path.read_text("utf-8").splitlines()[-1])


def _component(value: Any, name: str) -> float | None:
    """A named component of a record's value, or the value itself if it is a single number."""
    return value.get(name) if isinstance(value, dict) else value
