"""Draw from one fitted model whatever the figures show of it.

Writes one archive of `workflow.pictures.drawings` with float32 images [n, H, W, C] in [0, 1], under
the kinds that are asked for:

- `samples`: new images `sample` and `sample_mean` (pixels give their means instead of draws), for a
  DCGMM also `sample_released` or `sample_clean`, whichever rules its recipe does not follow; test
  images `original`, and with their right half in-painted `inpaint` and `inpaint_mean`.
- `sharpening`, of a DCGMM (Sec. V-D): `plain` and `sharpened`. The top cGMM layer goes through its
  components in turn, and both series use the same random numbers, so that image i differs by
  sharpening alone. For each sharpened folding layer k, `likelihood/k` has the log-likelihoods
  [2, n] of its target before and after.
- `inpainting`, of a DCGMM (Sec. V-H): test images `original` whose right half is filled in as
  `black` (unknown pixels are shown to the model as 0, the paper's way), `marginal` (they are
  integrated out), `erased` (they are left black) and `mean` (that of the training images), each
  image's mean squared error on the unknown pixels [n] under `error/<filling>`, and its class under
  `labels` [n].

What a method cannot do, or a fit that failed, leaves the arrays out.
"""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from workflow.common import places
from workflow.common.command_line import plain_errors
from workflow.data import datasets, masks
from workflow.data.datasets import Dataset
from workflow.fit import fitting, methods
from workflow.pictures import drawings

SAMPLES, COMPLETED = 100, 10
SHARPENED = 100
INPAINTED = 500
WAYS = ("black", "marginal")

Arrays = dict[str, np.ndarray]


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argparse.ArgumentParser(
        prog="python -m workflow.pictures.draw_images", description=__doc__
    )
    parser.add_argument("--fit", required=True, type=Path, help="fit.json")
    parser.add_argument("--model", required=True, type=Path, help="folder of the fitted model")
    parser.add_argument("--data", required=True, type=Path, help="a prepared dataset, .npz")
    parser.add_argument("--kinds", required=True, nargs="+", choices=list(KINDS))
    parser.add_argument("--out", required=True, type=Path, help=".npz to write")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        fit = places.read(options.fit)
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
    """The arrays of one kind."""
    return kind(methods.load(fit, model), dataset, fit)


def samples(model: Any, dataset: Dataset, fit: dict[str, Any]) -> Arrays:
    """New images, and test images completed, as far as the method can."""
    arrays, seed = {}, fit["seed"]
    if methods.can(model, "sample"):
        arrays["sample"] = model.sample(SAMPLES, seed=seed)
        arrays["sample_mean"] = model.sample(SAMPLES, seed=seed, noise=False)
        if other := methods.other_semantics(model):
            arrays[f"sample_{other}"] = model.sample(SAMPLES, seed=seed, semantics=other)
    if methods.can(model, "inpaint"):
        chosen = datasets.by_classes(dataset.y_test, fit["classes"])
        images = datasets.as_float(dataset.x_test[chosen][:COMPLETED])
        known = masks.left_half(images.shape[1:])
        arrays["original"] = images
        arrays["inpaint"] = model.inpaint(images, known, seed=seed)
        arrays["inpaint_mean"] = model.inpaint(images, known, seed=seed, noise=False)
    return arrays


def sharpening(model: Any, dataset: Dataset, fit: dict[str, Any]) -> Arrays:
    """Both series and the likelihoods."""
    plain = model.sample(SHARPENED, seed=fit["seed"], start="cycle")
    sharpened, likelihoods = model.sample_and_likelihoods(
        SHARPENED, seed=fit["seed"], start="cycle", sharpen=True
    )
    series = {f"likelihood/{layer}": np.stack(both) for layer, both in likelihoods.items()}
    return {"plain": plain, "sharpened": sharpened} | series


def inpainting(model: Any, dataset: Dataset, fit: dict[str, Any]) -> Arrays:
    """Both ways, the controls, the errors of all, and the images' classes."""
    chosen = datasets.by_classes(dataset.y_train, fit["classes"])
    mean = datasets.as_float(dataset.x_train[chosen]).mean(axis=0)
    chosen = np.flatnonzero(datasets.by_classes(dataset.y_test, fit["classes"]))[:INPAINTED]
    images = datasets.as_float(dataset.x_test[chosen])
    return filled(model, images, mean, fit["seed"]) | {"labels": dataset.y_test[chosen]}


def filled(model: Any, images: np.ndarray, mean: np.ndarray, seed: int) -> Arrays:
    """Images [n, H, W, C] with their right half filled in every way, and the squared errors."""
    known = masks.left_half(images.shape[1:])
    ways = {way: model.inpaint(images, known, method=way, seed=seed) for way in WAYS}
    controls = {"erased": np.where(known, images, 0), "mean": np.where(known, images, mean)}
    unknown = ~np.broadcast_to(known, images.shape[1:])
    errors = {
        f"error/{name}": ((filling - images) ** 2)[:, unknown].mean(axis=1)
        for name, filling in (ways | controls).items()
    }
    return {"original": images} | ways | controls | errors


KINDS = {"samples": samples, "sharpening": sharpening, "inpainting": inpainting}

if __name__ == "__main__":
    main()
