"""In-paint the right half of test images by one fitted DCGMM, in both ways (Sec. V-H).

Writes an `.npz` with float32 images [n, H, W, C] in [0, 1] under `original`, `black` (unknown
pixels are shown to the model as 0, the paper's way), `marginal` (they are integrated out), `erased`
(they are left black) and `mean` (that of the training images), each image's mean squared error on
the unknown pixels [n] under `error/<filling>`, its class under `labels` [n], and who drew them
under `about`.
"""

from pathlib import Path
from typing import Any

import numpy as np

from workflow.common import places
from workflow.common.command_line import of_model, plain_errors
from workflow.data import datasets, masks
from workflow.fit import fitting, methods
from workflow.pictures import drawings

IMAGES = 500
WAYS = ("black", "marginal")


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = of_model("python -m workflow.pictures.inpaint_images", __doc__)
    parser.add_argument("--data", required=True, type=Path, help="a prepared dataset, .npz")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        fit = places.read(options.fit)
        dataset = datasets.load(options.data)
        chosen = datasets.by_classes(dataset.y_train, fit["classes"])
        mean = datasets.as_float(dataset.x_train[chosen]).mean(axis=0)
        chosen = np.flatnonzero(datasets.by_classes(dataset.y_test, fit["classes"]))[:IMAGES]
        images = datasets.as_float(dataset.x_test[chosen])
        fit, arrays = fitting.drawn(
            fit,
            lambda: complete(methods.load(fit, options.model), images, mean, fit["seed"]),
        )
        drawings.write(
            options.out, fit, arrays | {"labels": dataset.y_test[chosen]} if arrays else {}
        )


def complete(model: Any, images: np.ndarray, mean: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """Both ways, the controls, and the errors of all; see the module."""
    known = masks.left_half(images.shape[1:])
    filled = {way: model.inpaint(images, known, method=way, seed=seed) for way in WAYS}
    controls = {"erased": np.where(known, images, 0), "mean": np.where(known, images, mean)}
    unknown = ~np.broadcast_to(known, images.shape[1:])
    errors = {
        f"error/{name}": ((filling - images) ** 2)[:, unknown].mean(axis=1)
        for name, filling in (filled | controls).items()
    }
    return {"original": images} | filled | controls | errors


if __name__ == "__main__":
    main()
