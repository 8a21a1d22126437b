"""Summarise an instance: layers, output shapes, parameter counts."""

from dcgmm import notation
from dcgmm.recipes import Recipe


def count_parameters(
    layers: tuple[notation.Layer, ...],
    recipe: Recipe,
    input_shape: notation.Shape,
    convention: str = "centroids",
) -> int:
    """Parameters of an instance as its recipe shares them, see `notation.count_parameters`."""
    return notation.count_parameters(
        layers,
        input_shape,
        independent=recipe.independent_layers(layers),
        inputs=recipe.classifier.inputs,
        convention=convention,
    )


def text(layers: tuple[notation.Layer, ...], recipe: Recipe, input_shape: notation.Shape) -> str:
    """Layers, output shapes (Table VI) and both parameter counts."""
    independent = recipe.independent_layers(layers)
    lines = [f"{'':4}{'layer':12}{'H':>4}{'W':>4}{'C':>6}  parameters"]
    shapes = notation.shapes(layers, input_shape)
    for index, (layer, shape) in enumerate(zip(layers, shapes, strict=True), start=1):
        note = ""
        if isinstance(layer, notation.GMM):
            note = "independent" if index in independent else "shared"
        elif isinstance(layer, notation.Classifier):
            note = "reads " + ", ".join(f"L{below}" for below in recipe.classifier.inputs)
        height, width, channels = shape
        lines.append(f"L{index:<3}{layer!s:12}{height:4}{width:4}{channels:6}  {note}".rstrip())
    centroids, everything = (
        count_parameters(layers, recipe, input_shape, convention)
        for convention in ("centroids", "all")
    )
    classifier = " and the classifier" if recipe.classifier.inputs else ""
    lines.append(
        f"parameters: {centroids:,} centroid entries (Table V), "
        f"{everything:,} with precisions and weights{classifier}"
    )
    return "\n".join(lines)
