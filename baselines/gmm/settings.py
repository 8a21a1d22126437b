"""The settings of a mixture and the number of its parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass

from baselines.checks import as_count

COVARIANCES = ("diagonal", "full_pca")
INITIALISATIONS = ("k-means++", "kmeans", "random_from_data", "random")


@dataclass(frozen=True)
class Settings:
    """What is fitted and how; the names of initialisations are scikit-learn's.

    Args:
        components: K.
        covariance: `diagonal`, or `full_pca`: full on principal axes, isotropic off them.
        dimensions: q, how many principal axes; `diagonal` does not use it.
        regularisation: added to every variance, of pixels, on principal axes and off them.
        epochs: of EM, at most.
        tolerance: EM ends when an epoch raises the mean log-likelihood by less, in nats.
        initialisation: of the components: `k-means++`, `kmeans`, `random_from_data` or `random`.
        input_shape: (H, W, C) of an image.

    Raises:
        ValueError: naming the setting that is out of range.
    """

    components: int = 20
    covariance: str = "diagonal"
    dimensions: int = 50
    regularisation: float = 1e-3
    epochs: int = 100
    tolerance: float = 1e-3
    initialisation: str = "k-means++"
    input_shape: tuple[int, int, int] = (28, 28, 1)

    def __post_init__(self) -> None:
        for name in ("components", "dimensions", "epochs"):
            as_count(name, getattr(self, name))
        for name, choices in (("covariance", COVARIANCES), ("initialisation", INITIALISATIONS)):
            if getattr(self, name) not in choices:
                raise ValueError(
                    f"{name} must be one of {', '.join(choices)}, but is {getattr(self, name)!r}"
                )
        if not 0 < self.regularisation < math.inf:
            raise ValueError(f"regularisation must lie above 0, but is {self.regularisation}")
        if not 0 <= self.tolerance < math.inf:
            raise ValueError(f"tolerance must be 0 or more, but is {self.tolerance}")
        if self.in_subspace and self.dimensions > self.n_pixels:
            raise ValueError(
                f"dimensions must be at most the {self.n_pixels} numbers of an image, "
                f"but is {self.dimensions}"
            )

    @property
    def in_subspace(self) -> bool:
        """Whether the mixture lives on principal axes."""
        return self.covariance == "full_pca"

    @property
    def n_pixels(self) -> int:
        """V, pixels times channels."""
        return math.prod(self.input_shape)

    @property
    def n_parameters(self) -> int:
        """Trainable numbers: weights, means, variances; the axes, their origin and s2."""
        if not self.in_subspace:
            return self.components * (1 + 2 * self.n_pixels)
        q = self.dimensions
        return self.components * (1 + q + q * (q + 1) // 2) + self.n_pixels * (q + 1) + 1

    @property
    def least_images(self) -> int:
        """How many images a fit needs: as many as components and as axes."""
        return max(2, self.components, self.dimensions if self.in_subspace else 0)
