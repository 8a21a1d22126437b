"""Check what a run needs of the machine; each problem is one sentence.

Needs only the standard library, since it runs before any environment is sure to work.
"""

import os
import tempfile
from pathlib import Path


def check(root: Path) -> None:
    """Check that Snakemake can run here.

    Args:
        root: the repository.

    Raises:
        OSError: if it was started elsewhere, or cannot write here or in $TMPDIR.
    """
    if Path.cwd().resolve() != root.resolve():
        raise OSError(f"start Snakemake in the repository, not in {Path.cwd()}: cd {root}")
    for folder in (root, root / "results", root / ".snakemake"):
        _check_writable(folder, "copy the repository to a folder of your own")
    _check_writable(Path(os.environ.get("TMPDIR", "/tmp")), "set TMPDIR to another folder")


def _check_writable(folder: Path, remedy: str) -> None:
    """Write a file to a folder, if it exists, since permissions alone prove little.

    Raises:
        OSError: names the folder and the remedy.
    """
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(2**16))
    except FileNotFoundError as error:
        if folder.exists() or folder.parent == folder:
            raise OSError(f"{folder} is not writable ({error.strerror}): {remedy}") from None
    except OSError as error:
        raise OSError(f"{folder} is not writable ({error.strerror}): {remedy}") from None
