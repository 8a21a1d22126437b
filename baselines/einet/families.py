"""The families of leaves: binomial, normal and categorical; formulas as in `leaves`."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from baselines.einet.leaves import Leaf, check_range, check_whole, uniform

_TINY = 1e-6  # probabilities are kept this far from 0 and 1


@dataclass(frozen=True)
class Binomial(Leaf):
    """Binomial(N): T(x) = x, phi = N p, h(x) the binomial coefficient.

    Not `scaled`, pixels in [0, 1] are fed as they are, as in the released code: the coefficient
    goes through the gamma function and values between whole numbers are accepted.
    """

    trials: int = 255
    scaled: bool = True
    statistics = 1

    @property
    def scale(self) -> float:
        """N, or 1 to repeat the released scaling."""
        return float(self.trials) if self.scaled else 1.0

    def initial(self, shape: tuple[int, int, int], generator: torch.Generator) -> Tensor:
        """N p with p uniform in (0.01, 0.99)."""
        n, k, d = shape
        return uniform((n, k, 1, d), generator).mul_(self.trials)

    def features(self, x: Tensor) -> Tensor:
        """X itself."""
        return x

    def natural(self, phi: Tensor) -> tuple[Tensor, Tensor]:
        """Logit of p, and -N log(1 - p)."""
        p = (phi / self.trials).clamp_(_TINY, 1 - _TINY)
        log_other = torch.log1p(-p)
        return p.log_().sub_(log_other), -self.trials * log_other.squeeze(2)

    def log_base(self, x: Tensor) -> Tensor:
        """Log of the binomial coefficient; of whole numbers by a table, which is much faster."""
        if not self.scaled:
            return self._log_coefficient(x)
        counts = torch.arange(self.trials + 1, dtype=torch.float64, device="cpu")
        return self._log_coefficient(counts).to(x)[x.long()]

    def project(self, phi: Tensor) -> None:
        """Phi in [0, N]."""
        phi.clamp_(0, self.trials)

    def check(self, x: Tensor) -> None:
        """Values in [0, N], whole numbers if scaled."""
        family = f"a binomial leaf of {self.trials} trials"
        check_range(x, 0, self.trials, family)
        if self.scaled:
            check_whole(x, family)

    def sample(self, phi: Tensor, generator: torch.Generator) -> Tensor:
        """Sum of N Bernoulli trials."""
        p = (phi.squeeze(1) / self.trials).clamp_(0, 1)
        return torch.binomial(torch.full_like(p, self.trials), p, generator=generator)

    def mean(self, phi: Tensor) -> Tensor:
        """N p."""
        return phi.squeeze(1)

    def mode(self, phi: Tensor) -> Tensor:
        """Floor of (N + 1) p."""
        return ((self.trials + 1) * (phi.squeeze(1) / self.trials)).floor_().clamp_(0, self.trials)

    def to_free(self, phi: Tensor) -> Tensor:
        """The natural parameter."""
        return self.natural(phi)[0]

    def from_free(self, free: Tensor) -> Tensor:
        """N p."""
        return self.trials * torch.sigmoid(free)

    def _log_coefficient(self, x: Tensor) -> Tensor:
        n = self.trials
        return math.lgamma(n + 1) - torch.lgamma(x + 1) - torch.lgamma(n - x + 1)


@dataclass(frozen=True)
class Normal(Leaf):
    """Normal with bounded variance: T(x) = (x, x^2), phi = (mean, variance + mean^2).

    The bounds hold after every update; as published, the initial variance is 1.
    """

    min_variance: float = 1e-6
    max_variance: float = 0.1
    statistics = 2
    scale = 1.0

    def initial(self, shape: tuple[int, int, int], generator: torch.Generator) -> Tensor:
        """Standard normal means, variance 1."""
        mean = torch.randn(shape, generator=generator, dtype=torch.float32, device="cpu")
        return torch.stack([mean, 1 + mean**2], 2)

    def features(self, x: Tensor) -> Tensor:
        """(x, x^2)."""
        return torch.cat([x, x * x], 1)

    def natural(self, phi: Tensor) -> tuple[Tensor, Tensor]:
        """(mean / v, -1 / (2 v)) and mean^2 / (2 v) + log(v) / 2, v the variance."""
        mean = phi[:, :, 0]
        variance = self._variance(phi, 2)
        theta = torch.stack([mean / variance, -0.5 / variance], 2)
        return theta, 0.5 * (mean * theta[:, :, 0] + variance.log())

    def log_base(self, x: Tensor) -> Tensor:
        """The constant -log(2 pi) / 2."""
        return torch.full_like(x, -0.5 * math.log(2 * math.pi))

    def project(self, phi: Tensor) -> None:
        """Variance within its bounds."""
        mean = phi.select(-2, 0)
        variance = (phi.select(-2, 1) - mean**2).clamp_(self.min_variance, self.max_variance)
        phi.select(-2, 1).copy_(variance + mean**2)

    def check(self, x: Tensor) -> None:
        """Finite values."""
        check_range(x, -torch.finfo(x.dtype).max, torch.finfo(x.dtype).max, "a normal leaf")

    def sample(self, phi: Tensor, generator: torch.Generator) -> Tensor:
        """Mean plus noise."""
        noise = torch.randn(
            phi[:, 0].shape, generator=generator, dtype=phi.dtype, device=phi.device
        )
        return phi[:, 0] + self._variance(phi, 1).sqrt() * noise

    def mean(self, phi: Tensor) -> Tensor:
        """The mean."""
        return phi[:, 0]

    def mode(self, phi: Tensor) -> Tensor:
        """The mean."""
        return phi[:, 0]

    def to_free(self, phi: Tensor) -> Tensor:
        """The mean, and the logit of the variance's place between its bounds."""
        place = (self._variance(phi, 2) - self.min_variance) / self._width
        return torch.stack([phi[:, :, 0], place.clamp_(_TINY, 1 - _TINY).logit_()], 2)

    def from_free(self, free: Tensor) -> Tensor:
        """Phi of the mean and of the variance's place."""
        mean = free[:, :, 0]
        variance = self.min_variance + self._width * torch.sigmoid(free[:, :, 1])
        return torch.stack([mean, variance + mean**2], 2)

    def free_gradient(self, phi: Tensor, mass: Tensor, moments: Tensor) -> Tensor:
        """Chain rule through the variance's sigmoid."""
        mean, variance = phi[:, :, 0], self._variance(phi, 2)
        mass = mass[:, :, None]
        first, second = moments[:, :, 0], moments[:, :, 1]
        spread = second - 2 * mean * first + mass * mean**2  # sum p (x - mean)^2
        place = ((variance - self.min_variance) / self._width).clamp_(_TINY, 1 - _TINY)
        by_variance = 0.5 * (spread / variance - mass) / variance
        return torch.stack(
            [(first - mass * mean) / variance, by_variance * self._width * place * (1 - place)], 2
        )

    @property
    def _width(self) -> float:
        return self.max_variance - self.min_variance

    def _variance(self, phi: Tensor, axis: int) -> Tensor:
        mean, second = phi.select(axis, 0), phi.select(axis, 1)
        return (second - mean**2).clamp_(min=self.min_variance)


@dataclass(frozen=True)
class Categorical(Leaf):
    """A probability for each of L levels: T(x) is one-hot, phi the probabilities."""

    levels: int = 256

    @property
    def statistics(self) -> int:
        """L."""
        return self.levels

    @property
    def scale(self) -> float:
        """L - 1."""
        return float(self.levels - 1)

    def initial(self, shape: tuple[int, int, int], generator: torch.Generator) -> Tensor:
        """Uniform in (0.01, 0.99), normalised."""
        n, k, d = shape
        phi = uniform((n, k, self.levels, d), generator)
        return phi.div_(phi.sum(2, keepdim=True))

    def features(self, x: Tensor) -> Tensor:
        """One-hot, level by level."""
        levels = torch.arange(self.levels, device=x.device, dtype=x.dtype)
        return (x[:, None] == levels[:, None, None]).to(x.dtype).flatten(1, 2)

    def natural(self, phi: Tensor) -> tuple[Tensor, Tensor]:
        """Log-probabilities; they are normalised, so A = 0."""
        phi = phi.clamp(min=_TINY)
        return (phi / phi.sum(2, keepdim=True)).log_(), torch.zeros_like(phi[:, :, 0])

    def log_base(self, x: Tensor) -> Tensor:
        """Zero."""
        return torch.zeros_like(x)

    def project(self, phi: Tensor) -> None:
        """Positive probabilities that sum to 1."""
        phi.clamp_(min=_TINY)
        phi.div_(phi.sum(-2, keepdim=True))

    def check(self, x: Tensor) -> None:
        """Whole numbers from 0 to L - 1."""
        family = f"a categorical leaf of {self.levels} levels"
        check_range(x, 0, self.levels - 1, family)
        check_whole(x, family)

    def sample(self, phi: Tensor, generator: torch.Generator) -> Tensor:
        """A level, by inversion of the distribution function."""
        totals = phi.cumsum(1)
        shape = (len(phi), 1, phi.shape[2])
        u = torch.rand(shape, generator=generator, dtype=phi.dtype, device=phi.device)
        u = u * totals[:, -1:]
        return (totals <= u).sum(1).clamp_(max=self.levels - 1).to(phi.dtype)

    def mean(self, phi: Tensor) -> Tensor:
        """Expected level."""
        levels = torch.arange(self.levels, dtype=phi.dtype, device=phi.device)
        return torch.einsum("msd,s->md", phi, levels)

    def mode(self, phi: Tensor) -> Tensor:
        """The most probable level."""
        return phi.argmax(1).to(phi.dtype)

    def to_free(self, phi: Tensor) -> Tensor:
        """Log-probabilities."""
        return self.natural(phi)[0]

    def from_free(self, free: Tensor) -> Tensor:
        """Softmax."""
        return free.softmax(2)


def family(name: str, scaling: str = "bytes") -> Leaf:
    """Leaf distributions by name, for images in [0, 1].

    Args:
        name: `binomial` (255 trials), `normal` or `categorical` (256 levels).
        scaling: of binomial leaves: `bytes` feeds them 0..255, `unit` feeds them [0, 1] as the
            released code does. Normal leaves always see [0, 1], categorical ones bytes.

    Raises:
        ValueError: for another name or scaling.
    """
    if scaling not in ("bytes", "unit"):
        raise ValueError(f"scaling must be 'bytes' or 'unit', but is {scaling!r}")
    families = {
        "binomial": Binomial(scaled=scaling == "bytes"),
        "normal": Normal(),
        "categorical": Categorical(),
    }
    if name not in families:
        raise ValueError(f"leaf must be one of {', '.join(families)}, but is {name!r}")
    return families[name]
