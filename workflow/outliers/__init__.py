"""Outlier detection: Tables I and II, choices of grid points, ablations."""
