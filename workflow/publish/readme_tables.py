"""Write the published tables into the README, or with --check test that it is up to date.

They come from the published verdicts on the claims that answer the headline, from the published
comparison with the paper, which has a row for each of the paper's cells, and from the published
Table II, which has every model compared. They stand between two comments of the README, which stay
in place.
"""

import math
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from workflow.claims import claim_run, claims_file
from workflow.claims.headline import Headline
from workflow.common import files, frames, metrics, tables
from workflow.common.command_line import argument_parser, plain_errors
from workflow.data import registry
from workflow.publish import archive, reference

BEGIN, END = "<!-- published tables: begin -->", "<!-- published tables: end -->"
TITLES = {
    "I": "Table I: outlier detection by DCGMM instances (recipe `paper`), AUC in %",
    "II": "Table II: outlier detection by DCGMM-E and its competitors, AUC in %",
    "III": "Table III: drawn images that a CNN takes for their class, in %",
    "IV": "Table IV: classification accuracy in %",
}
PROTOCOLS = {
    "paper": "By the means of all methods, measured as the paper does",
    "corrected": "Corrected, by the exact area and on whole images",
}
# Column of the corrected protocol; Table IV has none, since it would repeat the other column.
CORRECTED = {"I": metrics.MEASURES["auroc"].title, "II": "corrected", "III": "noise in full"}


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--readme", type=Path, default=Path("README.md"))
    parser.add_argument("--tables", type=Path, help="folder; default: the published tables")
    parser.add_argument("--check", action="store_true", help="write nothing, fail if out of date")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        published = reference.load()
        folder = options.tables or published.folder / "tables"
        old = options.readme.read_text("utf-8")
        cells = frames.read_table(folder / "comparison.csv")
        choices = frames.read_table(folder / "table2.csv")
        content = [
            progress(published),
            *answer(folder),
            standing(choices),
            markdown_tables(cells, choices),
        ]
        new = inserted(old, "\n\n".join(content), options.readme)
        if options.check and new != old:
            raise ValueError(f"{options.readme} does not match {folder}; run `make publish`")
        if new != old:
            files.write_text(options.readme, new)


def inserted(text: str, content: str, place: Path) -> str:
    """Insert the content between the two comments of a text.

    Raises:
        ValueError: unless the text has each of them once, in this order.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in after:
        raise ValueError(f"{place} needs the lines {BEGIN} and {END}, each once, in this order")
    return f"{before}{BEGIN}\n\n{content}\n\n{END}{after}"


def progress(published: reference.Reference) -> str:
    """Say how many of the planned fits are published."""
    planned, archived = reference.planned_keys(published.config), archive.read(published.folder)
    return (
        f"So far {len(planned & archived.keys()):,} of the {len(planned):,} fits that "
        f"[the plan](results/reference/plan.yaml) asks for are published; a method of Table II "
        "stands with the grid point chosen among them."
    )


def answer(folder: Path) -> list[str]:
    """The headline's question, and its answer under each protocol by the verdicts on its claims."""
    headline = Headline.of(claims_file.load())
    answers = headline.answers(*claim_run.verdict_tables(folder))
    lines = "\n".join(f"- {answer.sentence}" for answer in answers)
    return [f"**{headline.question}**", lines]


def standing(choices: pd.DataFrame) -> str:
    """Say where DCGMM-E, by its first recipe, stands in Table II: one sentence per protocol."""
    sentences = []
    for protocol, opening in PROTOCOLS.items():
        rows = choices[(choices["protocol"] == protocol) & (choices["n"] > 0)]
        places = [
            _place(registry.title(dataset), group)
            for dataset, group in sorted(rows.groupby("dataset"), reverse=True)
            if (group["method"] == "dcgmm").any()
        ]
        sentences.append(f"{opening}: {'; '.join(places)}.")
    return " ".join(sentences)


def _place(dataset: str, rows: pd.DataFrame) -> str:
    """DCGMM-E's place on one dataset, as in `on MNIST, DCGMM-E at 70.1 stands below VAE 79.8`."""
    dcgmm = rows[rows["method"] == "dcgmm"].iloc[0]
    ahead = rows[(rows["method"] != "dcgmm") & (rows["mean"] > dcgmm["mean"])]
    names = [
        f"{tables.model(row['title'], row['variant'])} {row['mean']:.1f}"
        for row in ahead.sort_values("mean", ascending=False).to_dict("records")
    ]
    place = f"stands below {', '.join(names)}" if names else "leads"
    return f"on {dataset}, {dcgmm['title']} at {dcgmm['mean']:.1f} {place}"


def markdown_tables(cells: pd.DataFrame, choices: pd.DataFrame) -> str:
    """Tables I to IV with the paper's rows; Table II has a row for every model compared."""
    parts = []
    for table, title in TITLES.items():
        table_cells = cells[(cells["table"] == table) & (cells["column"] != "parameters")]
        rows = (
            table2_rows(choices, table_cells)
            if table == "II"
            else [
                {"": row} | dict(_columns(table, group))
                for row, group in table_cells.groupby("row", sort=False)
            ]
        )
        lines = pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True)
        parts += [f"**{title}**", lines]
    return "\n\n".join(parts)


def table2_rows(choices: pd.DataFrame, cells: pd.DataFrame) -> list[dict[str, str]]:
    """Table II: a row for every model, with the paper's value where it has one."""
    published = cells.set_index(["row", "column"])
    lines: dict[str, dict[str, str]] = {}
    for dataset in dict.fromkeys(cells["column"]):
        images = registry.title(dataset)
        columns = {"paper": images, "corrected": f"{images}, {CORRECTED['II']}"}
        for row in choices[choices["dataset"] == dataset].to_dict("records"):
            name = tables.model(row["title"], row["variant"])
            line = lines.setdefault(name, {"": name})
            for column in (*columns.values(), f"{images}, paper"):
                line.setdefault(column, tables.spread(math.nan, math.nan))
            line[columns[row["protocol"]]] = _ours(row, "mean", "n", "std")
            if (row["title"], dataset) in published.index:
                paper = published.loc[(row["title"], dataset)]
                line[f"{images}, paper"] = tables.spread(paper["paper"], paper["paper_spread"])
    return list(lines.values())


def _columns(table: str, row: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """Header and cell of every column: ours, ours corrected, the paper's, for every dataset."""
    for cell in row.to_dict("records"):
        name = registry.title(cell["column"])
        yield name, _ours(cell, "ours", "n")
        if table in CORRECTED:
            yield f"{name}, {CORRECTED[table]}", _ours(cell, "corrected", "corrected_n")
        yield f"{name}, paper", tables.spread(cell["paper"], cell["paper_spread"])


def _ours(cell: dict, mean: str, n: str, std: str = "") -> str:
    """Mean, spread and number of seeds or judges."""
    text = tables.spread(cell[mean], cell[std or f"{mean}_std"])
    return f"{text} ({cell[n]:.0f})" if pd.notna(cell[n]) and cell[n] > 0 else text


if __name__ == "__main__":
    main()
