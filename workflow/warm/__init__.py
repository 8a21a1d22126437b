"""Jobs that find their libraries loaded.

To load TensorFlow takes a core three seconds, which is longer than many a job of the demo works. A
run on this machine therefore keeps a process for each environment, the server, which has its
libraries loaded and forks once for every job. Each job is still a process of its own, with its own
log, environment and exit status; it loads the suite itself.

`workflow/steps/in_env.sh` hands a job to `client.py` where a run allows it; the first client of an
environment starts its server.
"""

import atexit
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

FOLDER = "WARM_SERVERS"  # the variable that tells jobs where the sockets are
LIFELINE = "lifeline"
JOB = ".json"  # after the number of a client's process: the file that tells of its job


def allow() -> None:
    """Let all jobs that this process starts be warm.

    Servers end with this process, however that ends: what they read from then has no writer left.
    """
    folder = tempfile.mkdtemp(prefix="warm-")  # short, as the path of a socket must be
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    lifeline = Path(folder) / LIFELINE
    os.mkfifo(lifeline)
    os.open(lifeline, os.O_RDWR)  # never closed; only for writing, it would wait for a reader
    os.environ[FOLDER] = folder


def about(client: int) -> dict[str, Any] | None:
    """What a server runs for a client; None if no server does.

    `process`, and once that has ended `cpu`, the seconds that it and its children took of a
    processor, and `memory_mb`, the most that it held.
    """
    try:
        return json.loads((Path(os.environ[FOLDER]) / f"{client}{JOB}").read_text("ascii"))
    except (KeyError, FileNotFoundError):
        return None
