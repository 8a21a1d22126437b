"""A Gaussian for every pixel, all independent: the control that any model must beat."""

from __future__ import annotations

import numpy as np

from baselines.base import Arrays, Baseline, History, Shapes
from baselines.interface import INPAINT, MARGINALS, SAMPLE, SCORE


class GaussianPixels(Baseline):
    """A mean and a variance for every pixel and channel.

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
        super().__init__(input_shape, minimum_variance=float(minimum_variance))

    @property
    def shapes(self) -> Shapes:
        """Of mean and variance."""
        return {"mean": self.input_shape, "variance": self.input_shape}

    def _learn(self, images: np.ndarray, *, seed: int, progress: bool) -> tuple[Arrays, History]:
        """The maximum of the likelihood, in one step; nothing is random."""
        variance = images.var(axis=0, dtype=np.float64)
        variance = np.maximum(variance, self.settings.minimum_variance)
        return {"mean": images.mean(axis=0, dtype=np.float64), "variance": variance}, {}

    def _log_density(self, images: np.ndarray, known: np.ndarray | None) -> np.ndarray:
        mean, variance = self.arrays["mean"], self.arrays["variance"]
        log_density = -((images - mean) ** 2 / variance + np.log(2 * np.pi * variance)) / 2
        return log_density.sum(axis=(1, 2, 3), where=True if known is None else known)

    def _draw(self, n: int, *, seed: int, noise: bool) -> np.ndarray:
        noises = np.zeros((n, *self.input_shape))
        if noise:
            noises = np.random.default_rng(seed).standard_normal(noises.shape)
        return self.arrays["mean"] + np.sqrt(self.arrays["variance"]) * noises

    def _complete(
        self, images: np.ndarray, known: np.ndarray, *, seed: int, noise: bool
    ) -> np.ndarray:
        """Pixels being independent, what is known tells nothing about what is not."""
        return self._draw(len(images), seed=seed, noise=noise)
