"""Archive of the published records: one JSON line per fit and task, kept without the models.

`records.jsonl` holds the records without their training histories; `all_runs.csv` is the same as a
tidy table, remade at every collection. A published record is replaced by another of the same fit
only if it has no result.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from workflow.common import files
from workflow.fit import records, tidy
from workflow.plan.table_fits import Fit, Key

Record = dict[str, Any]

RECORDS = "records.jsonl"
TABLE = "all_runs.csv"
UNFINISHED = ("failed", "timeout")  # which another try may mend; a divergence is a result


def key(record: Record) -> Key:
    """The task and fit that identify a record."""
    method, point, classes, seed = (
        record[name] for name in ("method", "grid_point", "classes", "seed")
    )
    return record["task"], Fit(method, point, record["dataset"]["name"], classes, seed)


def read(folder: Path) -> dict[Key, Record]:
    """Read all published records of a folder, none if it has no file of them.

    Raises:
        ValueError: for a line that is not a valid record, or repeats a fit and task; if records
            are lost that the table has.
    """
    path = folder / RECORDS
    published: dict[Key, Record] = {}
    lines = path.read_text("utf-8").splitlines() if path.is_file() else []
    for number, line in enumerate(lines, start=1):
        place = f"{path}, line {number}"
        try:
            content = files.parsed(line)
            if not files.unseal(content):
                raise ValueError("it was altered after it was written")
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(f"{place} is damaged ({error}); restore the file from git") from None
        record = records.check(content, place)
        if key(record) in published:
            raise ValueError(f"{place} is a second record of {describe(key(record))}; remove one")
        published[key(record)] = record
    if lost := sorted(_keys_of_table(folder / TABLE) - published.keys()):
        raise ValueError(
            f"{path} lacks {len(lost)} records that {TABLE} has, as {describe(lost[0])}; restore "
            "both files from git"
        )
    return published


def _keys_of_table(path: Path) -> set[Key]:
    """Keys of the records in the table; none if it is damaged, since it is made anew."""
    try:
        table = tidy.read(path)
    except (ValueError, FileNotFoundError):
        return set()
    columns = ["task", "method", "grid_point", "dataset", "classes", "seed"]
    rows = table[columns].drop_duplicates().itertuples(index=False)
    return {(task, Fit(*fit, int(seed))) for task, *fit, seed in rows}


def lacks(published: Mapping[Key, Record], key: Key) -> bool:
    """Whether a record is missing, or failed in a way that another try may mend."""
    return key not in published or published[key]["status"] in UNFINISHED


def merged(published: dict[Key, Record], new: Iterable[Record]) -> dict[Key, Record]:
    """Add new records to the published ones; published results stay as they are."""
    result = dict(published)
    for record in new:
        if lacks(result, key(record)):
            result[key(record)] = {name: record[name] for name in record if name != "history"}
    return dict(sorted(result.items()))


def write(folder: Path, published: dict[Key, Record]) -> None:
    """Write the records, then their table; files with the same content stay untouched."""
    if not published:
        return
    sealed = map(files.sealed, published.values())
    lines = [json.dumps(record, allow_nan=False) + "\n" for record in sealed]
    files.update_text(folder / RECORDS, "".join(lines))
    tidy.write(folder / TABLE, published.values())


def describe(key: Key) -> str:
    """Describe a key, as in `outliers of dcgmm/E-paper/mnist/not0/seed0`."""
    return f"{key[0]} of {key[1].folder}"
