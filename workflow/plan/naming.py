"""Names of grid points, used as folders, keys of records and labels in tables.

A name joins the values of a point's settings by `-`, as in `K10-D4-R10-binomial-unit`. It consists
of letters, digits and `._+=-`, so that shells, file systems, tables and figures take it unchanged;
any other character is encoded by its bytes, as in `a=20b` for `a b`. Points of different values
have different names: `values` decodes them.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml

LONGEST = 200  # of the 255 bytes that file systems allow for a folder's name
MARK = "=="  # precedes a text that would be read as another value
_ENCODED_CHARACTER = re.compile(r"[^A-Za-z0-9._+]")
_BYTES = re.compile("(?:=[0-9A-F]{2})+")
_MISSING = ("NA", "None")  # which pandas reads from a CSV as missing, in addition to YAML's
_YAML = yaml.resolver.Resolver()


def name(settings: Mapping[str, Any], symbols: Mapping[str, str], *suffixes: str) -> str:
    """Name a grid point by what distinguishes it within its method.

    Args:
        settings: those that differ, in the order of the name; without any, the name is `default`.
        symbols: setting -> letters before its value. Without them a number follows the setting's
            name, and a text stands alone.
        suffixes: of the name.
    """
    return "-".join([*(_word(*item, symbols) for item in settings.items()), *suffixes]) or "default"


def values(name: str, settings: Iterable[str], symbols: Mapping[str, str]) -> dict[str, Any]:
    """Decode the settings of a name, given their keys in order."""
    settings = list(settings)
    words = name.split("-") if settings else []
    return {key: _value(word, key, symbols) for word, key in zip(words, settings, strict=True)}


def unique(points: Iterable[tuple[str, dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    """Collect grid points by name; identical points may repeat.

    Raises:
        ValueError: if different points share a name, or a name is too long for a folder.
    """
    by_name: dict[str, dict[str, Any]] = {}
    for name, point in points:
        if len(name) > LONGEST:
            raise ValueError(
                f"the values of a grid point make a name of {len(name)} characters, "
                f"{name[:40]}..., but at most {LONGEST} fit: shorten {_longest(point, name)}"
            )
        if (namesake := by_name.setdefault(name, point)) != point:
            raise ValueError(
                f"two grid points would both be named {name}, but differ in "
                f"{', '.join(_differing(point, namesake))}: give them other values"
            )
    return by_name


def _word(key: str, value: Any, symbols: Mapping[str, str]) -> str:
    """Encode one value with its prefix."""
    if not isinstance(value, str):
        text = json.dumps(value, separators=(",", ":"))
        return _letters(symbols.get(key, key)) + _encoded(text)
    letters = _letters(symbols.get(key, ""))
    word = letters + _encoded(value)
    if _is_plain(value) and _value(word, key, symbols) == value:
        return word
    return letters + MARK + _encoded(value)


def _value(word: str, key: str, symbols: Mapping[str, str]) -> Any:
    """Decode the value of a word; the inverse of `_word`."""
    letters = _letters(symbols.get(key, ""))
    text = word.removeprefix(letters)
    if text.startswith(MARK):
        return _decoded(text.removeprefix(MARK))
    before = _letters(symbols.get(key, key))
    if word.startswith(before):
        try:
            value = json.loads(_decoded(word.removeprefix(before)))
        except ValueError:
            value = ""
        if not isinstance(value, str):
            return value
    return _decoded(text)


def _is_plain(text: str) -> bool:
    """Whether YAML and pandas read a text as text, and it names no hidden or parent folder."""
    try:
        float(text)
    except ValueError:
        tag = _YAML.resolve(yaml.ScalarNode, text, (True, False))
        return tag.endswith(":str") and text not in _MISSING and not text.startswith(".")
    return False


def _letters(symbol: str) -> str:
    return _encoded(symbol).replace(".", "=2E")  # no name begins with a dot


def _encoded(text: str) -> str:
    def bytes_of(match: re.Match) -> str:
        return "".join(f"={byte:02X}" for byte in match[0].encode("utf-8", "surrogatepass"))

    return _ENCODED_CHARACTER.sub(bytes_of, text)


def _decoded(text: str) -> str:
    def character(match: re.Match) -> str:
        return bytes.fromhex(match[0].replace("=", "")).decode("utf-8", "surrogatepass")

    return _BYTES.sub(character, text)


def _longest(point: dict[str, Any], name: str) -> str:
    """Setting whose value is the longest part of the name."""
    words = {key: _word(key, value, {key: ""}) for key, value in point["settings"].items()}
    return max((key for key in words if words[key] in name), key=lambda key: len(words[key]))


def _differing(one: dict[str, Any], other: dict[str, Any]) -> Iterator[str]:
    """Keys whose values differ between two points."""
    for part in one:
        if isinstance(one[part], dict):
            yield from (key for key in one[part] if one[part][key] != other[part].get(key))
        elif one[part] != other[part]:
            yield part
