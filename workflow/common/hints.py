"""Suggestions for unknown names."""

import difflib
from collections.abc import Iterable
from typing import Any


def nearest(word: Any, choices: Iterable[Any]) -> str:
    """Suggest the nearest known name, else list them all."""
    choices = [str(choice) for choice in choices]
    matches = difflib.get_close_matches(str(word), choices, n=1)
    return f"did you mean {matches[0]!r}?" if matches else f"choose from {', '.join(choices)}"
