"""Published files of the datasets: find or download them and verify their content."""

import csv
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from workflow.data import idx
from workflow.data.download import CONTENT, FILE, DownloadError, digest, download

_DATA = Path(__file__).parents[1] / "data"
TABLE = _DATA / "datasets.tsv"
SUBSET = _DATA / "subset"
SUBSET_TABLE = SUBSET / "subset.tsv"
TEST_SETS_TABLE = _DATA / "test_set_files.tsv"


@dataclass(frozen=True)
class Original:
    """One row of `datasets.tsv`: a published file and its sources.

    Attributes:
        dataset: the dataset it belongs to.
        split: `train` or `test`.
        kind: `images`, `labels`, `both` (a file of MATLAB), `archive` or, in the subset's table,
            `indices`.
        file: its published name.
        sha256: digest that was published.
        licence: short name of its licence.
        folders: local folders where a system package may have installed it.
        urls: public mirrors, the preferred one first.
        digest_of: `content` without gzip, or `file` as published.
    """

    dataset: str
    split: str
    kind: str
    file: str
    sha256: str
    licence: str
    folders: tuple[str, ...]
    urls: tuple[str, ...]
    digest_of: str = CONTENT


def read_table(path: Path = TABLE) -> list[Original]:
    """Read the published files, in the order of the table."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    lists = ("folders", "urls")  # separated by spaces; the subset's table has neither
    return [
        Original(**row | {key: tuple(row.get(key, "").split()) for key in lists}) for row in rows
    ]


def obtain(row: Original, folder: Path) -> tuple[Path, bytes]:
    """Obtain a file from its first available source, with its verified content without gzip.

    Args:
        row: the file.
        folder: the user's, which also receives downloads.

    Raises:
        ValueError: the content is damaged or not as published.
        OSError: the file cannot be read.
        DownloadError: no source has it.
    """
    path = _path(row, folder)
    content = idx.read_content(path)
    is_of_content = row.digest_of == CONTENT
    _check(row, path, hashlib.sha256(content).hexdigest() if is_of_content else digest(path, FILE))
    return path, content


def obtain_archive(row: Original, folder: Path) -> Path:
    """Obtain an archive, whose content may exceed the memory: its path, with its digest verified.

    Raises as `obtain` does.
    """
    path = _path(row, folder)
    _check(row, path, digest(path, row.digest_of))
    return path


def _path(row: Original, folder: Path) -> Path:
    """Find a file or download it."""
    # The user's folder first, then the mirrors, then the folders of system packages.
    path = _find(row, [folder])
    if path is None and row.urls:
        path = _fetch(row, folder)
    path = path or _find(row, row.folders)
    if path is None:
        raise FileNotFoundError(f"{folder / row.file} is missing and has no other source")
    return path


def _check(row: Original, path: Path, sha256: str) -> None:
    """Refuse a file with another digest than the table's."""
    if sha256 != row.sha256:
        contents = {"both": "images and labels"}.get(row.kind, row.kind)
        has = "has content with" if row.digest_of == CONTENT else "is a file with"
        raise ValueError(
            f"{path} {has} the sha256 {sha256}, the {row.split} {contents} of "
            f"{row.dataset} have {row.sha256}; remove the file or put the right one in its place"
        )


def _fetch(row: Original, folder: Path) -> Path | None:
    """Download a file into `folder`; None if that fails but a local folder of the table has it."""
    try:
        download(row.urls, folder / row.file, sha256=row.sha256, digest_of=row.digest_of)
    except DownloadError as error:
        if _find(row, row.folders):
            return None
        hint = f"; it is not in {' or '.join(row.folders)} either" if row.folders else ""
        raise DownloadError(f"{error}{hint}") from error
    return folder / row.file


def _find(row: Original, folders: Iterable[Path | str]) -> Path | None:
    """Find the first folder that has the file, under its published name or unpacked."""
    names = [row.file]
    if row.digest_of == CONTENT:
        names.append(row.file.removesuffix(".gz"))
    candidates = (Path(folder) / name for folder in folders for name in names)
    return next((path for path in candidates if path.is_file()), None)
