"""Report the trainings of a run without a result; fail if they are more than allowed.

Runs last. The report is written only if the run counts as complete, so that every later call of
Snakemake reports again what is missing.
"""

import json
import sys
from pathlib import Path

from workflow.common import files
from workflow.common.command_line import argument_parser, plain_errors
from workflow.run import missing


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--root", required=True, type=Path, help="results of the run")
    parser.add_argument(
        "--trainings", required=True, type=json.loads, help="JSON, see workflow.run.missing"
    )
    parser.add_argument("--max-failed", required=True, type=int)
    parser.add_argument("--out", required=True, type=Path, help="text to write")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        records = list(missing.record_paths(options.root, options.trainings))
        missing_records = missing.among(records)
        report = f"{options.root}: {missing.summary(missing_records, len(records))}"
        if missing.count_failed(missing_records) > options.max_failed:
            sys.exit(report)
        files.write_text(options.out, f"{report}\n")
    print(report)


if __name__ == "__main__":
    main()
