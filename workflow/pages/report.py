"""The HTML report of a finished run: Snakemake's own, one file that opens offline."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from workflow.common.command_line import argument_parser
from workflow.plan.config import as_overlay


def main(arguments: list[str] | None = None) -> None:
    """Run the step; it is a job of the run that it reports on, hence `--nolock`."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument(
        "--config", required=True, type=json.loads, help="the merged configuration, JSON"
    )
    parser.add_argument("--out", required=True, type=Path, help="HTML to write")
    options = parser.parse_args(arguments)
    part = options.out.with_suffix(".part.html")
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.yaml"
        config.write_text(as_overlay(options.config), "utf-8")
        command = ["snakemake", "results", "--nolock", "--report", part, "--configfile", config]
        if subprocess.run(command).returncode:
            sys.exit(f"{parser.prog}: Snakemake could not write the report, see above")
    part.replace(options.out)


if __name__ == "__main__":
    main()
