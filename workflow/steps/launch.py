"""Start Snakemake, after what a run that was killed here has left is cleared: what `make` calls.

Takes Snakemake's own arguments. Plain `snakemake` does the same but for the clearing; a call that
makes nothing clears nothing.
"""

import os
import sys
from pathlib import Path

from workflow.evaluation import preflight, takeover

ROOT = Path(__file__).parents[2]


def main(arguments: list[str] | None = None) -> None:
    """Become Snakemake."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        preflight.check(ROOT)
    except OSError as error:
        sys.exit(str(error))
    if takeover.executes(arguments):
        takeover.clear(ROOT)
    os.execvp("snakemake", ["snakemake", *arguments])


if __name__ == "__main__":
    main()
