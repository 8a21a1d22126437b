"""Images that a method drew of every class, as one file, and who drew them.

Needs numpy alone, so that every method's environment can write it. A file holds `about`, a JSON
text, and arrays `<treatment>/<class>` [n, H, W, C]: uint8, or from others float in [0, 1]. If
nothing could be drawn, `about` has the status and the reason, and there are no arrays.
"""

from pathlib import Path
from typing import Any

import numpy as np

from workflow.common import npz, places
from workflow.plan import catalogue

Drawn = dict[str, np.ndarray]
"""`<treatment>/<class>` -> images."""

NEEDED = ("method", "title", "point", "dataset", "seed", "status", "reason", "published")


def about(fit: dict[str, Any]) -> dict[str, Any]:
    """What Table III needs to know of a fit, from its record."""
    method = catalogue.method(fit["method"])
    settings = fit["settings"]
    return {
        "method": fit["method"],
        "title": method.title_of(settings),
        "variant": ", ".join(str(settings[name]) for name in method.variants),
        "point": fit["grid_point"],
        "dataset": fit["dataset"]["name"],
        "source": fit["dataset"]["source"],
        "train_images": fit["dataset"]["train_images"],
        "seed": fit["seed"],
        "status": fit["status"],
        "reason": fit["reason"],
        "published": method.published,
        "parameter_count": fit["parameter_count"],
        "centroid_count": None,
        "settings": settings,
    }


def as_bytes(images: Any, n: int) -> np.ndarray:
    """The n images that were drawn, clipped to [0, 1] and rounded to bytes: uint8 [n, H, W, C].

    Raises:
        ValueError: for another shape, or values that are not finite.
    """
    images = np.asarray(images)
    if images.ndim != 4 or len(images) != n:
        raise ValueError(f"the images drawn are {list(images.shape)}, not [{n}, H, W, C]")
    if bad := int((~np.isfinite(images)).any((1, 2, 3)).sum()):
        raise ValueError(f"{bad} of {len(images)} images drawn hold values that are not finite")
    return np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8)


def as_unit(images: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """Images of a file as float32 [n, H, W, C] in [0, 1].

    Args:
        images: uint8, or float in [0, 1].
        shape: (H, W, C) that they must have.

    Raises:
        ValueError: for another shape, type or range, no images, or values that are not finite.
    """
    if images.ndim != 4 or images.shape[1:] != tuple(shape) or not len(images):
        raise ValueError(
            f"the images are {list(images.shape)}, but must be "
            f"[n, {', '.join(map(str, shape))}] with n from 1"
        )
    if images.dtype == np.uint8:
        return np.divide(images, 255, dtype=np.float32)
    if not np.issubdtype(images.dtype, np.floating):
        raise ValueError(f"the images are {images.dtype}, but must be uint8 or float in [0, 1]")
    if bad := int((~np.isfinite(images)).sum()):
        raise ValueError(f"{bad} values are not finite")
    if images.min() < 0 or images.max() > 1:
        raise ValueError(
            f"values are from {images.min():g} to {images.max():g}, but must be in [0, 1]"
        )
    return images.astype(np.float32)


def place(key: str) -> tuple[str, int]:
    """Treatment and class of an array's name.

    Raises:
        ValueError: for a name of another form.
    """
    treatment, _, label = key.partition("/")
    if not treatment or not label.isdecimal():
        raise ValueError(f"{key!r} is no name of an array: write '<treatment>/<class>'")
    return treatment, int(label)


def write(path: Path, about: dict[str, Any], arrays: Drawn) -> None:
    """Write images as `as_bytes` gives them, and who drew them."""
    npz.write(path, about, arrays, compressed=True)


def read(path: Path | str) -> tuple[dict[str, Any], Drawn]:
    """What `write`, or somebody else, wrote; the arrays are as they are, see `as_unit`.

    Raises:
        ValueError: if the file is missing, damaged, of another fit than its place is, or lacks what
            it must tell.
    """
    try:
        about, arrays = npz.read(path, foreign=True)
    except (ValueError, OSError) as error:
        raise ValueError(f"{path} is missing, damaged or no file of samples ({error})") from None
    if missing := [key for key in NEEDED if key not in about]:
        raise ValueError(f"{path} lacks {', '.join(missing)} under 'about'")
    places.check(path, about)
    return about, arrays
