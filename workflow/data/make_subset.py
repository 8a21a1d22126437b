"""Rebuild the shipped subset of MNIST and FashionMNIST from the published files, bit for bit.

It has the first 600 training and the first 100 test images of each class, in the published order;
row k of `train-indices.txt` is the index of image k in the published file.
"""

import csv
import gzip
import hashlib
import io
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workflow.common.command_line import argument_parser
from workflow.common.files import replacing
from workflow.data import idx
from workflow.data.datasets import Dataset
from workflow.data.download import DownloadError
from workflow.data.originals import SUBSET, SUBSET_TABLE, TABLE, Original, read_table
from workflow.data.preparation import DATA_DIR_VARIABLE, prepare

DATASETS = ("mnist", "fashion_mnist")

PER_CLASS = {"train": 600, "test": 100}
COLUMNS = ("dataset", "split", "kind", "file", "sha256", "licence")


def first_per_class(labels: NDArray[np.integer], count: int) -> NDArray[np.int64]:
    """Indices of the first `count` samples of each class, ascending.

    Args:
        labels: integers [n].
        count: samples per class.

    Returns:
        int64 [count * number of classes].

    Raises:
        ValueError: a class has fewer than `count` samples.
    """
    classes, sizes = np.unique(labels, return_counts=True)
    if sizes.min() < count:
        raise ValueError(f"class {classes[sizes.argmin()]} has {sizes.min()} of {count} samples")
    indices = [np.flatnonzero(labels == c)[:count] for c in classes]
    return np.sort(np.concatenate(indices))


def build(data_dir: Path) -> dict[str, bytes]:
    """Build every file of the subset: path below the subset's folder -> content."""
    originals = read_table(TABLE)
    files, rows = {}, []
    for name in DATASETS:
        dataset = prepare(name, "full", data_dir)
        for split, count in PER_CLASS.items():
            indices = first_per_class(getattr(dataset, f"y_{split}"), count)
            for kind, content in _contents(dataset, split, indices).items():
                file = _file_name(originals, name, split, kind)
                licence = next(row.licence for row in originals if row.dataset == name)
                digest = hashlib.sha256(content).hexdigest()
                rows.append([name, split, kind, file, digest, licence])
                files[f"{name}/{file}"] = _gzip(content) if file.endswith(".gz") else content
    table = io.StringIO(newline="")
    csv.writer(table, delimiter="\t", lineterminator="\n").writerows([COLUMNS, *rows])
    return files | {SUBSET_TABLE.name: table.getvalue().encode()}


def compare(built: dict[str, bytes], folder: Path) -> list[str]:
    """List the files in `folder` that differ from the built ones, one sentence each.

    Gzip files are compared by content: releases of zlib compress the same bytes differently.
    """
    differences = []
    for path, content in built.items():
        try:
            if idx.read_content(folder / path) != _unpacked(content):
                differences.append(f"{folder / path} differs from its rebuild")
        except (OSError, ValueError) as error:
            differences.append(str(error))
    return differences


def main(arguments: list[str] | None = None) -> None:
    """Rebuild or check the subset; exit with status 1 if it differs or the build fails."""
    parser = argument_parser(__spec__, __doc__.splitlines()[0])
    parser.add_argument(
        "--data-dir",
        type=Path,
        default=Path("data"),
        help=f"folder of the published files; overridden by the environment's {DATA_DIR_VARIABLE}",
    )
    parser.add_argument("--out", type=Path, default=SUBSET, help="the subset's folder")
    parser.add_argument("--check", action="store_true", help="only compare, write nothing")
    options = parser.parse_args(arguments)
    try:
        built = build(options.data_dir)
        if options.check:
            if differences := compare(built, options.out):
                sys.exit("\n".join(differences))
            print(f"{options.out}: all {len(built)} files equal a rebuild")
            return
        for path, content in built.items():
            with replacing(options.out / path) as file:
                file.write(content)
    except (ValueError, OSError, DownloadError) as error:
        sys.exit(f"{parser.prog}: {error}")
    size = sum(len(content) for content in built.values())
    print(f"{options.out}: {len(built)} files, {size} bytes")


def _contents(dataset: Dataset, split: str, indices: NDArray[np.int64]) -> dict[str, bytes]:
    """Uncompressed files of one split: images, labels and their published indices."""
    images = getattr(dataset, f"x_{split}")[indices, ..., 0]  # [k, H, W]
    labels = getattr(dataset, f"y_{split}")[indices].astype(np.uint8)
    return {
        "images": idx.encode(images),
        "labels": idx.encode(labels),
        "indices": "".join(f"{index}\n" for index in indices).encode(),
    }


def _file_name(originals: list[Original], dataset: str, split: str, kind: str) -> str:
    """Name of a file; images and labels keep their published ones."""
    if kind == "indices":
        return f"{split}-indices.txt"
    key = (dataset, split, kind)
    return next(row.file for row in originals if (row.dataset, row.split, row.kind) == key)


def _gzip(content: bytes) -> bytes:
    """Compress reproducibly: the header has neither time nor name."""
    stream = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=stream, mtime=0) as file:
        file.write(content)
    return stream.getvalue()


def _unpacked(content: bytes) -> bytes:
    """Content of a gzip stream; anything else unchanged."""
    return gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content


if __name__ == "__main__":
    main()
