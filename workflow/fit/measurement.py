"""Measure a task on the scores of many fits, and gather the records in one tidy CSV.

One process measures all fits of a table, since to start one takes longer than to measure a fit.
"""

import argparse
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from workflow.common.command_line import plain_errors
from workflow.fit import records, scores, tidy

Measure = Callable[[dict[str, Any], scores.Saved], tuple[dict[str, int], list[dict[str, Any]]]]
"""Record and scores of a fit -> number of images by kind, and the metrics of the task."""


def main(
    program: str,
    description: str | None,
    task: str,
    measure: Measure,
    arguments: Sequence[str] | None,
) -> None:
    """Run a program that measures one task on fits.

    The fits are told as a product, since thousands of paths do not fit a command line:
    `<root>/<point>/<dataset>/<classes>/seed<seed>/`.
    """
    parser = argparse.ArgumentParser(prog=program, description=description)
    parser.add_argument("--root", required=True, type=Path, help="folder of all fits")
    parser.add_argument("--points", required=True, nargs="+", help="as in dcgmm/E-paper")
    parser.add_argument("--datasets", required=True, nargs="+")
    parser.add_argument("--classes", required=True, nargs="+")
    parser.add_argument("--seeds", required=True, nargs="+")
    parser.add_argument("--out", required=True, type=Path, help="CSV to write")
    options = parser.parse_args(arguments)
    axes = (options.points, options.datasets, options.classes, options.seeds)
    folders = [
        options.root / point / dataset / classes / f"seed{seed}"
        for point, dataset, classes, seed in itertools.product(*axes)
    ]
    with plain_errors(program):
        tidy.write(options.out, (record(folder, task, measure) for folder in folders))


def record(folder: Path, task: str, measure: Measure) -> dict[str, Any]:
    """The record of a task done with one fit; a failed fit has one without metrics.

    Args:
        folder: has `fit.json` and `scores.npz`.
        task: of `records.TASKS`.
        measure: what the task measures.

    Raises:
        ValueError: if a file is damaged, altered or of another fit; names it.
    """
    fit = records.read(folder / "fit.json")
    counts, metrics = measure(fit, scores.read(folder / "scores.npz", fit))
    return records.of_task(fit, task, counts, metrics)
