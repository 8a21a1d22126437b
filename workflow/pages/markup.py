"""Texts and cells of tables as HTML."""

import re

from markupsafe import Markup, escape

from workflow.common import tables

_NUMBER = re.compile(r"[+−-]?\d[\d,]*(\.\d+)?(e[+-]?\d+)?")


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
