"""Under which conditions a result was made: machine, packages, commit, memory."""

import hashlib
import os
import platform
import resource
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from workflow.evaluation import values

ROOT = Path(__file__).parents[2]

PACKAGES = (
    "keras", "tensorflow", "tensorflow-cpu", "tf-keras", "libspn-keras", "jax", "torch", "numpy",
    "scikit-learn",
)  # fmt: skip


def suite_version() -> str:
    """Version of this suite."""
    from dcgmm import __version__  # here, so that no fit of another method depends on the model

    return __version__


def host() -> dict[str, Any]:
    """The machine; its name is hashed, so that records can be published."""
    gpus = _output("nvidia-smi", "--query-gpu=name", "--format=csv,noheader")  # a line each
    return {
        "id": hashlib.sha256(platform.node().encode()).hexdigest()[:8],
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": values.printable(_cpu_model()),
        "cores": os.cpu_count() or 1,
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "gpu": gpus and values.printable(gpus),
    }


def machine(host: dict[str, Any]) -> str:
    """What tells the machine of a record from others, of which some have the same name."""
    return host["id"] + (f", {host['gpu']}" if host["gpu"] else "")


def environment(lock: Path) -> dict[str, Any]:
    """Interpreter, the lock that made this environment, and the packages that matter."""
    installed = {}
    for name in PACKAGES:
        try:
            installed[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return {
        "lock_sha256": hashlib.sha256(lock.read_bytes()).hexdigest(),
        "python": platform.python_version(),
        "packages": installed,
    }


def commit() -> dict[str, Any]:
    """Commit of the suite, and whether tracked files differ from it.

    Not those of `results/`: `make reference` adds to them as it goes, and no fit reads them.
    """
    tracked = ("git", "status", "--porcelain", "--untracked-files=no")
    changes = _output(*tracked, "--", ":/", ":(top,exclude)results")
    return {
        "hash": _output("git", "rev-parse", "--verify", "--quiet", "HEAD"),
        "changed": None if changes is None else bool(changes),
    }


def peak_memory_mb() -> float:
    """Largest resident set of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    kilobytes = peak / 1024 if sys.platform == "darwin" else peak
    return round(kilobytes / 1024, 1)


def peak_gpu_memory_mb() -> float | None:
    """Most that the library in use has held of the GPU so far; None where it uses none."""
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
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _output(*command: str) -> str | None:
    """What a command prints, or None if it is missing or fails."""
    try:
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return result.stdout.strip()
