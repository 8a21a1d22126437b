"""Check settings and copy them; they are frozen dataclasses."""

import difflib
from dataclasses import fields, replace
from typing import Any, TypeVar

Settings = TypeVar("Settings")


def require(holds: bool, name: str, value: Any, wanted: str) -> None:
    """Refuse a value unless `holds`.

    Raises:
        ValueError: naming the setting, its value and what it must be.
    """
    if not holds:
        raise ValueError(f"{name} is {value!r}, but must be {wanted}")


def whole(value: Any, least: int) -> bool:
    """Whether a value is an integer of at least `least`."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def number(value: Any, least: float) -> bool:
    """Whether a value is a finite number of at least `least`."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and least <= value < float("inf")


def replaced(settings: Settings, changes: dict[str, Any]) -> Settings:
    """Copy settings with some values changed.

    Raises:
        ValueError: for a name that is no setting, with the nearest that is.
    """
    names = [field.name for field in fields(settings)]
    for name in changes:
        if name not in names:
            raise ValueError(unknown("hyper-parameter", name, names))
    return replace(settings, **changes)


def unknown(kind: str, name: str, names: list[str]) -> str:
    """Say that a name is unknown, and suggest the nearest known one."""
    nearest = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {nearest[0]!r}?" if nearest else f"known are {', '.join(names)}"
    return f"unknown {kind} {name!r}; {hint}"
