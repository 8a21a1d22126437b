"""Gather the records of a run in one tidy CSV, a row for every metric of every fit.

Which records is said as a product, since thousands of paths do not fit a command line:
`<root>/<point>/<dataset>/<classes>/seed<seed>/<task>.json`.
"""

import argparse
import itertools
from pathlib import Path

from workflow.common.command_line import plain_errors
from workflow.fit import records, tidy


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argparse.ArgumentParser(
        prog="python -m workflow.fit.gather_records", description=__doc__
    )
    parser.add_argument("--root", required=True, type=Path, help="folder of all fits")
    parser.add_argument("--points", required=True, nargs="+", help="as in dcgmm/E-paper")
    parser.add_argument("--datasets", required=True, nargs="+")
    parser.add_argument("--classes", required=True, nargs="+")
    parser.add_argument("--seeds", required=True, nargs="+")
    parser.add_argument("--task", required=True, help="as in outliers")
    parser.add_argument("--out", required=True, type=Path, help="CSV to write")
    options = parser.parse_args(arguments)
    axes = (options.points, options.datasets, options.classes, options.seeds)
    paths = [
        options.root / point / dataset / classes / f"seed{seed}" / f"{options.task}.json"
        for point, dataset, classes, seed in itertools.product(*axes)
    ]
    with plain_errors(parser.prog):
        tidy.write(options.out, (records.read(path) for path in paths))


if __name__ == "__main__":
    main()
