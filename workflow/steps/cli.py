"""What every step's command line shares."""

import contextlib
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def plain_errors(program: str) -> Iterator[None]:
    """Turn expected errors (bad values, unreadable files) into one sentence and exit status 1."""
    try:
        yield
    except (ValueError, OSError) as error:
        sys.exit(f"{program}: {error}")
