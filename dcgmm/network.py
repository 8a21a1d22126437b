"""The layers of a model with all that training changes, apart from what a model does with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from keras import ops

from dcgmm import annealing, checks, inference, layers, notation, persistence, stack
from dcgmm.annealing import AnnealingState
from dcgmm.learning import LayerState
from dcgmm.recipes import Recipe


@dataclass(frozen=True)
class Architecture:
    """What models of one kind have in common: all of them share what is compiled.

    Attributes:
        notation: the layers, bottom to top.
        recipe: how they are trained, one entry a cGMM layer.
        input_shape: [H, W, C] of an image.
    """

    notation: tuple[notation.Layer, ...]
    recipe: Recipe
    input_shape: tuple[int, int, int]

    @classmethod
    def checked(
        cls,
        layers: str | Sequence[notation.Layer],
        recipe: Recipe | None,
        input_shape: Sequence[int],
    ) -> Architecture:
        """The architecture of some layers, as text or parsed; none of them is made yet.

        Raises:
            ValueError: for notation that does not parse or layers that do not fit the image.
        """
        symbols = notation.parse(layers) if isinstance(layers, str) else tuple(layers)
        if not notation.gmm_indices(symbols):
            raise ValueError("layers hold no cGMM layer: add one, for example notation.GMM(49)")
        recipe = (recipe or Recipe()).for_layers(symbols)
        shape = checks.as_shape(input_shape)
        notation.shapes(symbols, shape)  # refuses a kernel that does not fit
        return cls(symbols, recipe, shape)

    @cached_property
    def gmm_indices(self) -> tuple[int, ...]:
        """Indices, from 1, of the cGMM layers."""
        return notation.gmm_indices(self.notation)


class Network:
    """Layers, their weights and the controllers of their annealing.

    Args:
        architecture: of the layers, which start with the weights of seed 0.

    Attributes:
        architecture: the same.
        layers: built, bottom to top.
        fitted: whether they have been trained.
        compiled: functions by their keys, see `once`.
    """

    def __init__(self, architecture: Architecture) -> None:
        self.architecture = architecture
        self.compiled = _compiled(architecture)
        self.reset(seed=0)

    def reset(self, seed: int) -> None:
        """Make the layers anew, with fresh weights."""
        kind = self.architecture
        self.fitted = False
        self.layers = stack.build(kind.notation, kind.recipe, kind.input_shape, seed)
        self._controllers: list[AnnealingState] = [
            annealing.initial_state(layer.components, kind.recipe) for layer in self.gmms
        ]

    @property
    def gmms(self) -> list[layers.GMM]:
        """The cGMM layers, bottom to top."""
        return [layer for layer in self.layers if isinstance(layer, layers.GMM)]

    @property
    def classifier(self) -> layers.Classifier | None:
        """The classifier layer, if there is one."""
        return self.layers[-1] if isinstance(self.layers[-1], layers.Classifier) else None

    @property
    def to_the_top(self) -> list:
        """The layers from the image to the top cGMM layer."""
        return self.layers[: self.architecture.gmm_indices[-1]]

    def states(self) -> tuple[LayerState, ...]:
        """Of the cGMM layers, bottom to top."""
        return tuple(
            LayerState(layer.parameters, AnnealingState(*map(ops.convert_to_tensor, controller)))
            for layer, controller in zip(self.gmms, self._controllers, strict=True)
        )

    def start(self, seed: int) -> tuple:
        """What training starts from: fresh states, and a classifier's parameters after them."""
        self.reset(seed)
        return (*self.states(), *([self.classifier.parameters] if self.classifier else []))

    def finish(self, states: Sequence) -> None:
        """Take over what training from `start` has ended with."""
        if self.classifier:
            *states, self.classifier.parameters = states
        for layer, state in zip(self.gmms, states, strict=True):
            layer.parameters = state.parameters
        self._controllers = [AnnealingState(*map(np.asarray, state.annealing)) for state in states]
        self.fitted = True

    def arrays(self) -> dict[str, np.ndarray]:
        """All that is saved, by the names of `persistence.as_arrays`."""
        return persistence.as_arrays(self._parts())

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Take over what `arrays` has given."""
        parts = {
            index: [persistence.part(like, arrays, index) for like in named]
            for index, named in self._parts().items()
        }
        classifier = parts.pop(len(self.layers), []) if self.classifier else []
        self.finish([*(LayerState(*named) for named in parts.values()), *classifier])

    def forward(self, images: np.ndarray, layer: int) -> Any:
        """Scores and responsibilities through a layer, see `inference.in_batches`."""
        states = self.states()[: self.architecture.gmm_indices.index(layer) + 1]
        return inference.in_batches(self.forward_pass(layer), states, images)

    def forward_pass(self, layer: int) -> Callable:
        """The compiled `inference.forward_pass` through a layer."""
        return self.once(layer, lambda: inference.forward_pass(self.layers, layer))

    def responsibilities(self, images: np.ndarray, layer: int) -> np.ndarray:
        """Posterior probabilities of a cGMM layer's components, [n, H, W, K]."""
        gammas = [gamma.transpose(3, 0, 1, 2) for _, gamma in self.forward(images, layer)]
        return np.concatenate(gammas)

    def once(self, key: Any, make: Callable) -> Any:
        """What `make` compiles, once for all networks of this architecture; it holds no state."""
        if key not in self.compiled:
            self.compiled[key] = make()
        return self.compiled[key]

    def _parts(self) -> dict[int, tuple]:
        """What every layer holds that has something, by its index."""
        indices = self.architecture.gmm_indices
        parts: dict[int, tuple] = dict(zip(indices, self.states(), strict=True))
        if self.classifier:
            parts[len(self.layers)] = (self.classifier.parameters,)
        return parts


@lru_cache(maxsize=8)
def _compiled(architecture: Architecture) -> dict[Any, Any]:
    """What has been compiled for an architecture."""
    return {}
