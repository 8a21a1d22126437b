"""What a competitor had less of than in the paper's own fits: images, epochs, width."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from workflow.plan import catalogue

KEY = ["method", "dataset"]


def of_settings(fit: Mapping[str, Any]) -> list[str]:
    """Settings of a tidy record below those of `original` in the method's description."""
    original = catalogue.method(fit["method"]).original
    had = {key: float(fit.get(f"settings.{key}", np.nan)) for key in original}
    return [
        f"{key} {had[key]:g} (published: {asked:g})"
        for key, asked in original.items()
        if had[key] < asked
    ]


def of_records(records: pd.DataFrame) -> list[str]:
    """One line for each method of a tidy table that had less, as in `DGCSPN: images 9 of 50`."""
    rows = records.assign(seen=records["train_images"] + records["validation_images"])
    rows["there"] = rows.groupby("dataset")["seen"].transform("max")
    lines = []
    for method, fits in rows.drop_duplicates(KEY).groupby("method", sort=False):
        first = fits.iloc[0]
        found = of_settings(first)
        if first["seen"] < first["there"]:
            whole = first["there"] - first["validation_images"]
            found.insert(0, f"images {first['train_images']:,.0f} of {whole:,.0f}")
        if found:
            lines.append(f"{catalogue.method(method).title}: {', '.join(found)}")
    return lines
