"""PD-SPN: all rectangles on a grid of cuts."""

from baselines.pdspn.model import PDSPN

__all__ = ["PDSPN"]
