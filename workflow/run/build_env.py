"""Build one environment from its lock: what `in_env.sh` calls when the stamp does not match.

Runs in the user's own interpreter, so it needs the standard library alone. uv builds where it is
present, venv and pip elsewhere. The stamp is written last: a half-built environment has none.
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
    """Build; what fails is one sentence."""
    lock, venv, digest = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    try:
        build_once(lock, venv, digest)
    except subprocess.CalledProcessError as error:
        sys.exit(f"envs/.venv/{venv.name} could not be built: {error}")
    except OSError as error:
        what = f"{error.filename or venv}: {error.strerror or error}"
        sys.exit(
            f"envs/.venv/{venv.name} could not be built ({what}); put the repository where "
            "there is room and leave to write"
        )


def build_once(lock: Path, venv: Path, digest: str) -> None:
    """Build unless it is built, under a lock, so that jobs that start together build once."""
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
    """Whether the environment stands here, whole, from the lock with this sha256."""
    try:
        stamp = (venv / STAMP).read_text()
    except OSError:
        return False
    here = f"{digest} {venv.resolve()}"
    return stamp.strip() == here and os.access(venv / "bin/python", os.X_OK)


def build(lock: Path, venv: Path) -> None:
    """Make the environment anew and compile its bytecode, which halves every later start.

    Raises:
        subprocess.CalledProcessError: if a package cannot be had or its hash differs.
    """
    (venv / STAMP).unlink(missing_ok=True)
    shutil.rmtree(venv, ignore_errors=True)
    hashed = "--hash=" in lock.read_text()
    python = str(venv / "bin/python")
    uv = shutil.which("uv")
    if uv:
        environment = dict(os.environ)
        if "PIP_FIND_LINKS" in environment:  # packages that the user keeps on disk
            environment.setdefault("UV_FIND_LINKS", environment["PIP_FIND_LINKS"])
        command = ["sync", "--require-hashes"] if hashed else ["install", "-r"]
        _run([uv, "venv", "--quiet", "--python", sys.executable, str(venv)], environment)
        _run(
            [uv, "pip", *command, str(lock), "--quiet", "--python", python, "--compile-bytecode"],
            environment,
        )
        return
    environment = dict(os.environ)
    _run([sys.executable, "-m", "venv", str(venv)], environment)
    hashes = ["--require-hashes", "--no-deps"] if hashed else []
    install = ["install", "--quiet", "--disable-pip-version-check", *hashes, "-r", str(lock)]
    _run([python, "-m", "pip", *install], environment)
    # pip leaves bytecode out where PYTHONDONTWRITEBYTECODE is set; files that are templates fail.
    subprocess.run([python, "-m", "compileall", "-qq", "-j", "0", str(venv / "lib")], stdout=2)


def _run(command: list[str], environment: dict[str, str]) -> None:
    subprocess.run(command, env=environment, check=True, stdout=2)


if __name__ == "__main__":
    main()
