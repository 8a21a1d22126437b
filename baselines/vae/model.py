"""VAE: the convolutional variational auto-encoder of the paper's Table VIII, in Keras."""

from __future__ import annotations

import time
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from baselines.base import Arrays, Baseline, History, Shapes
from baselines.checks import as_count, batches, numpy_defaults
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


class VAE(Baseline):
    """Variational auto-encoder with convolutions and a Bernoulli likelihood of the pixels.

    >>> model = VAE(width=0.125, epochs=10)
    >>> history = model.fit(images, seed=0)
    >>> drawn = model.sample(100, noise=False)

    Table VIII is a network for 32x32 pixels. A smaller image is read from the middle of a black
    one of that size, and is the middle of what the decoder makes; the margin enters neither loss
    nor score.

    It is trained by Adam, all images in a new order in every epoch; the remainder smaller than a
    batch, another one every epoch, is left out. The history has, for each epoch, means over its
    images in nats, each image taken just before the step that used it: `elbo`, the evidence lower
    bound (beta does not enter it), and `kl`, the Kullback-Leibler divergence in it.

    A score is the importance-weighted bound of the log-likelihood. The likelihood is a product of
    x log p + (1 - x) log (1 - p) over pixels x that may be grey: it is at most 0 and is no
    normalised density of grey values, so scores rank images and do not compare with other methods'.

    Drawn pixels are 0 or 1; without noise they are their means, which is what is published as a
    VAE's samples. There is no in-painting: a VAE has no conditionals in closed form, and its
    encoder wants whole images.

    Args:
        settings: see `baselines.vae.settings.Settings`.

    Raises:
        ValueError: for settings out of range or images larger than 32x32.

    References: Kingma & Welling 2014, "Auto-encoding variational Bayes"; Gepperth 2022, Table VIII.
    """

    name = "vae"
    capabilities = frozenset({SCORE, SAMPLE})
    Settings = Settings

    @property
    def shapes(self) -> Shapes:
        """Of the trainable arrays."""
        return self.settings.shapes

    def _learn(self, images: np.ndarray, *, seed: int, progress: bool) -> tuple[Network, History]:
        settings, network = self.settings, self._network
        size, steps = min(len(images), settings.batch_size), self._steps(len(images))
        network.reset(_seed(seed, _NETWORK))
        order, codes = (np.random.default_rng((seed, stream)) for stream in (_ORDER, _CODES))
        history: History = {"elbo": [], "kl": []}
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
        return network, history

    def _log_density(self, images: np.ndarray, known: np.ndarray | None) -> np.ndarray:
        """The bound; the same codes' noise serves every image and call."""
        shape = (self.settings.draws, self.settings.latent)
        noise = np.random.default_rng((0, _SCORES)).standard_normal(shape, "float32")
        bounds = [
            importance_weighted_bound(self.trained, images[part], noise)
            for part in batches(len(images), _BATCH)
        ]
        return np.concatenate(bounds)

    def _draw(self, n: int, *, seed: int, noise: bool) -> np.ndarray:
        """The first images do not depend on n."""
        codes, pixels = (np.random.default_rng((seed, stream)) for stream in (_DRAWS, _PIXELS))
        drawn = []
        for part in batches(n, _BATCH):
            count = part.stop - part.start
            z = codes.standard_normal((count, self.settings.latent), "float32")
            means = self.trained.pixel_means(z)
            if noise:
                means = (pixels.random(means.shape, "float32") < means).astype("float32")
            drawn.append(means)
        return np.concatenate(drawn)

    def _saved(self) -> tuple[dict[str, Any], Arrays]:
        return {}, self.trained.arrays

    def _restored(self, description: dict[str, Any], arrays: Arrays) -> Network:
        self._network.arrays = arrays
        return self._network

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
        network = self._network
        before = network.arrays
        network.learn(images, noise)  # compiles the step
        start = time.perf_counter()
        for _ in range(2):
            network.learn(images, noise)
        seconds = (time.perf_counter() - start) / 2
        network.arrays = before
        return seconds * self._steps(n) * self.settings.epochs

    @cached_property
    def _network(self) -> Network:
        """Compiled once, for all fits."""
        from baselines.vae.network import Network  # imports TensorFlow

        return Network(self.settings)

    def _steps(self, n: int) -> int:
        """Of an epoch over n images."""
        return n // min(n, self.settings.batch_size)


def _seed(seed: int, stream: int) -> int:
    return int(np.random.SeedSequence((seed, stream)).generate_state(1)[0])
