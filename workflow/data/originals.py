"""The published files of the datasets: where they can be had, and whether they are as published."""

import csv
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from workflow.data import idx
from workflow.data.download import DownloadError, download

_DATA = Path(__file__).parents[1] / "data"
TABLE = _DATA / "datasets.tsv"
SUBSET = _DATA / "subset"
SUBSET_TABLE = SUBSET / "subset.tsv"


@dataclass(frozen=True)
class Original:
    """One row of `datasets.tsv`: a published file and where it can be had.

    Attributes:
        dataset: the dataset it belongs to.
        split: `train` or `test`.
        kind: `images`, `labels`, `both` (a file of MATLAB) or, in the subset's table, `indices`.
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


def obtain(row: Original, folder: Path) -> tuple[Path, bytes]:
    """One file from the first source that has it, and its content without gzip, checked.

    Args:
        row: the file.
        folder: the user's, into which a download goes too.

    Raises:
        ValueError: the content is not as published, or is damaged.
        OSError: the file cannot be read.
        DownloadError: it is nowhere to be had.
    """
    path = _find(row, [folder])
    if path is None and row.urls:
        path = _fetch(row, folder)
    path = path or _find(row, row.folders)
    if path is None:
        raise FileNotFoundError(f"{folder / row.file} is missing and has no other source")
    content = idx.read_content(path)
    found = hashlib.sha256(content).hexdigest()
    if found != row.sha256:
        what = {"both": "images and labels"}.get(row.kind, row.kind)
        raise ValueError(
            f"{path} has content with the sha256 {found}, the {row.split} {what} of "
            f"{row.dataset} have {row.sha256}; remove the file or put the right one in its place"
        )
    return path, content


def _fetch(row: Original, folder: Path) -> Path | None:
    """Download one file into `folder`; None if only a local folder of the table has it."""
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
