"""YAML files as their authors meant them: whatever could be read in two ways is refused.

PyYAML, and with it Snakemake, reads YAML 1.1, in which `012` is ten, `12:30` is 750, `on` is true
and `1e-3` is text; of a key that stands twice it silently takes the last.
"""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from workflow.common import values

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where it is built
LARGEST = 1 << 20  # bytes; the largest of the suite has a twentieth of them
MOST = 100_000  # values, an alias counted as often as it stands there
_WHOLE = re.compile("[-+]?(0|[1-9][0-9]{0,38})")  # means the same to everybody
TOLD = 20  # mistakes of one file
_KINDS = {
    "bool": "true or false", "int": "a number", "float": "a number", "null": "nothing",
    "timestamp": "a date", "value": "a sign of YAML",
}  # fmt: skip


def read(path: Path | str) -> dict[str, Any]:
    """The mapping that a file holds.

    Raises:
        ValueError: a sentence, with the file and as a rule the line, for each mistake.
    """
    try:
        text = _text(Path(path))
        told = list(_of_events(text))
        tree = None if told else yaml.compose(text, Loader=LOADER)
        if not told and tree is None:
            told = ["says nothing, it is empty or a comment: leave it out or write a key into it"]
        elif not told and not isinstance(tree, yaml.MappingNode):
            told = ["holds no mapping: write keys with their values, as in `run: mine`"]
        told = told or list(_of_tree(tree))
        content = {} if told else _loaded(text)
    except yaml.YAMLError as error:
        told = [_no_yaml(error, text)]
    except (OSError, ValueError) as error:
        told = [str(error)]
    if not told:
        told = [f"{values.written(place)} is {values.shown(value)}, but must be {wanted}"
                for place, value, wanted in values.mistakes(content, MOST)]  # fmt: skip
    if told:
        more = [f"and {len(told) - TOLD} mistakes more"] if len(told) > TOLD else []
        raise ValueError("\n".join(f"{path}: {problem}" for problem in [*told[:TOLD], *more]))
    return content


def _loaded(text: str) -> Any:
    """What a text says, by the safe loader, which makes plain values and calls nothing."""
    loader = LOADER(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


def _text(path: Path) -> str:
    """The content of a file as text.

    Raises:
        ValueError: for anything but a regular file, of UTF-8, that is not too large.
    """
    if not path.is_file():
        kind = "is a folder" if path.is_dir() else "is no file" if path.exists() else "is missing"
        raise ValueError(f"{kind}: name a file of YAML")
    if (size := path.stat().st_size) > LARGEST:
        raise ValueError(f"has {size} bytes, but files of YAML may have {LARGEST}")
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
        raise ValueError("is no text, it has null bytes: save the file as UTF-8")
    return text


def _of_events(text: str) -> Iterator[str]:
    """What must be known before the tree is made: tags, and what is too deep for a recursion."""
    depth = 0
    for event in yaml.parse(text, Loader=LOADER):
        line = event.start_mark.line + 1
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > values.DEEPEST:
            yield f"line {line}: more than {values.DEEPEST} lists or mappings in one another"
            return
        if tag := getattr(event, "tag", None):
            yield f"line {line}: the tag {_tag(tag)} is not allowed; write the value without it"


def _of_tree(tree: yaml.Node) -> list[str]:
    """Every mistake in what the file says, of an alias once."""
    told: list[str] = []
    try:
        _search(tree, (), told, {})
    except _TooLargeError as error:
        return [str(error)]
    return told


class _TooLargeError(Exception):
    """What a file holds is more than can be unfolded."""


def _search(
    node: yaml.Node, path: values.Path, told: list[str], sizes: dict[int, tuple[int, int] | None]
) -> tuple[int, int]:
    """Number of values and depth of what a node unfolds to; None in `sizes` is not yet known."""
    line = node.start_mark.line + 1
    if id(node) in sizes:
        if (known := sizes[id(node)]) is None:
            raise _TooLargeError(f"line {line}: {values.written(path)} contains itself")
        return known
    sizes[id(node)] = None
    number, depth = 1, 0
    if isinstance(node, yaml.ScalarNode):
        if problem := _doubt(node):
            told.append(f"line {line}: {values.written(path)} is {problem}")
    elif isinstance(node, yaml.SequenceNode):
        below = [((*path, index), item) for index, item in enumerate(node.value)]
    else:
        told += _of_keys(node, path)
        below = [((*path, str(key.value)), value) for key, value in node.value]
    if not isinstance(node, yaml.ScalarNode):
        inner = [_search(item, place, told, sizes) for place, item in below]
        number += sum(n for n, _ in inner)
        depth = 1 + max((d for _, d in inner), default=0)
    if number > MOST or depth > values.DEEPEST:
        raise _TooLargeError(f"line {line}: with its aliases it holds more than {MOST} values")
    sizes[id(node)] = number, depth
    return number, depth


def _of_keys(node: yaml.MappingNode, path: values.Path) -> Iterator[str]:
    """Keys that are no text, and those that stand twice."""
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
            full = values.written((*path, name))
            yield f"the key {full!r} stands in line {lines[name]} and in line {line}; keep one"
        lines.setdefault(name, line)


def _doubt(node: yaml.ScalarNode) -> str | None:
    """What a value without quotes is, and is read as, where its author may mean another thing."""
    text, kind = values.shortened(node.value), _tag(node.tag)
    if node.style not in ("", None):
        return None
    if kind == "str":
        if (number := _as_number(node.value)) is None:
            return None
        return f"{text}, which YAML reads as text; write {number}, or {text!r} for text"
    if kind in ("int", "float"):
        if _WHOLE.fullmatch(node.value):
            return None
        if len(node.value) > 40:
            return f"{text}, a number of too many digits"
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
    """How YAML 1.1 wants a number that it takes for text, as `1.0e-3` for `1e-3`; None for text."""
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
    """`tag:yaml.org,2002:int` as `int`, and of others all but what all have."""
    return tag.removeprefix("tag:yaml.org,2002:")


def _no_yaml(error: yaml.YAMLError, text: str) -> str:
    """Where the syntax is wrong, and how."""
    if (mark := getattr(error, "problem_mark", None)) is None:
        return f"is no YAML: {' '.join(str(error).split())}"
    lines = text.splitlines() or [""]
    line = lines[min(mark.line, len(lines) - 1)]
    indent = line[: len(line) - len(line.lstrip())]
    problem = "it is indented by a tab; write spaces" if "\t" in indent else error.problem
    return f"is no YAML: line {mark.line + 1}: {problem}"
