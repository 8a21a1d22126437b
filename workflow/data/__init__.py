"""Datasets: published files, what is made of them, and which pixels are known."""
