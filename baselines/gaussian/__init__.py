"""A Gaussian for every pixel: the control that any model must beat."""

from baselines.gaussian.model import GaussianPixels

__all__ = ["GaussianPixels"]
