"""Sampling (Sec. III-I): from the top cGMM layer down, each layer drawing what the next one reads.

A cGMM layer draws a component and around its centroid. Where a folding layer comes next, its
average over J overlapping patches is taken before the noise: the mean of independent Gaussians is
Gaussian, with the mean of their means and 1/J times the mean of their variances, and fewer numbers
are drawn. Random numbers come from NumPy, a generator for each batch and layer, so that neither
the backend nor the noise of another layer changes them.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from dcgmm import backend, streams
from dcgmm.inference import BATCH
from dcgmm.layers import GMM, Folding, gmm_backward
from dcgmm.sampling_recipe import Sampling, sharpened_indices
from dcgmm.sharpening import Ascent, sharpener


class Draw(NamedTuple):
    """A batch of images and what sharpening did for them.

    Attributes:
        images: [N, H, W, C], unclipped.
        likelihoods: for each sharpened folding layer its target's log-likelihoods before and after
            sharpening, each [N], in nats.
    """

    images: np.ndarray
    likelihoods: dict[int, tuple[np.ndarray, np.ndarray]]


class Section(NamedTuple):
    """A cGMM layer and the layers between it and the next cGMM layer below.

    Attributes:
        layer: the cGMM layer.
        folding: the folding layer directly below it, if there is one.
        below: index, from 1, and layer of all that lies between, top to bottom.
    """

    layer: GMM
    folding: Folding | None
    below: list[tuple[int, keras.layers.Layer]]


class Sampler:
    """The compiled way down a model.

    Args:
        layers: those of the model up to its top cGMM layer.
        symbolic: the same, as notation.
        sampling: how, one entry a layer (`Sampling.for_layers`).
        sharpen: whether folding layers are sharpened.
    """

    def __init__(
        self,
        layers: Sequence[keras.layers.Layer],
        symbolic: Sequence[Any],
        sampling: Sampling,
        sharpen: bool,
    ) -> None:
        self.layers, self.sampling = layers, sampling
        self.sections = sections(layers)
        self.ascents = _ascents(symbolic, sampling) if sharpen else {}
        # TensorFlow counts traces by code, and takes many samplers for one that traces too often;
        # a `partial` has none.
        self.from_components = backend.compiled(partial(self._down))
        self.from_control = backend.compiled(partial(self._through_the_top))

    def draw(
        self, states: tuple, n: int, seed: int, how: str | int, controls: Any = None
    ) -> Iterator[Draw]:
        """Yield images batch by batch.

        Args:
            states: of the cGMM layers.
            n: how many images.
            seed: of the draws.
            how: the top cGMM layer chooses components, see `Sampling.start`.
            controls: instead, yields control signals for it, [H, W, K, BATCH].
        """
        for batch, begin in enumerate(range(0, n, BATCH)):
            chances, noises = self._random_numbers(seed, batch)
            if controls is None:
                pi_logits = np.asarray(states[-1].parameters.logits)
                top = start(how, self.sections[-1].layer, pi_logits, begin, chances[-1])
                x, seen = self.from_components(states, top, chances[:-1], noises)
            else:
                x, seen = self.from_control(states, next(controls), chances, noises)
            kept = slice(0, min(BATCH, n - begin))
            yield Draw(
                np.ascontiguousarray(np.asarray(x).transpose(3, 0, 1, 2)[kept]),
                {i: tuple(np.asarray(value)[kept] for value in seen[i]) for i in self.ascents},
            )

    def _random_numbers(self, seed: int, batch: int) -> tuple[tuple, tuple]:
        """Chances [P, N] of every cGMM layer, and normal numbers where it draws with noise."""
        chances, noises = [], []
        noisy = [fraction > 0 for fraction in self.sampling.noise]
        for which, section in enumerate(self.sections):
            rng = np.random.default_rng((seed, streams.DRAWS, batch, which))
            chances.append(rng.random((section.layer.positions, BATCH), "float32"))
            shape = (*_drawn_shape(section), BATCH)
            noises.append(rng.standard_normal(shape, "float32") if noisy[which] else None)
        return tuple(chances), tuple(noises)

    def _through_the_top(self, states: tuple, control: Any, chances: tuple, noises: tuple) -> tuple:
        """The control signal [H, W, K, N] of the top cGMM layer -> [H, W, C, N], likelihoods."""
        components, blank = self._chosen(len(self.sections) - 1, control, chances[-1])
        return self._down(states, components, chances[:-1], noises, blank)

    def _down(
        self, states: tuple, components: Any, chances: tuple, noises: tuple, blank: Any = None
    ) -> tuple:
        """Components of the top cGMM layer, [P, N] -> [H, W, C, N], likelihoods."""
        top = len(self.sections) - 1
        x, likelihoods = self._through(top, states, components, blank, noises[top])
        for which in reversed(range(top)):
            components, blank = self._chosen(which, x, chances[which])
            x, more = self._through(which, states, components, blank, noises[which])
            likelihoods |= more
        return x, likelihoods

    def _through(
        self, which: int, states: tuple, components: Any, blank: Any, noise: Any
    ) -> tuple[Any, dict]:
        """Components of a cGMM layer, [P, N] -> what the next one below reads, likelihoods."""
        section, likelihoods = self.sections[which], {}
        x = self._drawn(which, states[which], components, blank, noise)
        for index, layer in section.below:
            if layer is not section.folding:  # through which `_drawn` has gone already
                x = layer.backward(x)
            if index in self.ascents:
                sharpen = sharpener(self.layers, index, self.ascents[index])
                x, *likelihoods[index] = sharpen(states, x)
        return x, likelihoods

    def _drawn(self, which: int, state: Any, components: Any, blank: Any, noise: Any) -> Any:
        """What a cGMM layer draws, [H, W, C, N], after a folding layer that comes next."""
        mean, variance = self._gaussian(which, state, components, blank)
        folding = self.sections[which].folding
        if folding is not None:
            variance = None if variance is None else folding.backward_variance(variance)
            mean = folding.backward(mean)
        return mean if variance is None else mean + ops.sqrt(variance) * noise

    def _chosen(self, which: int, control: Any, chances: Any) -> tuple[Any, Any]:
        """Components [P, N] by a control signal [H, W, K, N]; what stays blank, [P, 1, N]."""
        layer = self.sections[which].layer
        flat = ops.reshape(control, (layer.positions, layer.components, -1))
        semantics = self.sampling.semantics
        weights = gmm_backward.component_weights(flat, self.sampling.keep[which], semantics)
        blank = None
        if semantics == "released":
            blank = ops.logical_not(ops.sum(flat, axis=1, keepdims=True) > 0)
        return gmm_backward.choose(weights, chances), blank

    def _gaussian(self, which: int, state: Any, components: Any, blank: Any) -> tuple[Any, Any]:
        """Means and variances of what a cGMM layer draws, [H, W, D, N]; None without noise."""
        layer, fraction = self.sections[which].layer, self.sampling.noise[which]
        bound = layer.max_precision**0.5 if self.sampling.semantics == "released" else None
        moments = [gmm_backward.means(state.parameters, components)]
        if fraction > 0:
            moments.append(gmm_backward.variances(state.parameters, components, fraction, bound))
        if blank is not None:
            moments = [ops.where(blank, 0, moment) for moment in moments]
        shape = (*layer.size, layer.dimension, -1)
        mean, variance = [*(ops.reshape(moment, shape) for moment in moments), None][:2]
        return mean, variance


def start(how: str | int, layer: GMM, logits: np.ndarray, first: int, chances: Any) -> np.ndarray:
    """Components of the top cGMM layer where nothing tells it which, int32 [P, N].

    Args:
        how: see `Sampling.start`; `cycle` counts through images and, in each, positions.
        layer: the top cGMM layer.
        logits: of its weights, [Q, K].
        first: the number of the first image.
        chances: [P, N], uniform in [0, 1).
    """
    positions, count = chances.shape
    if how == "uniform":
        return (chances * np.float32(layer.components)).astype("int32")
    if how == "weights":
        weights = np.exp(logits - logits.max(axis=1, keepdims=True))
        reached = np.cumsum(weights / weights.sum(axis=1, keepdims=True), axis=1)  # [Q, K]
        chosen = (reached[:, :, None] <= chances[:, None]).sum(axis=1)
        return np.minimum(chosen, layer.components - 1).astype("int32")
    if how == "cycle":
        images = np.arange(first, first + count)
        order = images * positions + np.arange(positions)[:, None]
        return (order % layer.components).astype("int32")
    return np.full((positions, count), how, "int32")


def in_batches(control: np.ndarray) -> Iterator[Any]:
    """A control signal [n, H, W, K], batch by batch as [H, W, K, BATCH], the last one padded."""
    for begin in range(0, len(control), BATCH):
        batch = control[begin : begin + BATCH].transpose(1, 2, 3, 0)
        missing = BATCH - batch.shape[3]
        yield ops.convert_to_tensor(np.pad(batch, ((0, 0),) * 3 + ((0, missing),)))


def sections(layers: Sequence[keras.layers.Layer]) -> list[Section]:
    """For each cGMM layer, bottom to top, the way from it to the next one below."""
    result: list[Section] = []
    below: list[tuple[int, keras.layers.Layer]] = []
    for index, layer in enumerate(layers, start=1):
        if isinstance(layer, GMM):
            next_below = below[0][1] if below else None
            folding = next_below if isinstance(next_below, Folding) else None
            result.append(Section(layer, folding, below))
            below = []
        else:
            below = [(index, layer), *below]
    return result


def _drawn_shape(section: Section) -> tuple[int, int, int]:
    """[H, W, C] of what a cGMM layer draws, after a folding layer that comes next."""
    if section.folding is not None:
        return section.folding.input_size
    return (*section.layer.size, section.layer.dimension)


def _ascents(symbolic: Sequence[Any], sampling: Sampling) -> dict[int, Ascent]:
    """The settings of every folding layer that is sharpened, by its index."""
    settings = sampling.sharpening
    columns = (settings.iterations, settings.step, settings.omega, settings.targets)
    rows = zip(sharpened_indices(tuple(symbolic)), *columns, strict=True)
    return {index: Ascent(*values) for index, *values in rows if values[0] > 0}
