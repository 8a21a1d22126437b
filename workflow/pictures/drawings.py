"""What a fit draws, as one file: arrays, and who drew them.

Needs numpy alone, so that every method's environment can write it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from workflow.common import npz, places
from workflow.plan import catalogue

Drawn = tuple[dict[str, Any], dict[str, np.ndarray]]
"""`about`, and the arrays."""

KEYS = {"recipe": "sample", "full": "sample", "mean": "sample_mean"}
"""Published treatment of the pixels' noise -> the array that has it."""


def about(fit: dict[str, Any]) -> dict[str, Any]:
    """What a figure says of a fit, from its record."""
    return {
        "title": catalogue.method(fit["method"]).title_of(fit["settings"]),
        "point": fit["grid_point"],
        "dataset": fit["dataset"]["name"],
        "classes": fit["classes"],
        "seed": fit["seed"],
        "status": fit["status"],
        "published": catalogue.method(fit["method"]).published,
    }


def write(path: Path, fit: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Write arrays and `about` the fit that drew them."""
    told = {"drawn by": about(fit), **places.identity(fit)}
    npz.write(path, told, arrays, compressed=True)


def read(path: Path) -> Drawn:
    """What `write` wrote.

    Raises:
        ValueError: if the file is damaged, or of another fit than its place is.
    """
    told, arrays = npz.read(path)
    places.check(path, told)
    return told["drawn by"], arrays


def of_first_seed(drawn: Sequence[Drawn]) -> list[Drawn]:
    """What a figure shows of many seeds: one."""
    return [one for one in drawn if one[0]["seed"] == drawn[0][0]["seed"]]
