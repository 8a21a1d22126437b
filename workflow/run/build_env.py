"""Build one environment from its lock; `in_env.sh` calls this when the stamp does not match.

Runs in the user's own interpreter, hence needs only the standard library. uv builds where it is
installed, venv and pip elsewhere. The stamp is written last: a half-built environment has none.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 (older ones get a sentence, not a traceback)
    version = ".".join(map(str, sys.version_info[:3]))
    sys.exit("Python 3.11 or newer is needed, but %s is %s" % (sys.executable, version))  # noqa: UP031

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

STAMP = "built"


def main() -> None:
    """Build the environment; report a failure in one sentence."""
    lock, venv, digest = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    try:
        build_once(lock, venv, digest)
    except subprocess.CalledProcessError as error:
        sys.exit(f"envs/.venv/{venv.name} could not be built: {error}")
    except OSError as error:
        reason = f"{error.filename or venv}: {error.strerror or error}"
        sys.exit(
            f"envs/.venv/{venv.name} could not be built ({reason}); put the repository on a "
            "writable disk with free space"
        )


def build_once(lock: Path, venv: Path, digest: str) -> None:
    """Build unless built already; a lock makes jobs that start together build once."""
    venv.parent.mkdir(parents=True, exist_ok=True)
    with venv.with_name(f"{venv.name}.flock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if is_built(venv, digest):
            return
        print(f"building envs/.venv/{venv.name} from envs/{lock.name} (once)", file=sys.stderr)
        build(lock, venv)
        part = venv / f"{STAMP}.part"
        part.write_text(f"{digest} {venv.resolve()}\n")
        part.replace(venv / STAMP)


def is_built(venv: Path, digest: str) -> bool:
    """Whether the environment here is complete and from the lock with this sha256."""
    try:
        stamp = (venv / STAMP).read_text()
    except OSError:
        return False
    expected = f"{digest} {venv.resolve()}"
    return stamp.strip() == expected and os.access(venv / "bin/python", os.X_OK)


def build(lock: Path, venv: Path) -> None:
    """Build the environment from scratch and compile its bytecode, which halves later starts.

    Raises:
        subprocess.CalledProcessError: if a package is unavailable or its hash differs.
    """
    (venv / STAMP).unlink(missing_ok=True)
    shutil.rmtree(venv, ignore_errors=True)
    has_hashes = "--hash=" in lock.read_text()
    python = str(venv / "bin/python")
    uv = shutil.which("uv")
    if uv:
        environment = dict(os.environ)
        if "PIP_FIND_LINKS" in environment:  # packages that the user keeps on disk
            environment.setdefault("UV_FIND_LINKS", environment["PIP_FIND_LINKS"])
        command = ["sync", "--require-hashes"] if has_hashes else ["install", "-r"]
        _run_command([uv, "venv", "--quiet", "--python", sys.executable, str(venv)], environment)
        _run_command(
            [uv, "pip", *command, str(lock), "--quiet", "--python", python, "--compile-bytecode"],
            environment,
        )
        return
    environment = dict(os.environ)
    _run_command([sys.executable, "-m", "venv", str(venv)], environment)
    hashes = ["--require-hashes", "--no-deps"] if has_hashes else []
    install = ["install", "--quiet", "--disable-pip-version-check", *hashes, "-r", str(lock)]
    _run_command([python, "-m", "pip", *install], environment)
    # pip skips bytecode where PYTHONDONTWRITEBYTECODE is set; templates among the files fail.
    subprocess.run([python, "-m", "compileall", "-qq", "-j", "0", str(venv / "lib")], stdout=2)


def _run_command(command: list[str], environment: dict[str, str]) -> None:
    subprocess.run(command, env=environment, check=True, stdout=2)


if __name__ == "__main__":
    main()
