"""Draw images from one fitted DCGMM without and with sharpening (Sec. V-D).

The top cGMM layer goes through its components in turn, and both series use the same random
numbers, so that image i differs by sharpening alone. Writes an `.npz` with float32 images
[n, H, W, C] in [0, 1] under `plain` and `sharpened`, for each sharpened folding layer k the
log-likelihoods [2, n] of its target before and after under `likelihood/k`, and who drew them under
`about`.
"""

from typing import Any

import numpy as np

from workflow.common import places
from workflow.common.command_line import of_model, plain_errors
from workflow.fit import fitting, methods
from workflow.pictures import drawings

IMAGES = 100


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = of_model("python -m workflow.pictures.sharpen_images", __doc__)
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        fit = places.read(options.fit)
        result = fitting.drawn(fit, lambda: draw(methods.load(fit, options.model), fit["seed"]))
        drawings.write(options.out, *result)


def draw(model: Any, seed: int) -> dict[str, np.ndarray]:
    """Both series and the likelihoods; see the module."""
    plain = model.sample(IMAGES, seed=seed, start="cycle")
    sharpened, likelihoods = model.sample_and_likelihoods(
        IMAGES, seed=seed, start="cycle", sharpen=True
    )
    series = {f"likelihood/{layer}": np.stack(both) for layer, both in likelihoods.items()}
    return {"plain": plain, "sharpened": sharpened} | series


if __name__ == "__main__":
    main()
