"""What a value of a configuration or a record may be, at any depth: plain, finite, readable data.

Needs the standard library alone, so that every method's environment can check and clean values.
"""

import math
from collections.abc import Iterator
from typing import Any

LONGEST = 500  # characters of a text
LARGEST = 2**63 - 1  # of whole numbers, in absolute value
DEEPEST = 32  # mappings and lists in one another
MOST = 10_000_000  # values in all, an alias counted as often as it stands there
SHOWN = 80  # characters of a value in a message

Path = tuple[str | int, ...]


def mistakes(value: Any, most: int = MOST) -> Iterator[tuple[Path, Any, str]]:
    """Place, value and what it must be instead, for each that no file should hold.

    Numbers must be finite, text printable and not too long, keys text, and all else null, true,
    false, a list or a mapping. What is too deep or too large ends the search.
    """
    found: list[tuple[Path, Any, str]] = []
    try:
        _search(value, (), found, [most])
    except _TooLargeError as error:
        found = [error.args]
    yield from found


def written(path: Path) -> str:
    """`("datasets", 0)` as `datasets[0]`."""
    parts = (f"[{p}]" if isinstance(p, int) else f".{printable(p)}" for p in path)
    return "".join(parts).removeprefix(".")


def shown(value: Any) -> str:
    """A value in a message: as Python writes it, and cut if it is long."""
    if isinstance(value, int) and abs(value) > LARGEST:
        return f"a whole number of {value.bit_length()} bits"
    if isinstance(value, dict | list | tuple | set) and any(mistakes(value, SHOWN)):
        return f"a {type(value).__name__} of {len(value)}"
    return shortened(repr(value[: 2 * SHOWN] if isinstance(value, str) else value))


def shortened(text: str, length: int = SHOWN) -> str:
    """A text of at most so many characters; dots stand for what is left out in its middle."""
    half = (length - 3) // 2
    return text if len(text) <= length else f"{text[:half]}...{text[-half:]}"


def printable(text: str, length: int = LONGEST) -> str:
    """A text that `mistakes` lets pass: spaces for line breaks and the like, cut if it is long."""
    text = "".join(c if c.isprintable() else " " for c in str(text)[: 2 * length])
    return shortened(" ".join(text.split()), length)


class _TooLargeError(Exception):
    """Place, value and what it must be instead."""


def _search(value: Any, path: Path, found: list, left: list[int]) -> None:
    """Add to `found`; `left` holds how many values may still come."""
    left[0] -= 1
    if left[0] < 0:
        raise _TooLargeError((), "it", "smaller: it holds too many values")
    if isinstance(value, dict | list):
        if len(path) == DEEPEST:
            raise _TooLargeError(path[:3], value, f"less deep than {DEEPEST} lists or mappings")
        if isinstance(value, list):
            for index, item in enumerate(value):
                _search(item, (*path, index), found, left)
            return
        for key, item in value.items():
            if wanted := _wanted_text(key):
                found.append((path, key, f"a key that is {wanted}"))
            else:
                _search(item, (*path, key), found, left)
    elif wanted := _wanted(value):
        found.append((path, value, wanted))


def _wanted(value: Any) -> str | None:
    """What a single value must be, if it is not."""
    if isinstance(value, str):
        return _wanted_text(value)
    if isinstance(value, float):
        return None if math.isfinite(value) else "a finite number"
    if isinstance(value, int):
        return None if abs(value) <= LARGEST else f"a number of at most {LARGEST}"
    return None if value is None else "text, a number, true, false, null, a list or a mapping"


def _wanted_text(value: Any) -> str | None:
    if not isinstance(value, str):
        return "text"
    if len(value) > LONGEST:
        return f"text of at most {LONGEST} characters"
    return None if value.isprintable() else "text without control characters"
