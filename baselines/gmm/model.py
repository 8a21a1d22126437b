"""GMM: a mixture of Gaussians over whole images, fitted by scikit-learn."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from scipy.special import logsumexp
from sklearn import config_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from baselines.base import Arrays, Baseline, History, Shapes
from baselines.checks import batches
from baselines.gmm.densities import Diagonal, Subspace
from baselines.gmm.settings import Settings
from baselines.interface import INPAINT, MARGINALS, SAMPLE, SCORE, DivergenceError

# What scikit-learn and SciPy say of a covariance that is none any more.
_SINGULAR = ("ill-defined empirical covariance", "array must not contain infs or NaNs")
_BATCH = 5_000  # images scored at once, which bounds the memory in float64
_MIXTURE = ("weights", "means", "covariances", "precisions_cholesky")  # saved arrays
_SUBSPACE = ("origin", "axes", "residual")  # and those that place the mixture in a subspace


class GMM(Baseline):
    """Gaussian mixture of flat images, with marginals, conditionals and draws in closed form.

    >>> model = GMM(components=20, covariance="full_pca")
    >>> history = model.fit(images, seed=0)
    >>> scores = model.score_samples(images)

    It is trained by EM from one initialisation; the history is the mean log-likelihood of the
    images in nats, before the step of each epoch. scikit-learn shows no bar. Marginals cost, with
    `full_pca`, K Cholesky factors of the known pixels' covariance for each distinct mask.

    Args:
        settings: see `baselines.gmm.settings.Settings`.

    Raises:
        ValueError: for settings out of range.
    """

    name = "gmm"
    capabilities = frozenset({SCORE, MARGINALS, SAMPLE, INPAINT})
    Settings = Settings

    @property
    def shapes(self) -> Shapes:
        """Of the mixture's arrays, and of those that place it in a subspace."""
        k, v, q = self.settings.components, self.settings.n_pixels, self.settings.dimensions
        if not self.settings.in_subspace:
            return dict(zip(_MIXTURE, ((k,), (k, v), (k, v), (k, v)), strict=True))
        mixture = dict(zip(_MIXTURE, ((k,), (k, q), (k, q, q), (k, q, q)), strict=True))
        return mixture | dict(zip(_SUBSPACE, ((v,), (q, v), ()), strict=True))

    @property
    def n_parameters(self) -> int:
        """Trainable numbers; known before `fit`. What follows from the covariances is none."""
        return self.settings.n_parameters

    def _learn(
        self, images: np.ndarray, *, seed: int, progress: bool
    ) -> tuple[Diagonal | Subspace, History]:
        if len(images) < self.settings.least_images:
            raise ValueError(
                f"there are {len(images)} images, but these settings need at least "
                f"{self.settings.least_images}"
            )
        mixture = self._mixture(seed)
        x = _vectors(images)
        try:
            with warnings.catch_warnings(), config_context(transform_output="default"):
                # The history shows it, and `epochs` is a setting.
                warnings.simplefilter("ignore", ConvergenceWarning)
                if self.settings.in_subspace:
                    density, history = Subspace.fit(x, mixture, self.settings.dimensions)
                else:
                    density, history = Diagonal.fit(x, mixture)
        except ValueError as error:
            if not any(fault in str(error) for fault in _SINGULAR):
                raise
            raise DivergenceError(f"EM failed ({error}): raise regularisation") from error
        if not np.isfinite(history).all():
            raise DivergenceError("the log-likelihood is not finite: raise regularisation")
        return density, {"log_likelihood": [float(mean) for mean in history]}

    def _log_density(self, images: np.ndarray, known: np.ndarray | None) -> np.ndarray:
        if known is not None:
            joint = self._log_joint(_vectors(images), known.reshape(len(known), -1))
            return logsumexp(joint, axis=1)
        parts = batches(len(images), _BATCH)
        return np.concatenate([self.trained.log_density(_vectors(images[part])) for part in parts])

    def _draw(self, n: int, *, seed: int, noise: bool) -> np.ndarray:
        rng = np.random.default_rng(seed)
        weights = self.trained.mixture.weights_
        component = rng.choice(len(weights), n, p=weights)
        return self.trained.draw(component, rng if noise else None)

    def _complete(
        self, images: np.ndarray, known: np.ndarray, *, seed: int, noise: bool
    ) -> np.ndarray:
        """Of a component drawn by its responsibility: a conditional draw, or the mean."""
        rng = np.random.default_rng(seed)
        x, known = _vectors(images), known.reshape(len(images), -1)
        joint = self._log_joint(x, known)
        component = (joint + rng.gumbel(size=joint.shape)).argmax(axis=1)  # by responsibility
        drawn = self.trained.draw(component, rng if noise else None)
        return self.trained.complete(drawn, x, known, component)

    def _saved(self) -> tuple[dict[str, Any], Arrays]:
        arrays = {name: getattr(self.trained.mixture, f"{name}_") for name in _MIXTURE}
        if self.settings.in_subspace:
            arrays |= {name: np.asarray(getattr(self.trained, name)) for name in _SUBSPACE}
        return {}, arrays

    def _restored(self, description: dict[str, Any], arrays: Arrays) -> Diagonal | Subspace:
        mixture = self._mixture(seed=0)
        for name in _MIXTURE:
            setattr(mixture, f"{name}_", arrays[name])
        if not self.settings.in_subspace:
            return Diagonal(mixture)
        origin, axes, residual = (arrays[name] for name in _SUBSPACE)
        return Subspace(mixture, origin, axes, float(residual))

    def _mixture(self, seed: int) -> GaussianMixture:
        return GaussianMixture(
            self.settings.components,
            covariance_type="full" if self.settings.in_subspace else "diag",
            reg_covar=self.settings.regularisation,
            max_iter=self.settings.epochs,
            tol=self.settings.tolerance,
            init_params=self.settings.initialisation,
            random_state=seed,
        )

    def _log_joint(self, x: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Log-density of known pixels and component together, [n, K]."""
        return np.log(self.trained.mixture.weights_) + self.trained.log_marginals(x, known)


def _vectors(images: np.ndarray) -> np.ndarray:
    """Images as float64 [n, V]."""
    return images.reshape(len(images), -1).astype(np.float64)
