"""Draw, from one fitted model, the images that the figures show of it.

Writes one archive of `workflow.pictures.drawings` with float32 images [n, H, W, C] in [0, 1], under
the kinds given:

- `samples`: new images `sample` and `sample_mean` (the pixels' means instead of draws); for a DCGMM
  also `sample_released` or `sample_clean`, by the rules that its recipe does not follow; test
  images `original`, and the same with the right half in-painted, `inpaint` and `inpaint_mean`.
- `sharpening`, for a DCGMM (Sec. V-D): `plain` and `sharpened`. The top cGMM layer cycles through
  its components, and both series use the same random numbers, so that image i of each differs only
  by sharpening. For each sharpened folding layer k, `likelihood/k` has the log-likelihoods [2, n]
  of its target before and after.
- `inpainting`, for a DCGMM (Sec. V-H): test images `original`, and the same with the right half
  filled in: `black` (the model sees unknown pixels as 0, as in the paper), `marginal` (unknown
  pixels are integrated out), `erased` (unknown pixels stay black) and `mean` (the training images'
  mean). `error/<filling>` [n] is each image's mean squared error on the unknown pixels, `labels`
  [n] its class.

Arrays that a method cannot draw are left out, as are all arrays of a failed fit.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from workflow.common import places
from workflow.common.command_line import argument_parser, plain_errors
from workflow.data import datasets, masks
from workflow.data.datasets import Dataset
from workflow.fit import fitting, methods, model_files
from workflow.pictures import drawings

SAMPLES, COMPLETED = 100, 10
SHARPENED = 100
INPAINTED = 500
METHODS = ("black", "marginal")  # of `DCGMM.inpaint`

Arrays = dict[str, np.ndarray]


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--fit", required=True, type=Path, help="fit.json")
    parser.add_argument("--model", required=True, type=Path, help="folder of the fitted model")
    parser.add_argument("--data", required=True, type=Path, help="a prepared dataset, .npz")
    parser.add_argument("--kinds", required=True, nargs="+", choices=list(KINDS))
    parser.add_argument("--out", required=True, type=Path, help=".npz to write")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        fit = places.read(options.fit)
        model_files.check(fit, options.model)
        dataset = datasets.load(options.data)
        drawn = {
            kind: fitting.try_drawing(fit, partial(draw, KINDS[kind], fit, options.model, dataset))
            for kind in options.kinds
        }
        drawings.write(options.out, drawn)


def draw(
    kind: Callable[[Any, Dataset, dict[str, Any]], Arrays],
    fit: dict[str, Any],
    model: Path,
    dataset: Dataset,
) -> Arrays:
    """Load the fitted model and draw the arrays of one kind."""
    return kind(methods.load(fit, model), dataset, fit)


def samples(model: Any, dataset: Dataset, fit: dict[str, Any]) -> Arrays:
    """Sample new images and in-paint test images, as far as the method can."""
    arrays, seed = {}, fit["seed"]
    if methods.can(model, "sample"):
        arrays["sample"] = model.sample(SAMPLES, seed=seed)
        arrays["sample_mean"] = model.sample(SAMPLES, seed=seed, noise=False)
        if other := methods.other_semantics(model):
            arrays[f"sample_{other}"] = model.sample(SAMPLES, seed=seed, semantics=other)
    if methods.can(model, "inpaint"):
        of_classes = datasets.by_classes(dataset.y_test, fit["classes"])
        images = datasets.as_float(dataset.x_test[of_classes][:COMPLETED])
        left_half = masks.left_half(images.shape[1:])
        arrays["original"] = images
        arrays["inpaint"] = model.inpaint(images, left_half, seed=seed)
        arrays["inpaint_mean"] = model.inpaint(images, left_half, seed=seed, noise=False)
    return arrays


def sharpening(model: Any, dataset: Dataset, fit: dict[str, Any]) -> Arrays:
    """Sample without and with sharpening, and keep the likelihoods before and after."""
    plain = model.sample(SHARPENED, seed=fit["seed"], start="cycle")
    sharpened, likelihoods = model.sample_and_likelihoods(
        SHARPENED, seed=fit["seed"], start="cycle", sharpen=True
    )
    stacked = {
        f"likelihood/{layer}": np.stack(before_and_after)
        for layer, before_and_after in likelihoods.items()
    }
    return {"plain": plain, "sharpened": sharpened} | stacked


def inpainting(model: Any, dataset: Dataset, fit: dict[str, Any]) -> Arrays:
    """In-paint test images of the fit's classes by every filling, with errors and labels."""
    of_classes = datasets.by_classes(dataset.y_train, fit["classes"])
    mean = datasets.as_float(dataset.x_train[of_classes]).mean(axis=0)
    tested = np.flatnonzero(datasets.by_classes(dataset.y_test, fit["classes"]))[:INPAINTED]
    images = datasets.as_float(dataset.x_test[tested])
    return filled(model, images, mean, fit["seed"]) | {"labels": dataset.y_test[tested]}


def filled(model: Any, images: np.ndarray, mean: np.ndarray, seed: int) -> Arrays:
    """Fill the right half of images [n, H, W, C] in every way, with mean squared errors [n]."""
    left_half = masks.left_half(images.shape[1:])
    inpainted = {
        method: model.inpaint(images, left_half, method=method, seed=seed) for method in METHODS
    }
    controls = {"erased": np.where(left_half, images, 0), "mean": np.where(left_half, images, mean)}
    right_half = ~np.broadcast_to(left_half, images.shape[1:])
    errors = {
        f"error/{name}": ((filling - images) ** 2)[:, right_half].mean(axis=1)
        for name, filling in (inpainted | controls).items()
    }
    return {"original": images} | inpainted | controls | errors


KINDS = {"samples": samples, "sharpening": sharpening, "inpainting": inpainting}

if __name__ == "__main__":
    main()
