"""What a fit draws, as one file: arrays of every kind asked for, and who drew them.

Needs numpy alone, so that every method's environment can write it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from workflow.common import npz, places
from workflow.plan import catalogue

Drawn = tuple[dict[str, Any], dict[str, np.ndarray]]
"""What is told of the fit, and the arrays."""

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


def write(path: Path, drawn: Mapping[str, Drawn]) -> None:
    """Write what one fit drew.

    Args:
        path: of the file.
        drawn: kind -> the record of the fit, with the reason if drawing failed, and the arrays.
    """
    told = {"drawn by": {kind: about(fit) for kind, (fit, _) in drawn.items()}}
    for fit, _ in drawn.values():
        told |= places.identity(fit)
    arrays = {
        f"{kind}/{name}": values for kind, (_, own) in drawn.items() for name, values in own.items()
    }
    npz.write(path, told, arrays, compressed=True)


def read(path: Path, kind: str = "samples") -> Drawn:
    """`about` and the arrays of one kind.

    Raises:
        ValueError: if the file is damaged, of another fit than its place is, or without the kind.
    """
    told, arrays = npz.read(path)
    places.check(path, told)
    if kind not in told["drawn by"]:
        raise ValueError(f"{path} has no {kind}; remove it and run again")
    prefix = f"{kind}/"
    found = {n.removeprefix(prefix): values for n, values in arrays.items() if n.startswith(prefix)}
    return told["drawn by"][kind], found


def of_first_seed(drawn: Sequence[Drawn]) -> list[Drawn]:
    """What a figure shows of many seeds: one."""
    return [one for one in drawn if one[0]["seed"] == drawn[0][0]["seed"]]
