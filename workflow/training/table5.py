"""Table V: the instances in the paper's notation, and their parameters by both conventions.

Writes `table5.csv`, `table5.md` and `table5.tex`. Nothing is trained for it.
"""

from pathlib import Path

import pandas as pd

from dcgmm import notation, recipes
from workflow.common import tables
from workflow.common.command_line import argument_parser, plain_errors

INPUT_SHAPE = (28, 28, 1)
CAPTION = (
    "Layer types are F (folding), G (cGMM) and P (max-pooling); numbers of parameters for images "
    "of 28x28x1. `centroids` counts the entries of the centroids, which is the paper's convention; "
    "`all` adds precisions and weights. In the recipe `paper` all positions share parameters, as "
    "the table assumes; in `released` the lower cGMM layers are independent."
)


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--out", required=True, type=Path, help="folder")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        table = counted()
        tables.write_csv(options.out / "table5.csv", table)
        tables.write_markdown(options.out / "table5.md", [section(table)])
        tables.write_tex(options.out / "table5.tex", [section(table)])


def counted() -> pd.DataFrame:
    """One row for every instance and recipe."""
    rows = []
    for name in recipes.instance_names():
        for recipe in recipes.recipe_names(name):
            instance = recipes.instance(name, recipe)
            independent = instance.recipe.independent_layers(instance.layers)
            counts = {
                convention: notation.count_parameters(
                    instance.layers, INPUT_SHAPE, independent=independent, convention=convention
                )
                for convention in ("centroids", "all")
            }
            rows.append(
                {
                    "instance": name,
                    "recipe": recipe,
                    "layers": notation.write(instance.layers),
                    **counts,
                    "published": instance.published_parameters if recipe == "paper" else pd.NA,
                    "note": instance.note if recipe == "paper" else "",
                }
            )
    return pd.DataFrame(rows).astype({"published": "Int64"})


def section(table: pd.DataFrame) -> tables.Section:
    """The table for readers; published counts that differ from ours are marked."""
    cells = pd.DataFrame(
        {
            "ID": row.instance,
            "recipe": row.recipe,
            "layers": row.layers,
            "centroids": f"{row.centroids:,}",
            "all": f"{row.all:,}",
            "published": _published(row),
        }
        for row in table.itertuples()
    )
    notes = [f"{row.instance}: {row.note}" for row in table.itertuples() if row.note]
    return tables.Section("Table V: DCGMM instances", CAPTION, cells, notes)


def _published(row: tuple) -> str:
    if pd.isna(row.published):
        return tables.DASH
    return f"{row.published:,}" + ("" if row.published == row.centroids else " (differs)")


if __name__ == "__main__":
    main()
