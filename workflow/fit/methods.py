"""Create, fit, load and score all methods, in the vocabulary of `baselines.interface`.

A method's library is imported on first use, since each method has its own environment.
"""

import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from workflow.data import datasets, masks
from workflow.plan import catalogue

Scores = dict[str, dict[str, np.ndarray]]
"""Evidence -> layer, bottom to top -> [n] in nats."""


def create(name: str, settings: dict[str, Any], input_shape: tuple[int, int, int]) -> Any:
    """Create an unfitted model with the settings of a grid point.

    Raises:
        ValueError: for an unknown method or invalid settings.
    """
    description = catalogue.method(name)
    if name == catalogue.DCGMM.name:
        from dcgmm import DCGMM
        from dcgmm.recipes import Recipe

        recipe = Recipe().updated(**settings["hyperparameters"])
        return DCGMM(settings["layers"], recipe, input_shape=input_shape)
    package = importlib.import_module(f"baselines.{name}")
    return getattr(package, description.class_name)(**settings, input_shape=input_shape)


def fit(
    name: str,
    models: Sequence[Any],
    images: np.ndarray,
    seeds: Sequence[int],
    arguments: dict[str, np.ndarray],
) -> list[dict[str, Any] | Exception]:
    """Fit one model, or several of equal settings side by side, each with its seed.

    Args:
        name: of the method.
        models: made by `create`.
        images: bytes [n, H, W, C]; DCGMM takes them as they are, all others as pixels in [0, 1].
        seeds: one per model.
        arguments: further ones of the method's `fit`, such as `labels`.

    Returns:
        For each model its history, or its exception if others went on.

    Raises:
        ValueError: for several models of a method that cannot fit them side by side.
    """
    if name != catalogue.DCGMM.name:
        images = datasets.as_float(images)
    if len(models) == 1:
        return [models[0].fit(images, seed=seeds[0], progress=True, **arguments)]
    if name != catalogue.DCGMM.name:
        raise ValueError(f"{name} fits one seed at a time: give one")
    from dcgmm import fit_together

    return fit_together(models, images, seeds=seeds, progress=True, **arguments)


def load(fit: dict[str, Any], folder: str) -> Any:
    """Load the model of a record; DCGMM draws by its current recipe, whatever was saved."""
    description = catalogue.method(fit["method"])
    if description is not catalogue.DCGMM:
        package = importlib.import_module(f"baselines.{description.name}")
        return getattr(package, description.class_name).load(folder)
    from dcgmm import DCGMM, recipes

    model = DCGMM.load(folder)
    settings = fit["settings"]
    model.sampling = recipes.instance(settings["instance"], settings["recipe"]).sampling
    return model


def classifies(model: Any) -> bool:
    """Whether a model takes labels and predicts them."""
    return getattr(model, "classifier", None) is not None


def centroid_count(model: Any) -> int | None:
    """Parameters of a DCGMM as in the paper, entries of centroids only; None for other methods.

    `n_parameters` counts all.
    """
    count = getattr(model, "count_parameters", None)
    return None if count is None else count("centroids")


def other_semantics(model: Any) -> str | None:
    """The sampling rules that a DCGMM's recipe does not follow; None for other methods."""
    semantics = getattr(getattr(model, "sampling", None), "semantics", None)
    return {"released": "clean", "clean": "released"}.get(semantics)


def treatments(fit: dict[str, Any]) -> catalogue.Treatments:
    """Treatments of the samples that the model of a record draws.

    A DCGMM with pooling is also sharpened, to undo the blur of pooling.
    """
    method_treatments = catalogue.method(fit["method"]).treatments
    if fit["method"] != catalogue.DCGMM.name:
        return method_treatments
    from dcgmm import notation

    layers = notation.parse(fit["settings"]["layers"])
    pools = any(isinstance(layer, notation.MaxPooling) for layer in layers)
    return method_treatments | (catalogue.SHARPENED if pools else {})


def can(model: Any, capability: str) -> bool:
    """Whether a model has one of `baselines.interface.CAPABILITIES`."""
    return capability in model.capabilities


def score(model: Any, images: np.ndarray) -> Scores:
    """Score whole images, bytes, and the other evidence if the method has marginals."""
    pixels = datasets.as_float(images)
    scores = _score_pixels(model, pixels)
    if can(model, "marginals"):
        for name in masks.NAMES:
            mask = masks.mask(name, images.shape[1:])
            if mask is not None:
                scores[name] = {"top": model.score_samples(pixels, known=mask)}
    return scores


def score_whole(model: Any, images: np.ndarray) -> Scores:
    """Score only whole images, bytes."""
    return _score_pixels(model, datasets.as_float(images))


def _score_pixels(model: Any, pixels: np.ndarray) -> Scores:
    """Score whole images [n, H, W, C] in [0, 1]; a method without layers has one, `top`."""
    if hasattr(model, "score_layers"):
        layers = {str(layer): scores for layer, scores in model.score_layers(pixels).items()}
    else:
        layers = {"top": model.score_samples(pixels)}
    return {masks.ALL: layers}
