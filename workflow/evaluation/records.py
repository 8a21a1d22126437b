"""Records: one JSON a fit and task, checked against a schema."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from workflow.evaluation import files, places

SCHEMA = Path(__file__).parents[1] / "schemas" / "record.schema.yaml"


def check(record: Any, name: str = "record") -> dict[str, Any]:
    """The record itself.

    Raises:
        ValueError: if it breaks the schema, naming the worst place.
    """
    error = best_match(_validator().iter_errors(record))
    if error is not None:
        place = ".".join(map(str, error.absolute_path)) or "its top level"
        raise ValueError(f"{name} is not a valid record: at {place}, {error.message}")
    return record


def read(path: Path | str) -> dict[str, Any]:
    """Read and check one record.

    Raises:
        ValueError: if the file is damaged, breaks the schema, or is of another fit or task than its
            place is.
    """
    return check(places.read(path), str(path))


def write_task(
    path: Path | str,
    fit: dict[str, Any],
    task: str,
    counts: dict[str, int],
    metrics: list[dict[str, Any]],
) -> None:
    """Write the record of a task done with a fit, checked: the fit's own but for its history.

    Raises:
        ValueError: if it breaks the schema; nothing is written then.
    """
    known = {key: value for key, value in fit.items() if key != "history"}
    record = known | {"task": task, "counts": counts, "metrics": metrics}
    files.write_json(path, check(record, str(path)))


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(yaml.safe_load(SCHEMA.read_text("utf-8")))
