"""Check values of configurations and records, at any depth: plain, finite, printable data.

Needs only the standard library, so that every method's environment can check and clean values.
"""

import math
from collections.abc import Iterator
from typing import Any

LONGEST = 500  # characters of a text
LARGEST = 2**63 - 1  # of whole numbers, in absolute value
DEEPEST = 32  # nested mappings and lists
MOST = 10_000_000  # values in all, an alias counted at each use
SHOWN = 80  # characters of a value in a message

Path = tuple[str | int, ...]


def mistakes(value: Any, most: int = MOST) -> Iterator[tuple[Path, Any, str]]:
    """Find the values that no file should hold: place, value and what it must be instead.

    Numbers must be finite, text printable and not too long, keys text, and all else null, true,
    false, a list or a mapping. A value too deep or too large ends the search.
    """
    mistakes_found: list[tuple[Path, Any, str]] = []
    try:
        _search(value, (), mistakes_found, [most])
    except _TooLargeError as error:
        mistakes_found = [error.args]
    yield from mistakes_found


def written(path: Path) -> str:
    """Write a path as text: `("datasets", 0)` as `datasets[0]`."""
    parts = (f"[{p}]" if isinstance(p, int) else f".{printable(p)}" for p in path)
    return "".join(parts).removeprefix(".")


def shown(value: Any) -> str:
    """Show a value in a message, as Python writes it; shorten a long one."""
    if isinstance(value, int) and abs(value) > LARGEST:
        return f"a whole number of {value.bit_length()} bits"
    if isinstance(value, dict | list | tuple | set) and any(mistakes(value, SHOWN)):
        return f"a {type(value).__name__} of {len(value)}"
    return shortened(repr(value[: 2 * SHOWN] if isinstance(value, str) else value))


def shortened(text: str, length: int = SHOWN) -> str:
    """Shorten a text to `length` characters, with dots in its middle."""
    half = (length - 3) // 2
    return text if len(text) <= length else f"{text[:half]}...{text[-half:]}"


def printable(text: str, length: int = LONGEST) -> str:
    """Make a text that `mistakes` accepts: spaces for line breaks and the like, shortened."""
    text = "".join(c if c.isprintable() else " " for c in str(text)[: 2 * length])
    return shortened(" ".join(text.split()), length)


class _TooLargeError(Exception):
    """Place, value and what it must be instead."""


def _search(value: Any, path: Path, mistakes: list, remaining: list[int]) -> None:
    """Collect mistakes; `remaining` holds how many values may still come."""
    remaining[0] -= 1
    if remaining[0] < 0:
        raise _TooLargeError((), "it", "smaller: it holds too many values")
    if isinstance(value, dict | list):
        if len(path) == DEEPEST:
            raise _TooLargeError(path[:3], value, f"less deep than {DEEPEST} lists or mappings")
        if isinstance(value, list):
            for index, item in enumerate(value):
                _search(item, (*path, index), mistakes, remaining)
            return
        for key, item in value.items():
            if requirement := _required_text(key):
                mistakes.append((path, key, f"a key that is {requirement}"))
            else:
                _search(item, (*path, key), mistakes, remaining)
    elif requirement := _required(value):
        mistakes.append((path, value, requirement))


def _required(value: Any) -> str | None:
    """What a single value must be; None if it is valid."""
    if isinstance(value, str):
        return _required_text(value)
    if isinstance(value, float):
        return None if math.isfinite(value) else "a finite number"
    if isinstance(value, int):
        return None if abs(value) <= LARGEST else f"a number of at most {LARGEST}"
    return None if value is None else "text, a number, true, false, null, a list or a mapping"


def _required_text(value: Any) -> str | None:
    """What a text must be; None if it is valid."""
    if not isinstance(value, str):
        return "text"
    if len(value) > LONGEST:
        return f"text of at most {LONGEST} characters"
    return None if value.isprintable() else "text without control characters"
