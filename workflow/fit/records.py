"""Records: one JSON per fit and task, checked against a schema."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema.exceptions import best_match

from workflow.common import metrics, places, schemas, values

SCHEMA = Path(__file__).parents[1] / "schemas" / "record.schema.yaml"
# Task -> the counts of its record, and its metrics.
TASKS = {
    "outliers": ({"inliers", "outliers"}, {*metrics.METRICS, metrics.VALIDATION}),
    "held_out": ({"inliers", "outliers"}, {*metrics.METRICS}),
    "classification": ({"images"}, {metrics.ACCURACY}),
}
OF_FIT = ("history", "model")  # what a record of a task leaves out
_ROUNDING = 1e-9  # tolerance of shares, which are sums, beyond [0, 1]


def check(record: Any, name: str = "record") -> dict[str, Any]:
    """Check a record and return it.

    Raises:
        ValueError: if it violates the schema or contradicts itself; names the worst place.
    """
    for place, problem in _mistakes(record):
        place = ".".join(map(str, place)) or "its top level"
        problem = values.printable(problem)
        raise ValueError(f"{name} is not a valid record: at {place}, {problem}")
    return record


def read(path: Path | str) -> dict[str, Any]:
    """Read and check one record.

    Raises:
        ValueError: if the file is damaged, violates the schema, or belongs to another fit or task
            by its place.
    """
    return check(places.read(path), str(path))


def labels_of_dcgmm(fit: dict[str, Any]) -> dict[str, Any]:
    """Columns that name a fit of DCGMM in the numbers behind a figure."""
    return {
        "instance": fit["settings"]["instance"],
        "recipe": fit["settings"]["recipe"],
        "dataset": fit["dataset"]["name"],
        "seed": fit["seed"],
        "status": fit["status"],
    }


def of_task(
    fit: dict[str, Any], task: str, counts: dict[str, int], metrics: list[dict[str, Any]]
) -> dict[str, Any]:
    """Make and check the record of a task from that of its fit, without the history.

    Raises:
        ValueError: if it violates the schema.
    """
    common = {key: value for key, value in fit.items() if key not in OF_FIT}
    record = common | {"task": task, "counts": counts, "metrics": metrics}
    return check(record, f"{task} of {fit['method']}/{fit['grid_point']}, seed {fit['seed']}")


def _mistakes(record: Any) -> Iterator[tuple[values.Path, str]]:
    """Find mistakes, place and problem, the worst first; each check presumes the former ones."""
    for place, value, expected in values.mistakes(record):
        yield place, f"{values.shown(value)} must be {expected}"
    if error := best_match(_validator().iter_errors(record)):
        yield tuple(error.absolute_path), error.message
    yield from _contradictions(record)


def _contradictions(record: dict[str, Any]) -> Iterator[tuple[values.Path, str]]:
    """Find contradictions in a record that satisfies the schema."""
    training, dataset = record["training"], record["dataset"]
    if not training["holdout"] and dataset["validation_images"]:
        yield ("dataset", "validation_images"), "must be 0 without training.holdout"
    if training["images"] is not None and dataset["train_images"] > training["images"]:
        yield ("dataset", "train_images"), "exceeds training.images"
    if "task" in record:
        yield from _task_mistakes(record)


def _task_mistakes(record: dict[str, Any]) -> Iterator[tuple[values.Path, str]]:
    """Find mistakes in the counts and metrics of a task."""
    counted, measured = TASKS[record["task"]]
    if {*record["counts"]} != counted:
        yield ("counts",), f"{record['task']} counts {' and '.join(sorted(counted))}"
    if record["metrics"] and not all(record["counts"].values()):
        yield ("counts",), "metrics need images on every side"
    seen = set()
    for index, metric in enumerate(record["metrics"]):
        place, name = ("metrics", index), metric["metric"]
        if name not in measured:
            yield (*place, "metric"), f"{name!r} is not one of {', '.join(sorted(measured))}"
        if name in metrics.SHARES and not -_ROUNDING <= metric["value"] <= 1 + _ROUNDING:
            yield (*place, "value"), f"{metric['value']} is not from 0 to 1, as {name} is"
        if (key := (name, metric["evidence"], metric["layer"])) in seen:
            yield place, f"{name} occurs twice for the same evidence and layer"
        seen.add(key)


@cache
def _validator() -> schemas.Validator:
    return schemas.Validator(schemas.load(SCHEMA))
