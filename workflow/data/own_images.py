"""A user's own images: a folder of PNG files, or an `.npz` with the array `images`."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workflow.common import npz
from workflow.data import png
from workflow.data.test_sets import evenly_spaced

IMAGES, LABELS = "images", "labels"  # arrays of an `.npz`

Labelled = tuple[NDArray[np.uint8], NDArray[np.int64]]


def read(path: Path, shape: tuple[int, int, int]) -> Labelled:
    """Read at most `MAX_IMAGES` images, evenly spaced over all in the folder or file.

    Args:
        path: of a folder, whose PNG files are taken in the order of their names, or of an `.npz`.
        shape: (H, W, C) that every image must have.

    Returns:
        uint8 [n, H, W, C] and int64 [n]; labels are 0 where there are none.

    Raises:
        ValueError: there are no images, or they are not as required; one sentence.
        OSError: the file cannot be read.
    """
    if path.is_dir():
        return _of_folder(path, shape)
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing; put a folder of PNG files or an .npz there")
    return _of_arrays(path, shape)


def _of_folder(folder: Path, shape: tuple[int, int, int]) -> Labelled:
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".png")
    if not paths:
        raise ValueError(f"{folder} has no PNG file; put images of {_size(shape)} there")
    images = []
    for path in (paths[i] for i in evenly_spaced(len(paths))):
        if path.stat().st_size > png.MAX_FILE:
            raise ValueError(f"{path} is larger than {png.MAX_FILE} bytes; remove it")
        try:
            images.append(png.decode(path.read_bytes(), shape=shape, name=str(path)))
        except ValueError as error:
            raise ValueError(f"{error}; convert or remove it") from error
    return np.stack(images), np.zeros(len(images), np.int64)


def _of_arrays(path: Path, shape: tuple[int, int, int]) -> Labelled:
    arrays = npz.read_arrays(path)
    if IMAGES not in arrays:
        held = ", ".join(map(repr, arrays)) or "nothing"
        raise ValueError(f"{path} holds {held}, it must hold the array 'images'")
    images = arrays[IMAGES]
    if images.ndim == 3:
        images = images[..., None]  # [n, H, W] -> [n, H, W, 1]
    if images.ndim != 4 or images.shape[1:] != shape or len(images) == 0:
        raise ValueError(
            f"{path}: images have the shape {arrays[IMAGES].shape}, it must be (n, "
            f"{', '.join(map(str, shape))}), n above zero"
        )
    labels = arrays.get(LABELS, np.zeros(len(images), np.int64))
    if labels.dtype.kind not in "iu" or labels.shape != images.shape[:1]:
        raise ValueError(
            f"{path}: labels are {labels.dtype} {labels.shape}, they must be integers "
            f"({len(images)},)"
        )
    chosen = evenly_spaced(len(images))
    return _bytes(images[chosen], path), labels[chosen].astype(np.int64)


def _bytes(images: NDArray, path: Path) -> NDArray[np.uint8]:
    """Turn pixels from 0 to 1 into bytes, rounding to the nearest; bytes stay."""
    if images.dtype == np.uint8:
        return images
    if images.dtype.kind != "f":
        raise ValueError(f"{path}: images are {images.dtype}, they must be uint8 or float")
    low, high = images.min(), images.max()
    if not (low >= 0 and high <= 1):  # also for NaN
        raise ValueError(f"{path}: images hold values from {low} to {high}, they must be in [0, 1]")
    return np.rint(images.astype(np.float64) * 255).astype(np.uint8)


def _size(shape: tuple[int, int, int]) -> str:
    return f"{shape[0]}x{shape[1]} pixels with {shape[2]} channel(s)"
