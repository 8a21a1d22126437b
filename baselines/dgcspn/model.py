"""DGCSPN: dilated products and local sums over all pixels, through libspn-keras."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from tqdm import tqdm

from baselines import persistence
from baselines.checks import as_count, as_evidence, as_images, as_seed, numpy_defaults
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


class DGCSPN:
    """Deep generalized convolutional sum-product network.

    >>> model = DGCSPN(sums=16, epochs=2)
    >>> history = model.fit(images, seed=0)

    Each image is standardised by its own mean and standard deviation, z = (x - mean) / (std + 0.1),
    and the network is a density of z.

    Args:
        settings: see `baselines.dgcspn.settings.Settings`.

    Raises:
        ValueError: for settings out of range or too few levels for the image.

    Reference: Van de Wolfshaar & Pronobis 2020, "Deep generalized convolutional sum-product
    networks".
    """

    name = "dgcspn"
    capabilities = frozenset({SCORE, MARGINALS, SAMPLE, INPAINT, SAMPLE_WEIGHT})

    def __init__(self, **settings: Any) -> None:
        self.settings = Settings(**settings)
        self._fitted: Network | None = None
        self._mean = self._std = 0.0  # of an image, averaged over the training images

    @numpy_defaults
    def fit(
        self, images: Any, *, sample_weight: Any = None, seed: int = 0, progress: bool = False
    ) -> dict[str, list]:
        """Train from scratch by online EM; the step is halved when the loss stagnates.

        All images are put into a new order in every epoch.

        Args:
            images: [n, H, W, C] in [0, 1].
            sample_weight: non-negative numbers [n], by which the library multiplies the images'
                losses; an image of weight 0 trains nothing. None weighs all the same.
            seed: of the initial weights, of dropout and of the order of images.
            progress: whether to show a bar, if standard error is a terminal.

        Returns:
            `log_likelihood`, for each epoch the mean over its images in nats, each image scored
            just before the step that used it. It is that of training: not weighted, but with
            dropout, so it is not the mean of `score_samples`. And `step`, that of the epoch.

        Raises:
            ValueError: for images or weights of the wrong shape or range.
            DivergenceError: as soon as the log-likelihood is not finite.
        """
        settings = self.settings
        images, seed = as_images(images, settings.input_shape), as_seed(seed)
        weight = _as_weights(sample_weight, len(images))
        self._fitted = None  # an earlier fit would double the memory
        z, mean, std = scaling.standardise(images, np.broadcast_to(True, images.shape))
        start = z if settings.locations == "image" else scaling.standardise_globally(images)
        network = self._network(scaling.quantile_means(start, settings.components), seed)
        del start
        order = np.random.default_rng((seed, _ORDER))
        plateau = network.plateau()
        history: dict[str, list] = {"log_likelihood": [], "step": []}
        with tqdm(total=self._steps(len(z)), disable=None if progress else True) as bar:
            for epoch in range(settings.epochs):
                history["step"].append(network.step)
                shuffled = order.permutation(len(z))
                loss = likelihood = 0.0
                for part in _parts(len(z), settings.batch_size):
                    chosen = shuffled[part]
                    batch_loss, batch_mean = network.learn(
                        z[chosen], None if weight is None else weight[chosen]
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
        self._mean, self._std = float(mean.mean()), float(std.mean())
        self._fitted = network
        return history

    @numpy_defaults
    def score_samples(self, images: Any, known: Any = None) -> np.ndarray:
        """Log-density in nats of every standardised image, [n].

        It is the density of z, without the Jacobian of the standardisation, which an image's mean
        and standard deviation cannot be recovered from: it compares images, not models.

        Args:
            images: [n, H, W, C] in [0, 1].
            known: boolean, broadcastable to the images; the log-density is that of the known
                pixels, standardised by their mean and standard deviation alone, the others being
                integrated out. It is 0 where nothing is known. None knows all.
        """
        known = np.array(True) if known is None else known
        images, mask = as_evidence(images, known, self.settings.input_shape)
        scores = []
        for part in _parts(len(images), self.settings.batch_size):
            z, _, _ = scaling.standardise(images[part], mask[part])
            scores.append(self.network.upward(z, mask[part])[0].numpy())
        return np.concatenate(scores)

    @numpy_defaults
    def sample(self, n: int, *, seed: int = 0, noise: bool = True) -> np.ndarray:
        """New images, [n, H, W, C], clipped to [0, 1].

        The network draws standard scores; all of them get the mean and the standard deviation that
        the training images have on average.

        Args:
            n: how many.
            seed: of the draws.
            noise: whether leaves are drawn, or give their means, as released.
        """
        n, generator = as_count("n", n), np.random.default_rng((as_seed(seed), _DRAWS))
        drawn = [
            scaling.restore(z, self._mean, self._std)
            for z in self._draws(None, _parts(n, _DRAWN), generator, noise)
        ]
        return np.concatenate(drawn)

    @numpy_defaults
    def inpaint(self, images: Any, known: Any, *, seed: int = 0, noise: bool = True) -> np.ndarray:
        """Images with unknown pixels drawn given the known ones, [n, H, W, C].

        The draws get the mean and the standard deviation of the image's known pixels; where nothing
        is known, those of `sample`.

        Args:
            images: [n, H, W, C] in [0, 1].
            known: boolean, broadcastable to the images.
            seed: of the draws.
            noise: whether leaves are drawn, or give their means.
        """
        images, mask = as_evidence(images, known, self.settings.input_shape)
        generator = np.random.default_rng((as_seed(seed), _DRAWS))
        z, mean, std = scaling.standardise(images, mask)
        anything = mask.any((1, 2, 3), keepdims=True)
        mean, std = np.where(anything, mean, self._mean), np.where(anything, std, self._std)
        parts = _parts(len(images), _DRAWN)
        drawn = np.concatenate(list(self._draws((z, mask), parts, generator, noise)))
        return np.where(mask, images, scaling.restore(drawn, mean, std))

    def _draws(
        self,
        evidence: tuple[np.ndarray, np.ndarray] | None,
        parts: list[slice],
        generator: np.random.Generator,
        noise: bool,
    ) -> Iterator[np.ndarray]:
        """Standard scores [n, H, W, C], part by part."""
        network = self.network
        weights = [array for name, array in network.arrays.items() if name not in _LEAF]
        locations = network.locations[None]  # [1, H, W, K, C]
        for part in parts:
            seen = None
            if evidence is not None:
                z, mask = evidence
                seen = [x.numpy() for x in network.upward(z[part], mask[part])[1]]
            n = part.stop - part.start
            components = sampling.draw_components(self.settings, weights, seen, n, generator)
            z = np.take_along_axis(locations, components[..., None, None], axis=3)[..., 0, :]
            yield z + generator.standard_normal(z.shape, "float32") if noise else z

    @property
    def network(self) -> Network:
        """The fitted network.

        Raises:
            ValueError: before `fit`.
        """
        if self._fitted is None:
            raise ValueError(f"this {self.name} model has no parameters yet: call fit first")
        return self._fitted

    @property
    def n_parameters(self) -> int:
        """Trainable numbers; known before `fit`."""
        return self.settings.n_parameters

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

    def save(self, folder: str | os.PathLike) -> None:
        """Write the fitted model to a folder, replacing a model that is there."""
        description = {
            "method": self.name,
            "settings": asdict(self.settings),
            "mean": self._mean,
            "std": self._std,
        }
        persistence.write(folder, description, self.network.arrays)

    @classmethod
    def load(cls, folder: str | os.PathLike) -> Self:
        """Read a model that `save` wrote; scores come out equal to the bit on the same machine.

        Raises:
            ValueError: naming what is missing or damaged.
        """
        description, arrays = persistence.read(folder, cls.name)
        with persistence.restoring(folder):
            model = cls(**description["settings"])
            persistence.check_shapes(arrays, model.settings.shapes)
            model._mean, model._std = description["mean"] + 0.0, description["std"] + 0.0
        model._fitted = model._network(arrays["numerators"], None)
        model._fitted.arrays = arrays
        return model

    def _network(self, locations: np.ndarray, seed: int | None) -> Network:
        from baselines.dgcspn.network import Network  # imports TensorFlow

        if seed is not None:
            state = np.random.SeedSequence((seed, _NETWORK)).generate_state(1)
            seed = int(state[0]) % 2**31
        return Network(self.settings, locations, seed)

    def _steps(self, n: int) -> int:
        return self.settings.epochs * len(_parts(n, self.settings.batch_size))


_LEAF = ("denominators", "numerators")


def _parts(n: int, size: int) -> list[slice]:
    return [slice(start, min(start + size, n)) for start in range(0, n, size)]


def _as_weights(weight: Any, n: int) -> np.ndarray | None:
    if weight is None:
        return None
    weight = np.asarray(weight, dtype="float32")
    if weight.shape != (n,):
        raise ValueError(
            f"sample_weight must have one number an image, [{n}], but is {weight.shape}"
        )
    if not (np.isfinite(weight).all() and (weight >= 0).all()):
        raise ValueError("sample_weight must hold finite numbers of at least 0")
    return weight
