"""What every step's command line shares."""

import argparse
import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from workflow.common import compiled, troubles


def of_scores(program: str, description: str | None) -> argparse.ArgumentParser:
    """The command line of a task that is done with the scores of one fit."""
    result = argparse.ArgumentParser(prog=program, description=description)
    result.add_argument("--fit", required=True, type=Path, help="fit.json")
    result.add_argument("--scores", required=True, type=Path, help="scores.npz")
    result.add_argument("--out", required=True, type=Path, help="record to write")
    return result


def of_model(program: str, description: str | None) -> argparse.ArgumentParser:
    """The command line of a program that draws from one fitted model."""
    result = argparse.ArgumentParser(prog=program, description=description)
    result.add_argument("--fit", required=True, type=Path, help="fit.json")
    result.add_argument("--model", required=True, type=Path, help="folder of the fitted model")
    result.add_argument("--out", required=True, type=Path, help=".npz to write")
    return result


@contextlib.contextmanager
def plain_errors(program: str) -> Iterator[None]:
    """Turn expected errors into one sentence and exit status 1.

    They are bad values, unreadable files and other troubles of the machine.
    """
    try:
        with compiled.sound():
            yield
    except (ValueError, OSError) as error:
        sys.exit(f"{program}: {error}")
    except Exception as error:
        try:
            troubles.check(error)
        except troubles.MachineError as trouble:
            sys.exit(f"{program}: {trouble}")
        raise
