"""Test sets: images that fits on a dataset score beside its own test images.

Needs only numpy, so that every method's environment can read them; `make_test_sets` makes them.
"""

import csv
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workflow.common import npz, places
from workflow.data import registry
from workflow.data.datasets import Dataset

TABLE = Path(__file__).with_name("test_sets.tsv")
OWN_IMAGES = "test"  # the set of all test images of the dataset itself
MAX_IMAGES = 1000  # of every other set, evenly spaced over the whole
SCORED = {"full": MAX_IMAGES, "subset": 50}  # source of the dataset -> those that its fits score
_ARRAYS = ("images", "labels", "compressed_bits")


class Entry(NamedTuple):
    """One row of `test_sets.tsv`.

    Attributes:
        name: in configurations and paths.
        title: for readers.
        images: what they are and how they are made.
        labels: what a label is.
        files: name in `test_set_files.tsv` or `datasets.tsv` of its published files, and their
            folder below the data folder; empty for sets that need no download.
        licence: of the images.
    """

    name: str
    title: str
    images: str
    labels: str
    files: str
    licence: str


@cache
def table() -> dict[str, Entry]:
    """Read the sets of the suite: name -> entry."""
    with TABLE.open(newline="", encoding="utf-8") as file:
        return {row["name"]: Entry(**row) for row in csv.DictReader(file, delimiter="\t")}


def shipped() -> list[str]:
    """Names of the sets that need neither a download nor a file of the user."""
    return [name for name, entry in table().items() if not entry.files]


def other_datasets(dataset: str) -> list[str]:
    """Datasets whose test images are a set for this one: shipped ones with images of its size."""
    shapes = {name: entry.shape for name, entry in registry.table().items()}
    candidates = [name for name in table() if name in shapes and name != dataset]
    return [name for name in candidates if shapes[name] == shapes.get(dataset)]


@dataclass(frozen=True, eq=False)
class TestSet:
    """Images to be scored by fits on one dataset, or the reason why there are none.

    Attributes:
        name: of the set.
        title: for readers.
        dataset: whose fits score it.
        source: `full` or `subset`, of the dataset.
        images: uint8 [n, H, W, C], of the size of the dataset's images.
        labels: int64 [n]; what they mean is a matter of the set.
        compressed_bits: int64 [n], size of each image's PNG in bits.
        compressor: what made the PNG files, with version.
        reason: why the set cannot be had and how to mend that, one sentence; empty if it can.

    Raises:
        ValueError: the arrays have wrong types or shapes, or there is neither image nor reason.
    """

    __test__ = False  # no class of tests

    name: str
    title: str
    dataset: str
    source: str
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    compressed_bits: NDArray[np.int64]
    compressor: str
    reason: str = ""

    def __post_init__(self) -> None:
        """Refuse arrays that do not belong together."""
        images = self.images
        if images.dtype != np.uint8 or images.ndim != 4:
            raise ValueError(
                f"the set {self.name}: images are {images.dtype} {images.shape}, they must be "
                "uint8 [n, H, W, C]"
            )
        for key in ("labels", "compressed_bits"):
            values = getattr(self, key)
            if values.dtype != np.int64 or values.shape != images.shape[:1]:
                raise ValueError(
                    f"the set {self.name}: {key} are {values.dtype} {values.shape}, they must be "
                    f"int64 {images.shape[:1]}"
                )
        if bool(self.reason) == bool(len(images)):
            raise ValueError(
                f"the set {self.name} has {len(images)} images and the reason "
                f"{self.reason!r} for having none"
            )

    @property
    def digest(self) -> str:
        """SHA-256 of the images' bytes."""
        return hashlib.sha256(np.ascontiguousarray(self.images)).hexdigest()

    def save(self, path: Path) -> None:
        """Write the set as a sealed `.npz`, atomically; see `load`."""
        metadata = {
            "set": self.name,
            "title": self.title,
            "dataset": self.dataset,
            "source": self.source,
            "digest": self.digest,
            "compressor": self.compressor,
            "reason": self.reason,
        }
        arrays = {key: getattr(self, key) for key in _ARRAYS}
        npz.write(path, metadata, arrays, compressed=True)


def load(path: Path) -> TestSet:
    """Read a set that `TestSet.save` wrote.

    Raises:
        ValueError: the file is damaged, altered, not a test set, or lies in another set's place.
        OSError: the file cannot be read.
    """
    metadata, arrays = npz.read(path)
    try:
        test_set = TestSet(
            name=metadata["set"],
            title=metadata["title"],
            dataset=metadata["dataset"],
            source=metadata["source"],
            compressor=metadata["compressor"],
            reason=metadata["reason"],
            **arrays,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"{path} is not a test set ({error}); remove it and run again") from None
    places.check(path, metadata)
    return test_set


def evenly_spaced(n: int, count: int = MAX_IMAGES) -> NDArray[np.int64]:
    """Indices of `count` of n images, evenly spaced from the first on; of all if there are fewer.

    Returns:
        int64 [min(n, count)], ascending.
    """
    count = min(n, count)
    return np.arange(count, dtype=np.int64) * n // max(count, 1)


def in_common(images: NDArray[np.uint8], dataset: Dataset) -> NDArray[np.int64]:
    """Indices of the images [n, H, W, C] that equal a test image of a dataset, ascending.

    Such an image could be an inlier and an outlier at once. Images are compared by their digests.
    """
    known = {_digest(image) for image in dataset.x_test}
    return np.array([i for i, image in enumerate(images) if _digest(image) in known], np.int64)


def _digest(image: NDArray[np.uint8]) -> bytes:
    return hashlib.sha256(np.ascontiguousarray(image)).digest()
