"""Image datasets, bit-exact: where their files come from, and the prepared arrays.

Reading a prepared dataset needs numpy alone, so that every method's environment can do it.
"""

import csv
import hashlib
import json
import os
import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workflow.evaluation import idx
from workflow.evaluation.files import replacing
from workflow.evaluation.hints import nearest

DATA_DIR_VARIABLE = "DCGMM_DATA_DIR"
SOURCES = ("full", "subset")
_DATA = Path(__file__).parents[1] / "data"
TABLE = _DATA / "datasets.tsv"
SUBSET = _DATA / "subset"
SUBSET_TABLE = SUBSET / "subset.tsv"

_ARRAYS = ("x_train", "y_train", "x_test", "y_test")
_NDIM = {"images": 3, "labels": 1}


@dataclass(frozen=True, eq=False)
class Dataset:
    """The images and labels of one dataset, as published: neither scaled nor clipped.

    Attributes:
        name: `mnist`, `fashion_mnist`, ...
        source: `full` or `subset`.
        x_train: uint8 [n, H, W, C].
        y_train: int64 [n].
        x_test: uint8 [m, H, W, C].
        y_test: int64 [m].
        sha256: file name -> digest of the idx content the arrays were read from.

    Raises:
        ValueError: an array of another type or shape, or images and labels of different number.
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
        """One sha256 for the whole: of the lines `<sha256>  <file>`, in the order of the names."""
        lines = "".join(f"{self.sha256[file]}  {file}\n" for file in sorted(self.sha256))
        return hashlib.sha256(lines.encode()).hexdigest()

    def save(self, path: Path) -> None:
        """Write the dataset as an uncompressed `.npz`, atomically; see `load`."""
        about = {"name": self.name, "source": self.source, "sha256": dict(self.sha256)}
        arrays = {key: getattr(self, key) for key in _ARRAYS}
        with replacing(path) as file:
            np.savez(file, about=np.array(json.dumps(about)), **arrays)


@dataclass(frozen=True)
class Original:
    """One row of `datasets.tsv`: a published file and where it can be had.

    Attributes:
        dataset: the dataset it belongs to.
        split: `train` or `test`.
        kind: `images`, `labels`, or (in the subset's table) `indices`.
        file: its published name.
        sha256: digest of the uncompressed content.
        licence: short name of its licence.
        folders: local folders in which a system package may have put it.
        urls: public mirrors, the preferred one first.
    """

    dataset: str
    split: str
    kind: str
    file: str
    sha256: str
    licence: str
    folders: tuple[str, ...]
    urls: tuple[str, ...]


def read_table(path: Path = TABLE) -> list[Original]:
    """The published files, in the order of the table."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    several = ("folders", "urls")  # separated by spaces; the subset's table has neither
    return [
        Original(**row | {key: tuple(row.get(key, "").split()) for key in several}) for row in rows
    ]


def load(path: Path) -> Dataset:
    """Read a dataset that `Dataset.save` wrote.

    Raises:
        ValueError: the file is damaged, or is not a prepared dataset.
        OSError: the file cannot be read.
    """
    path = Path(path)
    with path.open("rb") as file:
        # Asked first because np.load takes any other file for a pickle, and says so.
        if not zipfile.is_zipfile(file):
            raise ValueError(
                f"{path} is not a prepared dataset (.npz); workflow.steps.data makes one"
            )
        file.seek(0)
        try:
            with np.load(file, allow_pickle=False) as archive:
                about = json.loads(archive["about"].item())
                arrays = {key: archive[key] for key in _ARRAYS}
            return Dataset(**about, **arrays)
        except (ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise ValueError(f"{path} is damaged or not a prepared dataset: {error}") from error


def prepare(name: str, source: str, data_dir: Path | str, *, table: Path = TABLE) -> Dataset:
    """Find, fetch, check and read the files of one dataset.

    `subset` reads the images that ship with the suite and needs nothing else. `full` takes each
    file from the first of: the user's folder `<data_dir>/<name>/` (as published, or without its
    `.gz`), the mirrors (which deliver into that folder), the local folders of the table.

    Args:
        name: a dataset of the table.
        source: `full` or `subset`.
        data_dir: the configured data folder; the environment variable DCGMM_DATA_DIR wins over it.
        table: another table of published files.

    Raises:
        ValueError: an unknown name or source, or a file whose content is not as published.
        OSError: a file cannot be read.
        workflow.evaluation.download.DownloadError: a file is nowhere to be had.
    """
    if source not in SOURCES:
        raise _unknown("source", source, SOURCES)
    if source == "subset":
        table, folder = SUBSET_TABLE, SUBSET
    else:
        folder = Path(os.environ.get(DATA_DIR_VARIABLE) or data_dir).expanduser()
    rows = read_table(table)
    if name not in {row.dataset for row in rows}:
        raise _unknown("dataset", name, dict.fromkeys(row.dataset for row in rows))
    files = [row for row in rows if row.dataset == name and row.kind in _NDIM]
    arrays = {(row.split, row.kind): _obtain(row, folder / name) for row in files}
    return Dataset(
        name=name,
        source=source,
        x_train=arrays["train", "images"][..., np.newaxis],  # [n, H, W] -> [n, H, W, 1]
        y_train=arrays["train", "labels"].astype(np.int64),
        x_test=arrays["test", "images"][..., np.newaxis],
        y_test=arrays["test", "labels"].astype(np.int64),
        sha256={row.file: row.sha256 for row in files},
    )


def by_classes(labels: NDArray[np.integer], classes: str) -> NDArray[np.bool_]:
    """Select the samples of some classes.

    Args:
        labels: integers [n].
        classes: `all`, `not<c>` (every class but c) or `only<c>` (class c alone).

    Returns:
        A mask, bool [n].

    Raises:
        ValueError: any other string, or a class that no label has.
    """
    if classes == "all":
        return np.ones(len(labels), dtype=bool)
    match = re.fullmatch(r"(not|only)(0|[1-9][0-9]*)", classes)
    if match is None:
        raise ValueError(
            f"unknown classes '{classes}'; write 'all', or 'not' or 'only' and a class, as in "
            "'not0' or 'only7'"
        )
    is_class = labels == int(match[2])
    if not is_class.any():
        present = ", ".join(str(label) for label in np.unique(labels))
        raise ValueError(f"'{classes}' names an empty class; the labels hold {present or 'none'}")
    return is_class if match[1] == "only" else ~is_class


def holdout(n: int) -> NDArray[np.bool_]:
    """Mask of the last sixth of n training images, kept aside for choosing settings.

    Of 60,000 these are the last 10,000, which the authors' release of the sum-product networks
    keeps aside too.
    """
    return np.arange(n) >= n * 5 // 6


def as_float(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Scale pixels from uint8 to float32 in [0, 1], of the same shape; nothing else is changed.

    Raises:
        ValueError: the images are not uint8, so that they may have been scaled before.
    """
    if images.dtype != np.uint8:
        raise ValueError(f"the images are {images.dtype}, only uint8 pixels can be scaled")
    return np.divide(images, 255, dtype=np.float32)


def _obtain(row: Original, folder: Path) -> NDArray[np.uint8]:
    """One file of a dataset from the first source that has it, checked."""
    present = _find(row, [folder])
    if present is None and row.urls:
        present = _fetch(row, folder)
    present = present or _find(row, row.folders)
    if present is None:
        raise FileNotFoundError(f"{folder / row.file} is missing and has no other source")
    return _read(row, present)


def _fetch(row: Original, folder: Path) -> Path | None:
    """Download one file into `folder`; None if only a local folder of the table has it."""
    # Imported here because the environments of the methods lack requests and tqdm.
    from workflow.evaluation.download import DownloadError, download

    try:
        download(row.urls, folder / row.file, sha256=row.sha256)
    except DownloadError as error:
        if _find(row, row.folders):
            return None
        also = f"; it is not in {' or '.join(row.folders)} either" if row.folders else ""
        raise DownloadError(f"{error}{also}") from error
    return folder / row.file


def _find(row: Original, folders: Iterable[Path | str]) -> Path | None:
    """The file in the first folder that has it, under its published name or unpacked."""
    names = (row.file, row.file.removesuffix(".gz"))
    candidates = (Path(folder) / name for folder in folders for name in names)
    return next((path for path in candidates if path.is_file()), None)


def _read(row: Original, path: Path) -> NDArray[np.uint8]:
    """The array in a file, uint8 [n] or [n, H, W], if its content is as published."""
    content = idx.read_content(path)
    found = hashlib.sha256(content).hexdigest()
    if found != row.sha256:
        raise ValueError(
            f"{path} has content with the sha256 {found}, the {row.split} {row.kind} of "
            f"{row.dataset} have {row.sha256}; remove the file or put the right one in its place"
        )
    return idx.decode(content, ndim=_NDIM[row.kind], name=str(path))


def _unknown(what: str, word: str, choices: Iterable[str]) -> ValueError:
    """The error for a name that is not among `choices`, with the nearest one."""
    return ValueError(f"unknown {what} '{word}'; {nearest(word, choices)}")
