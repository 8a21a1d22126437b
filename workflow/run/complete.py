"""Say how many trainings of a run have no result, and fail if they are more than allowed.

Runs last. Its file is written only if the run counts as complete, so that every later call of
Snakemake says again what is missing.
"""

import argparse
import json
import sys
from pathlib import Path

from workflow.common import files
from workflow.common.command_line import plain_errors
from workflow.run import missing


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argparse.ArgumentParser(prog="python -m workflow.run.complete", description=__doc__)
    parser.add_argument("--root", required=True, type=Path, help="results of the run")
    parser.add_argument(
        "--trainings", required=True, type=json.loads, help="JSON, see workflow.run.missing"
    )
    parser.add_argument("--max-failed", required=True, type=int)
    parser.add_argument("--out", required=True, type=Path, help="text to write")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        records = list(missing.paths(options.root, options.trainings))
        found = missing.among(records)
        text = f"{options.root}: {missing.summary(found, len(records))}"
        if missing.failed(found) > options.max_failed:
            sys.exit(text)
        files.write_text(options.out, f"{text}\n")
    print(text)


if __name__ == "__main__":
    main()
