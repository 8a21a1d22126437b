"""Leaf distributions of one pixel and channel, as exponential families.

A density is h(x) exp(theta . T(x) - A(theta)), T the sufficient statistics; so the log-density of
a whole leaf region is one matrix product. Parameters are kept as expectations phi = E[T], which EM
moves towards averages of T.

Shapes: n leaf regions, K distributions each, S statistics, D variables (pixels times channels) of
a region, B images. phi and theta are [n, K, S, D], A is [n, K, D].

Reference: Peharz et al. 2020, "Einsum networks", Sec. 3.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor


class Leaf(ABC):
    """A family of distributions; instances hold its constants, not its parameters."""

    statistics: int
    """S."""
    scale: float
    """What a pixel in [0, 1] is multiplied by to lie in the family's domain."""

    @abstractmethod
    def initial(self, shape: tuple[int, int, int], generator: torch.Generator) -> Tensor:
        """Random phi for shape (n, K, D)."""

    @abstractmethod
    def features(self, x: Tensor) -> Tensor:
        """T(x): [n, D, B] -> [n, S*D, B]."""

    @abstractmethod
    def natural(self, phi: Tensor) -> tuple[Tensor, Tensor]:
        """Theta and A(theta)."""

    @abstractmethod
    def log_base(self, x: Tensor) -> Tensor:
        """Log h(x), of the shape of x."""

    @abstractmethod
    def project(self, phi: Tensor) -> None:
        """Move phi back into its domain, in place, after an update."""

    @abstractmethod
    def check(self, x: Tensor) -> None:
        """Refuse values outside the domain.

        Raises:
            ValueError: naming the domain and the range of the values.
        """

    @abstractmethod
    def sample(self, phi: Tensor, generator: torch.Generator) -> Tensor:
        """One draw from each distribution, [m, S, D] -> [m, D]."""

    @abstractmethod
    def mean(self, phi: Tensor) -> Tensor:
        """Expectations, [m, S, D] -> [m, D]."""

    @abstractmethod
    def mode(self, phi: Tensor) -> Tensor:
        """Most probable values, [m, S, D] -> [m, D]."""

    @abstractmethod
    def to_free(self, phi: Tensor) -> Tensor:
        """Parameters without constraints, for gradient ascent; of the shape of phi."""

    @abstractmethod
    def from_free(self, free: Tensor) -> Tensor:
        """Inverse of `to_free`."""

    def free_gradient(self, phi: Tensor, mass: Tensor, moments: Tensor) -> Tensor:
        """Gradient of the log-likelihood in the free parameters, of the shape of phi.

        Where these are the natural ones it is sum p (T - E[T]).

        Args:
            phi: [n, K, S, D].
            mass: [n, K], the posterior p of each distribution, summed over images.
            moments: [n, K, S, D], sums of p T.
        """
        return moments - mass[:, :, None, None] * phi


def uniform(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Numbers uniform in (0.01, 0.99), float32 on the CPU, where all parameters start."""
    numbers = torch.rand(shape, generator=generator, dtype=torch.float32, device="cpu")
    return numbers.mul_(0.98).add_(0.01)


def check_range(x: Tensor, low: float, high: float, family: str) -> None:
    """Refuse values outside [low, high] with one sentence; `family` says whose domain it is."""
    if x.numel() and not bool(((x >= low) & (x <= high)).all()):
        raise ValueError(
            f"pixels lie in [{float(x.min()):g}, {float(x.max()):g}], outside the domain "
            f"[{low:g}, {high:g}] of {family}"
        )


def check_whole(x: Tensor, family: str) -> None:
    """Refuse values that are not whole numbers."""
    if not torch.equal(x, x.round()):
        raise ValueError(f"pixels are not whole numbers, as {family} needs")
