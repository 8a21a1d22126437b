"""Reductions of the competitors against the paper's fits: images, epochs, width."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from workflow.plan import catalogue

KEY = ["method", "dataset"]


def of_settings(fit: Mapping[str, Any]) -> list[str]:
    """List settings of a tidy record below the `original` of the method's description."""
    original = catalogue.method(fit["method"]).original
    used = {key: float(fit.get(f"settings.{key}", np.nan)) for key in original}
    return [
        f"{key} {used[key]:g} (published: {published:g})"
        for key, published in original.items()
        if used[key] < published
    ]


def of_records(records: pd.DataFrame) -> list[str]:
    """List the reduced methods of a tidy table, as in `DGCSPN: images 9 of 50`."""
    rows = records.assign(seen=records["train_images"] + records["validation_images"])
    rows["available"] = rows.groupby("dataset")["seen"].transform("max")
    lines = []
    for method, fits in rows.drop_duplicates(KEY).groupby("method", sort=False):
        first = fits.iloc[0]
        reductions = of_settings(first)
        if first["seen"] < first["available"]:
            available = first["available"] - first["validation_images"]
            reductions.insert(0, f"images {first['train_images']:,.0f} of {available:,.0f}")
        if reductions:
            lines.append(f"{catalogue.method(method).title}: {', '.join(reductions)}")
    return lines
