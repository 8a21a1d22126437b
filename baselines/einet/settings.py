"""The settings that RAT-SPN and PD-SPN share."""

from __future__ import annotations

from dataclasses import dataclass

from baselines.checks import as_count
from baselines.einet.families import family
from baselines.einet.learning import RULES


@dataclass(frozen=True)
class Settings:
    """How a sum-product network is parametrised and trained; the defaults are the released ones.

    Args:
        components: K, sums a region and distributions a leaf.
        leaf: `binomial` (255 trials), `normal` (variance in [1e-6, 0.1]) or `categorical`.
        scaling: of binomial leaves: `bytes` feeds them 0..255; `unit` feeds them [0, 1], as the
            released code does, so that its scores are no log-density of bytes.
        epochs: passes over the images.
        batch_size: images a step; the last batch of an epoch may be smaller.
        step: of online EM or Adam.
        optimizer: `online_em` as published, `full_em` or `adam`.
        input_shape: [H, W, C] of an image.
    """

    components: int = 10
    leaf: str = "binomial"
    scaling: str = "bytes"
    epochs: int = 20
    batch_size: int = 100
    step: float = 0.1
    optimizer: str = "online_em"
    input_shape: tuple[int, int, int] = (28, 28, 1)

    def __post_init__(self) -> None:
        for name in ("components", "epochs", "batch_size"):
            as_count(name, getattr(self, name))
        if self.optimizer not in RULES:
            raise ValueError(
                f"optimizer must be one of {', '.join(RULES)}, but is {self.optimizer!r}"
            )
        family(self.leaf, self.scaling)  # refuses unknown names
        if not 0 < self.step <= 1:
            raise ValueError(f"step must lie in (0, 1], but is {self.step}")
