"""The backward mode of a DCGMM as its user sees it: `sample` and `inpaint`."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np

from dcgmm import checks, classification, inpainting, sampling
from dcgmm.network import Network
from dcgmm.sampling_recipe import Sampling, Sharpening

Likelihoods = dict[int, tuple[np.ndarray, np.ndarray]]


class Generative:
    """A network, and how images are drawn from it.

    Args:
        network: the layers.
        sampling: the settings, which a call may change; those that leave it open are filled in.

    Attributes:
        network: the same.
        sampling: the settings with one entry a layer.
    """

    def __init__(self, network: Network, sampling: Sampling) -> None:
        self.network = network
        self.sampling = sampling.for_layers(network.architecture.notation)

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
    def control_signal(self, classes: Any, confidence: float = 0.95) -> np.ndarray:
        """What `sample` takes as `top` for images of given classes [n], see `classification`."""
        network = self.network
        return classification.control_signal(
            network.layers, network.architecture.recipe, classes, confidence
        )

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
        network, shape = self.network, self.network.architecture.input_shape
        images, mask = checks.as_evidence(images, known, shape)
        seed = checks.as_seed(seed)
        if method not in inpainting.METHODS:
            raise ValueError(f"method is {method!r}, but must be one of {inpainting.METHODS}")
        if "start" in settings:
            raise ValueError("start is set, but the images say how to start: leave it out")
        chosen = self._chosen(noise, sharpen, settings)
        self._warn_unfitted("in-painting", stacklevel=4)
        states, way = network.states(), network.to_the_top
        if method == "black":
            controls = sampling.in_batches(network.responsibilities(images, len(way)))
        else:
            forward = network.once("marginal", lambda: inpainting.marginal_forward(way))
            controls = inpainting.controls(forward, states, images, mask)
        sampler = self._sampler(chosen, sharpen is not False)
        drawn = sampler.draw(states, len(images), seed, chosen.start, controls)
        completion = np.concatenate([draw.images for draw in drawn])
        return np.where(mask, images, completion.clip(0, 1))

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
            layer = self.network.to_the_top[-1]
            shape = (*layer.size, layer.components)
            controls = sampling.in_batches(checks.as_control(top, n, shape))
        self._warn_unfitted("sampling", stacklevel=5)
        sampler = self._sampler(chosen, sharpen is not False)
        drawn = list(sampler.draw(self.network.states(), n, seed, chosen.start, controls))
        images = np.concatenate([draw.images for draw in drawn])
        return (images.clip(0, 1) if clip else images), _joined([d.likelihoods for d in drawn])

    def _chosen(self, noise: Any, sharpen: Any, changes: dict[str, Any]) -> Sampling:
        """The model's settings after a call's changes, one entry a layer."""
        if noise is not True:
            changes = {**changes, "noise": 0.0 if noise is False else noise}
        if not isinstance(sharpen, bool):
            changes = {**changes, "sharpening": sharpen}
        return self.sampling.updated(**changes).for_layers(self.network.architecture.notation)

    def _sampler(self, chosen: Sampling, sharpen: bool) -> sampling.Sampler:
        """The compiled way down; where it starts is no part of it."""
        layers, symbols = self.network.to_the_top, self.network.architecture.notation
        same = replace(chosen, start="uniform")
        key = same if sharpen else replace(same, sharpening=Sharpening())
        return self.network.once(
            (key, sharpen), lambda: sampling.Sampler(layers, symbols, chosen, sharpen)
        )

    def _warn_unfitted(self, what: str, stacklevel: int) -> None:
        if not self.network.fitted:  # NumPy's decorator is one of the levels
            message = f"{what} from a model that was never fitted shows its initial parameters"
            warnings.warn(f"{message}: call fit first", stacklevel=stacklevel)


def _joined(batches: list[Likelihoods]) -> Likelihoods:
    """The likelihoods of several batches of images as those of one."""
    return {
        index: tuple(np.concatenate([batch[index][when] for batch in batches]) for when in (0, 1))
        for index in batches[0]
    }
