"""What the suite asks of a method: scikit-learn's vocabulary for a density of images.

Images are NHWC float32 in [0, 1]; what a method makes of them inside is its own affair. A method
imports neither the workflow nor another method, so that each can live in its own environment.
"""

from __future__ import annotations

import os
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np

SCORE = "score"  # score_samples gives a log-density in nats
MARGINALS = "marginals"  # score_samples takes `known` and integrates over the other pixels
SAMPLE = "sample"
INPAINT = "inpaint"
CAPABILITIES = frozenset({SCORE, MARGINALS, SAMPLE, INPAINT})


class DivergenceError(ArithmeticError):
    """Training has produced a value that is not finite; the parameters are of no use."""


class TooLargeError(MemoryError):
    """A fit is refused because it would need more memory than allowed.

    Attributes:
        needed: the estimate in bytes.
        limit: what was allowed, in bytes.
    """

    def __init__(self, needed: int, limit: int) -> None:
        gibibyte = 2**30
        super().__init__(
            f"this fit needs about {needed / gibibyte:.1f} GiB, but {limit / gibibyte:.1f} GiB are "
            "allowed: take fewer components, repetitions or levels, or a smaller batch"
        )
        self.needed, self.limit = needed, limit


@runtime_checkable
class Method(Protocol):
    """A density of images that can be fitted.

    Attributes:
        capabilities: subset of `CAPABILITIES`; a table shows a dash for what is missing, and the
            method's README says why.
    """

    capabilities: frozenset[str]

    def fit(self, images: np.ndarray, *, seed: int = 0, progress: bool = False) -> dict[str, list]:
        """Train from scratch.

        Args:
            images: [n, H, W, C] in [0, 1].
            seed: of everything random in the fit, the structure included.
            progress: whether to show a bar, if standard error is a terminal.

        Returns:
            The history: lists with one entry an epoch, `log_likelihood` among them where the
            method has one (mean over the training images, in nats).

        Raises:
            ValueError: for images of another shape or range.
            DivergenceError: as soon as the objective is not finite.
        """
        ...

    def score_samples(self, images: np.ndarray) -> np.ndarray:
        """Log-density of every image in nats, [n, H, W, C] -> [n]."""
        ...

    def sample(self, n: int, *, seed: int = 0) -> np.ndarray:
        """New images, [n, H, W, C] in [0, 1]."""
        ...

    def inpaint(self, images: np.ndarray, known: np.ndarray, *, seed: int = 0) -> np.ndarray:
        """Images with their unknown pixels drawn anew, [n, H, W, C]; known ones stay as they are.

        Args:
            images: [n, H, W, C] in [0, 1]; what unknown pixels hold does not matter.
            known: boolean, broadcastable to the images: [H, W, 1], [n, H, W, 1], ...
            seed: of the draws.
        """
        ...

    @property
    def n_parameters(self) -> int:
        """Trainable numbers."""
        ...

    def save(self, folder: str | os.PathLike) -> None:
        """Write the fitted model to a folder, replacing a model that is there."""
        ...

    @classmethod
    def load(cls, folder: str | os.PathLike, **placement: Any) -> Self:
        """Read what `save` wrote; scores come out equal to the bit on the same machine."""
        ...
