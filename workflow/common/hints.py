"""What to say of a name that is none of the known ones."""

import difflib
from collections.abc import Iterable
from typing import Any


def nearest(word: Any, choices: Iterable[Any]) -> str:
    """The nearest known name as a question, or else all of them."""
    choices = [str(choice) for choice in choices]
    near = difflib.get_close_matches(str(word), choices, n=1)
    return f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(choices)}"
