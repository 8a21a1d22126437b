"""Measure a task on the scores of many fits, and collect the records in one tidy CSV.

One process measures all fits of a table, since starting one takes longer than measuring a fit.
"""

import argparse
import itertools
from collections.abc import Callable, Iterator, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

from workflow.common.command_line import argument_parser, plain_errors
from workflow.fit import records, scores, tidy
from workflow.plan.table_fits import Fit

Measure = Callable[[dict[str, Any], scores.Saved], tuple[dict[str, int], list[dict[str, Any]]]]
"""Record and scores of a fit -> number of images by kind, and the metrics of the task."""


def step(
    spec: ModuleSpec,
    description: str | None,
    task: str,
    measure: Measure,
    arguments: Sequence[str] | None,
) -> None:
    """Run a program that measures one task on many fits."""
    command_line = parser(spec, description)
    options = command_line.parse_args(arguments)
    with plain_errors(command_line.prog):
        folders = (options.root / fit.folder for fit in fits(options))
        tidy.write(options.out, (record(folder, task, measure) for folder in folders))


def parser(spec: ModuleSpec, description: str | None) -> argparse.ArgumentParser:
    """Make the command line of a program that collects records of fits.

    Fits are given as a product, since thousands of paths exceed a command line:
    `<root>/<point>/<dataset>/<classes>/seed<seed>/`.
    """
    command_line = argument_parser(spec, description)
    command_line.add_argument("--root", required=True, type=Path, help="folder of all fits")
    command_line.add_argument("--points", required=True, nargs="+", help="as in dcgmm/E-paper")
    command_line.add_argument("--datasets", required=True, nargs="+")
    command_line.add_argument("--classes", required=True, nargs="+")
    command_line.add_argument("--seeds", required=True, nargs="+", type=int)
    command_line.add_argument("--out", required=True, type=Path, help="CSV to write")
    return command_line


def fits(options: argparse.Namespace) -> Iterator[Fit]:
    """Iterate over the fits that a command line names."""
    axes = (options.points, options.datasets, options.classes, options.seeds)
    for point, dataset, classes, seed in itertools.product(*axes):
        yield Fit(*point.split("/"), dataset, classes, seed)


def record(folder: Path, task: str, measure: Measure) -> dict[str, Any]:
    """Measure a task on one fit and make its record; a failed fit has no metrics.

    Args:
        folder: of `fit.json` and `scores.npz`.
        task: a key of `records.TASKS`.
        measure: computes the metrics of the task.

    Raises:
        ValueError: if a file is damaged, altered or of another fit; names it.
    """
    fit = records.read(folder / "fit.json")
    counts, metrics = measure(fit, scores.read(folder / "scores.npz", fit))
    return records.of_task(fit, task, counts, metrics)
