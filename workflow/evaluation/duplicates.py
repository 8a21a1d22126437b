"""Keys that stand twice in a YAML file, of which every reader would silently take the last."""

from collections.abc import Iterator
from pathlib import Path

import yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where it is built


def mistakes(file: Path | str) -> Iterator[str]:
    """One sentence for each key that stands twice in one mapping, with both lines."""
    tree = yaml.compose(Path(file).read_text("utf-8"), Loader=LOADER)
    for path, first, second in _twice(tree, ()):
        yield f"the key {'.'.join(path)!r} stands in line {first} and in line {second}; keep one"


def _twice(node: yaml.Node | None, path: tuple[str, ...]) -> Iterator[tuple[tuple, int, int]]:
    """Paths of such keys and their lines, counted from 1."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _twice(item, path)
    if isinstance(node, yaml.MappingNode):
        lines: dict[str, int] = {}
        for key, value in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in lines:
                yield (*path, name), lines[name], line
            lines.setdefault(name, line)
            yield from _twice(value, (*path, name))
