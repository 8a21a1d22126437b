"""VAE: the convolutional variational auto-encoder of the paper's Table VIII, in Keras."""

from __future__ import annotations

import os
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from tqdm import tqdm

from baselines import persistence
from baselines.checks import as_count, as_images, as_seed, numpy_defaults
from baselines.interface import SAMPLE, SCORE, DivergenceError
from baselines.vae import cost
from baselines.vae.bound import importance_weighted_bound
from baselines.vae.settings import Settings

if TYPE_CHECKING:  # TensorFlow is imported when a network is first built
    from baselines.vae.network import Network

# Which of a seed's random streams.
_NETWORK, _ORDER, _CODES, _SCORES, _DRAWS, _PIXELS = range(6)
# Images scored or decoded together.
_BATCH = 100


class VAE:
    """Variational auto-encoder with convolutions and a Bernoulli likelihood of the pixels.

    >>> model = VAE(width=0.125, epochs=10)
    >>> history = model.fit(images, seed=0)
    >>> drawn = model.sample(100, noise=False)

    Table VIII is a network for 32x32 pixels. A smaller image is read from the middle of a black
    one of that size, and is the middle of what the decoder makes; the margin enters neither loss
    nor score.

    Args:
        settings: see `baselines.vae.settings.Settings`.

    Raises:
        ValueError: for settings out of range or images larger than 32x32.

    References: Kingma & Welling 2014, "Auto-encoding variational Bayes"; Gepperth 2022, Table VIII.
    """

    name = "vae"
    capabilities = frozenset({SCORE, SAMPLE})

    def __init__(self, **settings: Any) -> None:
        self.settings = Settings(**settings)
        self._network: Network | None = None  # compiled once, for all fits
        self._fitted = False

    @numpy_defaults
    def fit(self, images: Any, *, seed: int = 0, progress: bool = False) -> dict[str, list]:
        """Train from scratch by Adam.

        All images are put into a new order in every epoch; the remainder smaller than a batch,
        another one every epoch, is left out.

        Args:
            images: [n, H, W, C] in [0, 1].
            seed: of the initial weights, of the order of images and of the codes.
            progress: whether to show a bar, if standard error is a terminal.

        Returns:
            For each epoch the means over its images in nats, each image taken just before the
            step that used it: `elbo`, the evidence lower bound (beta does not enter it), and `kl`,
            the Kullback-Leibler divergence in it.

        Raises:
            ValueError: for images of the wrong shape or range.
            DivergenceError: as soon as the loss is not finite.
        """
        settings = self.settings
        images, seed = as_images(images, settings.input_shape), as_seed(seed)
        size = min(len(images), settings.batch_size)
        steps = self._steps(len(images))
        self._fitted = False
        network = self._compiled()
        network.reset(_seed(seed, _NETWORK))
        order, codes = (np.random.default_rng((seed, stream)) for stream in (_ORDER, _CODES))
        history: dict[str, list] = {"elbo": [], "kl": []}
        with tqdm(total=steps * settings.epochs, disable=None if progress else True) as bar:
            for epoch in range(settings.epochs):
                network.start_epoch()
                shuffled = order.permutation(len(images))[: steps * size]
                for chosen in shuffled.reshape(steps, size):
                    noise = codes.standard_normal((size, settings.latent), "float32")
                    cross_entropy, kl = network.learn(images[chosen], noise)
                    if not np.isfinite(cross_entropy + kl):
                        raise DivergenceError(
                            f"the loss is {cross_entropy + kl} in epoch {epoch + 1}: lower "
                            "learning_rate"
                        )
                    bar.update()
                history["elbo"].append(-cross_entropy - kl)
                history["kl"].append(kl)
        self._fitted = True
        return history

    @numpy_defaults
    def score_samples(self, images: Any) -> np.ndarray:
        """Importance-weighted bound of every image's log-likelihood in nats, float64 [n].

        The likelihood is a product of x log p + (1 - x) log (1 - p) over pixels x that may be
        grey: it is at most 0 and is no normalised density of grey values, so scores rank images
        and do not compare with other methods'. The same codes' noise serves every image and call.

        Args:
            images: [n, H, W, C] in [0, 1].

        Raises:
            ValueError: before `fit`; for images of the wrong shape or range.
        """
        images = as_images(images, self.settings.input_shape)
        shape = (self.settings.draws, self.settings.latent)
        noise = np.random.default_rng((0, _SCORES)).standard_normal(shape, "float32")
        return np.concatenate(
            [
                importance_weighted_bound(self.network, images[start : start + _BATCH], noise)
                for start in range(0, len(images), _BATCH)
            ]
        )

    @numpy_defaults
    def sample(self, n: int, *, seed: int = 0, noise: bool = True) -> np.ndarray:
        """New images, float32 [n, H, W, C]; the first ones do not depend on n.

        Args:
            n: how many.
            seed: of the codes and of the pixels.
            noise: whether pixels are drawn, so that they are 0 or 1, or give their means, which is
                what is published as a VAE's samples.

        Raises:
            ValueError: before `fit`; for n below 1.
        """
        n, seed = as_count("n", n), as_seed(seed)
        codes, pixels = (np.random.default_rng((seed, stream)) for stream in (_DRAWS, _PIXELS))
        drawn = []
        for start in range(0, n, _BATCH):
            count = min(_BATCH, n - start)
            z = codes.standard_normal((count, self.settings.latent), "float32")
            means = self.network.pixel_means(z)
            if noise:
                means = (pixels.random(means.shape, "float32") < means).astype("float32")
            drawn.append(means)
        return np.concatenate(drawn)

    def inpaint(self, images: Any, known: Any, *, seed: int = 0, noise: bool = True) -> np.ndarray:
        """Not available.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(
            "a VAE has no conditionals in closed form, and its encoder wants whole images"
        )

    @property
    def network(self) -> Network:
        """The fitted network.

        Raises:
            ValueError: before `fit`.
        """
        if not self._fitted:
            raise ValueError(f"this {self.name} model has no parameters yet: call fit first")
        return self._compiled()

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
        """Duration of a fit to n images, from steps on this machine that are taken back."""
        as_count("n", n)
        size = min(n, self.settings.batch_size)
        images = np.random.default_rng(0).random((size, *self.settings.input_shape), "float32")
        noise = np.zeros((size, self.settings.latent), "float32")
        network = self._compiled()
        before = network.arrays
        network.learn(images, noise)  # compiles the step
        start = time.perf_counter()
        for _ in range(2):
            network.learn(images, noise)
        seconds = (time.perf_counter() - start) / 2
        network.arrays = before
        return seconds * self._steps(n) * self.settings.epochs

    def save(self, folder: str | os.PathLike) -> None:
        """Write the fitted model to a folder, replacing a model that is there."""
        description = {"method": self.name, "settings": asdict(self.settings)}
        persistence.write(folder, description, self.network.arrays)

    @classmethod
    def load(cls, folder: str | os.PathLike) -> Self:
        """Read a model that `save` wrote; scores come out equal to the bit on the same machine.

        Raises:
            ValueError: naming what is missing or damaged.
        """
        description, arrays = persistence.read(folder, cls.name)
        with persistence.restoring(folder):
            model = cls(**description["settings"])  # which makes no network yet
            persistence.check_shapes(arrays, model.settings.shapes)
        model._compiled().arrays = arrays
        model._fitted = True
        return model

    def _compiled(self) -> Network:
        if self._network is None:
            from baselines.vae.network import Network  # imports TensorFlow

            self._network = Network(self.settings)
        return self._network

    def _steps(self, n: int) -> int:
        """Of an epoch over n images."""
        return n // min(n, self.settings.batch_size)


def _seed(seed: int, stream: int) -> int:
    return int(np.random.SeedSequence((seed, stream)).generate_state(1)[0])
