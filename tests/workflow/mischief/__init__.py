"""A method that goes wrong in the way it is told to."""

from baselines.mischief.model import Mischief

__all__ = ["Mischief"]
