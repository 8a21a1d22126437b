"""Tables as CSV for programs, Markdown and data for pages, and TeX for papers.

A cell is text; `**` around it marks the best value of its column, as in Markdown.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from workflow.common import files, frames

DASH = "–"
SECTIONS = ".sections.json"  # instead of `.md`: what the Markdown says, as data
SPREAD = (
    "In %: mean ± standard deviation over seeds [95 % t interval of the mean, cut at 0 and 100]."
)

_TEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "_": r"\_", "#": r"\#", "$": r"\$",
    "{": r"\{", "}": r"\}", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}",
    "±": r"$\pm$", "×": r"$\times$", "−": r"$-$", DASH: "--", "Δ": r"$\Delta$", "⌊": r"$\lfloor$",
    "⌋": r"$\rfloor$", "⌈": r"$\lceil$", "⌉": r"$\rceil$", "²": r"$^2$", "·": r"$\cdot$",
    "′": "$'$",
}  # fmt: skip


@dataclass
class Section:
    """A table for readers, with what must be said above and below it.

    Attributes:
        title: its heading.
        caption: what this table is of; paragraphs are separated by an empty line.
        cells: text, in columns with names.
        notes: lines below it.
        reading: how to read this table and others like it, a text each; a page says it once.
    """

    title: str
    caption: str
    cells: pd.DataFrame
    notes: Sequence[str] = ()
    reading: Sequence[str] = ()


NOTHING = Section("No results", "There is no fit that this table could be made of.", pd.DataFrame())


def model(title: str, variant: object) -> str:
    """A model by title and variant, as in `RAT-SPN (normal)`; by its title if it has no variant."""
    return f"{title} ({variant})" if isinstance(variant, str) and variant else title


def number(value: float, digits: int = 1, signed: bool = False) -> str:
    """A number with a true minus, or a dash for NaN."""
    if pd.isna(value):
        return DASH
    return f"{value:{'+' if signed else ''}.{digits}f}".replace("-", "−")


def count(value: float) -> str:
    """A whole number in groups of three, or a dash for NaN."""
    return DASH if pd.isna(value) else f"{int(value):,}"


def best(text: str) -> str:
    """Mark a cell as the best of its column."""
    return f"**{text}**"


def cell(row: pd.Series) -> str:
    """Mean, spread and interval, marked if the best of its column.

    Args:
        row: has `n`, `mean`, `std`, `ci_low`, `ci_high` and `best`.
    """
    if not row["n"] > 0:
        return DASH
    text = spread(row["mean"], row["std"])
    interval = f"[{number(row['ci_low'])}, {number(row['ci_high'])}]"
    marked = best(text) if row["best"] else text
    return f"{marked} {interval}" if row["n"] > 1 else marked


def spread(mean: float, std: float) -> str:
    """`95.4 ± 0.2`, or the mean alone if one value has no spread."""
    if pd.isna(mean) or pd.isna(std):
        return number(mean)
    return f"{number(mean)} ± {number(std)}"


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write the numbers of a table."""
    frames.write_csv(path, table, float_format="%.4f")


def write_markdown(path: Path, sections: Sequence[Section]) -> None:
    """Write sections for reading, one below the other, and the same as data for `read_sections`."""
    sections = sections or [NOTHING]
    parts = []
    for section in said_once(sections):
        cells = section.cells.map(_unpiped).rename(columns=_unpiped)
        table = cells.to_markdown(index=False, disable_numparse=True)
        notes = "\n".join(f"- {note}" for note in section.notes)
        parts += [f"# {section.title}", section.caption, " ".join(section.reading), table, notes]
    files.write_text(path, "\n\n".join(part for part in parts if part) + "\n")
    content = [
        {
            "title": section.title,
            "caption": section.caption,
            "reading": [*section.reading],
            "columns": [*section.cells.columns],
            "rows": section.cells.astype(str).to_numpy().tolist(),
            "notes": [*section.notes],
        }
        for section in sections
    ]
    files.write_json(path.with_suffix(SECTIONS), {"sections": content})


def read_sections(path: Path) -> list[Section]:
    """Read the data that `write_markdown` wrote.

    Raises:
        ValueError: if it is damaged, or was altered after it was written; names the file.
    """
    content = files.read_json(path)
    try:
        return [
            Section(
                part["title"],
                part["caption"],
                pd.DataFrame(part["rows"], columns=part["columns"] or None),
                part["notes"],
                part["reading"],
            )
            for part in content["sections"]
        ]
    except (KeyError, TypeError, ValueError):
        raise ValueError(f"{path} holds no sections of a table; remove it and run again") from None


def readings(sections: Iterable[Section]) -> list[str]:
    """What sections say of how to read them, each text once."""
    return list(dict.fromkeys(text for section in sections for text in section.reading))


def said_once(sections: Iterable[Section], said: Iterable[str] = ()) -> list[Section]:
    """Sections whose `reading` lacks what a page says above them: `said`, or an earlier section."""
    above, result = set(said), []
    for section in sections:
        fresh = [text for text in section.reading if text not in above]
        above.update(fresh)
        result.append(replace(section, reading=fresh))
    return result


def _unpiped(cell: object) -> str:
    """A cell that does not end where it holds a `|`."""
    return str(cell).replace("|", r"\|")


def write_tex(path: Path, sections: Sequence[Section]) -> None:
    """Write sections as `table` floats that need the package booktabs."""
    files.write_text(path, "\n".join(map(_tex, sections or [NOTHING])))


def _tex(section: Section) -> str:
    cells, text = section.cells, " ".join([section.caption, *section.reading]).strip()
    rows = [" & ".join(map(escape, row)) + r" \\" for row in cells.itertuples(index=False)]
    tabular = [
        rf"\begin{{tabular}}{{{'l' * len(cells.columns)}}}",
        r"\toprule",
        " & ".join(map(escape, cells.columns)) + r" \\",
        r"\midrule",
        *rows,
        r"\bottomrule",
        r"\end{tabular}",
    ]
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escape(f'{section.title}. {text}')}}}",
        *(tabular if len(cells.columns) else []),
        *(rf"\par\footnotesize {escape(note)}" for note in section.notes),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def escape(text: str) -> str:
    r"""Text for TeX, `**best**` as `\textbf{best}`."""
    escaped = "".join(_TEX.get(character, character) for character in text)
    escaped = re.sub(r"`([^`]*)`", r"\\texttt{\1}", escaped)
    return re.sub(r"\*\*(.+?)\*\*", r"\\textbf{\1}", escaped)
