"""Table of the jobs of a finished run, with time and memory, for `snakemake estimate`."""

from pathlib import Path

import pandas as pd

from workflow.common import files
from workflow.common.command_line import argument_parser, plain_errors
from workflow.cost import costs, jobs
from workflow.plan import config


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--configfiles", nargs="*", default=[], help="overlays of that run")
    parser.add_argument("--out", required=True, type=Path, help="CSV to write")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        run = config.load(["config.yaml", *options.configfiles])
        measurements = costs.measurements(jobs.planned(run))
        if not measurements:
            raise ValueError("no job of this run was measured; make the run first")
        table = pd.DataFrame(costs.to_rows(measurements))
        files.write_text(options.out, table.to_csv(index=False))


if __name__ == "__main__":
    main()
