"""RAT-SPN: random balanced splits of the pixels."""

from baselines.ratspn.model import RATSPN

__all__ = ["RATSPN"]
