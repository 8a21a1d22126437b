"""The tidy table of all records, which every table and figure starts from."""

import json
import math
import sys
from collections.abc import Iterable
from typing import Any

import pandas as pd

from workflow.evaluation import provenance

# The columns of the tidy table that every reader may count on; settings follow behind them.
COLUMNS = (
    "task", "method", "grid_point", "dataset", "source", "classes", "seed", "status", "reason",
    "metric", "evidence", "layer", "top", "value", "inliers", "outliers", "train_images",
    "validation_images", "sample_weight", "seconds_fit", "seconds_score", "seconds_cpu",
    "memory_mb", "parameter_count", "estimate_memory_gb", "estimate_hours", "host", "commit",
    "dataset_sha256",
)  # fmt: skip


def table(records: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """One row for every metric of every record; a record without metrics has one row, empty there.

    Columns are `COLUMNS` and, as `settings.*`, everything that the settings hold.
    """
    columns: dict[str, list[Any]] = {}  # not a dictionary a row, which takes five times the memory
    count = 0
    for record in records:
        known = _flat(record)
        metrics = record.get("metrics") or [
            {"metric": None, "evidence": None, "layer": None, "top": None}
        ]
        for metric in metrics:
            row = known | metric
            for name in [name for name in row if name not in columns]:
                columns[name] = [math.nan] * count
            for name, column in columns.items():
                column.append(_shared(row.get(name, math.nan)))
            count += 1
    result = pd.DataFrame(columns)
    settings = [column for column in result if column.startswith("settings.")]
    return result.reindex(columns=[*COLUMNS, *settings])


def _shared(value: Any) -> Any:
    """The value; texts, most of which stand in many records, are kept once."""
    return sys.intern(value) if isinstance(value, str) else value


def _flat(record: dict[str, Any]) -> dict[str, Any]:
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
    if isinstance(value, dict):
        return {
            k: v for key in value for k, v in _flat_settings(value[key], f"{name}.{key}").items()
        }
    return {name: json.dumps(value) if isinstance(value, list) else value}
