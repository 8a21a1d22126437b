"""DGCSPN: a deep generalized convolutional sum-product network."""

from baselines.dgcspn.model import DGCSPN

__all__ = ["DGCSPN"]
