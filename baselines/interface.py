"""The contract of a method: scikit-learn's vocabulary for a density of images.

Images are NHWC float32 in [0, 1]; what a method makes of them inside is its own affair. A method
imports neither the workflow nor another method, so that each can live in its own environment.
"""

from __future__ import annotations

import os
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np

# score_samples gives a log-density in nats; with `density = false` in method.toml, any score
SCORE = "score"
MARGINALS = "marginals"  # score_samples takes `known` and integrates over the other pixels
SAMPLE = "sample"
INPAINT = "inpaint"
SAMPLE_WEIGHT = "sample_weight"  # fit takes `sample_weight`
CAPABILITIES = frozenset({SCORE, MARGINALS, SAMPLE, INPAINT, SAMPLE_WEIGHT})


class DivergenceError(ArithmeticError):
    """Training has produced a value that is not finite; the parameters are of no use."""


@runtime_checkable
class Method(Protocol):
    """A density of images that can be fitted.

    A constructor takes the settings of `params.schema.yaml` and `input_shape`, (H, W, C). What a
    method lacks raises `NotImplementedError`.

    A method whose fits can be large also has `estimated_memory`, the peak of a fit in bytes, and
    `estimated_seconds(n)`, the duration of a fit to n images on this machine, so that a fit beyond
    the configured limits is refused before it starts.

    Attributes:
        capabilities: subset of `CAPABILITIES`; a table shows a dash for what is missing, and the
            method's README says why.
    """

    capabilities: frozenset[str]

    def fit(self, images: np.ndarray, *, seed: int = 0, progress: bool = False) -> dict[str, list]:
        """Train from scratch.

        Args:
            images: [n, H, W, C] in [0, 1].
            seed: of everything random in the fit, the structure included: an integer from 0 to
                2**32 - 1, here as below.
            progress: whether to show a bar, if standard error is a terminal.

        A method of the capability `sample_weight` takes it too: non-negative numbers [n].

        Returns:
            The history: lists with one entry an epoch, `log_likelihood` among them where the
            method has one (mean over the training images, in nats).

        Raises:
            ValueError: for images of another shape or range.
            DivergenceError: as soon as the objective is not finite.
        """
        ...

    def score_samples(self, images: np.ndarray) -> np.ndarray:
        """Log-density of every image in nats, [n, H, W, C] -> [n].

        A method of the capability `marginals` takes `known` too, a boolean mask as in `inpaint`,
        and gives the log-density of the known pixels, the others being integrated out.
        """
        ...

    def sample(self, n: int, *, seed: int = 0, noise: bool = True) -> np.ndarray:
        """New images, [n, H, W, C] in [0, 1].

        Args:
            n: how many.
            seed: of the draws.
            noise: whether the distributions of the pixels are drawn from, or give their means.
        """
        ...

    def inpaint(
        self, images: np.ndarray, known: np.ndarray, *, seed: int = 0, noise: bool = True
    ) -> np.ndarray:
        """Images with their unknown pixels drawn anew, [n, H, W, C]; known ones stay as they are.

        Args:
            images: [n, H, W, C] in [0, 1]; what unknown pixels hold does not matter.
            known: boolean, broadcastable to the images: [H, W, 1], [n, H, W, 1], ...
            seed: of the draws.
            noise: as in `sample`.
        """
        ...

    @property
    def n_parameters(self) -> int:
        """Trainable numbers."""
        ...

    def save(self, folder: str | os.PathLike) -> None:
        """Write the fitted model to a folder, replacing a model that is there and no other file.

        Raises:
            FileExistsError: if the folder holds something else instead.
        """
        ...

    @classmethod
    def load(cls, folder: str | os.PathLike, **placement: Any) -> Self:
        """Read what `save` wrote; scores come out equal to the bit on the same machine."""
        ...
