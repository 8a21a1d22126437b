"""Write the published tables into the README, or with --check tell whether they are in step.

They come from the published verdicts on the claims that answer the headline, from the published
comparison with the paper, which has a row for each of its cells, and from the published Table II,
which has every model that is compared. They stand between two comments that are left where they
are.
"""

import argparse
import math
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from workflow.claims import claim_run, claims_file
from workflow.claims.headline import Headline
from workflow.common import files, frames, tables
from workflow.common.command_line import plain_errors
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
# Where both protocols measure the same fits alike, one column would repeat the other.
CORRECTED = {"I": "exact AUROC", "II": "corrected", "III": "noise in full"}


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argparse.ArgumentParser(
        prog="python -m workflow.publish.readme_tables", description=__doc__
    )
    parser.add_argument("--readme", type=Path, default=Path("README.md"))
    parser.add_argument("--tables", type=Path, help="folder; default: that of the published ones")
    parser.add_argument("--check", action="store_true", help="write nothing, fail if out of step")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        published = reference.load()
        folder = options.tables or published.folder / "tables"
        old = options.readme.read_text("utf-8")
        cells = frames.read_table(folder / "comparison.csv")
        chosen = frames.read_table(folder / "table2.csv")
        content = [progress(published), *answer(folder), standing(chosen), written(cells, chosen)]
        new = inserted(old, "\n\n".join(content), options.readme)
        if options.check and new != old:
            raise ValueError(f"{options.readme} is not in step with {folder}; run `make publish`")
        if new != old:
            files.write_text(options.readme, new)


def inserted(text: str, content: str, place: Path) -> str:
    """The text with the content between its two comments.

    Raises:
        ValueError: if it has not each of them once, in this order.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in after:
        raise ValueError(f"{place} needs the lines {BEGIN} and {END}, each once, in this order")
    return f"{before}{BEGIN}\n\n{content}\n\n{END}{after}"


def progress(published: reference.Reference) -> str:
    """How much of what the plan asks for is published."""
    asked, had = reference.asked(published.config), archive.read(published.folder)
    return (
        f"So far {len(asked & had.keys()):,} of the {len(asked):,} fits that "
        f"[the plan](results/reference/plan.yaml) asks for are published; a method of Table II "
        "stands with the grid point chosen among them."
    )


def answer(folder: Path) -> list[str]:
    """The headline's question, and what the verdicts on its claims answer under each protocol."""
    headline = Headline.of(claims_file.load())
    answers = headline.answers(*claim_run.verdict_tables(folder))
    lines = "\n".join(f"- {answer.sentence}" for answer in answers)
    return [f"**{headline.question}**", lines]


def standing(chosen: pd.DataFrame) -> str:
    """Where DCGMM-E, by the first of its recipes, stands in Table II: a sentence a protocol."""
    sentences = []
    for protocol, opening in PROTOCOLS.items():
        rows = chosen[(chosen["protocol"] == protocol) & (chosen["n"] > 0)]
        places = [
            _place(tables.name(dataset), group)
            for dataset, group in sorted(rows.groupby("dataset"), reverse=True)
            if (group["method"] == "dcgmm").any()
        ]
        sentences.append(f"{opening}: {'; '.join(places)}.")
    return " ".join(sentences)


def _place(dataset: str, rows: pd.DataFrame) -> str:
    """Of one dataset, as in `on MNIST, DCGMM-E (70.1) stands below VAE (79.8)`."""
    own = rows[rows["method"] == "dcgmm"].iloc[0]
    ahead = rows[(rows["method"] != "dcgmm") & (rows["mean"] > own["mean"])]
    names = [
        f"{tables.model(row['title'], row['variant'])} {row['mean']:.1f}"
        for row in ahead.sort_values("mean", ascending=False).to_dict("records")
    ]
    place = f"stands below {', '.join(names)}" if names else "leads"
    return f"on {dataset}, {own['title']} at {own['mean']:.1f} {place}"


def written(cells: pd.DataFrame, chosen: pd.DataFrame) -> str:
    """Tables I to IV, a line for each row of the paper's; of Table II, for all that is compared."""
    parts = []
    for table, title in TITLES.items():
        own = cells[(cells["table"] == table) & (cells["column"] != "parameters")]
        rows = (
            compared(chosen, own)
            if table == "II"
            else [
                {"": row} | dict(_columns(table, group))
                for row, group in own.groupby("row", sort=False)
            ]
        )
        lines = pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True)
        parts += [f"**{title}**", lines]
    return "\n\n".join(parts)


def compared(chosen: pd.DataFrame, cells: pd.DataFrame) -> list[dict[str, str]]:
    """Table II: a line for every model, the paper's value where it has one."""
    published = cells.set_index(["row", "column"])
    lines: dict[str, dict[str, str]] = {}
    for dataset in dict.fromkeys(cells["column"]):
        images = tables.name(dataset)
        columns = {"paper": images, "corrected": f"{images}, {CORRECTED['II']}"}
        for row in chosen[chosen["dataset"] == dataset].to_dict("records"):
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
    """Header and cell: ours, ours as corrected, the paper's; for every dataset."""
    for cell in row.to_dict("records"):
        name = tables.name(cell["column"])
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
