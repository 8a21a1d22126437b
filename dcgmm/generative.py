"""The backward mode of a DCGMM as its user sees it: `sample` and `inpaint`."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from dcgmm import checks, inpainting, notation, sampling
from dcgmm.sampling_recipe import Sampling, Sharpening

Likelihoods = dict[int, tuple[np.ndarray, np.ndarray]]


class Generative:
    """What a DCGMM does from the top down; its settings are those of `Sampling`."""

    sampling: Sampling
    notation: tuple[notation.Layer, ...]
    layers: list[keras.layers.Layer]
    gmm_indices: tuple[int, ...]
    input_shape: tuple[int, int, int]
    fitted: bool
    _compiled: dict[Any, Any]
    control_signal: Callable[..., np.ndarray]

    def sample(
        self,
        n: int,
        *,
        seed: int = 0,
        noise: bool | float | tuple[float, ...] = True,
        classes: Any = None,
        top: Any = None,
        sharpen: bool | Sharpening = False,
        clip: bool = True,
        **settings: Any,
    ) -> np.ndarray:
        """Images drawn from the model, float32 [n, H, W, C] (Sec. III-I).

        Args:
            n: how many images.
            seed: of the draws. On one backend and CPU the same seed gives the same bits, and the
                first images are the same however many are drawn.
            noise: fraction of the standard deviation with which every cGMM layer draws, or one
                for each of them, bottom to top; True is that of the model's settings, False none.
            classes: of the images, integers [n]: the classifier layer, inverted, starts them.
            top: control signal [n, H', W', K] for the top cGMM layer, of any sign and scale; by
                default `start` decides.
            sharpen: whether folding layers are sharpened, or with which `Sharpening`.
            clip: whether pixels are clipped to [0, 1]; the release leaves them as they come.
            **settings: changes to the model's `Sampling`: `keep`, `start`, `semantics`.

        Raises:
            ValueError: for settings that do not fit the model, a `top` of another shape, or
                classes that no classifier on the top cGMM layer knows.

        Warns:
            UserWarning: if the model was never fitted.
        """
        if classes is not None:
            if top is not None:
                raise ValueError("classes and top both say how to start: leave one of them out")
            top = self.control_signal(classes)
        images, _ = self._draw(n, seed, noise, top, sharpen, clip, settings)
        return images

    def sample_and_likelihoods(
        self,
        n: int,
        *,
        seed: int = 0,
        noise: bool | float | tuple[float, ...] = True,
        top: Any = None,
        sharpen: bool | Sharpening = True,
        clip: bool = True,
        **settings: Any,
    ) -> tuple[np.ndarray, Likelihoods]:
        """The images of `sample`, sharpened, and what that did for them.

        Arguments, errors and warnings are those of `sample`.

        Returns:
            Images, float32 [n, H, W, C]; and for each sharpened folding layer the log-likelihoods
            of its target layer (Eq. 8) before and after sharpening, in nats [n].
        """
        return self._draw(n, seed, noise, top, sharpen, clip, settings)

    @checks.numpy_defaults
    def inpaint(
        self,
        images: Any,
        known: Any,
        *,
        method: str = "black",
        seed: int = 0,
        noise: bool | float | tuple[float, ...] = True,
        sharpen: bool | Sharpening = False,
        **settings: Any,
    ) -> np.ndarray:
        """Images with their unknown pixels drawn anew, float32 [n, H, W, C] (Sec. III-J).

        Known pixels come back bit by bit; unknown ones are clipped to [0, 1].

        Args:
            images: [n, H, W, C] in [0, 1]; what unknown pixels hold does not matter.
            known: boolean, broadcastable to the images: [H, W, 1], [n, H, W, 1], ...
            method: `black` shows unknown pixels as 0, which is the paper's way; `marginal`
                integrates them out, see `dcgmm.inpainting`.
            seed: of the draws.
            noise: as in `sample`.
            sharpen: as there.
            **settings: changes to the model's `Sampling`: `keep`, `semantics`.

        Raises:
            ValueError: for images or a mask of the wrong shape or type, or unfit settings.

        Warns:
            UserWarning: if the model was never fitted.
        """
        images, known = checks.as_evidence(images, known, self.input_shape)
        seed = checks.as_seed(seed)
        if method not in inpainting.METHODS:
            raise ValueError(f"method is {method!r}, but must be one of {inpainting.METHODS}")
        if "start" in settings:
            raise ValueError("start is set, but the images say how to start: leave it out")
        chosen = self._chosen(noise, sharpen, settings)
        self._warn_unfitted("in-painting", stacklevel=4)
        states = self._states()
        if method == "black":
            controls = sampling.in_batches(self.responsibilities(images))
        else:
            forward = self._once("marginal", lambda: inpainting.marginal_forward(self._way))
            controls = inpainting.controls(forward, states, images, known)
        sampler = self._sampler(chosen, sharpen is not False)
        drawn = sampler.draw(states, len(images), seed, chosen.start, controls)
        completion = np.concatenate([draw.images for draw in drawn])
        return np.where(known, images, completion.clip(0, 1))

    @checks.numpy_defaults
    def _draw(
        self,
        n: int,
        seed: int,
        noise: Any,
        top: Any,
        sharpen: Any,
        clip: bool,
        settings: dict[str, Any],
    ) -> tuple[np.ndarray, Likelihoods]:
        n, seed = checks.as_count("n", n), checks.as_seed(seed)
        chosen = self._chosen(noise, sharpen, settings)
        controls = None
        if top is not None:
            layer = self._way[-1]
            shape = (*layer.size, layer.components)
            controls = sampling.in_batches(checks.as_control(top, n, shape))
        self._warn_unfitted("sampling", stacklevel=5)
        sampler = self._sampler(chosen, sharpen is not False)
        drawn = list(sampler.draw(self._states(), n, seed, chosen.start, controls))
        images = np.concatenate([draw.images for draw in drawn])
        return (images.clip(0, 1) if clip else images), _joined([d.likelihoods for d in drawn])

    @property
    def _way(self) -> list[keras.layers.Layer]:
        """The layers from the image to the top cGMM layer."""
        return self.layers[: self.gmm_indices[-1]]

    def _chosen(self, noise: Any, sharpen: Any, changes: dict[str, Any]) -> Sampling:
        """The model's settings after a call's changes, one entry a layer."""
        if noise is not True:
            changes = {**changes, "noise": 0.0 if noise is False else noise}
        if not isinstance(sharpen, bool):
            changes = {**changes, "sharpening": sharpen}
        return self.sampling.updated(**changes).for_layers(self.notation)

    def _sampler(self, chosen: Sampling, sharpen: bool) -> sampling.Sampler:
        """The compiled way down; where it starts is no part of it."""
        same = replace(chosen, start="uniform")
        key = same if sharpen else replace(same, sharpening=Sharpening())
        make = lambda: sampling.Sampler(self._way, self.notation, chosen, sharpen)  # noqa: E731
        return self._once((key, sharpen), make)

    def _once(self, key: Any, make: Callable) -> Any:
        if key not in self._compiled:
            self._compiled[key] = make()
        return self._compiled[key]

    def _warn_unfitted(self, what: str, stacklevel: int) -> None:
        if not self.fitted:  # NumPy's decorator is one of the levels
            message = f"{what} from a model that was never fitted shows its initial parameters"
            warnings.warn(f"{message}: call fit first", stacklevel=stacklevel)


def _joined(batches: list[Likelihoods]) -> Likelihoods:
    """The likelihoods of several batches of images as those of one."""
    return {
        index: tuple(np.concatenate([batch[index][when] for batch in batches]) for when in (0, 1))
        for index in batches[0]
    }
