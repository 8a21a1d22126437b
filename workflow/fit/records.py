"""Records: one JSON a fit and task, checked against a schema."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema.exceptions import best_match

from workflow.common import metrics, places, schemas, values

SCHEMA = Path(__file__).parents[1] / "schemas" / "record.schema.yaml"
# Task -> what it counts and what it may measure.
TASKS = {
    "outliers": ({"inliers", "outliers"}, {*metrics.METRICS, metrics.VALIDATION}),
    "held_out": ({"inliers", "outliers"}, {*metrics.METRICS}),
    "classification": ({"images"}, {metrics.ACCURACY}),
}
_ROUNDING = 1e-9  # by which a sum of shares may leave [0, 1]


def check(record: Any, name: str = "record") -> dict[str, Any]:
    """The record itself.

    Raises:
        ValueError: if it breaks the schema or contradicts itself, naming the worst place.
    """
    for place, problem in _mistakes(record):
        place = ".".join(map(str, place)) or "its top level"
        problem = values.printable(problem)
        raise ValueError(f"{name} is not a valid record: at {place}, {problem}")
    return record


def read(path: Path | str) -> dict[str, Any]:
    """Read and check one record.

    Raises:
        ValueError: if the file is damaged, breaks the schema, or is of another fit or task than its
            place is.
    """
    return check(places.read(path), str(path))


def of_task(
    fit: dict[str, Any], task: str, counts: dict[str, int], metrics: list[dict[str, Any]]
) -> dict[str, Any]:
    """The record of a task done with a fit, checked: the fit's own but for its history.

    Raises:
        ValueError: if it breaks the schema.
    """
    common = {key: value for key, value in fit.items() if key != "history"}
    record = common | {"task": task, "counts": counts, "metrics": metrics}
    return check(record, f"{task} of {fit['method']}/{fit['grid_point']}, seed {fit['seed']}")


def _mistakes(record: Any) -> Iterator[tuple[values.Path, str]]:
    """Place and problem, the worst first; each kind rests on there being none of the former."""
    for place, value, wanted in values.mistakes(record):
        yield place, f"{values.shown(value)} must be {wanted}"
    if error := best_match(_validator().iter_errors(record)):
        yield tuple(error.absolute_path), error.message
    yield from _contradictions(record)


def _contradictions(record: dict[str, Any]) -> Iterator[tuple[values.Path, str]]:
    """What the schema cannot say of a record that it lets pass."""
    training, dataset = record["training"], record["dataset"]
    if not training["holdout"] and dataset["validation_images"]:
        yield ("dataset", "validation_images"), "there can be none without training.holdout"
    if training["images"] is not None and dataset["train_images"] > training["images"]:
        yield ("dataset", "train_images"), "there are more than training.images"
    if "task" in record:
        yield from _of_task(record)


def _of_task(record: dict[str, Any]) -> Iterator[tuple[values.Path, str]]:
    counted, measured = TASKS[record["task"]]
    if {*record["counts"]} != counted:
        yield ("counts",), f"{record['task']} counts {' and '.join(sorted(counted))}"
    if record["metrics"] and not all(record["counts"].values()):
        yield ("counts",), "nothing can be measured on no images"
    seen = set()
    for index, metric in enumerate(record["metrics"]):
        place, name = ("metrics", index), metric["metric"]
        if name not in measured:
            yield (*place, "metric"), f"{name!r} is none of {', '.join(sorted(measured))}"
        if name in metrics.SHARES and not -_ROUNDING <= metric["value"] <= 1 + _ROUNDING:
            yield (*place, "value"), f"{metric['value']} is not from 0 to 1, as {name} is"
        if (key := (name, metric["evidence"], metric["layer"])) in seen:
            yield place, f"{name} stands there twice for the same evidence and layer"
        seen.add(key)


@cache
def _validator() -> schemas.Validator:
    return schemas.Validator(schemas.load(SCHEMA))
