"""Tables for readers, read back from the Markdown that `tables.write_markdown` wrote."""

import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from markupsafe import Markup, escape

from workflow.common import frames, tables
from workflow.common.tables import Section

_NUMBER = re.compile(r"[+−-]?\d[\d,]*(\.\d+)?(e[+-]?\d+)?")


def read(path: Path) -> list[Section]:
    """The sections of a Markdown file, or the one table of a CSV."""
    if path.suffix == ".csv":
        return [_of_csv(path)]
    return [_section(part) for part in re.split(r"^# ", path.read_text("utf-8"), flags=re.M)[1:]]


def _of_csv(path: Path) -> Section:
    content = frames.read_csv(path, {}).fillna("")
    return Section(path.stem.replace("_", " ").capitalize(), "", content)


def _section(text: str) -> Section:
    title, *blocks = text.strip().split("\n\n")
    tabular = [block for block in blocks if block.startswith("|")]
    notes = [block for block in blocks if block.startswith("- ")]
    caption = [block for block in blocks if block not in (*tabular, *notes)]
    return Section(
        title,
        "\n\n".join(caption),
        _cells(tabular[0]) if tabular else pd.DataFrame(),
        [note.strip() for block in notes for note in re.split(r"^- ", block, flags=re.M)[1:]],
    )


def _cells(block: str) -> pd.DataFrame:
    head, _, *body = (list(_row(line)) for line in block.splitlines())
    return pd.DataFrame(body, columns=head)


def _row(line: str) -> Iterator[str]:
    for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]:
        yield cell.strip().replace(r"\|", "|")


def inline(text: str) -> Markup:
    """Text for HTML: `**best**` is strong, `*so*` stressed, backticks are code, all is escaped."""
    pieces = re.split(r"`([^`]*)`", text)  # every other one is code
    return Markup("").join(
        Markup("<code>{}</code>").format(piece) if place % 2 else _stressed(piece)
        for place, piece in enumerate(pieces)
    )


def _stressed(text: str) -> Markup:
    html = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", str(escape(text)))
    return Markup(re.sub(r"\*(?=\S)([^*<>]+)(?<=\S)\*", r"<em>\1</em>", html))


def sort_key(text: str) -> str:
    """What a cell is sorted by: the number that it begins with, else its text; a dash is empty."""
    plain = text.replace("**", "").strip()
    if plain == tables.DASH:
        return ""
    number = _NUMBER.match(plain)
    return number.group().replace(",", "").replace("−", "-").lstrip("+") if number else plain
