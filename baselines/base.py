"""The skeleton of a method: checks of what it is given, fitting, saving and loading.

A method that keeps what it learns in arrays need only write the mathematics; one whose trained
state is something else says how arrays are made of it and it of arrays.
"""

from __future__ import annotations

import math
import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, ClassVar, Self

import numpy as np

from baselines import persistence
from baselines.checks import (
    as_count,
    as_evidence,
    as_images,
    as_seed,
    as_shape,
    as_weights,
    numpy_defaults,
)
from baselines.interface import INPAINT, MARGINALS, SAMPLE, SAMPLE_WEIGHT, SCORE

Arrays = dict[str, np.ndarray]
Shapes = dict[str, tuple[int, ...]]
History = dict[str, list]

_ACTIONS = {
    SCORE: "score images",
    MARGINALS: "score the known pixels of images",
    SAMPLE: "sample",
    INPAINT: "inpaint",
    SAMPLE_WEIGHT: "weigh training images",
}


class Baseline(ABC):
    """The skeleton of a method; a subclass gives its parts.

    A subclass sets `name`, its folder's, and `capabilities`, and writes `shapes`, `_learn`, and
    what its capabilities need of `_log_density`, `_draw` and `_complete`. Those get images and
    masks that have been checked. Where the trained state is no dictionary of arrays, it also writes
    `_saved` and `_restored`.

    Args:
        input_shape: (H, W, C) of an image.
        settings: all other arguments of the constructor, saved with the model.

    Attributes:
        input_shape: the same.
        settings: by their names, `input_shape` among them; checked where `Settings` checks them.

    Raises:
        ValueError: for settings out of range.
    """

    name: ClassVar[str]
    capabilities: ClassVar[frozenset[str]]
    Settings: ClassVar[Callable[..., Any]] = SimpleNamespace
    """A dataclass of a method's settings with their defaults, where they are many."""

    def __init__(self, input_shape: tuple[int, int, int] = (28, 28, 1), **settings: Any) -> None:
        self.input_shape = as_shape(input_shape)
        self.settings = self.Settings(**settings, input_shape=self.input_shape)
        self._trained: Any = None

    @property
    @abstractmethod
    def shapes(self) -> Shapes:
        """Name of a saved array -> its shape, known before the fit."""

    @abstractmethod
    def _learn(self, images: np.ndarray, *, seed: int, progress: bool) -> tuple[Any, History]:
        """The trained state, as a rule the arrays that `shapes` names; and the history.

        All that is random comes from `seed`, never from global state. Epochs are shown by
        `tqdm(range(...), disable=None if progress else True)`. With the capability `sample_weight`
        it takes that too, float32 [n] or None.

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

    def _saved(self) -> tuple[dict[str, Any], Arrays]:
        """The trained state as JSON, beside the settings, and as the arrays of `shapes`."""
        return {}, self.trained

    def _check(self, description: dict[str, Any], arrays: Arrays, shapes: Shapes) -> None:
        """Refuse what `_saved` has not given.

        Raises:
            ValueError, KeyError or TypeError: saying what is wrong.
        """
        persistence.check_shapes(arrays, shapes)

    def _restored(self, description: dict[str, Any], arrays: Arrays) -> Any:
        """The trained state of what `_saved` has given."""
        return arrays

    @numpy_defaults
    def fit(
        self, images: Any, *, sample_weight: Any = None, seed: int = 0, progress: bool = False
    ) -> History:
        """Train from scratch, see `baselines.interface.Method.fit`.

        Returns:
            The history that the method keeps; where it keeps none, `log_likelihood` at the end.
        """
        images, seed = as_images(images, self.input_shape), as_seed(seed)
        weights = {}
        if sample_weight is not None:
            self._require(SAMPLE_WEIGHT)
            weights["sample_weight"] = as_weights(sample_weight, len(images))
        self._trained = None  # an earlier fit would double the memory
        self._trained, history = self._learn(images, seed=seed, progress=progress, **weights)
        if SCORE in self.capabilities and not history:
            history = {"log_likelihood": [float(self.score_samples(images).mean())]}
        return history

    @numpy_defaults
    def score_samples(self, images: Any, known: Any = None) -> np.ndarray:
        """Log-density of every image in nats, [n]; of its known pixels if `known` is given."""
        self._require(SCORE)
        mask = None
        if known is None:
            images = as_images(images, self.input_shape)
        else:
            self._require(MARGINALS)
            images, mask = as_evidence(images, known, self.input_shape)
        self.trained  # noqa: B018 (refuses a model that is not fitted)
        return np.asarray(self._log_density(images, mask))

    @numpy_defaults
    def sample(self, n: int, *, seed: int = 0, noise: bool = True) -> np.ndarray:
        """New images, float32 [n, H, W, C] in [0, 1]."""
        self._require(SAMPLE)
        n, seed = as_count("n", n), as_seed(seed)
        self.trained  # noqa: B018
        return self._as_images(self._draw(n, seed=seed, noise=noise))

    @numpy_defaults
    def inpaint(
        self, images: Any, known: Any, *, seed: int = 0, noise: bool = True, **options: Any
    ) -> np.ndarray:
        """Images with their unknown pixels drawn anew, float32 [n, H, W, C].

        `options` are those that the method's `_complete` takes besides.
        """
        self._require(INPAINT)
        images, mask = as_evidence(images, known, self.input_shape)
        seed = as_seed(seed)
        self.trained  # noqa: B018
        completed = self._complete(images, mask, seed=seed, noise=noise, **options)
        return np.where(mask, images, self._as_images(completed))

    @property
    def trained(self) -> Any:
        """The trained state: what `_learn` has returned.

        Raises:
            ValueError: before `fit`.
        """
        if self._trained is None:
            raise ValueError(f"this {self.name} model has no parameters yet: call fit first")
        return self._trained

    @property
    def arrays(self) -> Arrays:
        """The trained state as arrays; of a method that keeps arrays, these."""
        return self._saved()[1]

    @property
    def n_parameters(self) -> int:
        """Trainable numbers; known before `fit`."""
        return sum(math.prod(shape) for shape in self.shapes.values())

    def save(self, folder: str | os.PathLike) -> None:
        """Write the fitted model to a folder, replacing a model that is there."""
        more, arrays = self._saved()
        description = {"method": self.name, "settings": vars(self.settings), **more}
        persistence.write(folder, description, arrays)

    @classmethod
    def load(cls, folder: str | os.PathLike, **placement: Any) -> Self:
        """Read a model that `save` wrote; scores come out equal to the bit on the same machine.

        Args:
            folder: where it is.
            placement: arguments of the constructor that are not saved, as `device`.

        Raises:
            ValueError: naming what is missing or damaged.
        """
        description, arrays = persistence.read(folder, cls.name)
        with persistence.restoring(folder):
            model = cls(**cls._arguments(description), **placement)
        shapes = model.shapes  # what goes wrong here is no damage
        with persistence.restoring(folder):
            model._check(description, arrays, shapes)
        model._trained = model._restored(description, arrays)
        return model

    @classmethod
    def _arguments(cls, description: dict[str, Any]) -> dict[str, Any]:
        """The constructor's arguments in a saved description."""
        return description["settings"]

    def _as_images(self, drawn: np.ndarray) -> np.ndarray:
        return np.clip(drawn, 0, 1).astype("float32").reshape(-1, *self.input_shape)

    def _require(self, capability: str) -> None:
        if capability not in self.capabilities:
            raise NotImplementedError(
                f"{self.name} cannot {_ACTIONS[capability]}: its capabilities are "
                f"{', '.join(sorted(self.capabilities))}; its README says why"
            )
