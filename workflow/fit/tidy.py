"""Tidy table of all records, the basis of every table and figure."""

import json
import math
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from workflow.common import frames, provenance

# Columns of every tidy table; settings follow behind them.
COLUMNS = (
    "task", "method", "grid_point", "dataset", "source", "classes", "seed", "status", "reason",
    "metric", "evidence", "layer", "top", "value", "inliers", "outliers", "train_images",
    "validation_images", "sample_weight", "seconds_fit", "seconds_score", "seconds_cpu",
    "memory_mb", "parameter_count", "estimate_memory_gb", "estimate_hours", "host", "commit",
    "dataset_sha256",
)  # fmt: skip
TYPES: frames.Types = frames.types(COLUMNS) | dict.fromkeys(
    ("train_images", "validation_images"), frames.WHOLE
)
"""Types of these columns; settings are text."""
SETTINGS = tuple(
    f"settings.{name}"
    for name in ("instance", "recipe", "layers", "hyperparameters.epochs",
                 "hyperparameters.classifier.inputs")
)  # fmt: skip
"""Settings of DCGMM, which a table without DCGMM has as well, empty."""


def table(records: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """Make a row per metric of every record; one row, without a value, if a record has none.

    Columns are `COLUMNS` and, as `settings.*`, all settings.
    """
    columns: dict[str, list[Any]] = {}  # a dictionary per row takes five times the memory
    count = 0
    for record in records:
        common = _flat(record)
        metrics = record.get("metrics") or [
            {"metric": None, "evidence": None, "layer": None, "top": None}
        ]
        for metric in metrics:
            row = common | metric
            for name in [name for name in row if name not in columns]:
                columns[name] = [math.nan] * count
            for name, column in columns.items():
                column.append(_interned(row.get(name, math.nan)))
            count += 1
    frame = pd.DataFrame(columns)
    settings = [column for column in frame if column.startswith("settings.")]
    return frame.reindex(columns=[*COLUMNS, *settings])


def write(path: Path, records: Iterable[dict[str, Any]]) -> None:
    """Write the tidy table of records."""
    frames.write_csv(path, table(records))


def read(path: Path) -> pd.DataFrame:
    """Read a table that `write` wrote.

    Raises:
        ValueError: if it was altered, is damaged or lacks columns; names the file.
        FileNotFoundError: if the file does not exist.
    """
    frame = frames.read_csv(path, TYPES)
    missing = {name: pd.Series(dtype=frames.TEXT) for name in SETTINGS if name not in frame}
    return frame.assign(**missing)


def read_all(paths: Iterable[Path]) -> pd.DataFrame:
    """Read and concatenate tidy tables, possibly none."""
    return pd.concat([*map(read, paths)] or [frames.empty(TYPES)], ignore_index=True)


def setting(text: Any) -> Any:
    """Value of a field in a settings column: a number, else the text; NaN if missing.

    >>> setting("60.0"), setting("unit"), setting(60)
    (60.0, 'unit', 60.0)
    """
    try:
        return float(text)
    except ValueError:
        return text


def count(text: Any) -> int | float:
    """Value of a setting as a whole number, if it is one; NaN if missing."""
    number = float(text)
    return int(number) if number.is_integer() else number


def _interned(value: Any) -> Any:
    """Intern a text, since most occur in many records; return other values."""
    return sys.intern(value) if isinstance(value, str) else value


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    """Columns of a record that all its rows share."""
    copied = ("method", "grid_point", "classes", "seed", "status", "reason", "parameter_count")
    return {
        **{key: record[key] for key in copied},
        "task": record.get("task"),
        "dataset": record["dataset"]["name"],
        "source": record["dataset"]["source"],
        "dataset_sha256": record["dataset"]["sha256"],
        "train_images": record["dataset"]["train_images"],
        "validation_images": record["dataset"]["validation_images"],
        "sample_weight": record["training"]["sample_weight"],
        "estimate_memory_gb": record["estimate"].get("memory_gb"),
        "estimate_hours": record["estimate"].get("hours"),
        "seconds_fit": record["seconds"]["fit"],
        "seconds_score": record["seconds"]["score"],
        "seconds_cpu": record["seconds"]["cpu"],
        "memory_mb": record["memory_mb"]["host"],
        "host": provenance.machine(record["host"]),
        "commit": record["commit"]["hash"],
        **record.get("counts", {}),
        **_flat_settings(record["settings"], "settings"),
    }


def _flat_settings(value: Any, name: str) -> dict[str, Any]:
    """Flatten nested settings into columns named like `settings.hyperparameters.epochs`."""
    if isinstance(value, dict):
        return {
            k: v for key in value for k, v in _flat_settings(value[key], f"{name}.{key}").items()
        }
    return {name: json.dumps(value) if isinstance(value, list) else value}
