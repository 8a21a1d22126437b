"""Start Snakemake: what `in_env.sh` does in its place. Takes Snakemake's own arguments.

First the machine and the files named by --configfile are looked at, since Snakemake ends with a
traceback for a folder that it cannot write to or a file that is no UTF-8, and tells neither name
nor line of an empty or wrong one. Then what a run that was killed here has left is cleared, unless
the call makes nothing.
"""

import argparse
import os
import sys
from pathlib import Path

from workflow.plan.config import ConfigError, read
from workflow.run import liveness, preflight

ROOT = Path(__file__).parents[2]


def main(arguments: list[str] | None = None) -> None:
    """Become Snakemake."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        preflight.check(ROOT)
        check_files(arguments)
    except (OSError, ConfigError) as error:
        sys.exit(str(error))
    if liveness.executes(arguments):
        liveness.clear(ROOT)
    if not os.access(Path.home(), os.W_OK):  # Snakemake makes a cache at every start
        os.environ.setdefault("XDG_CACHE_HOME", str(ROOT / liveness.STATE / "cache"))
    os.execvp("snakemake", ["snakemake", *arguments])


def check_files(arguments: list[str]) -> None:
    """Look at the files that Snakemake is told to read over `config.yaml`.

    Raises:
        ConfigError: for one that cannot be read as a mapping.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--configfile", "--configfiles", nargs="+", action="extend", default=[])
    options, _ = parser.parse_known_args(arguments)
    read(options.configfile)


if __name__ == "__main__":
    main()
