"""What a fit draws, as one file: arrays, and who drew them.

Needs numpy alone, so that every method's environment can write it.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from workflow.evaluation import catalogue, files

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
    with files.replacing(path) as file:
        np.savez_compressed(file, about=np.array(json.dumps(about(fit))), **arrays)


def read(path: Path) -> Drawn:
    """What `write` wrote."""
    with np.load(path, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    return json.loads(arrays.pop("about").item()), arrays


def of_first_seed(drawn: Sequence[Drawn]) -> list[Drawn]:
    """What a figure shows of many seeds: one."""
    return [one for one in drawn if one[0]["seed"] == drawn[0][0]["seed"]]
