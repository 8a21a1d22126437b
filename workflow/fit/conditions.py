"""Hardware, versions and commits of a run's fits, from their records."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from workflow.common import places

Record = dict[str, Any]


def records_of(rows: pd.DataFrame, root: Path) -> list[Record]:
    """Read the existing records behind the rows of a tidy table."""
    key = ["method", "grid_point", "dataset", "classes", "seed"]
    fits = rows.dropna(subset=key).drop_duplicates(key)[key].itertuples(index=False)
    paths = (
        root / method / point / dataset / classes / f"seed{seed}" / places.FIT_RECORD
        for method, point, dataset, classes, seed in fits
    )
    return [places.read(path) for path in paths if path.is_file()]


def hosts(records: Iterable[Record]) -> list[str]:
    """Describe each machine, the most frequent one first."""
    return _counted(_host(record["host"]) for record in records)


def commits(records: Iterable[Record]) -> list[str]:
    """List the commits of the suite, and whether files differed from them."""
    return _counted(_commit(record["commit"]) for record in records)


def versions(records: Iterable[Record]) -> list[str]:
    """List the versions of the suite, Python and all packages, as in `keras 3.15.1`."""
    versions_of: dict[str, set[str]] = {}
    for record in records:
        base = {"suite": record["suite_version"], "Python": record["environment"]["python"]}
        for name, version in (base | record["environment"]["packages"]).items():
            versions_of.setdefault(name, set()).add(version)
    return [f"{name} {' and '.join(sorted(used))}" for name, used in versions_of.items()]


def _host(host: Record) -> str:
    gpu = host["gpu"] or "no GPU"
    return f"{host['cpu']}, {host['cores']} cores, {host['memory_gb']:g} GB, {gpu} ({host['id']})"


def _commit(commit: Record) -> str:
    if not commit["hash"]:
        return "outside of git"
    return commit["hash"][:10] + (" with local changes" if commit["changed"] else "")


def _counted(words: Iterable[str]) -> list[str]:
    """List distinct texts, the most frequent first, with counts if there are several."""
    counts = Counter(words).most_common()
    return [f"{text}: {n} fits" if len(counts) > 1 else text for text, n in counts]
