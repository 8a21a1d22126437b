"""Datasets of the suite, one row each in `names.tsv`.

Their published files are rows of `datasets.tsv`.
"""

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple

TABLE = Path(__file__).with_name("names.tsv")


class Entry(NamedTuple):
    """One dataset.

    Attributes:
        name: in configurations and paths.
        title: for readers.
        shape: [H, W, C] of an image.
        ships: whether the suite includes a subset of it.
        made_of: the dataset it derives from; empty for a published one.
    """

    name: str
    title: str
    shape: tuple[int, int, int]
    ships: bool
    made_of: str


@cache
def table() -> dict[str, Entry]:
    """Read the datasets: name -> entry."""
    with TABLE.open(newline="", encoding="utf-8") as file:
        rows = [*csv.DictReader(file, delimiter="\t")]
    return {
        row["name"]: Entry(
            name=row["name"],
            title=row["title"],
            shape=(int(row["height"]), int(row["width"]), int(row["channels"])),
            ships=row["subset"] == "yes",
            made_of=row["made_of"],
        )
        for row in rows
    }


def of_channels(channels: int) -> list[str]:
    """Names of the datasets of grey (1) or colour images (3)."""
    return [name for name, entry in table().items() if entry.shape[2] == channels]
