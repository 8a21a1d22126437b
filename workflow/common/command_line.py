"""Error handling shared by the command lines of all steps."""

import argparse
import contextlib
import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec

from workflow.common import compiled, troubles


def argument_parser(spec: ModuleSpec, description: str | None) -> argparse.ArgumentParser:
    """The command line of a program, named as it is called.

    Args:
        spec: `__spec__` of the program's module.
        description: its docstring.
    """
    return argparse.ArgumentParser(prog=f"python -m {spec.name}", description=description)


@contextlib.contextmanager
def plain_errors(program: str) -> Iterator[None]:
    """Turn expected errors into one sentence and exit status 1.

    Expected are bad values, unreadable files and other troubles of the machine.
    """
    try:
        with compiled.verified_cache():
            yield
    except (ValueError, OSError) as error:
        sys.exit(f"{program}: {error}")
    except Exception as error:
        try:
            troubles.check(error)
        except troubles.MachineError as trouble:
            sys.exit(f"{program}: {trouble}")
        raise
