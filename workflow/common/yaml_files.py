"""Read YAML files as their authors meant them: ambiguous values are refused.

PyYAML, and with it Snakemake, reads YAML 1.1, in which `012` is ten, `12:30` is 750, `on` is true
and `1e-3` is text; of duplicate keys it silently takes the last.
"""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from workflow.common import values

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where available
LARGEST = 1 << 20  # bytes; twenty times the largest file of the suite
MOST = 100_000  # values, an alias counted at each use
_WHOLE = re.compile("[-+]?(0|[1-9][0-9]{0,38})")  # the same in all versions of YAML
MOST_SHOWN = 20  # mistakes of one file
_KINDS = {
    "bool": "true or false", "int": "a number", "float": "a number", "null": "nothing",
    "timestamp": "a date", "value": "a sign of YAML",
}  # fmt: skip


def read(path: Path | str) -> dict[str, Any]:
    """Read the mapping in a file.

    Raises:
        ValueError: one sentence per mistake, with the file and usually the line.
    """
    # From bytes to values; each stage runs only if the former one found no mistake.
    try:
        text = _read_text(Path(path))
        mistakes = list(_event_mistakes(text))
        tree = None if mistakes else yaml.compose(text, Loader=LOADER)
        if not mistakes and tree is None:
            mistakes = ["is empty or only a comment: leave it out or add a key"]
        elif not mistakes and not isinstance(tree, yaml.MappingNode):
            mistakes = ["is not a mapping: write keys with values, as in `run: mine`"]
        mistakes = mistakes or list(_tree_mistakes(tree))
        content = {} if mistakes else _loaded(text)
    except yaml.YAMLError as error:
        mistakes = [_syntax_mistake(error, text)]
    except (OSError, ValueError) as error:
        mistakes = [str(error)]
    if not mistakes:
        mistakes = [f"{values.written(place)} is {values.shown(value)}, but must be {expected}"
                for place, value, expected in values.mistakes(content, MOST)]  # fmt: skip
    # Report the first mistakes, and how many more there are.
    if mistakes:
        remainder = (
            [f"and {len(mistakes) - MOST_SHOWN} more mistakes"]
            if len(mistakes) > MOST_SHOWN
            else []
        )
        raise ValueError(
            "\n".join(f"{path}: {problem}" for problem in [*mistakes[:MOST_SHOWN], *remainder])
        )
    return content


def _loaded(text: str) -> Any:
    """Load a text by the safe loader, which makes plain values and calls nothing."""
    loader = LOADER(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


def _read_text(path: Path) -> str:
    """Read a file as text.

    Raises:
        ValueError: unless it is a regular file in UTF-8 that is not too large.
    """
    if not path.is_file():
        kind = (
            "is a folder" if path.is_dir() else "is not a file" if path.exists() else "is missing"
        )
        raise ValueError(f"{kind}: name a YAML file")
    if (size := path.stat().st_size) > LARGEST:
        raise ValueError(f"has {size} bytes, but YAML files may have {LARGEST}")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ValueError("is UTF-16: save the file as UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, byte = content[: error.start].count(b"\n") + 1, content[error.start]
        raise ValueError(
            f"line {line} is not UTF-8, it has the byte {byte:#04x}: save the file as UTF-8"
        ) from None
    if "\0" in text:
        raise ValueError("is not text, it has null bytes: save the file as UTF-8")
    return text


def _event_mistakes(text: str) -> Iterator[str]:
    """Mistakes to find before the tree is built: tags, and nesting too deep for recursion."""
    depth = 0
    for event in yaml.parse(text, Loader=LOADER):
        line = event.start_mark.line + 1
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > values.DEEPEST:
            yield f"line {line}: more than {values.DEEPEST} nested lists or mappings"
            return
        if tag := getattr(event, "tag", None):
            yield f"line {line}: the tag {_tag(tag)} is not allowed; write the value without it"


def _tree_mistakes(tree: yaml.Node) -> list[str]:
    """Mistakes in the tree, those of an alias once."""
    mistakes: list[str] = []
    try:
        _search(tree, (), mistakes, {})
    except _TooLargeError as error:
        return [str(error)]
    return mistakes


class _TooLargeError(Exception):
    """A file that expands to too many values."""


def _search(
    node: yaml.Node,
    path: values.Path,
    mistakes: list[str],
    sizes: dict[int, tuple[int, int] | None],
) -> tuple[int, int]:
    """Number of values and depth that a node expands to; None in `sizes` is in progress."""
    # An alias is the node itself, met again: its size is known, unless it contains itself.
    line = node.start_mark.line + 1
    if id(node) in sizes:
        if (size := sizes[id(node)]) is None:
            raise _TooLargeError(f"line {line}: {values.written(path)} contains itself")
        return size
    sizes[id(node)] = None
    # Mistakes of this node, then of its children.
    number, depth = 1, 0
    if isinstance(node, yaml.ScalarNode):
        if problem := _ambiguity(node):
            mistakes.append(f"line {line}: {values.written(path)} is {problem}")
    elif isinstance(node, yaml.SequenceNode):
        children = [((*path, index), item) for index, item in enumerate(node.value)]
    else:
        mistakes += _key_mistakes(node, path)
        children = [((*path, str(key.value)), value) for key, value in node.value]
    if not isinstance(node, yaml.ScalarNode):
        child_sizes = [_search(item, place, mistakes, sizes) for place, item in children]
        number += sum(n for n, _ in child_sizes)
        depth = 1 + max((d for _, d in child_sizes), default=0)
    if number > MOST or depth > values.DEEPEST:
        raise _TooLargeError(f"line {line}: with its aliases it holds more than {MOST} values")
    sizes[id(node)] = number, depth
    return number, depth


def _key_mistakes(node: yaml.MappingNode, path: values.Path) -> Iterator[str]:
    """Mistakes in keys: those that are not text, and duplicates."""
    lines: dict[str, int] = {}
    for key, _ in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            yield f"line {line}: a key is a list or a mapping, but keys are text"
            continue
        name, kind = key.value, _tag(key.tag)
        if kind not in ("str", "merge"):
            yield (
                f"line {line}: the key {name!r} is read as {_KINDS.get(kind, kind)}, but keys are "
                f"text: write {name!r} with its quotes"
            )
        if name in lines:
            full_name = values.written((*path, name))
            yield f"the key {full_name!r} occurs in line {lines[name]} and in line {line}; keep one"
        lines.setdefault(name, line)


def _ambiguity(node: yaml.ScalarNode) -> str | None:
    """Describe an ambiguous value without quotes and how YAML reads it; None if it is clear."""
    text, kind = values.shortened(node.value), _tag(node.tag)
    if node.style not in ("", None):
        return None
    # Text that looks like a number, then numbers in spellings of YAML 1.1 only, then words.
    if kind == "str":
        if (number := _as_number(node.value)) is None:
            return None
        return f"{text}, which YAML reads as text; write {number}, or {text!r} for text"
    if kind in ("int", "float"):
        if _WHOLE.fullmatch(node.value):
            return None
        if len(node.value) > 40:
            return f"{text}, a number with too many digits"
        value = _loaded(node.value)
        if kind == "float" and not abs(value) < float("inf"):
            return f"{text}, but must be a finite number"
        if kind == "float" and not {*node.value} & {*"_:"}:
            return None
        return f"{text}, which YAML reads as {value}; write {value}, or {text!r} for text"
    if kind == "bool" and node.value.lower() not in ("true", "false"):
        value = str(_loaded(node.value)).lower()
        return f"{text}, which YAML reads as {value}; write {value}, or {text!r} for text"
    if kind in ("timestamp", "value"):
        return f"{text}, which YAML reads as {_KINDS[kind]}; write {text!r} for text"
    return None


def _as_number(text: str) -> str | None:
    """Spelling of a number that YAML 1.1 reads as text, as `1.0e-3` for `1e-3`; None for text."""
    if not text[:1].isdigit() and text[:1] not in "+-.":
        return None  # `nan` and `inf` are words
    try:
        return str(int(text, 0))
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        return None
    if number.is_integer() and abs(number) < 1e15:
        return str(int(number))
    mantissa, _, exponent = text.replace("_", "").lower().partition("e")
    mantissa = mantissa if "." in mantissa else f"{mantissa}.0"
    return f"{mantissa}e{int(exponent):+d}" if exponent else mantissa


def _tag(tag: str) -> str:
    """Shorten `tag:yaml.org,2002:int` to `int`."""
    return tag.removeprefix("tag:yaml.org,2002:")


def _syntax_mistake(error: yaml.YAMLError, text: str) -> str:
    """Say where and how the syntax is wrong."""
    if (mark := getattr(error, "problem_mark", None)) is None:
        return f"is not YAML: {' '.join(str(error).split())}"
    lines = text.splitlines() or [""]
    line = lines[min(mark.line, len(lines) - 1)]
    indent = line[: len(line) - len(line.lstrip())]
    problem = "it is indented by a tab; write spaces" if "\t" in indent else error.problem
    return f"is not YAML: line {mark.line + 1}: {problem}"
