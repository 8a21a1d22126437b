"""What methods do alike: checks of what they are given, saving and loading.

A method that keeps its parameters in arrays whose shapes its settings decide need only write the
mathematics; one that does not may implement `baselines.interface.Method` in its own way.
"""

from __future__ import annotations

import math
import os
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

import numpy as np

from baselines import persistence
from baselines.checks import as_count, as_evidence, as_images, as_seed, numpy_defaults
from baselines.interface import INPAINT, MARGINALS, SAMPLE, SCORE

Arrays = dict[str, np.ndarray]
Shapes = dict[str, tuple[int, ...]]


class Baseline(ABC):
    """The skeleton of a method; a subclass gives its parts.

    A subclass sets `name`, its folder's, and `capabilities`, names its settings in its constructor,
    and writes `shapes`, `_learn`, and what its capabilities need of `_log_density`, `_draw` and
    `_complete`. Those get images and masks that have been checked.

    Args:
        input_shape: (H, W, C) of an image.
        settings: all other arguments of the constructor, saved with the model.

    Raises:
        ValueError: if `input_shape` is no shape.
    """

    name: ClassVar[str]
    capabilities: ClassVar[frozenset[str]]

    def __init__(self, input_shape: tuple[int, int, int], **settings: Any) -> None:
        self.input_shape = tuple(as_count("a side of input_shape", side) for side in input_shape)
        self.settings = settings
        self._arrays: Arrays | None = None

    @property
    @abstractmethod
    def shapes(self) -> Shapes:
        """Name of a trained array -> its shape, known before the fit."""

    @abstractmethod
    def _learn(
        self, images: np.ndarray, *, seed: int, progress: bool
    ) -> tuple[Arrays, dict[str, list]]:
        """The arrays that `shapes` names, and the history.

        All that is random comes from `seed`, never from global state. Epochs are shown by
        `tqdm(range(...), disable=None if progress else True)`.

        Raises:
            DivergenceError: as soon as the objective is not finite.
        """

    def _log_density(self, images: np.ndarray, known: np.ndarray | None) -> np.ndarray:
        """In nats, [n]; of the known pixels alone if there is a mask [n, H, W, C] of them."""
        raise NotImplementedError

    def _draw(self, n: int, *, seed: int, noise: bool) -> np.ndarray:
        """New images [n, H, W, C]; what lies outside [0, 1] is clipped."""
        raise NotImplementedError

    def _complete(
        self, images: np.ndarray, known: np.ndarray, *, seed: int, noise: bool
    ) -> np.ndarray:
        """Images drawn given their known pixels, whose exact bits are put back afterwards."""
        raise NotImplementedError

    @numpy_defaults
    def fit(self, images: Any, *, seed: int = 0, progress: bool = False) -> dict[str, list]:
        """Train from scratch, see `baselines.interface.Method.fit`."""
        images, seed = as_images(images, self.input_shape), as_seed(seed)
        self._arrays = None
        self._arrays, history = self._learn(images, seed=seed, progress=progress)
        if SCORE in self.capabilities and "log_likelihood" not in history:
            history = history | {"log_likelihood": [float(self.score_samples(images).mean())]}
        return history

    @numpy_defaults
    def score_samples(self, images: Any, known: Any = None) -> np.ndarray:
        """Log-density of every image in nats, float64 [n]; of its known pixels if there are any."""
        self._require(SCORE)
        mask = None
        if known is None:
            images = as_images(images, self.input_shape)
        else:
            self._require(MARGINALS)
            images, mask = as_evidence(images, known, self.input_shape)
        self.arrays  # noqa: B018 (refuses a model that is not fitted)
        return np.asarray(self._log_density(images, mask), np.float64)

    @numpy_defaults
    def sample(self, n: int, *, seed: int = 0, noise: bool = True) -> np.ndarray:
        """New images, float32 [n, H, W, C] in [0, 1]."""
        self._require(SAMPLE)
        n, seed = as_count("n", n), as_seed(seed)
        self.arrays  # noqa: B018
        return self._as_images(self._draw(n, seed=seed, noise=noise))

    @numpy_defaults
    def inpaint(self, images: Any, known: Any, *, seed: int = 0, noise: bool = True) -> np.ndarray:
        """Images with their unknown pixels drawn anew, float32 [n, H, W, C]."""
        self._require(INPAINT)
        images, mask = as_evidence(images, known, self.input_shape)
        seed = as_seed(seed)
        self.arrays  # noqa: B018
        filled = self._complete(images, mask, seed=seed, noise=noise)
        return np.where(mask, images, self._as_images(filled))

    @property
    def arrays(self) -> Arrays:
        """The trained arrays.

        Raises:
            ValueError: before `fit`.
        """
        if self._arrays is None:
            raise ValueError(f"this {self.name} model has no parameters yet: call fit first")
        return self._arrays

    @property
    def n_parameters(self) -> int:
        """Trainable numbers; known before `fit`."""
        return sum(math.prod(shape) for shape in self.shapes.values())

    def save(self, folder: str | os.PathLike) -> None:
        """Write the fitted model to a folder, replacing a model that is there."""
        arrays = self.arrays
        settings = self.settings | {"input_shape": self.input_shape}
        persistence.write(folder, {"method": self.name, "settings": settings}, arrays)

    @classmethod
    def load(cls, folder: str | os.PathLike) -> Self:
        """Read a model that `save` wrote; scores come out equal to the bit.

        Raises:
            ValueError: naming what is missing or damaged.
        """
        description, arrays = persistence.read(folder, cls.name)
        with persistence.restoring(folder):
            model = cls(**description["settings"])
        shapes = model.shapes
        with persistence.restoring(folder):
            persistence.check_shapes(arrays, shapes)
        model._arrays = {name: arrays[name] for name in shapes}
        return model

    def _as_images(self, drawn: np.ndarray) -> np.ndarray:
        return np.clip(drawn, 0, 1).astype("float32").reshape(-1, *self.input_shape)

    def _require(self, capability: str) -> None:
        if capability not in self.capabilities:
            raise NotImplementedError(f"{self.name} has not the capability {capability!r}")
