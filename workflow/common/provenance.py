"""Conditions of a result: machine, packages, commit, memory.

A program notes them when it starts, before it loads data or a library (`begin`), and checks them
again when it writes its record (`end`).
"""

import hashlib
import os
import platform
import resource
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from workflow.common import values

ROOT = Path(__file__).parents[2]

PACKAGES = (
    "keras", "tensorflow", "tensorflow-cpu", "tf-keras", "libspn-keras", "jax", "torch", "numpy",
    "scikit-learn",
)  # fmt: skip
GIT = ("git", "--no-optional-locks")  # does not block concurrent commits
CODE = ("--", ".", ":(exclude)results")  # paths, to git, that a result may depend on


def suite_version() -> str:
    """Version of the suite."""
    from dcgmm import __version__  # here, so that fits of other methods do not depend on the model

    return __version__


def host() -> dict[str, Any]:
    """Describe the machine; its name is hashed, so that records can be published."""
    gpus = _output("nvidia-smi", "--query-gpu=name", "--format=csv,noheader")  # one a line
    return {
        "id": hashlib.sha256(platform.node().encode()).hexdigest()[:8],
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": values.printable(_cpu_model()),
        "cores": os.cpu_count() or 1,
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "gpu": gpus and values.printable(gpus),
    }


def machine(host: dict[str, Any]) -> str:
    """Label that distinguishes the machine of a record, even from others of the same name."""
    return host["id"] + (f", {host['gpu']}" if host["gpu"] else "")


def note() -> dict[str, Any]:
    """Note the conditions before a program starts: version, machine, commit, locks.

    Its parent may note them instead and pass them on.
    """
    locks = sorted((ROOT / "envs").glob("*.lock"))
    return {
        "suite_version": suite_version(),
        "host": host(),
        "commit": commit(),
        "locks": {lock.name: _digest(lock) for lock in locks},
    }


def begin(noted: dict[str, Any] | None, lock: Path) -> dict[str, Any]:
    """Conditions under which this program starts, as in a record.

    Args:
        noted: result of `note` from before the start, if any.
        lock: of this environment.
    """
    noted = note() if noted is None else noted
    current = environment(lock)
    digest = noted["locks"].get(lock.name, current["lock_sha256"])
    return {
        "suite_version": noted["suite_version"],
        "environment": current | {"lock_sha256": digest},
        "host": noted["host"],
        "commit": noted["commit"],
    }


def end(begun: dict[str, Any], lock: Path) -> dict[str, Any]:
    """Conditions that a program began with; `changed` if they differ by now."""
    commit = recheck_commit(begun["commit"])
    try:
        altered = environment(lock) != begun["environment"]
    except OSError:  # the lock is gone
        altered = True
    return begun | {"commit": commit | ({"changed": True} if altered else {})}


def recheck_commit(commit: dict[str, Any]) -> dict[str, Any]:
    """Commit that a program began with; `changed` also if tracked files differ by now."""
    if commit["hash"] is None:
        return commit
    # Against the first commit, whichever is checked out now: one to results/ alone changes no code.
    changes = _output(*GIT, "diff", "--no-ext-diff", "--name-only", commit["hash"], *CODE)
    changed = (commit["changed"], None if changes is None else bool(changes))
    return commit | {"changed": True if any(changed) else None if None in changed else False}


def environment(lock: Path) -> dict[str, Any]:
    """Interpreter, lock and relevant packages of this environment."""
    installed = {}
    for name in PACKAGES:
        try:
            installed[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return {
        "lock_sha256": _digest(lock),
        "python": platform.python_version(),
        "packages": installed,
    }


def commit() -> dict[str, Any]:
    """Commit of the suite, and whether tracked files differ from it.

    Files of `results/` do not count: `make reference` adds to them, and no fit reads them. A copy
    of the suite that lies untracked in another repository has no commit.
    """
    if not _output(*GIT, "ls-tree", "--name-only", "HEAD"):
        return {"hash": None, "changed": None}
    changes = _output(*GIT, "status", "--porcelain", "--untracked-files=no", *CODE)
    return {
        "hash": _output(*GIT, "rev-parse", "--verify", "--quiet", "HEAD"),
        "changed": None if changes is None else bool(changes),
    }


def peak_memory_mb() -> float:
    """Peak resident set of this process so far, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    kilobytes = peak / 1024 if sys.platform == "darwin" else peak
    return round(kilobytes / 1024, 1)


def peak_gpu_memory_mb() -> float | None:
    """Peak GPU memory of the library in use so far, in MiB; None if it uses no GPU."""
    peak = None
    if "torch" in sys.modules and (torch := sys.modules["torch"]).cuda.is_available():
        peak = torch.cuda.max_memory_allocated()
    elif "jax" in sys.modules:
        peak = (sys.modules["jax"].local_devices()[0].memory_stats() or {}).get("peak_bytes_in_use")
    elif "tensorflow" in sys.modules:
        config = sys.modules["tensorflow"].config
        if config.list_logical_devices("GPU"):
            peak = config.experimental.get_memory_info("GPU:0")["peak"]
    return None if peak is None else round(peak / 2**20, 1)


def _cpu_model() -> str:
    """Name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _output(*command: str) -> str | None:
    """Output of a command; None if it is missing or fails."""
    try:
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return result.stdout.strip()
