"""GMM: a mixture of Gaussians over whole images, fitted by scikit-learn."""

from __future__ import annotations

import os
import warnings
from dataclasses import asdict
from typing import Any, Self

import numpy as np
from scipy.special import logsumexp
from sklearn import config_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from baselines import persistence
from baselines.checks import as_count, as_evidence, as_images, as_seed, numpy_defaults
from baselines.gmm.densities import Diagonal, Subspace
from baselines.gmm.settings import Settings
from baselines.interface import INPAINT, MARGINALS, SAMPLE, SCORE, DivergenceError

# What scikit-learn and SciPy say of a covariance that is none any more.
_SINGULAR = ("ill-defined empirical covariance", "array must not contain infs or NaNs")
_BATCH = 5_000  # images scored at once, which bounds the memory in float64


class GMM:
    """Gaussian mixture of flat images, with marginals, conditionals and draws in closed form.

    >>> model = GMM(components=20, covariance="full_pca")
    >>> history = model.fit(images, seed=0)
    >>> scores = model.score_samples(images)

    Args:
        settings: see `baselines.gmm.settings.Settings`.

    Raises:
        ValueError: for settings out of range.
    """

    name = "gmm"
    capabilities = frozenset({SCORE, MARGINALS, SAMPLE, INPAINT})

    def __init__(self, **settings: Any) -> None:
        self.settings = Settings(**settings)
        self._fitted: Diagonal | Subspace | None = None

    @numpy_defaults
    def fit(self, images: Any, *, seed: int = 0, progress: bool = False) -> dict[str, list]:
        """Train from scratch by EM, from one initialisation.

        Args:
            images: [n, H, W, C] in [0, 1]; at least as many as components and as dimensions.
            seed: of the initialisation.
            progress: without effect: scikit-learn has no bar.

        Returns:
            `log_likelihood`, for each epoch the mean over the images in nats, before its step.

        Raises:
            ValueError: for images of the wrong shape or range, or too few.
            DivergenceError: if a covariance is no longer one.
        """
        images, seed = as_images(images, self.settings.input_shape), as_seed(seed)
        if len(images) < self.settings.least_images:
            raise ValueError(
                f"there are {len(images)} images, but these settings need at least "
                f"{self.settings.least_images}"
            )
        self._fitted = None
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
        self._fitted = density
        return {"log_likelihood": [float(mean) for mean in history]}

    @numpy_defaults
    def score_samples(self, images: Any, known: Any = None) -> np.ndarray:
        """Log-density of every image in nats, float64 [n].

        Args:
            images: [n, H, W, C] in [0, 1].
            known: boolean, broadcastable to the images; the log-density is that of the known
                pixels, the others being integrated out. None knows all. With `full_pca` each
                distinct mask costs K Cholesky factors of the known pixels' covariance.

        Raises:
            ValueError: before `fit`; for images or a mask of the wrong kind.
        """
        if known is None:
            images = as_images(images, self.settings.input_shape)
            parts = [images[start : start + _BATCH] for start in range(0, len(images), _BATCH)]
            return np.concatenate([self.density.log_density(_vectors(part)) for part in parts])
        images, mask = as_evidence(images, known, self.settings.input_shape)
        return logsumexp(self._log_joint(_vectors(images), mask.reshape(len(mask), -1)), axis=1)

    @numpy_defaults
    def sample(self, n: int, *, seed: int = 0, noise: bool = True) -> np.ndarray:
        """New images, float32 [n, H, W, C], clipped to [0, 1].

        Args:
            n: how many.
            seed: of the draws.
            noise: whether a component is drawn from, or gives its mean.

        Raises:
            ValueError: before `fit`; for n below 1.
        """
        n, rng = as_count("n", n), np.random.default_rng(as_seed(seed))
        weights = self.density.mixture.weights_
        component = rng.choice(len(weights), n, p=weights)
        return self._images(self.density.draw(component, rng if noise else None))

    @numpy_defaults
    def inpaint(self, images: Any, known: Any, *, seed: int = 0, noise: bool = True) -> np.ndarray:
        """Images with unknown pixels drawn given the known ones, float32 [n, H, W, C].

        Args:
            images: [n, H, W, C] in [0, 1].
            known: boolean, broadcastable to the images; these pixels stay as they are.
            seed: of the draws.
            noise: whether a component, drawn by its responsibility, is drawn from or gives its
                conditional mean.

        Raises:
            ValueError: before `fit`; for images or a mask of the wrong kind.
        """
        images, mask = as_evidence(images, known, self.settings.input_shape)
        rng = np.random.default_rng(as_seed(seed))
        x, seen = _vectors(images), mask.reshape(len(images), -1)
        joint = self._log_joint(x, seen)
        component = (joint + rng.gumbel(size=joint.shape)).argmax(axis=1)  # by responsibility
        drawn = self.density.draw(component, rng if noise else None)
        filled = self.density.complete(drawn, x, seen, component)
        return np.where(mask, images, self._images(filled))

    @property
    def density(self) -> Diagonal | Subspace:
        """The fitted density of flat images.

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

    def save(self, folder: str | os.PathLike) -> None:
        """Write the fitted model to a folder, replacing a model that is there."""
        mixture = self.density.mixture
        arrays = {name: getattr(mixture, f"{name}_") for name in _MIXTURE}
        if self.settings.in_subspace:
            arrays |= {name: np.asarray(getattr(self.density, name)) for name in _SUBSPACE}
        description = {"method": self.name, "settings": asdict(self.settings)}
        persistence.write(folder, description, arrays)

    @classmethod
    def load(cls, folder: str | os.PathLike) -> Self:
        """Read a model that `save` wrote; scores come out equal to the bit.

        Raises:
            ValueError: naming what is missing or damaged.
        """
        description, arrays = persistence.read(folder, cls.name)
        with persistence.restoring(folder):
            model = cls(**description["settings"])
            persistence.check_shapes(arrays, model._shapes())
        mixture = model._mixture(seed=0)
        for name in _MIXTURE:
            setattr(mixture, f"{name}_", arrays[name])
        if model.settings.in_subspace:
            origin, axes, residual = (arrays[name] for name in _SUBSPACE)
            model._fitted = Subspace(mixture, origin, axes, float(residual))
        else:
            model._fitted = Diagonal(mixture)
        return model

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

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        """Of the saved arrays."""
        k, v, q = self.settings.components, self.settings.n_pixels, self.settings.dimensions
        subspace = {"origin": (v,), "axes": (q, v), "residual": ()}
        v = q if self.settings.in_subspace else v
        square = (k, v, v) if self.settings.in_subspace else (k, v)
        mixture = dict(zip(_MIXTURE, ((k,), (k, v), square, square), strict=True))
        return mixture | subspace if self.settings.in_subspace else mixture

    def _log_joint(self, x: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Log-density of known pixels and component together, [n, K]."""
        return np.log(self.density.mixture.weights_) + self.density.log_marginals(x, known)

    def _images(self, x: np.ndarray) -> np.ndarray:
        return x.clip(0, 1).astype("float32").reshape(-1, *self.settings.input_shape)


_MIXTURE = ("weights", "means", "covariances", "precisions_cholesky")
_SUBSPACE = ("origin", "axes", "residual")


def _vectors(images: np.ndarray) -> np.ndarray:
    """Images as float64 [n, V]."""
    return images.reshape(len(images), -1).astype(np.float64)
