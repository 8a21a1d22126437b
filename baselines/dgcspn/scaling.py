"""From pixels to standard scores and back, and where the leaves start."""

from __future__ import annotations

import numpy as np

# Added to the standard deviation: per image, and over all images at once.
EPSILON, GLOBAL_EPSILON = 0.1, 1e-3


def standardise(images: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Z = (x - mean) / (std + 0.1), mean and std over the known values of each image.

    Returns:
        z [n, H, W, C] float32, mean and std [n, 1, 1, 1]; both are 0 where nothing is known.
    """
    axes = (1, 2, 3)
    count = np.maximum(known.sum(axes, keepdims=True), 1).astype("float32")
    mean = np.where(known, images, 0).sum(axes, keepdims=True) / count
    variance = np.where(known, np.square(images - mean), 0).sum(axes, keepdims=True) / count
    std = np.sqrt(variance)
    return (images - mean) / (std + EPSILON), mean, std


def restore(z: np.ndarray, mean: np.ndarray | float, std: np.ndarray | float) -> np.ndarray:
    """Pixels of standard scores; some may lie outside [0, 1]."""
    return z * (std + EPSILON) + mean


def standardise_globally(images: np.ndarray) -> np.ndarray:
    """Z = (x - mean) / (std + 0.001), mean and std over all values of all images."""
    return (images - images.mean()) / (images.std() + GLOBAL_EPSILON)


def quantile_means(z: np.ndarray, groups: int) -> np.ndarray:
    """For each pixel, the means of `groups` groups of its sorted values, [1, H, W, groups, C].

    Reference: Poon & Domingos 2011, "Sum-product networks: a new deep architecture".
    """
    if len(z) < groups:
        raise ValueError(
            f"{len(z)} images are too few to start {groups} components a pixel: give more images "
            "or lower components"
        )
    rows = []
    for row in range(z.shape[1]):  # by rows, so that no second copy of all images is made
        parts = np.array_split(np.sort(z[:, row], axis=0), groups)
        rows.append(np.stack([part.mean(0) for part in parts], axis=1))
    return np.stack(rows)[None]
