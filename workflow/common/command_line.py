"""Error handling shared by the command lines of all steps."""

import contextlib
import sys
from collections.abc import Iterator

from workflow.common import compiled, troubles


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
