"""The trainings of a run that left no result: counted, explained, and found again for a retry."""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from workflow.common import places

REFUSED = "refused"  # is as the configuration asks, so it is told but not counted
SHOWN = 10  # reasons; the tables have all

Trainings = list[list[list[str]]]
"""Products of paths: for each part of a path, what may stand there."""


class Missing(NamedTuple):
    """A training without a result."""

    record: Path
    status: str
    reason: str


def paths(root: Path, trainings: Trainings) -> Iterator[Path]:
    """The records of all trainings."""
    for parts in trainings:
        for chosen in itertools.product(*parts):
            yield root.joinpath(*chosen)


def among(records: Iterable[Path]) -> list[Missing]:
    """Those whose status is not `ok`; a record that is not there yet counts as none.

    Raises:
        ValueError: if a record is damaged or of another training than its place is.
    """
    found = []
    for path in records:
        if path.exists():
            record = places.read(path)
            if "status" not in record:
                raise ValueError(f"{path} is no record: it has no status; remove it and run again")
            if record["status"] != "ok":
                found.append(Missing(path, record["status"], record["reason"]))
    return found


def summary(missing: list[Missing], asked: int) -> str:
    """How many of how many are missing, why, and what to do."""
    if not missing:
        return f"all {asked} trainings have a result"
    counts = Counter(each.status for each in missing)
    told = ", ".join(f"{number} {status}" for status, number in counts.items())
    lines = [f"{len(missing)} of {asked} trainings have no result and are missing from the tables:"]
    lines[0] += f" {told}"
    lines += [f"  {each.record.parent}: {each.reason}" for each in missing[:SHOWN]]
    if len(missing) > SHOWN:
        lines.append(f"  and {len(missing) - SHOWN} more, which the tables name")
    again = "`make retry`, or `snakemake retry` with the same --configfile, runs them again"
    return "\n".join([*lines, again])


def failed(missing: list[Missing]) -> int:
    """How many count against the exit status."""
    return sum(each.status != REFUSED for each in missing)
