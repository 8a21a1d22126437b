"""Table VI: layer types and their output shapes, and the shapes of every instance.

Writes `table6.csv` (layer types), `table6_geometry.csv` (shapes in every instance), and both as
`table6.md` and `table6.tex`. Nothing is trained for it.
"""

from pathlib import Path

import pandas as pd

from dcgmm import notation, recipes
from workflow.common import tables
from workflow.common.command_line import argument_parser, plain_errors

INPUT_SHAPE = (28, 28, 1)

# Name, notation and output height, width, channels for an input of H′, W′, C′.
LAYER_TYPES = {
    "F": ("Folding", "F(f,Δ)", "1 + ⌊(H′ − f)/Δ⌋", "1 + ⌊(W′ − f)/Δ⌋", "f²C′"),
    "P": ("Max-pooling", "P(f,Δ)", "1 + ⌈(H′ − f)/Δ⌉", "1 + ⌈(W′ − f)/Δ⌉", "C′"),
    "C": ("Classification", "C(S)", "1", "1", "S"),
    "G": ("cGMM", "G(K)", "H′", "W′", "K"),
}
CAPTION = (
    "Output shape of each layer type for an input of H′ x W′ x C′. The paper prints no rounding; "
    "these are the roundings with which every instance of Table V exists."
)


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--out", required=True, type=Path, help="folder")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        types, shapes = layer_types(), geometry()
        tables.write_csv(options.out / "table6.csv", types)
        tables.write_csv(options.out / "table6_geometry.csv", shapes)
        sections = [
            tables.Section("Table VI: DCGMM layer types", CAPTION, types),
            geometry_section(shapes),
        ]
        tables.write_markdown(options.out / "table6.md", sections)
        tables.write_tex(options.out / "table6.tex", sections)


def layer_types() -> pd.DataFrame:
    """The table as the paper prints it."""
    return pd.DataFrame(LAYER_TYPES.values(), columns=["layer type", "notation", "H", "W", "C"])


def geometry() -> pd.DataFrame:
    """Output shape of every layer of every instance, for images of 28x28x1."""
    rows = []
    for name in recipes.instance_names():
        layers = recipes.instance(name).layers
        shapes = notation.shapes(layers, INPUT_SHAPE)
        for index, (layer, (height, width, channels)) in enumerate(
            zip(layers, shapes, strict=True), start=1
        ):
            rows.append((name, index, str(layer), height, width, channels))
    return pd.DataFrame(rows, columns=["instance", "index", "layer", "H", "W", "C"])


def geometry_section(shapes: pd.DataFrame) -> tables.Section:
    """One row per instance: each layer's output shape for a 28x28x1 image."""
    cells = []
    for name, layers in shapes.groupby("instance", sort=False):
        steps = [f"{row.layer} {row.H}x{row.W}x{row.C}" for row in layers.itertuples()]
        cells.append({"ID": name, "layers and output shapes": ", ".join(steps)})
    title = "Table VI applied: shapes in each instance"
    return tables.Section(title, "For images of 28x28x1.", pd.DataFrame(cells))


if __name__ == "__main__":
    main()
