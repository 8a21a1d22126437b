"""Usage: client.py KIND MODULE ARGUMENTS...   As `python -m MODULE ARGUMENTS...`, but warm.

KIND is an environment's name, and what variables make it another, as `in_env.sh` joins them. The
server makes the process; this one waits, and ends as that does. It starts fast, so it imports
little: not pathlib, and nothing of the suite.
"""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys


def main() -> None:
    """Run a module by the server of a kind, or here if there can be none."""
    kind, *command = sys.argv[1:]
    try:
        server = connect(kind, os.environ["WARM_SERVERS"])
    except OSError:  # the run has ended, or is on another machine
        os.execvp("python", ["python", "-m", *command])
    with server:
        job = {
            "command": command,
            "folder": os.getcwd(),  # noqa: PTH109
            "environment": dict(os.environ),
            "client": os.getpid(),
        }
        line = json.dumps(job).encode() + b"\n"
        sent = socket.send_fds(server, [line], [0, 1, 2])
        server.sendall(line[sent:])
        status = server.recv(16)
    if not status:
        sys.exit(f"the process that was to run {command[0]} is gone")
    if int(status) < 0:  # it was killed by a signal
        os.kill(os.getpid(), -int(status))
    sys.exit(int(status))


def connect(kind: str, folder: str) -> socket.socket:
    """A connection to the server, which is started if this is the first."""
    path = f"{folder}/{kind}"
    with open(f"{path}.lock", "w") as lock:  # noqa: PTH123
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(path):  # noqa: PTH110
            start(kind, folder)
    result = socket.socket(socket.AF_UNIX)
    result.connect(path)
    return result


def start(kind: str, folder: str) -> None:
    """Start a server. It is listened for from now on, though it has its libraries yet to load.

    It has streams of its own, since whoever reads this client's to their end waits for all who hold
    them.
    """
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/{kind}")
        listener.listen(1000)
        handle = listener.fileno()
        with open(f"{folder}/{kind}.log", "w") as log:  # noqa: PTH123
            subprocess.Popen(
                ["python", "-m", "workflow.warm.server", kind, str(handle), folder],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[handle],
                start_new_session=True,  # what ends this client and its group shall not end it
            )


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback
    main()
