"""A Gaussian for every pixel, all independent: the control that any model must beat."""

from __future__ import annotations

import os
from typing import Any, Self

import numpy as np

from baselines import persistence
from baselines.checks import as_count, as_images, as_mask
from baselines.interface import INPAINT, MARGINALS, SAMPLE, SCORE


class Gaussian:
    """Independent Gaussians, a mean and a variance for every pixel and channel.

    >>> model = Gaussian()
    >>> history = model.fit(images)
    >>> scores = model.score_samples(images)

    Args:
        minimum_variance: what a smaller variance is raised to, such as that of a border pixel that
            is black in every image.
        input_shape: (H, W, C) of an image.

    Raises:
        ValueError: for settings out of range.
    """

    name = "gaussian"
    capabilities = frozenset({SCORE, MARGINALS, SAMPLE, INPAINT})

    def __init__(
        self,
        *,
        minimum_variance: float = 1e-3,
        input_shape: tuple[int, int, int] = (28, 28, 1),
    ) -> None:
        if not 0 < minimum_variance < np.inf:
            raise ValueError(f"minimum_variance must lie above 0, but is {minimum_variance}")
        self.minimum_variance = float(minimum_variance)
        self.input_shape = tuple(as_count("a side of input_shape", side) for side in input_shape)
        self._fitted: tuple[np.ndarray, np.ndarray] | None = None

    def fit(self, images: Any, *, seed: int = 0, progress: bool = False) -> dict[str, list]:
        """Take means and variances of the images: the maximum of the likelihood, in one step.

        Args:
            images: [n, H, W, C] in [0, 1].
            seed: without effect, since nothing is random.
            progress: without effect, since nothing takes long.

        Returns:
            `log_likelihood`, one entry: the mean over the images in nats.

        Raises:
            ValueError: for images of the wrong shape or range.
        """
        images = as_images(images, self.input_shape)
        variance = images.var(axis=0, dtype=np.float64)
        self._fitted = (
            images.mean(axis=0, dtype=np.float64),
            np.maximum(variance, self.minimum_variance),
        )
        return {"log_likelihood": [float(self.score_samples(images).mean())]}

    def score_samples(self, images: Any, known: Any = None) -> np.ndarray:
        """Log-density of every image in nats, float64 [n].

        Args:
            images: [n, H, W, C] in [0, 1].
            known: boolean, broadcastable to the images; the log-density is that of the known
                pixels, the others being integrated out. None knows all.

        Raises:
            ValueError: before `fit`; for images or a mask of the wrong kind.
        """
        images = as_images(images, self.input_shape)
        mask = True if known is None else as_mask(known, images.shape)
        mean, variance = self.parameters
        log_density = -((images - mean) ** 2 / variance + np.log(2 * np.pi * variance)) / 2
        return log_density.sum(axis=(1, 2, 3), where=mask)

    def sample(self, n: int, *, seed: int = 0, noise: bool = True) -> np.ndarray:
        """New images, float32 [n, H, W, C], clipped to [0, 1].

        Args:
            n: how many.
            seed: of the draws.
            noise: whether pixels are drawn, or all images are the mean.

        Raises:
            ValueError: before `fit`; for n below 1.
        """
        mean, variance = self.parameters
        noises = np.zeros((as_count("n", n), *self.input_shape))
        if noise:
            noises = np.random.default_rng(seed).standard_normal(noises.shape)
        return (mean + np.sqrt(variance) * noises).clip(0, 1).astype("float32")

    def inpaint(self, images: Any, known: Any, *, seed: int = 0, noise: bool = True) -> np.ndarray:
        """Images with their unknown pixels drawn anew, float32 [n, H, W, C].

        Pixels being independent, what is known tells nothing about what is not.

        Args:
            images: [n, H, W, C] in [0, 1].
            known: boolean, broadcastable to the images; these pixels stay as they are.
            seed: of the draws.
            noise: as in `sample`.

        Raises:
            ValueError: before `fit`; for images or a mask of the wrong kind.
        """
        images = as_images(images, self.input_shape)
        mask = as_mask(known, images.shape)
        return np.where(mask, images, self.sample(len(images), seed=seed, noise=noise))

    @property
    def parameters(self) -> tuple[np.ndarray, np.ndarray]:
        """Means and variances, each float64 [H, W, C].

        Raises:
            ValueError: before `fit`.
        """
        if self._fitted is None:
            raise ValueError(f"this {self.name} model has no parameters yet: call fit first")
        return self._fitted

    @property
    def n_parameters(self) -> int:
        """Trainable numbers, 2 H W C; known before `fit`."""
        return 2 * int(np.prod(self.input_shape))

    def save(self, folder: str | os.PathLike) -> None:
        """Write the fitted model to a folder, replacing a model that is there."""
        mean, variance = self.parameters
        settings = {"minimum_variance": self.minimum_variance, "input_shape": self.input_shape}
        description = {"method": self.name, "settings": settings}
        persistence.write(folder, description, {"mean": mean, "variance": variance})

    @classmethod
    def load(cls, folder: str | os.PathLike) -> Self:
        """Read a model that `save` wrote; scores come out equal to the bit.

        Raises:
            ValueError: naming what is missing or damaged.
        """
        description, arrays = persistence.read(folder, cls.name)
        try:
            model = cls(**description["settings"])
            mean, variance = arrays["mean"], arrays["variance"]
            if not mean.shape == variance.shape == model.input_shape:
                raise ValueError(f"parameters of shape {mean.shape} and {variance.shape}")
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"the model in {folder} is damaged ({error}): fit it again") from None
        model._fitted = (mean, variance)
        return model
