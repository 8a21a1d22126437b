"""The methods that can be fitted, behind the vocabulary of `baselines.interface`.

A method's library is imported on first use, since every method has an environment of its own.
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
    """A method, unfitted, with the settings of a grid point.

    Raises:
        ValueError: for an unknown method or settings that it refuses.
    """
    about = catalogue.method(name)
    if name == catalogue.DCGMM.name:
        from dcgmm import DCGMM
        from dcgmm.recipes import Recipe

        recipe = Recipe().updated(**settings["hyperparameters"])
        return DCGMM(settings["layers"], recipe, input_shape=input_shape)
    package = importlib.import_module(f"baselines.{name}")
    return getattr(package, about.class_name)(**settings, input_shape=input_shape)


def fit(
    name: str,
    models: Sequence[Any],
    images: np.ndarray,
    seeds: Sequence[int],
    more: dict[str, np.ndarray],
) -> list[dict[str, Any] | Exception]:
    """Fit models that are alike, each by its seed: side by side, or the only one.

    Args:
        name: of the method.
        models: as `create` made them.
        images: bytes [n, H, W, C]; a DCGMM keeps them so, all others get pixels in [0, 1].
        seeds: one a model.
        more: what else the method's `fit` takes, as `labels`.

    Returns:
        For each the history, or what it raised if others went on.

    Raises:
        ValueError: for several models of a method that is fitted one by one.
    """
    if name != catalogue.DCGMM.name:
        images = datasets.as_float(images)
    if len(models) == 1:
        return [models[0].fit(images, seed=seeds[0], progress=True, **more)]
    if name != catalogue.DCGMM.name:
        raise ValueError(f"{name} is fitted by one seed at a time: give one")
    from dcgmm import fit_together

    return fit_together(models, images, seeds=seeds, progress=True, **more)


def load(fit: dict[str, Any], folder: str) -> Any:
    """The fitted model of a record; a DCGMM draws as its recipe says now, whatever was saved."""
    about = catalogue.method(fit["method"])
    if about is not catalogue.DCGMM:
        package = importlib.import_module(f"baselines.{about.name}")
        return getattr(package, about.class_name).load(folder)
    from dcgmm import DCGMM, recipes

    model = DCGMM.load(folder)
    settings = fit["settings"]
    model.sampling = recipes.instance(settings["instance"], settings["recipe"]).sampling
    return model


def classifies(model: Any) -> bool:
    """Whether a model takes labels and predicts them."""
    return getattr(model, "classifier", None) is not None


def centroid_count(model: Any) -> int | None:
    """A DCGMM's parameters as the paper counts them, entries of centroids alone; None for others.

    `n_parameters` counts all.
    """
    count = getattr(model, "count_parameters", None)
    return None if count is None else count("centroids")


def other_semantics(model: Any) -> str | None:
    """The rules of sampling that a DCGMM's recipe does not follow; None for other methods."""
    own = getattr(getattr(model, "sampling", None), "semantics", None)
    return {"released": "clean", "clean": "released"}.get(own)


def treatments(fit: dict[str, Any]) -> catalogue.Treatments:
    """How the model of a record draws samples.

    A DCGMM that pools is sharpened as well, which is to undo what pooling blurs.
    """
    known = catalogue.method(fit["method"]).treatments
    if fit["method"] != catalogue.DCGMM.name:
        return known
    from dcgmm import notation

    layers = notation.parse(fit["settings"]["layers"])
    pools = any(isinstance(layer, notation.MaxPooling) for layer in layers)
    return known | (catalogue.SHARPENED if pools else {})


def has(model: Any, capability: str) -> bool:
    """Whether a method can do what `baselines.interface.CAPABILITIES` names."""
    return capability in model.capabilities


def score(model: Any, images: np.ndarray) -> Scores:
    """Scores of whole images, bytes, and of the other evidence where the method has marginals."""
    pixels = datasets.as_float(images)
    result = _score_pixels(model, pixels)
    if has(model, "marginals"):
        for name in masks.NAMES:
            known = masks.mask(name, images.shape[1:])
            if known is not None:
                result[name] = {"top": model.score_samples(pixels, known=known)}
    return result


def score_whole(model: Any, images: np.ndarray) -> Scores:
    """Scores of whole images, bytes, alone."""
    return _score_pixels(model, datasets.as_float(images))


def _score_pixels(model: Any, pixels: np.ndarray) -> Scores:
    """Scores of whole images [n, H, W, C] in [0, 1]; a method without layers has one, `top`."""
    if hasattr(model, "score_layers"):
        layers = {str(layer): scores for layer, scores in model.score_layers(pixels).items()}
    else:
        layers = {"top": model.score_samples(pixels)}
    return {masks.ALL: layers}
