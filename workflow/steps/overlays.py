"""Check the files that `snakemake` is told to read over config.yaml, before it reads them.

Snakemake ends with a traceback for a file that is no UTF-8, and says of an empty one, or of a wrong
line, neither its name nor the line. Takes the arguments of `snakemake`.
"""

import argparse
import sys

from workflow.evaluation.config import ConfigError, read


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--configfile", "--configfiles", nargs="+", action="extend", default=[])
    options, _ = parser.parse_known_args(arguments)
    try:
        read(options.configfile)
    except ConfigError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
