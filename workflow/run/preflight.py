"""What a run needs of the machine before anything else, each told in one sentence.

Needs the standard library alone, since it is asked before an environment may be of use.
"""

import os
import tempfile
from pathlib import Path


def check(root: Path) -> None:
    """Whether Snakemake can run here.

    Args:
        root: the repository.

    Raises:
        OSError: if it is started elsewhere, or here or in $TMPDIR nothing can be written.
    """
    if Path.cwd().resolve() != root.resolve():
        raise OSError(f"start Snakemake in the repository, not in {Path.cwd()}: cd {root}")
    for folder in (root, root / "results", root / ".snakemake"):
        _check_writable(folder, "copy the repository to a folder of your own")
    _check_writable(Path(os.environ.get("TMPDIR", "/tmp")), "let TMPDIR name another folder")


def _check_writable(folder: Path, mend: str) -> None:
    """Write a file to a folder, if it is there, since permissions alone do not tell.

    Raises:
        OSError: naming the folder and the mend.
    """
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(2**16))
    except FileNotFoundError as error:
        if folder.exists() or folder.parent == folder:
            raise OSError(f"{folder} cannot be written to ({error.strerror}): {mend}") from None
    except OSError as error:
        raise OSError(f"{folder} cannot be written to ({error.strerror}): {mend}") from None
