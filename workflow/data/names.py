"""The datasets that the suite knows, one row each in `names.tsv`.

Their published files are rows of `datasets.tsv`.
"""

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple

TABLE = Path(__file__).with_name("names.tsv")


class Known(NamedTuple):
    """One dataset.

    Attributes:
        name: in configurations and paths.
        title: for readers.
        shape: [H, W, C] of an image.
        ships: whether a subset of it comes with the suite.
        made_of: the dataset that it is made of; empty for one that is published as it is.
    """

    name: str
    title: str
    shape: tuple[int, int, int]
    ships: bool
    made_of: str


@cache
def table() -> dict[str, Known]:
    """Name -> dataset."""
    with TABLE.open(newline="", encoding="utf-8") as file:
        rows = [*csv.DictReader(file, delimiter="\t")]
    return {
        row["name"]: Known(
            name=row["name"],
            title=row["title"],
            shape=(int(row["height"]), int(row["width"]), int(row["channels"])),
            ships=row["subset"] == "yes",
            made_of=row["made_of"],
        )
        for row in rows
    }


def of_channels(channels: int) -> list[str]:
    """The datasets of grey images (1) or colour images (3)."""
    return [name for name, each in table().items() if each.shape[2] == channels]
