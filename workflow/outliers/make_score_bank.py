"""Collect scores in a score bank, from which detection is measured.

They are of fits, of the points of Table II the chosen ones alone, and of files from elsewhere.
"""

import itertools
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from workflow.common import frames
from workflow.common.command_line import argument_parser, plain_errors
from workflow.data import datasets, test_sets
from workflow.data.test_sets import TestSet
from workflow.outliers import external_scores, score_bank


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--root", required=True, type=Path, help="folder of all fits")
    parser.add_argument(
        "--groups", required=True, type=json.loads, help="JSON, see `chosen_points`"
    )
    parser.add_argument("--table2", type=Path, help="CSV of the points that are chosen")
    parser.add_argument("--data", required=True, nargs="+", type=Path, help="prepared datasets")
    parser.add_argument("--sets", required=True, nargs="+", type=Path, help="test sets")
    parser.add_argument(
        "--external", default={}, type=json.loads, help="JSON, `external` of the configuration"
    )
    parser.add_argument("--out", required=True, type=Path, help="folder of the bank")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        digests = {each.name: each.digest for each in map(datasets.load, options.data)}
        sets: dict[str, list[TestSet]] = {}
        for each in map(test_sets.load, options.sets):
            sets.setdefault(each.dataset, []).append(each)
        images = {name: score_bank.of_sets(each, digests[name]) for name, each in sets.items()}
        protocols = chosen(options.table2) if options.table2 else {}
        entries = [
            score_bank.of_fits(
                [options.root / place / f"seed{seed}" for seed in seeds],
                images[dataset],
                protocols.get((point, dataset), ()),
            )
            for (point, dataset, place), seeds in wanted(options.groups, protocols).items()
        ]
        entries += [
            external_scores.entry(name, content, images[content["dataset"]])
            for name, content in options.external.items()
        ]
        pictured = [score_bank.with_pictures(images[name], sets[name], entries) for name in images]
        score_bank.write(options.out, pictured, entries)


def chosen(path: Path) -> dict[tuple[str, str], list[str]]:
    """Points that Table II chooses: `<method>/<grid point>` and dataset -> protocols."""
    table = frames.read_csv(path, frames.TABLES["table2"])
    protocols: dict[tuple[str, str], list[str]] = {}
    for row in table.dropna(subset=["grid_point"]).itertuples():
        key = f"{row.method}/{row.grid_point}", row.dataset
        protocols.setdefault(key, []).append(row.protocol)
    return protocols


def wanted(
    groups: Iterable[dict[str, Any]], protocols: dict[tuple[str, str], list[str]]
) -> dict[tuple[str, str, str], list[int]]:
    """Entries of the bank: point, dataset and folder below the fits -> seeds.

    Args:
        groups: each with `points`, `datasets`, `classes`, `seeds`, of which all combinations are
            fits, and `chosen`, whether only chosen points are wanted.
        protocols: of `chosen`.
    """
    entries: dict[tuple[str, str, str], list[int]] = {}
    for group in groups:
        for point, dataset, classes in _combinations(group):
            if not group["chosen"] or (point, dataset) in protocols:
                entries[point, dataset, f"{point}/{dataset}/{classes}"] = group["seeds"]
    return entries


def _combinations(group: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    return itertools.product(group["points"], group["datasets"], group["classes"])


if __name__ == "__main__":
    main()
