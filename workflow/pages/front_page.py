"""The front page of a finished run, or of the published results: one file, the answers first.

It opens offline: styles, script and pictures are part of the file. What a run lacks is named, not
missed: any table and figure may be absent.
"""

import base64
import json
import math
import os
from collections import Counter
from itertools import chain
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup

from workflow.claims import claim_run, claims_file
from workflow.claims.headline import Headline
from workflow.common import files, frames, tables
from workflow.common.command_line import argument_parser, plain_errors
from workflow.data import registry
from workflow.fit import conditions, tidy
from workflow.pages import captions, markup, protocol_chart, quality
from workflow.publish import archive

TEMPLATES = Path(__file__).parents[1] / "report" / "front_page"
RECORDS = ("all", "table4", "outlier_classes", "ablations", "held_out")
TABLES = {
    "Tables I to IV": ["table1", "outlier_classes", "ablations", "table2", "table3", "table4"],
    "Detection in every task": ["detection", "multiverse"],
    "Comparison with the paper": ["comparison", "selection", "statistics"],
    "Efficiency": ["efficiency"],
    "Tables V and VI": ["table5", "table6"],
    "Claims in detail": ["claims"],
}
CLAIM = ["id", "statement", "section", "verdict", "effect", "unit", "ci_low", "ci_high", "n",
         "reason"]  # fmt: skip
LIKE_BEFORE = Markup("<p>As the figure before.</p>")
TYPES = {".svg": "image/svg+xml", ".png": "image/png"}


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--config", required=True, type=json.loads, help="merged, JSON")
    parser.add_argument("--asked", required=True, type=json.loads, help="JSON, see quality.Asked")
    parser.add_argument("--figures", required=True, type=json.loads, help="JSON, see `figures`")
    parser.add_argument("--folder", required=True, type=Path, help="results of the run")
    parser.add_argument("--published", required=True, type=Path, help="folder of published results")
    parser.add_argument("--out", required=True, type=Path, help="HTML to write")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        asked = [quality.Asked(**task) for task in options.asked]
        archived = options.config["records"] == "published"
        content = {
            "config": options.config,
            "version": options.published.name if archived else "",
            "published": None if archived else published_answers(options.published, options.folder),
            "explorer": (options.folder / "explorer.html").is_file(),
            **overview(options.folder, asked, options.published if archived else None),
            **verdicts(options.folder / "tables"),
            **parts(options.folder / "tables"),
            "figures": figures(options.figures, options.folder, options.config),
        }
        files.write_text(options.out, rendered(content))


def rendered(content: dict[str, Any]) -> str:
    """The page; every text in it is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "inline": markup.inline,
        "sort_key": markup.sort_key,
        "dataset": registry.title,
        "number": tables.number,
        "points": lambda value: tables.number(value, signed=True),
        "amount": amount,
    }
    return environment.get_template("page.html.j2").render(content)


def amount(value: Any) -> str:
    """A number of unknown size to three digits, or a text as it is."""
    return f"{value:.3g}".replace("-", "−") if isinstance(value, int | float) else str(value)


def overview(folder: Path, asked: list[quality.Asked], published: Path | None) -> dict[str, Any]:
    """Conditions of the run or of the published records, and the quality of the results."""
    read_records = [claim_run.read_or_empty(folder / "records" / f"{name}.csv") for name in RECORDS]
    records = pd.concat(read_records, ignore_index=True)
    records = records.reindex(columns=tidy.COLUMNS).drop_duplicates()
    if published is None:
        made = conditions.records_of(records, folder / "fit")
    else:
        made = [*archive.read(published).values()]
    lines = [quality.of_records(asked, records)]
    table3 = claim_run.read_or_empty(folder / "tables" / "table3.csv")
    if len(table3) and published is None:  # Table III does not know what the plan asks for
        lines.append(quality.of_samples(table3))
    counted = pd.concat(lines, ignore_index=True)
    datasets = records.dropna(subset=["dataset", "source"]).groupby("dataset", sort=False)
    return {
        "hosts": conditions.hosts(made),
        "commits": conditions.commits(made),
        "versions": conditions.versions(made),
        "images": [tidy.images_of(group) for _, group in datasets],
        "totals": {name: int(counted[name].sum()) for name in quality.COUNTS},
        "quality": quality.section(counted, lacking(folder / "tables")),
    }


def lacking(folder: Path) -> list[str]:
    """Which tables the run lacks, in one sentence if there are any."""
    names = [name for part in TABLES.values() for name in part]
    absent = [name for name in names if not found(folder, name)]
    return [f"not in this run: {', '.join(absent)}"] if absent else []


def published_answers(published: Path, folder: Path) -> dict[str, Any] | None:
    """Where the page of the published results is, and their answers; None without the page.

    Args:
        published: folder of the published results.
        folder: of the page that links there.
    """
    page = published / "index.html"
    if not page.is_file():
        return None
    claims, cases = claim_run.verdict_tables(published / "tables")
    return {
        "page": os.path.relpath(page, folder),
        "answers": Headline.of(claims_file.load()).answers(claims, cases),
        "verdicts": dict(zip(claims["id"], claims["verdict"], strict=True)),
    }


def verdicts(folder: Path) -> dict[str, Any]:
    """The claims, the answer to the headline, and its chart, as far as there are tables."""
    headline = Headline.of(claims_file.load())
    claims, cases = claim_run.verdict_tables(folder)
    shown = claims.reindex(columns=CLAIM).astype(object)
    table2, effects = (
        claim_run.read_or_empty(folder / name).astype({"variant": object}).fillna({"variant": ""})
        for name in ("table2.csv", "table2_effects.csv")
    )
    rows = protocol_chart.rows(table2, headline)
    return {
        "claims": shown.where(shown.notna(), "").to_dict("records"),
        "verdicts": Counter(claims["verdict"]),
        "question": headline.question,
        "answers": headline.answers(claims, cases),
        "rows": rows,
        "axis": protocol_chart.Axis.of(rows),
        "halved": protocol_chart.halved(table2, headline),
        "causes": protocol_chart.causes(table2, effects, headline),
    }


def parts(folder: Path) -> dict[str, Any]:
    """The tables for readers under their headings, last those that are not named here.

    Returns:
        `parts`: heading and sections of each, what is said above them left out;
        `reading`: what tables of several files say of how to read them.
    """
    named = {name for names in TABLES.values() for name in names}
    names = (path.name.removesuffix(tables.SECTIONS) for path in folder.glob(f"*{tables.SECTIONS}"))
    others = sorted(set(names) - named)
    by_heading = {
        heading: [sections(path) for name in names if (path := found(folder, name))]
        for heading, names in (TABLES | {"Further tables": others}).items()
    }
    files_read = chain.from_iterable(by_heading.values())
    said = Counter(text for file in files_read for text in tables.readings(file))
    reading = [text for text, times in said.items() if times > 1]
    shown = {
        heading: tables.said_once(chain.from_iterable(of_files), reading)
        for heading, of_files in by_heading.items()
    }
    return {"parts": [part for part in shown.items() if part[1]], "reading": reading}


def sections(path: Path) -> list[tables.Section]:
    """The sections of a table for readers, or the one that shows a table for programs."""
    if path.suffix == ".json":
        return tables.read_sections(path)
    cells = frames.read_csv(path, {}).fillna("")
    return [tables.Section(path.stem.replace("_", " ").capitalize(), "", cells)]


def found(folder: Path, name: str) -> Path | None:
    """The file of a table: for readers, or else for programs."""
    paths = (folder / f"{name}{tables.SECTIONS}", folder / f"{name}.csv")
    return next((path for path in paths if path.is_file()), None)


def figures(
    shown: list[dict[str, Any]], folder: Path, config: dict[str, Any]
) -> list[dict[str, Any]]:
    """The figures that are there, each with its title, picture and caption.

    A caption stands once for figures in a row that share it.

    Args:
        shown: of each the `file`, below the folder, its `caption`, a file of `workflow/report`,
            and the `labels` that Snakemake's report has.
        folder: results of the run.
        config: that captions quote.
    """
    there = [figure for figure in shown if (folder / figure["file"]).is_file()]
    ordered = sorted(there, key=lambda figure: place(figure["labels"]["figure"]))
    before = [None, *(figure["caption"] for figure in ordered)]
    return [
        {
            "title": title(figure["labels"]),
            "caption": LIKE_BEFORE
            if figure["caption"] == earlier
            else captions.html(Path(figure["caption"]), config),
            "source": data_uri(folder / figure["file"]),
            "file": figure["file"],
        }
        for figure, earlier in zip(ordered, before, strict=False)
    ]


def place(name: str) -> tuple[float, str]:
    """Figures of the paper by their number, then the others by name."""
    number = name.removeprefix("figure")
    return (int(number) if number.isdecimal() else math.inf, name)


def title(labels: dict[str, str]) -> str:
    """`Figure 10: outlier curves` of what the rule calls it."""
    name = labels["figure"].removeprefix("figure")
    name = f"Figure {name}" if name.isdecimal() else name[:1].upper() + name[1:]
    return f"{name}: {labels['shows']}"


def data_uri(path: Path) -> str:
    """A picture as text: the SVG, or the PNG beside it where that is smaller."""
    kinds = [path.with_suffix(suffix) for suffix in TYPES]
    smallest = min((kind for kind in kinds if kind.is_file()), key=lambda kind: kind.stat().st_size)
    text = base64.b64encode(smallest.read_bytes()).decode()
    return f"data:{TYPES[smallest.suffix]};base64,{text}"


if __name__ == "__main__":
    main()
