"""Images that other people published, as 28x28 grey ones.

Files come from the user's folder or the mirrors of the table and are read only if their digest is
the table's. Archives are read member by member; nothing in them is unpacked to a folder or
executed.
"""

import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import IO

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from workflow.data import idx, mat, originals, png
from workflow.data.test_sets import evenly_spaced

SIZE = 28
_EMNIST = "gzip/emnist-letters-test-{}-ubyte.gz"
_CIFAR = "cifar-10-batches-bin/test_batch.bin"
_CIFAR_SHAPE = (3, 32, 32)  # of an image in the file, after its label
_OMNIGLOT_SHAPE = (105, 105, 1)

Labelled = tuple[NDArray[np.uint8], NDArray[np.int64]]  # images [n, 28, 28, 1], labels [n]
Files = dict[str, originals.Original]  # kind -> file


def published(files: str, folder: Path, *, tables: tuple[Path, ...]) -> Labelled:
    """Obtain the published test images of one collection.

    Args:
        files: its name in a table.
        folder: the data folder; the files lie in `<folder>/<files>/`.
        tables: of published files.

    Returns:
        At most `MAX_IMAGES` images uint8 [n, 28, 28, 1], evenly spaced over the published ones, and
        their labels int64 [n].

    Raises:
        ValueError: a file is not as published.
        OSError: a file cannot be read.
        DownloadError: no source has a file.
    """
    rows = [row for table in tables for row in originals.read_table(table)]
    mine = {row.kind: row for row in rows if (row.dataset, row.split) == (files, "test")}
    images, labels = READERS[files](mine, folder / files)
    return np.ascontiguousarray(images), labels.astype(np.int64)


def enlarged_digits() -> Labelled:
    """Enlarge scikit-learn's digits of 8x8 pixels and 17 levels, evenly spaced over all 1,797."""
    digits = load_digits()
    chosen = evenly_spaced(len(digits.images))
    levels = np.rint(digits.images[chosen] * (255 / 16)).astype(np.uint8)  # [n, 8, 8]
    return png.resized(levels[..., None], SIZE, SIZE), digits.target[chosen].astype(np.int64)


def _of_idx(files: Files, folder: Path) -> Labelled:
    """Read a file of images and one of labels, as MNIST's."""
    path, content = originals.obtain(files["images"], folder)
    images = idx.decode(content, ndim=3, name=str(path))
    path, content = originals.obtain(files["labels"], folder)
    return _chosen(images[..., None], idx.decode(content, ndim=1, name=str(path)))


def _emnist(files: Files, folder: Path) -> Labelled:
    """Read EMNIST's letters, whose images are stored with rows and columns exchanged."""
    path = originals.obtain_archive(files["archive"], folder)
    arrays = []
    with _opened_zip(path) as archive:
        for name, ndim in (("images-idx3", 3), ("labels-idx1", 1)):
            member = _EMNIST.format(name)
            with _member(archive, member, path) as file:
                content = idx.unpack(file, name=f"{path}: {member}")
            arrays.append(idx.decode(content, ndim=ndim, name=f"{path}: {member}"))
    images, labels = arrays
    return _chosen(images.transpose(0, 2, 1)[..., None], labels)


def _omniglot(files: Files, folder: Path) -> Labelled:
    """Read Omniglot's drawings, black on white; each folder of the archive is one character."""
    path = originals.obtain_archive(files["archive"], folder)
    with _opened_zip(path) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".png"))
        characters = {name: PurePosixPath(name).parent for name in names}
        order = sorted({*characters.values()})
        chosen = [names[i] for i in evenly_spaced(len(names))]
        if not chosen:
            raise ValueError(f"{path} holds no PNG file")
        drawings = []
        for name in chosen:
            with _member(archive, name, path) as file:
                content = file.read(png.MAX_FILE)
            where = f"{path}: {name}"
            drawings.append(png.decode(content, shape=_OMNIGLOT_SHAPE, name=where))
    images = png.resized(255 - np.stack(drawings), SIZE, SIZE)
    return images, np.array([order.index(characters[name]) for name in chosen])


def _cifar(files: Files, folder: Path) -> Labelled:
    """Read CIFAR-10's binary version: records of a label and an image, channel by channel."""
    path = originals.obtain_archive(files["archive"], folder)
    record = 1 + int(np.prod(_CIFAR_SHAPE))
    try:
        with tarfile.open(path, "r:gz") as archive:
            member = archive.getmember(_CIFAR)
            file = archive.extractfile(member)
            content = file.read(min(member.size, idx.MAX_CONTENT)) if file else b""
    except (tarfile.TarError, KeyError, EOFError, OSError) as error:
        raise ValueError(f"{path} is damaged or lacks {_CIFAR}") from error
    if not content or len(content) % record:
        raise ValueError(f"{path}: {_CIFAR} has {len(content)} bytes, no multiple of {record}")
    records = np.frombuffer(content, np.uint8).reshape(-1, record)
    images = records[:, 1:].reshape(-1, *_CIFAR_SHAPE).transpose(0, 2, 3, 1)
    return _grey(images, records[:, 0])


def _svhn(files: Files, folder: Path) -> Labelled:
    path, content = originals.obtain(files["both"], folder)
    return _grey(*mat.decode(content, name=str(path)))


def _grey(images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> Labelled:
    """Choose from colour images [n, h, w, 3] and turn them into grey ones [m, 28, 28, 1]."""
    images, labels = _chosen(images, labels)
    return png.resized(png.grey(images), SIZE, SIZE), labels


def _chosen(images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> Labelled:
    """Choose evenly spaced images and their labels."""
    if len(images) != len(labels):
        raise ValueError(f"{len(images)} images and {len(labels)} labels do not belong together")
    chosen = evenly_spaced(len(images))
    return np.ascontiguousarray(images[chosen]), labels[chosen]


def _opened_zip(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise ValueError(f"{path} is no zip archive") from error


def _member(archive: zipfile.ZipFile, name: str, path: Path) -> IO[bytes]:
    """Open a file of an archive."""
    try:
        return archive.open(name)
    except (KeyError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is damaged or lacks {name}") from error


READERS: dict[str, Callable[[Files, Path], Labelled]] = {
    "kmnist": _of_idx,
    "emnist": _emnist,
    "notmnist": _of_idx,
    "omniglot": _omniglot,
    "cifar10": _cifar,
    "svhn": _svhn,
}
