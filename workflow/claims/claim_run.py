"""A run as the paper's claims see it: its tables, and what its scale lacks for a verdict."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workflow.common import frames
from workflow.fit import tidy

SUBSET = "the shipped subset"


@dataclass(frozen=True)
class Run:
    """Where a run's results are, how it was scheduled, and what a verdict takes.

    Attributes:
        folder: `results/<run>`.
        schedule: of DCGMM's fits; `samples_schedule` of those for Table III.
        scale: `scale` of claims.yaml.
        paper: the paper's numbers.
        inpainting_times: measured by `benchmarks.generation`, CSV.
    """

    folder: Path
    schedule: str
    samples_schedule: str
    scale: dict[str, Any]
    paper: pd.DataFrame
    inpainting_times: Path

    def table(self, name: str) -> pd.DataFrame:
        """A CSV of the run, without a row if it is missing."""
        return read_or_empty(self.folder / name)

    def published(self, table: str, row: str, column: str) -> float:
        """A number of the paper's tables, or NaN."""
        numbers = self.paper
        here = (numbers["table"] == table) & (numbers["row"] == row)
        values = numbers.loc[here & (numbers["column"] == column), "value"]
        return float(values.iloc[0]) if len(values) else np.nan

    def lacks(self, source: str, schedule: str | None = None) -> str:
        """What images and a schedule lack for a verdict on the paper."""
        schedule = self.schedule if schedule is None else schedule
        lacking = []
        if source != self.scale["source"]:
            lacking.append(SUBSET if source == "subset" else f"{source} images")
        if schedule != self.scale["schedule"]:
            lacking.append(f"schedule `{schedule}`")
        return join(lacking)

    def lacks_as_a_whole(self) -> str:
        """What figures without a source of their own lack, told by the run's records."""
        records = self.table("records/all.csv")
        sources = records["source"].dropna().unique() if "source" in records else []
        return join([text for source in sources for text in self.lacks(source).split("; ")])


def read_or_empty(path: Path) -> pd.DataFrame:
    """A table of the run or its tidy records, of the same columns where there is none."""
    columns = tidy.TYPES if path.parent.name == "records" else frames.TABLES[path.stem]
    return frames.read_csv(path, columns) if path.is_file() else frames.empty(columns)


def verdict_tables(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`claims.csv` and `claims_cases.csv` of a folder of tables, without a row if missing."""
    claims, cases = (read_or_empty(folder / f"{name}.csv") for name in ("claims", "claims_cases"))
    return claims, cases


def join(texts: Iterable[str]) -> str:
    """Each text that says something, once."""
    return "; ".join(dict.fromkeys(text for text in texts if isinstance(text, str) and text))
