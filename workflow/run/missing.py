"""Trainings of a run without a result: found for a retry, counted and explained."""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from workflow.common import places

REFUSED = "refused"  # by the configuration's limits: reported, but not counted as failed
SHOWN = 10  # reasons; the tables have all

Trainings = list[list[list[str]]]
"""Products of paths: for each part of a path, its choices."""


class Missing(NamedTuple):
    """A training without a result."""

    record: Path
    status: str
    reason: str


def record_paths(root: Path, trainings: Trainings) -> Iterator[Path]:
    """Paths of the records of all trainings."""
    for parts in trainings:
        for choice in itertools.product(*parts):
            yield root.joinpath(*choice)


def among(records: Iterable[Path]) -> list[Missing]:
    """Find the records whose status is not `ok`; one that does not exist yet is not missing.

    Raises:
        ValueError: if a record is damaged or of another training than its place is.
    """
    missing = []
    for path in records:
        if path.exists():
            record = places.read(path)
            if "status" not in record:
                raise ValueError(
                    f"{path} is not a record: it has no status; remove it and run again"
                )
            if record["status"] != "ok":
                missing.append(Missing(path, record["status"], record["reason"]))
    return missing


def summary(missing: list[Missing], total: int) -> str:
    """Say how many trainings lack a result, why, and what to do."""
    if not missing:
        return f"all {total} trainings have a result"
    counts = Counter(training.status for training in missing)
    by_status = ", ".join(f"{number} {status}" for status, number in counts.items())
    lines = [f"{len(missing)} of {total} trainings have no result and are missing from the tables:"]
    lines[0] += f" {by_status}"
    lines += [f"  {training.record.parent}: {training.reason}" for training in missing[:SHOWN]]
    if len(missing) > SHOWN:
        lines.append(f"  and {len(missing) - SHOWN} more, which the tables name")
    advice = "`make retry`, or `snakemake retry` with the same --configfile, runs them again"
    return "\n".join([*lines, advice])


def count_failed(missing: list[Missing]) -> int:
    """Number of trainings that count against the exit status."""
    return sum(training.status != REFUSED for training in missing)
