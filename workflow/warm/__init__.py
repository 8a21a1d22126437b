"""Jobs that find their libraries loaded.

To load TensorFlow takes a core three seconds, which is longer than many a job of the demo works. A
run on this machine therefore keeps a process for each environment, the server, which has its
libraries loaded and forks once for every job. Each job is still a process of its own, with its own
log, environment and exit status; it loads the suite itself.

`workflow/run/in_env.sh` hands a job to `client.py` where a run allows it; the first client of an
environment starts its server.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

FOLDER = "WARM_SERVERS"  # the variable that tells jobs where the sockets are
LIFELINE = "lifeline"


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
