"""Under which conditions the fits of a run were made, from their records."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from workflow.common import places

Record = dict[str, Any]


def records_of(rows: pd.DataFrame, root: Path) -> list[Record]:
    """The records behind the rows of a tidy table, as far as they are there."""
    key = ["method", "grid_point", "dataset", "classes", "seed"]
    fits = rows.dropna(subset=key).drop_duplicates(key)[key].itertuples(index=False)
    paths = (
        root / method / point / dataset / classes / f"seed{seed}" / places.FIT_RECORD
        for method, point, dataset, classes, seed in fits
    )
    return [places.read(path) for path in paths if path.is_file()]


def hosts(records: Iterable[Record]) -> list[str]:
    """Each machine in words, the one of most fits first."""
    return _counted(_host(record["host"]) for record in records)


def commits(records: Iterable[Record]) -> list[str]:
    """Each commit of the suite, and whether files differed from it."""
    return _counted(_commit(record["commit"]) for record in records)


def versions(records: Iterable[Record]) -> list[str]:
    """The suite, Python and every package, as in `keras 3.15.1`, each version that was used."""
    found: dict[str, set[str]] = {}
    for record in records:
        own = {"suite": record["suite_version"], "Python": record["environment"]["python"]}
        for name, version in (own | record["environment"]["packages"]).items():
            found.setdefault(name, set()).add(version)
    return [f"{name} {' and '.join(sorted(used))}" for name, used in found.items()]


def _host(host: Record) -> str:
    gpu = host["gpu"] or "no GPU"
    return f"{host['cpu']}, {host['cores']} cores, {host['memory_gb']:g} GB, {gpu} ({host['id']})"


def _commit(commit: Record) -> str:
    if not commit["hash"]:
        return "outside of git"
    return commit["hash"][:10] + (" with local changes" if commit["changed"] else "")


def _counted(words: Iterable[str]) -> list[str]:
    """Each once, the most frequent first, with its number if there are several."""
    counts = Counter(words).most_common()
    return [f"{text}: {n} fits" if len(counts) > 1 else text for text, n in counts]
