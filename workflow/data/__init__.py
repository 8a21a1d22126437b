"""Datasets: published files, prepared arrays, classes and masks of pixels."""
