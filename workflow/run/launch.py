"""Check the machine, clean up after a killed run, and become Snakemake.

`in_env.sh` runs this for `snakemake`, with the same arguments. It checks the machine and the files
of --configfile first, since Snakemake ends with a traceback for a folder without write permission
or a file that is not UTF-8, and names neither file nor line of an invalid one. It then removes what
a killed run left here, unless the call makes nothing.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from workflow.plan.config import ConfigError, read_files
from workflow.run import liveness, preflight

ROOT = Path(__file__).parents[2]


def main(arguments: list[str] | None = None) -> None:
    """Check, clean up and become Snakemake."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        preflight.check(ROOT)
        check_configfiles(arguments)
    except (OSError, ConfigError) as error:
        sys.exit(str(error))
    if liveness.executes(arguments):
        liveness.clear(ROOT)
    if not holds_a_cache():  # which Snakemake writes at every start
        os.environ["XDG_CACHE_HOME"] = str(ROOT / liveness.STATE / "cache")
    os.execvp("snakemake", ["snakemake", *arguments])


def holds_a_cache() -> bool:
    """Whether the user's cache folder can be written to; tried, since root is always allowed."""
    home = os.environ.get("HOME", "")
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path(home, ".cache"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(4096))
    except OSError:
        return False
    return True


def check_configfiles(arguments: list[str]) -> None:
    """Check the files of --configfile, which Snakemake merges into `config.yaml`.

    Raises:
        ConfigError: if one is not a readable mapping.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--configfile", "--configfiles", nargs="+", action="extend", default=[])
    options, _ = parser.parse_known_args(arguments)
    read_files(options.configfile)


if __name__ == "__main__":
    main()
