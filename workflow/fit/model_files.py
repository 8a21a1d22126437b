"""Digests of a saved model's files, by which its fit's record knows it again.

Needs the standard library alone, so that every method's environment can check them.
"""

import hashlib
from pathlib import Path
from typing import Any


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder, by its path from there; none if there is no folder.

    Hidden files do not count: Snakemake marks a folder that it made with one.
    """
    files = sorted(path for path in folder.rglob("[!.]*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def check(fit: dict[str, Any], folder: Path) -> None:
    """Refuse a model that is not the one which a fit has saved.

    Args:
        fit: its record; of an older suite it may lack the digests.
        folder: of the model, or of a folder per class.

    Raises:
        ValueError: for a file that is missing, altered, of another model or too many; names it.
    """
    if fit["status"] != "ok" or "model" not in fit:
        return
    found = digests(folder)
    for path in sorted({*found, *fit["model"]}):
        if found.get(path) != fit["model"].get(path):
            wrong = "is not the file that this fit saved" if path in found else "is missing"
            raise ValueError(f"{folder / path} {wrong}: remove {folder.parent} and run again")
