"""Files of the images that a method drew of every class, with the fit's metadata.

Needs numpy alone, so that every method's environment can write such a file. It holds `about`, the
metadata as JSON, and arrays `<treatment>/<class>` [n, H, W, C]: uint8, or from others float in
[0, 1]. If nothing could be drawn, `about` has the status and the reason, and there are no arrays.
"""

from pathlib import Path
from typing import Any

import numpy as np

from workflow.common import npz, places
from workflow.plan import catalogue

Drawn = dict[str, np.ndarray]
"""`<treatment>/<class>` -> images."""

NEEDED = ("method", "title", "point", "dataset", "seed", "status", "reason", "published")


def metadata(fit: dict[str, Any]) -> dict[str, Any]:
    """What Table III needs from the record of a fit."""
    method = catalogue.method(fit["method"])
    settings = fit["settings"]
    return {
        "method": fit["method"],
        "title": method.title_of(settings),
        "variant": method.variant_of(settings),
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
    """Clip n drawn images to [0, 1] and round them to bytes, uint8 [n, H, W, C].

    Raises:
        ValueError: for another shape, or values that are not finite.
    """
    images = np.asarray(images)
    if images.ndim != 4 or len(images) != n:
        raise ValueError(f"the images drawn are {list(images.shape)}, not [{n}, H, W, C]")
    if invalid := int((~np.isfinite(images)).any((1, 2, 3)).sum()):
        raise ValueError(f"{invalid} of {len(images)} images drawn hold values that are not finite")
    return np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8)


def as_unit(images: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """Convert a file's images to float32 [n, H, W, C] in [0, 1].

    Args:
        images: uint8, or float in [0, 1].
        shape: the required (H, W, C).

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
    if invalid := int((~np.isfinite(images)).sum()):
        raise ValueError(f"{invalid} values are not finite")
    if images.min() < 0 or images.max() > 1:
        raise ValueError(
            f"values are from {images.min():g} to {images.max():g}, but must be in [0, 1]"
        )
    return images.astype(np.float32)


def treatment_and_class(key: str) -> tuple[str, int]:
    """Split an array's name into treatment and class.

    Raises:
        ValueError: for a name of another form.
    """
    treatment, _, label = key.partition("/")
    if not treatment or not label.isdecimal():
        raise ValueError(f"{key!r} is not an array's name: write '<treatment>/<class>'")
    return treatment, int(label)


def write(path: Path, metadata: dict[str, Any], arrays: Drawn) -> None:
    """Write images, as `as_bytes` returns them, with the metadata of their fit."""
    npz.write(path, metadata, arrays, compressed=True)


def read(path: Path | str) -> tuple[dict[str, Any], Drawn]:
    """Read metadata and images of a file, also one that another program wrote.

    The images are returned as they are stored; `as_unit` checks and converts them.

    Raises:
        ValueError: if the file is missing or damaged, lacks metadata, or belongs to another fit
            than its path says.
    """
    try:
        metadata, arrays = npz.read(path, foreign=True)
    except (ValueError, OSError) as error:
        raise ValueError(f"{path} is missing, damaged or no file of samples ({error})") from None
    if missing := [key for key in NEEDED if key not in metadata]:
        raise ValueError(f"{path} lacks {', '.join(missing)} under 'about'")
    places.check(path, metadata)
    return metadata, arrays
