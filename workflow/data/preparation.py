"""Prepare datasets from published files, the shipped subset, or another dataset."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workflow.common.hints import nearest
from workflow.data import colour_digits, idx, mat, originals, registry
from workflow.data.datasets import Dataset
from workflow.data.download import DownloadError

DATA_DIR_VARIABLE = "DCGMM_DATA_DIR"
SOURCES = ("full", "subset")
COLOUR_DIGITS, SVHN = "colour_digits", "svhn"
_STAND_IN = (
    f"the dataset {COLOUR_DIGITS}, colour images of the same size made of MNIST, can stand in"
)
_SEEDS = {"train": 0, "test": 1}

Arrays = dict[tuple[str, str], NDArray[np.uint8]]  # split and `images` [n, H, W, C] or `labels` [n]


def prepare(
    name: str, source: str, data_dir: Path | str, *, table: Path = originals.TABLE
) -> Dataset:
    """Find, download, verify and read the files of one dataset, or derive it from MNIST.

    `subset` reads the images that ship with the suite and needs nothing else. `full` takes each
    file from the first of: the user's folder `<data_dir>/<name>/` (as published, or without its
    `.gz`), the mirrors (which deliver into that folder), the local folders of the table.

    Args:
        name: a dataset of `registry.tsv`.
        source: `full` or `subset`.
        data_dir: the configured data folder; the environment variable DCGMM_DATA_DIR overrides it.
        table: of the published files.

    Raises:
        ValueError: the name or source is unknown, or a file is not as published.
        OSError: a file cannot be read.
        DownloadError: no source has a file.
    """
    if source not in SOURCES:
        raise _unknown("source", source, SOURCES)
    dataset = registry.table().get(name)
    if dataset and dataset.made_of:
        return _coloured(prepare(dataset.made_of, source, data_dir, table=table))
    if source == "subset":
        table, folder = originals.SUBSET_TABLE, originals.SUBSET
        if dataset and not dataset.ships:
            raise ValueError(
                f"no subset of {dataset.title} ships, only the source 'full' has it"
                + (f"; {_STAND_IN}" if dataset.shape[2] == 3 else "")
            )
    else:
        folder = data_folder(data_dir)
    # Of the table's rows, those of this dataset that hold arrays.
    rows = originals.read_table(table)
    dataset_names = dict.fromkeys([*(row.dataset for row in rows), COLOUR_DIGITS])
    if name not in dataset_names:
        raise _unknown("dataset", name, dataset_names)
    files = [row for row in rows if row.dataset == name and row.kind in _DECODED]
    arrays: Arrays = {}
    for row in files:
        try:
            path, content = originals.obtain(row, folder / name)
        except DownloadError as error:
            raise DownloadError(f"{error}\n{_STAND_IN}" if name == SVHN else str(error)) from error
        decoded = _DECODED[row.kind](content, str(path))
        arrays |= {(row.split, kind): array for kind, array in decoded.items()}
    return Dataset(
        name=name,
        source=source,
        x_train=arrays["train", "images"],
        y_train=arrays["train", "labels"].astype(np.int64),
        x_test=arrays["test", "images"],
        y_test=arrays["test", "labels"].astype(np.int64),
        sha256={row.file: row.sha256 for row in files},
    )


def data_folder(data_dir: Path | str) -> Path:
    """Folder of the published files: the configured one, unless DCGMM_DATA_DIR names another."""
    return Path(os.environ.get(DATA_DIR_VARIABLE) or data_dir).expanduser()


def _images(content: bytes, name: str) -> dict[str, NDArray[np.uint8]]:
    return {"images": idx.decode(content, ndim=3, name=name)[..., np.newaxis]}  # [n, H, W, 1]


def _labels(content: bytes, name: str) -> dict[str, NDArray[np.uint8]]:
    return {"labels": idx.decode(content, ndim=1, name=name)}


def _images_and_labels(content: bytes, name: str) -> dict[str, NDArray[np.uint8]]:
    images, labels = mat.decode(content, name=name)
    return {"images": images, "labels": labels}


# Only these kinds hold arrays.
_DECODED = {"images": _images, "labels": _labels, "both": _images_and_labels}


def _coloured(mnist: Dataset) -> Dataset:
    """Derive `colour_digits` from MNIST, whose labels and split it keeps.

    Its digests are those of MNIST's files and of the pixels made from them.
    """
    images = {
        split: colour_digits.make(getattr(mnist, f"x_{split}")[..., 0], seed=seed)
        for split, seed in _SEEDS.items()
    }
    digests = {f"x_{split}": hashlib.sha256(x.tobytes()).hexdigest() for split, x in images.items()}
    return Dataset(
        name=COLOUR_DIGITS,
        source=mnist.source,
        x_train=images["train"],
        y_train=mnist.y_train,
        x_test=images["test"],
        y_test=mnist.y_test,
        sha256=dict(mnist.sha256) | digests,
    )


def _unknown(kind: str, name: str, choices: Iterable[str]) -> ValueError:
    """Error for a name that is not among `choices`, with the nearest one."""
    return ValueError(f"unknown {kind} '{name}'; {nearest(name, choices)}")
