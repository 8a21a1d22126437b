"""Comparison of a run's measurements with the published ones, cell by cell.

A cell is one metric of one layer of one grid point on one dataset; the mean over the run's seeds is
compared with the mean over the published seeds.
"""

import math
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from workflow.common import intervals
from workflow.fit import tidy

FIT = ["task", "method", "grid_point", "dataset", "classes"]
CELL = [*FIT, "metric", "evidence", "layer"]
VERDICTS = ["equal", "within", "outside", "no spread", "other settings", "not published"]
RULE = (
    "`equal`: the same seeds gave the same values, up to rounding; `within` and `outside`: the "
    "mean lies within or outside of the 95 % prediction interval for a mean of that many seeds, by "
    "the published seeds' standard deviation (Student's t); `no spread`: there is one published "
    "seed alone; `other settings`: the images, or the settings named, are not the published ones; "
    "`not published`: the model, dataset or measure is not among them. Of cells that agree, one in "
    "twenty lies outside by chance."
)


def compare(ours: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Compare each cell of the run with the published one.

    Args:
        ours: tidy table of the run's records.
        published: tidy table of the published records.

    Returns:
        A row for each cell: its key; `n`, `mean` of the run; `published_n`, `published_mean`,
        `published_std`; `difference`, `tolerance` (half of the prediction interval), `verdict`, and
        the `settings` that differ.
    """
    published_cells = dict(iter(_measured(published).groupby(CELL, sort=False)))
    published_settings = _settings(published)
    rows = []
    for cell, group in _measured(ours).groupby(CELL, sort=False):
        fit = cell[: len(FIT)]
        different = []
        if fit in published_settings:
            different = _different_settings(_settings(group)[fit], published_settings[fit])
        counterpart = published_cells.get(cell, group.head(0))
        rows.append(dict(zip(CELL, cell, strict=True)) | _compared(group, counterpart, different))
    columns = [*CELL, "n", "mean", "published_n", "published_mean", "published_std", "difference",
               "tolerance", "verdict", "settings"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def tolerance(std: float, published: int, ours: int, level: float = intervals.LEVEL) -> float:
    """Half the prediction interval for a mean of `ours` values; NaN for one published value."""
    if published < 2:
        return math.nan
    quantile = stats.t.ppf((1 + level) / 2, published - 1)
    return float(quantile * std * math.sqrt(1 / published + 1 / ours))


def _measured(records: pd.DataFrame) -> pd.DataFrame:
    """Keep the rows that have a value."""
    return records[records["value"].notna()]


def _settings(records: pd.DataFrame) -> dict[tuple, dict[str, Any]]:
    """Images and settings of each point's fits, without missing ones."""
    columns = ["source", "train_images", "sample_weight"]
    columns += [name for name in records if name.startswith("settings.")]
    first = records.groupby(FIT, sort=False)[columns].first()
    return {fit: row.dropna().to_dict() for fit, row in first.iterrows()}


def _different_settings(ours: dict[str, Any], published: dict[str, Any]) -> list[str]:
    """Name the settings that differ; those of one side only came with another version."""
    return sorted(
        name.removeprefix("settings.")
        for name in ours.keys() & published.keys()
        if tidy.setting(ours[name]) != tidy.setting(published[name])
    )


def _compared(
    ours: pd.DataFrame, published_rows: pd.DataFrame, different: list[str]
) -> dict[str, Any]:
    """Statistics of one cell on both sides, with the verdict by `RULE`."""
    values, published = ours["value"], published_rows["value"]
    std = float(published.std()) if len(published) > 1 else math.nan
    allowed = tolerance(std, len(published), len(values)) if len(published) else math.nan
    difference = float(values.mean() - published.mean()) if len(published) else math.nan

    # The verdict, by the first of these conditions that holds.
    if len(published) == 0:
        verdict = "not published"
    elif different:
        verdict = "other settings"
    elif _equal(ours, published_rows):
        verdict = "equal"
    elif math.isnan(allowed):
        verdict = "no spread"
    else:
        verdict = "within" if abs(difference) <= allowed else "outside"
    return {
        "n": len(values),
        "mean": float(values.mean()),
        "published_n": len(published),
        "published_mean": float(published.mean()) if len(published) else math.nan,
        "published_std": std,
        "difference": difference,
        "tolerance": allowed,
        "verdict": verdict,
        "settings": ", ".join(different),
    }


def _equal(ours: pd.DataFrame, published: pd.DataFrame) -> bool:
    """Whether every seed of the run is published with the same value."""
    pairs = ours.merge(published, "left", "seed", suffixes=("", "_published"))
    return bool(np.allclose(pairs["value"], pairs["value_published"], rtol=0, atol=intervals.EQUAL))
