"""The methods that can be fitted, behind one vocabulary.

A method is an object with scikit-learn's words: `fit(images, seed=, progress=)`,
`score_samples(images)`, `save(folder)`, `n_parameters`. Its library is imported on first use, since
every method has an environment of its own.
"""

from typing import Any, Protocol

import numpy as np


class Method(Protocol):
    """What the steps use of a method; images are float32 [n, H, W, C] in [0, 1]."""

    n_parameters: int

    def fit(self, images: np.ndarray, *, seed: int, progress: bool) -> dict[str, list]:
        """Train from scratch and return the history; `ArithmeticError` if training diverges."""

    def score_samples(self, images: np.ndarray) -> np.ndarray:
        """Log-density of each image in nats, [n]."""

    def save(self, folder: str) -> None:
        """Write the fitted model."""


def create(method: str, settings: dict[str, Any], input_shape: tuple[int, int, int]) -> Method:
    """A method, unfitted, with the settings of a grid point.

    Raises:
        ValueError: for an unknown method or settings that it refuses.
    """
    if method != "dcgmm":
        raise ValueError(f"unknown method {method!r}; known are dcgmm")
    from dcgmm import DCGMM
    from dcgmm.recipes import Recipe

    recipe = Recipe().updated(**settings["hyperparameters"])
    return DCGMM(settings["layers"], recipe, input_shape=input_shape)


def score(model: Method, images: np.ndarray) -> dict[str, np.ndarray]:
    """Scores of every layer that has a density, bottom to top; `{"top": scores}` without layers."""
    if hasattr(model, "score_layers"):
        return {str(layer): scores for layer, scores in model.score_layers(images).items()}
    return {"top": model.score_samples(images)}
