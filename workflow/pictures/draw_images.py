"""Draw from one fitted model: new images, and test images with their right half in-painted.

Writes an `.npz` with float32 images [n, H, W, C] in [0, 1] under `sample`, `sample_mean` (pixels
give their means instead of draws), `original`, `inpaint` and `inpaint_mean`, for a DCGMM also under
`sample_released` or `sample_clean`, whichever rules its recipe does not follow, and who drew them
under `about`. What a method cannot do, or a fit that failed, leaves the arrays out.
"""

from pathlib import Path
from typing import Any

import numpy as np

from workflow.common import places
from workflow.common.command_line import of_model, plain_errors
from workflow.data import datasets, masks
from workflow.fit import fitting, methods
from workflow.pictures import drawings

SAMPLES, INPAINTED = 100, 10


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = of_model("python -m workflow.pictures.draw_images", __doc__)
    parser.add_argument("--data", required=True, type=Path, help="a prepared dataset, .npz")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        fit = places.read(options.fit)
        dataset = datasets.load(options.data)
        known = datasets.by_classes(dataset.y_test, fit["classes"])
        images = datasets.as_float(dataset.x_test[known][:INPAINTED])
        result = fitting.drawn(
            fit, lambda: draw(methods.load(fit, options.model), images, fit["seed"])
        )
        drawings.write(options.out, *result)


def draw(model: Any, images: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """Everything that the method can draw.

    Args:
        model: fitted.
        images: [n, H, W, C] to in-paint: their left half is known.
        seed: of the draws.
    """
    arrays = {}
    if methods.has(model, "sample"):
        arrays["sample"] = model.sample(SAMPLES, seed=seed)
        arrays["sample_mean"] = model.sample(SAMPLES, seed=seed, noise=False)
        if other := methods.other_semantics(model):
            arrays[f"sample_{other}"] = model.sample(SAMPLES, seed=seed, semantics=other)
    if methods.has(model, "inpaint"):
        known = masks.left_half(images.shape[1:])
        arrays["original"] = images
        arrays["inpaint"] = model.inpaint(images, known, seed=seed)
        arrays["inpaint_mean"] = model.inpaint(images, known, seed=seed, noise=False)
    return arrays


if __name__ == "__main__":
    main()
