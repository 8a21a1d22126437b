"""Prepared image datasets: the arrays that every step reads, and selecting from them.

Needs only numpy, so that every method's environment can read them; `preparation` makes them.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workflow.common import npz, places

_NUMBER = "(?:0|[1-9][0-9]*)"
_CLASSES = re.compile(f"only(?P<one>{_NUMBER})|not(?P<several>{_NUMBER}(?:_{_NUMBER})*)")
_ARRAYS = ("x_train", "y_train", "x_test", "y_test")


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images and labels of one dataset, as published: neither scaled nor clipped.

    Attributes:
        name: `mnist`, `fashion_mnist`, ...
        source: `full` or `subset`.
        x_train: uint8 [n, H, W, C].
        y_train: int64 [n].
        x_test: uint8 [m, H, W, C].
        y_test: int64 [m].
        sha256: file name -> digest of the content the arrays were read from, gzip removed.

    Raises:
        ValueError: an array has the wrong type or shape, or images and labels differ in number.
    """

    name: str
    source: str
    x_train: NDArray[np.uint8]
    y_train: NDArray[np.int64]
    x_test: NDArray[np.uint8]
    y_test: NDArray[np.int64]
    sha256: Mapping[str, str]

    def __post_init__(self) -> None:
        """Refuse arrays that do not belong together."""
        for split in ("train", "test"):
            x, y = getattr(self, f"x_{split}"), getattr(self, f"y_{split}")
            if x.dtype != np.uint8 or x.ndim != 4 or y.dtype != np.int64 or y.ndim != 1:
                raise ValueError(
                    f"{self.name}: x_{split} is {x.dtype} {x.shape} and y_{split} {y.dtype} "
                    f"{y.shape}, they must be uint8 [n, H, W, C] and int64 [n]"
                )
            if len(x) != len(y) or len(x) == 0:
                raise ValueError(
                    f"{self.name}: {len(x)} {split} images and {len(y)} {split} labels, "
                    "their numbers must be equal and above zero"
                )
        if self.x_train.shape[1:] != self.x_test.shape[1:]:
            raise ValueError(
                f"{self.name}: training images are {self.x_train.shape[1:]} and test images "
                f"{self.x_test.shape[1:]}, their sizes must be equal"
            )

    @property
    def digest(self) -> str:
        """Digest of the whole dataset: sha256 of the lines `<sha256>  <file>`, sorted by file."""
        lines = "".join(f"{self.sha256[file]}  {file}\n" for file in sorted(self.sha256))
        return hashlib.sha256(lines.encode()).hexdigest()

    def save(self, path: Path) -> None:
        """Write the dataset as an uncompressed `.npz`, atomically; see `load`."""
        metadata = {"dataset": self.name, "source": self.source, "files": dict(self.sha256)}
        npz.write(path, metadata, {key: getattr(self, key) for key in _ARRAYS})


def load(path: Path) -> Dataset:
    """Read a dataset that `Dataset.save` wrote.

    Raises:
        ValueError: the file is damaged, altered, or not a prepared dataset.
        OSError: the file cannot be read.
    """
    metadata, arrays = npz.read(path)
    try:
        dataset = Dataset(
            metadata["dataset"], metadata["source"], **arrays, sha256=metadata["files"]
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is not a prepared dataset ({error}); remove it") from None
    places.check(path, metadata)
    return dataset


def by_classes(labels: NDArray[np.integer], classes: str) -> NDArray[np.bool_]:
    """Select the samples of some classes.

    Args:
        labels: integers [n].
        classes: `all`, `only<c>` (class c alone), `not<c>` (every class but c) or `not<c>_<d>`
            (but c and d).

    Returns:
        A mask, bool [n].

    Raises:
        ValueError: for any other string, or a class without labels.
    """
    numbers, taken = _numbers(classes)
    if {*numbers} - {*labels}:
        present = ", ".join(str(label) for label in np.unique(labels))
        raise ValueError(f"'{classes}' names an empty class; the labels hold {present or 'none'}")
    return np.isin(labels, numbers) == taken


def as_far_as_present(labels: NDArray[np.integer], classes: str) -> NDArray[np.bool_]:
    """`by_classes` for labels that may lack a class, as those of some images of a dataset."""
    numbers, taken = _numbers(classes)
    return np.isin(labels, numbers) == taken


def _numbers(classes: str) -> tuple[list[int], bool]:
    """Numbers in a choice of classes, and whether they are those taken or those left out."""
    if classes == "all":
        return [], False
    match = _CLASSES.fullmatch(classes)
    if match is None:
        raise ValueError(
            f"unknown classes '{classes}'; write 'all', or 'not' or 'only' and a class, as in "
            "'not0' or 'only7', or 'not' and several, as in 'not0_1'"
        )
    numbers = (match["one"] or match["several"]).split("_")
    return [int(number) for number in numbers], bool(match["one"])


def before_test(classes: str) -> str:
    """Classes that may be seen before the test: `not0` for `not0_1`, else the same."""
    return classes.partition("_")[0]


def held_out(classes: str) -> list[int]:
    """Classes held out to choose a grid point by: 1 for `not0_1`, else none.

    The first class that a fit omits is the outlier of the test.
    """
    return [int(number) for number in classes.split("_")[1:]]


def holdout(n: int) -> NDArray[np.bool_]:
    """Mask the last sixth of n training images, kept aside to choose settings by.

    Of 60,000 images these are the last 10,000, as in the authors' release of the sum-product
    networks.
    """
    return np.arange(n) >= n * 5 // 6


def as_float(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Scale pixels from uint8 to float32 in [0, 1]; the shape stays.

    Raises:
        ValueError: the images are not uint8, so they may have been scaled already.
    """
    if images.dtype != np.uint8:
        raise ValueError(f"the images are {images.dtype}, only uint8 pixels can be scaled")
    return np.divide(images, 255, dtype=np.float32)
