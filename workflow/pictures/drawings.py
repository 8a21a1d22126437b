"""Files of the images that a fit drew: arrays of every kind, with the fit's metadata.

Needs numpy alone, so that every method's environment can write such a file.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from workflow.common import npz, places
from workflow.plan import catalogue

Drawn = tuple[dict[str, Any], dict[str, np.ndarray]]
"""Metadata of the fit, or its whole record before writing, and the arrays."""

KEYS = {"recipe": "sample", "full": "sample", "mean": "sample_mean"}
"""Published treatment of the pixels' noise -> the array that has it."""


def metadata(fit: dict[str, Any]) -> dict[str, Any]:
    """What figures need from the record of a fit."""
    return {
        "title": catalogue.method(fit["method"]).title_of(fit["settings"]),
        "point": fit["grid_point"],
        "dataset": fit["dataset"]["name"],
        "classes": fit["classes"],
        "seed": fit["seed"],
        "status": fit["status"],
        "published": catalogue.method(fit["method"]).published,
    }


def write(path: Path, drawn: Mapping[str, Drawn]) -> None:
    """Write all drawings of one fit.

    Args:
        path: of the file.
        drawn: kind -> the record of the fit, with the reason if drawing failed, and the arrays.
    """
    header = {"drawn by": {kind: metadata(fit) for kind, (fit, _) in drawn.items()}}
    for fit, _ in drawn.values():
        header |= places.identity(fit)
    arrays = {
        f"{kind}/{name}": values
        for kind, (_, kind_arrays) in drawn.items()
        for name, values in kind_arrays.items()
    }
    npz.write(path, header, arrays, compressed=True)


def read(path: Path, kind: str = "samples") -> Drawn:
    """Read the metadata and the arrays of one kind.

    Raises:
        ValueError: if the file is damaged, lacks the kind, or belongs to another fit than its path
            says.
    """
    header, arrays = npz.read(path)
    places.check(path, header)
    if kind not in header["drawn by"]:
        raise ValueError(f"{path} has no {kind}; remove it and run again")
    prefix = f"{kind}/"
    of_kind = {
        name.removeprefix(prefix): values
        for name, values in arrays.items()
        if name.startswith(prefix)
    }
    return header["drawn by"][kind], of_kind


def of_first_seed(drawn: Sequence[Drawn]) -> list[Drawn]:
    """Keep the drawings of the first seed, the only one that a figure shows."""
    return [drawing for drawing in drawn if drawing[0]["seed"] == drawn[0][0]["seed"]]
