"""DGCSPN: dilated products and local sums over all pixels, through libspn-keras."""

from __future__ import annotations

import time
from collections.abc import Iterator
from numbers import Real
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from tqdm import tqdm

from baselines.base import Arrays, Baseline, History, Shapes
from baselines.checks import as_count, batches, numpy_defaults
from baselines.dgcspn import cost, sampling, scaling
from baselines.dgcspn.settings import Settings
from baselines.interface import (
    INPAINT,
    MARGINALS,
    SAMPLE,
    SAMPLE_WEIGHT,
    SCORE,
    DivergenceError,
)

if TYPE_CHECKING:  # TensorFlow is imported when a network is first built
    from baselines.dgcspn.network import Network

# Which of a seed's random streams.
_NETWORK, _ORDER, _DRAWS = range(3)
# Images drawn together.
_DRAWN = 64
_LEAF = ("denominators", "numerators")  # arrays that are no weights of a sum


class Trained(NamedTuple):
    """What a fit gives.

    Attributes:
        network: a density of standardised images.
        mean: of an image's pixels, averaged over the training images.
        std: their standard deviation, averaged likewise.
    """

    network: Network
    mean: float
    std: float


class DGCSPN(Baseline):
    """Deep generalized convolutional sum-product network.

    >>> model = DGCSPN(sums=16, epochs=2)
    >>> history = model.fit(images, seed=0)

    Each image is standardised by its own mean and standard deviation, z = (x - mean) / (std + 0.1),
    and the network is a density of z. A score lacks the Jacobian of that, which an image's mean and
    standard deviation cannot be recovered from: it compares images, not models. Given a mask, an
    image is standardised by its known pixels alone, and its score is 0 where there are none.

    It is trained by online EM, all images in a new order in every epoch; the step is halved when
    the loss stagnates. `sample_weight` multiplies the images' losses; an image of weight 0 trains
    nothing. The history has, for each epoch, `log_likelihood`, the mean over its images in nats,
    each image scored just before the step that used it, and `step`. It is that of training: not
    weighted, but with dropout, so it is not the mean of `score_samples`.

    Draws are standard scores. They get the mean and the standard deviation of the image's known
    pixels, or where nothing is known those that the training images have on average. Without noise,
    leaves give their means.

    Args:
        settings: see `baselines.dgcspn.settings.Settings`.

    Raises:
        ValueError: for settings out of range or too few levels for the image.

    Reference: Van de Wolfshaar & Pronobis 2020, "Deep generalized convolutional sum-product
    networks".
    """

    name = "dgcspn"
    capabilities = frozenset({SCORE, MARGINALS, SAMPLE, INPAINT, SAMPLE_WEIGHT})
    Settings = Settings

    @property
    def shapes(self) -> Shapes:
        """Of the trainable arrays."""
        return self.settings.shapes

    def _learn(
        self,
        images: np.ndarray,
        *,
        seed: int,
        progress: bool,
        sample_weight: np.ndarray | None = None,
    ) -> tuple[Trained, History]:
        settings = self.settings
        # The leaves start from quantiles of the pixels.
        z, mean, std = scaling.standardise(images, np.broadcast_to(True, images.shape))
        start = z if settings.locations == "image" else scaling.standardise_globally(images)
        network = self._network(scaling.quantile_means(start, settings.components), seed)
        del start
        # Online EM.
        order = np.random.default_rng((seed, _ORDER))
        plateau = network.plateau()
        history: History = {"log_likelihood": [], "step": []}
        with tqdm(total=self._steps(len(z)), disable=None if progress else True) as bar:
            for epoch in range(settings.epochs):
                history["step"].append(network.step)
                shuffled = order.permutation(len(z))
                loss = likelihood = 0.0
                for part in batches(len(z), settings.batch_size):
                    chosen = shuffled[part]
                    batch_loss, batch_mean = network.learn(
                        z[chosen], None if sample_weight is None else sample_weight[chosen]
                    )
                    if not np.isfinite(batch_mean):
                        raise DivergenceError(
                            f"the log-likelihood is {batch_mean} in epoch {epoch + 1}: lower step"
                        )
                    loss += batch_loss * len(chosen) / len(z)
                    likelihood += batch_mean * len(chosen) / len(z)
                    bar.update()
                history["log_likelihood"].append(likelihood)
                plateau.on_epoch_end(epoch, {"loss": loss})
        return Trained(network, float(mean.mean()), float(std.mean())), history

    def _log_density(self, images: np.ndarray, known: np.ndarray | None) -> np.ndarray:
        known = np.broadcast_to(True, images.shape) if known is None else known
        scores = []
        for part in batches(len(images), self.settings.batch_size):
            z, _, _ = scaling.standardise(images[part], known[part])
            scores.append(self.trained.network.upward(z, known[part])[0].numpy())
        return np.concatenate(scores)

    def _draw(self, n: int, *, seed: int, noise: bool) -> np.ndarray:
        z = np.concatenate(list(self._draws(None, batches(n, _DRAWN), seed, noise)))
        return scaling.restore(z, self.trained.mean, self.trained.std)

    def _complete(
        self, images: np.ndarray, known: np.ndarray, *, seed: int, noise: bool
    ) -> np.ndarray:
        z, mean, std = scaling.standardise(images, known)
        anything = known.any((1, 2, 3), keepdims=True)
        mean = np.where(anything, mean, self.trained.mean)
        std = np.where(anything, std, self.trained.std)
        parts = batches(len(images), _DRAWN)
        drawn = np.concatenate(list(self._draws((z, known), parts, seed, noise)))
        return scaling.restore(drawn, mean, std)

    def _draws(
        self,
        evidence: tuple[np.ndarray, np.ndarray] | None,
        parts: list[slice],
        seed: int,
        noise: bool,
    ) -> Iterator[np.ndarray]:
        """Standard scores [n, H, W, C], part by part; given an image's and its mask, if any."""
        network, generator = self.trained.network, np.random.default_rng((seed, _DRAWS))
        weights = [array for name, array in network.arrays.items() if name not in _LEAF]
        locations = network.locations[None]  # [1, H, W, K, C]
        for part in parts:
            seen = None
            if evidence is not None:
                z, known = evidence
                seen = [x.numpy() for x in network.upward(z[part], known[part])[1]]
            n = part.stop - part.start
            components = sampling.draw_components(self.settings, weights, seen, n, generator)
            z = np.take_along_axis(locations, components[..., None, None], axis=3)[..., 0, :]
            yield z + generator.standard_normal(z.shape, "float32") if noise else z

    def _saved(self) -> tuple[dict[str, Any], Arrays]:
        network, mean, std = self.trained
        return {"mean": mean, "std": std}, network.arrays

    def _check(self, description: dict[str, Any], arrays: Arrays, shapes: Shapes) -> None:
        super()._check(description, arrays, shapes)
        if not all(isinstance(description[name], Real) for name in ("mean", "std")):
            raise ValueError("mean or std is no number")

    def _restored(self, description: dict[str, Any], arrays: Arrays) -> Trained:
        network = self._network(arrays["numerators"], None)
        network.arrays = arrays
        return Trained(network, description["mean"], description["std"])

    @property
    def estimated_memory(self) -> int:
        """Peak bytes of the process in training, the images aside; known before `fit`."""
        return cost.estimated_memory(self.settings)

    @numpy_defaults
    def estimated_seconds(self, n: int) -> float:
        """Duration of a fit to n images, from steps of a throwaway network on this machine."""
        as_count("n", n)
        shape = (min(n, self.settings.batch_size), *self.settings.input_shape)
        z = np.random.default_rng(0).standard_normal(shape, "float32")
        # Any locations will do.
        network = self._network(np.zeros(self.settings.shapes["numerators"], "float32"), 0)
        network.learn(z, None)  # traces the step
        start = time.perf_counter()
        for _ in range(2):
            network.learn(z, None)
        return (time.perf_counter() - start) / 2 * self._steps(n)

    def _network(self, locations: np.ndarray, seed: int | None) -> Network:
        from baselines.dgcspn.network import Network  # imports TensorFlow

        if seed is not None:
            state = np.random.SeedSequence((seed, _NETWORK)).generate_state(1)
            seed = int(state[0]) % 2**31
        return Network(self.settings, locations, seed)

    def _steps(self, n: int) -> int:
        return self.settings.epochs * len(batches(n, self.settings.batch_size))
