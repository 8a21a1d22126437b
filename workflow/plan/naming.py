"""Names of grid points, which are folders, keys of records and words of tables at once.

A name joins the values of a point's settings by `-`, as in `K10-D4-R10-binomial-unit`. It is made
of letters, digits and `._+=-` alone, so that a shell, a file system, a table and a figure take it
as it is; of any other character it has the bytes, as in `a=20b` for `a b`. No two points of
different values have one name: `values` reads them back.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml

LONGEST = 200  # of the 255 bytes that a file system has for a folder's name
MARK = "=="  # stands before a text that would be read as another value
_OTHER = re.compile(r"[^A-Za-z0-9._+]")
_BYTES = re.compile("(?:=[0-9A-F]{2})+")
_MISSING = ("NA", "None")  # which pandas reads from a CSV as nothing, beside what YAML does
_YAML = yaml.resolver.Resolver()


def name(settings: Mapping[str, Any], symbols: Mapping[str, str], *more: str) -> str:
    """What tells a grid point from the others of its method.

    Args:
        settings: those that differ, in the order of the name; none make the name `default`.
        symbols: setting -> letters before its value. Without them a number stands behind the
            setting's name, and a text alone.
        more: words that end the name.
    """
    return "-".join([*(_word(*item, symbols) for item in settings.items()), *more]) or "default"


def values(name: str, settings: Iterable[str], symbols: Mapping[str, str]) -> dict[str, Any]:
    """The settings that a name was made of, given which they were and their order."""
    settings = list(settings)
    words = name.split("-") if settings else []
    return {key: _value(word, key, symbols) for word, key in zip(words, settings, strict=True)}


def unique(points: Iterable[tuple[str, dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    """Grid points by name; the same point may come again.

    Raises:
        ValueError: for different points of one name, and for a name that no folder could have.
    """
    result: dict[str, dict[str, Any]] = {}
    for name, point in points:
        if len(name) > LONGEST:
            raise ValueError(
                f"the values of a grid point make a name of {len(name)} characters, "
                f"{name[:40]}..., but may make one of {LONGEST}: shorten {_longest(point, name)}"
            )
        if (other := result.setdefault(name, point)) != point:
            raise ValueError(
                f"two grid points would both be named {name}, but differ in "
                f"{', '.join(_differing(point, other))}: give them other values"
            )
    return result


def _word(key: str, value: Any, symbols: Mapping[str, str]) -> str:
    """One value with what stands before it."""
    if not isinstance(value, str):
        text = json.dumps(value, separators=(",", ":"))
        return _letters(symbols.get(key, key)) + _encoded(text)
    letters = _letters(symbols.get(key, ""))
    word = letters + _encoded(value)
    if _is_plain(value) and _value(word, key, symbols) == value:
        return word
    return letters + MARK + _encoded(value)


def _value(word: str, key: str, symbols: Mapping[str, str]) -> Any:
    """The value of `_word`."""
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
    """Whether a text is one to YAML and to pandas, and names no hidden or parent folder."""
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

    return _OTHER.sub(bytes_of, text)


def _decoded(text: str) -> str:
    def character(match: re.Match) -> str:
        return bytes.fromhex(match[0].replace("=", "")).decode("utf-8", "surrogatepass")

    return _BYTES.sub(character, text)


def _longest(point: dict[str, Any], name: str) -> str:
    """The setting whose value takes most of the name."""
    words = {key: _word(key, value, {key: ""}) for key, value in point["settings"].items()}
    return max((key for key in words if words[key] in name), key=lambda key: len(words[key]))


def _differing(one: dict[str, Any], other: dict[str, Any]) -> Iterator[str]:
    """Keys of two points whose values differ."""
    for part in one:
        if isinstance(one[part], dict):
            yield from (key for key in one[part] if one[part][key] != other[part].get(key))
        elif one[part] != other[part]:
            yield part
