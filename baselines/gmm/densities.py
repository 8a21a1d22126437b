"""The mixtures' densities over all pixels: scores, marginals, draws, conditionals.

Both kinds wrap a fitted scikit-learn mixture and know x, the pixels and channels of an image as
float64 vectors [n, V]. Masks are boolean [n, V], component numbers are integers [n].
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture

LOG_2PI = np.log(2 * np.pi)


@dataclass(frozen=True)
class Diagonal:
    """Components with a variance for every pixel.

    Attributes:
        mixture: scikit-learn's, over the pixels.
    """

    mixture: GaussianMixture

    @classmethod
    def fit(cls, x: np.ndarray, mixture: GaussianMixture) -> tuple[Diagonal, list[float]]:
        """The fitted density, and the mean log-likelihood at every epoch."""
        return cls(mixture.fit(x)), mixture.lower_bounds_

    def log_density(self, x: np.ndarray) -> np.ndarray:
        """Of whole images, [n]."""
        return self.mixture.score_samples(x)

    def log_marginals(self, x: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Of the known pixels under every component, [n, K]."""
        mean, variance = self.mixture.means_, self.mixture.covariances_
        seen = np.where(known, x, 0)
        squares = (
            seen**2 @ (1 / variance).T
            - 2 * seen @ (mean / variance).T
            + known @ (mean**2 / variance).T
        )
        return -(squares + known @ (LOG_2PI + np.log(variance)).T) / 2

    def draw(self, component: np.ndarray, rng: np.random.Generator | None) -> np.ndarray:
        """An image of each given component, or its mean without `rng`, [n, V]."""
        drawn = self.mixture.means_[component]
        if rng is not None:
            deviation = np.sqrt(self.mixture.covariances_)
            drawn += deviation[component] * rng.standard_normal(drawn.shape)
        return drawn

    def complete(
        self, drawn: np.ndarray, x: np.ndarray, known: np.ndarray, component: np.ndarray
    ) -> np.ndarray:
        """Condition draws on the known pixels of x; independent pixels need no change."""
        return drawn


@dataclass(frozen=True)
class Subspace:
    """Components with full covariances C_k on principal axes W, alike in all other directions.

    The density of z = W (x - origin) under the mixture, times an isotropic Gaussian of the rest:
    component k has the covariance W^T C_k W + s2 (I - W^T W), and integrates to one over all x.

    Attributes:
        mixture: scikit-learn's, over z.
        origin: mean of the training images, [V].
        axes: W, orthonormal rows [q, V].
        residual: s2, the variance in every direction off the axes.
    """

    mixture: GaussianMixture
    origin: np.ndarray
    axes: np.ndarray
    residual: float

    @classmethod
    def fit(
        cls, x: np.ndarray, mixture: GaussianMixture, dimensions: int
    ) -> tuple[Subspace, list[float]]:
        """The fitted density, and the mean log-likelihood at every epoch."""
        pca = PCA(dimensions, svd_solver="covariance_eigh")
        z = pca.fit_transform(x)
        unseen = x.shape[1] - dimensions
        lost = x.var(axis=0).sum() - z.var(axis=0).sum()  # variance off the axes
        # As the mixture adds to its variances: without it, s2 could be 0.
        residual = max(lost, 0) / max(unseen, 1) + mixture.reg_covar
        density = cls(mixture.fit(z), pca.mean_, pca.components_, float(residual))
        constant = density._log_residual(x, z).mean()
        return density, [bound + constant for bound in mixture.lower_bounds_]

    def log_density(self, x: np.ndarray) -> np.ndarray:
        """Of whole images, [n]."""
        z = (x - self.origin) @ self.axes.T
        return self.mixture.score_samples(z) + self._log_residual(x, z)

    def log_marginals(self, x: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Of the known pixels under every component, [n, K]."""
        means = self.origin + self.mixture.means_ @ self.axes
        scores = np.empty((len(x), len(means)))
        for rows, mask in _by_mask(known):
            for k, mean in enumerate(means):
                factor = np.linalg.cholesky(self._covariance(k, mask, mask))
                centred = x[np.ix_(rows, mask)] - mean[mask]
                white = solve_triangular(factor, centred.T, lower=True)  # [known, rows]
                scores[rows, k] = (
                    -((white**2).sum(axis=0) + mask.sum() * LOG_2PI) / 2
                    - np.log(factor.diagonal()).sum()
                )
        return scores

    def draw(self, component: np.ndarray, rng: np.random.Generator | None) -> np.ndarray:
        """An image of each given component, or its mean without `rng`, [n, V]."""
        z = self.mixture.means_[component]
        if rng is None:
            return self.origin + z @ self.axes
        white = rng.standard_normal(z.shape)
        for k, factor in enumerate(np.linalg.cholesky(self.mixture.covariances_)):
            z[component == k] += white[component == k] @ factor.T
        rest = rng.standard_normal((len(z), len(self.origin)))
        rest -= rest @ self.axes.T @ self.axes
        return self.origin + z @ self.axes + np.sqrt(self.residual) * rest

    def complete(
        self, drawn: np.ndarray, x: np.ndarray, known: np.ndarray, component: np.ndarray
    ) -> np.ndarray:
        """Condition draws of the components on the known pixels of x, [n, V].

        Matheron's rule: a draw's unknown pixels are shifted by the regression on the error of its
        known ones; a component's mean becomes the conditional mean.
        """
        drawn = drawn.copy()
        for rows, mask in _by_mask(known):
            for k in np.unique(component[rows]):
                members = rows[component[rows] == k]
                factor = cho_factor(self._covariance(k, mask, mask))
                error = (x - drawn)[np.ix_(members, mask)]
                gain = cho_solve(factor, self._covariance(k, mask, ~mask))
                drawn[np.ix_(members, ~mask)] += error @ gain
        return drawn

    def _log_residual(self, x: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Log-density of what lies off the axes, [n]."""
        rest = x - self.origin - z @ self.axes
        unseen = len(self.origin) - len(self.axes)
        return -((rest**2).sum(axis=1) / self.residual + unseen * np.log(self.residual)) / 2 - (
            unseen * LOG_2PI / 2
        )

    def _covariance(self, k: int, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Between two sets of pixels under component k, both given as masks [V]."""
        excess = self.mixture.covariances_[k] - self.residual * np.eye(len(self.axes))
        identity = np.eye(len(self.origin))[np.ix_(rows, columns)]
        return self.axes[:, rows].T @ excess @ self.axes[:, columns] + self.residual * identity


def _by_mask(known: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the rows that share a mask, and that mask [V]."""
    masks, which = np.unique(np.packbits(known, axis=1), axis=0, return_inverse=True)
    for number in range(len(masks)):
        rows = np.flatnonzero(which.ravel() == number)
        yield rows, known[rows[0]]
