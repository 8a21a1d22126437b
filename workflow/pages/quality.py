"""What is missing or out of range in a run: the table to read before all others."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from workflow.common import metrics, tables
from workflow.data import registry
from workflow.plan import catalogue
from workflow.samples import sample_summary

STATUSES = ("failed", "diverged", "timeout", "refused")
COUNTS = ["asked", "ok", "missing", *STATUSES, "out of range", "seeds short"]
CAPTION = (
    "Fits by method and data. `asked` for by the configuration; `missing`: no record; `refused`: "
    "not started, since it was expected to exceed a limit; `out of range`: values that are not "
    "finite, or not within what they measure; `seeds short`: points of a grid with fewer seeds "
    "than asked for. For samples, a model of all classes counts as one."
)


@dataclass(frozen=True)
class Asked:
    """The fits of a task: the product of all that is named.

    Attributes:
        task: `outliers`, `classification` or `held_out`.
        points: as in `dcgmm/E-paper`.
        classes: as in `not0`.
    """

    task: str
    points: list[str]
    datasets: list[str]
    classes: list[str]
    seeds: list[int]


def of_records(asked: Iterable[Asked], records: pd.DataFrame) -> pd.DataFrame:
    """One line for every task, method and dataset: how many fits went how.

    Args:
        asked: what the configuration asks for; a fit that is named repeatedly counts once.
        records: the tidy table; may lack any of it.
    """
    key = ["task", "method", "grid_point", "dataset", "classes", "seed"]
    fits = pd.DataFrame(
        [
            (one.task, *point.split("/", 1), *others)
            for one in asked
            for point, *others in product(one.points, one.datasets, one.classes, one.seeds)
        ],
        columns=key,
    ).drop_duplicates()
    strange = records.assign(strange=out_of_range(records))
    strange = strange.groupby(key)["strange"].sum().reset_index()
    found = records.drop_duplicates(key)[[*key, "status", "reason"]].merge(strange, "left", key)
    found = found.astype({"status": object, "reason": object})
    fits = fits.merge(found, "left", key).fillna({"status": "missing", "strange": 0})
    lines = []
    for (task, method, dataset), group in fits.groupby(["task", "method", "dataset"], sort=False):
        short = group[group["status"] != "ok"]["grid_point"].nunique()
        numbers = {status: int((group["status"] == status).sum()) for status in COUNTS[1:-2]}
        lines.append(
            {"task": task, "method": title(method), "data": registry.title(dataset)}
            | {"asked": len(group), **numbers}
            | {"out of range": int(group["strange"].sum()), "seeds short": short}
            | {"reasons": "; ".join(_reasons(group))}
        )
    return pd.DataFrame(lines)


def out_of_range(records: pd.DataFrame) -> pd.Series:
    """Which rows hold a value that cannot be; a row without a metric has none."""
    values = records["value"].astype(float)
    share = records["metric"].isin(metrics.SHARES)
    bad = ~np.isfinite(values) | (share & ~values.between(0, 1))
    return bad & records["metric"].notna()


def of_samples(table3: pd.DataFrame) -> pd.DataFrame:
    """One line for every method and dataset of Table III, as its CSV has it."""
    models = table3[table3["seeds_asked"].gt(0) & table3["method"].ne("control")]
    lines = []
    for (method, dataset), group in models.groupby(["method", "dataset"], sort=False):
        shown = group[group["published"]]
        failed = int((shown["seeds_asked"] - shown["seeds"]).sum())
        strange = ~group["mean"].between(0, 100) | ~group["precision"].between(0, 1)
        strange |= ~group["recall"].between(0, 1) | group["diversity"].lt(0)
        lines.append(
            {"task": "samples", "method": title(method), "data": registry.title(dataset)}
            | dict.fromkeys(COUNTS, 0)
            | {"asked": int(shown["seeds_asked"].sum()), "ok": int(shown["seeds"].sum())}
            | {"failed": failed, "out of range": int((strange & group["seeds"].gt(0)).sum())}
            | {"seeds short": int((shown["seeds"] < shown["seeds_asked"]).sum())}
            | {"reasons": "; ".join(dict.fromkeys(shown["reasons"].dropna()))}
        )
    return pd.DataFrame(lines)


def section(lines: pd.DataFrame, notes: list[str]) -> tables.Section:
    """The table for readers; the reasons follow below it."""
    reasons = [
        f"{row['method']}, {row['data']} ({row['task']}): {row['reasons']}"
        for row in lines.to_dict("records")
        if row["reasons"]
    ]
    cells = lines.drop(columns="reasons").astype(str)
    return tables.Section("Quality of the results", CAPTION, cells, [*notes, *reasons])


def title(method: str) -> str:
    """A method as readers know it, whichever its instance; one of samples without a judge."""
    if method == sample_summary.UNKNOWN:
        return method
    return re.sub(r"-?\{.*?\}", "", catalogue.method(method).title)


def _reasons(group: pd.DataFrame) -> Iterator[str]:
    """Each reason once, with the points that it concerns."""
    bad = group[group["status"].isin(STATUSES)]
    for (status, reason), fits in bad.groupby(["status", "reason"], sort=False):
        yield f"{', '.join(dict.fromkeys(fits['grid_point']))} {status}: {reason}"
