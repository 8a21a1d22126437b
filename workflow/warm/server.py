"""The process that has an environment's libraries loaded, and forks once for every job.

A job is asked for by `client.py` over a Unix socket: one line of JSON, and with it the client's
standard streams. The forked process becomes what the client asked for. When it ends, the client is
told how; when the client ends first, it is killed with all that it started.
"""

import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
from pathlib import Path
from typing import Any, NamedTuple

from workflow.warm import LIFELINE

# None of the suite's own modules: a job runs them as they are when it starts.
LIBRARIES = {
    "tensorflow": ["tensorflow", "keras"],
    "tensorflow,TF_USE_LEGACY_KERAS=1": ["tensorflow", "tf_keras", "tensorflow_probability"],
    "torch": ["torch"],
    "cirkit": ["torch"],
    "workflow": ["pandas", "jsonschema", "yaml", "scipy.stats", "matplotlib.pyplot"],
}


def main() -> None:
    """Serve while the run lasts; in a forked process, do the job."""
    kind, handle, folder = sys.argv[1:]
    for name in LIBRARIES.get(kind, []):
        with contextlib.suppress(ImportError):  # which the job will tell
            importlib.import_module(name)
    gc.freeze()  # no collection in a job shall copy what it shares with the server
    job = Server(socket.socket(fileno=int(handle)), Path(folder)).serve()
    if job:
        module, *sys.argv[1:] = job["command"]
        runpy.run_module(module, run_name="__main__", alter_sys=True)


class Client(NamedTuple):
    """Who waits for a job."""

    process: int
    socket: socket.socket


class Server:
    """Forks a process for every job; has one thread, as whatever forks should.

    Args:
        listener: the socket, bound and listening.
        folder: has a named pipe, which the run holds open.
    """

    def __init__(self, listener: socket.socket, folder: Path) -> None:
        self.listener = listener
        self.lifeline = os.open(folder / LIFELINE, os.O_RDONLY | os.O_NONBLOCK)
        self.jobs: dict[int, Client] = {}  # by process
        self.ended, waker = os.pipe()  # gets a byte when a process has ended
        os.set_blocking(waker, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a run that is interrupted ends its clients

    def serve(self) -> dict[str, Any] | None:
        """The job, in the process that is to do it; None in the server, after run and jobs."""
        awaited = [self.listener, self.lifeline]
        while awaited or self.jobs:
            clients = [
                client.socket for client in self.jobs.values() if client.socket.fileno() >= 0
            ]
            ready = select.select([self.ended, *awaited, *clients], [], [])[0]
            if self.ended in ready:
                os.read(self.ended, 4096)
                self._report()
            for process, client in self.jobs.items():
                if client.socket in ready:  # it has nothing more to say: it has ended
                    client.socket.close()
                    _kill(process)
            if self.lifeline in ready:
                awaited = []
            elif self.listener in ready and (job := self._accept()):
                return job
        return None

    def _accept(self) -> dict[str, Any] | None:
        """A new client's job, in the process that is to do it; None in the server."""
        connection, _ = self.listener.accept()
        job, streams = _read(connection)
        process = os.fork() if job else None
        if process == 0:
            self._become(job, streams)
            connection.close()
            return job
        for stream in streams:
            os.close(stream)
        if process:
            self.jobs[process] = Client(job["client"], connection)
        return None

    def _become(self, job: dict[str, Any], streams: list[int]) -> None:
        """Leave everything of the server, and take over what the client sent."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self.listener.close()
        for other in self.jobs.values():
            other.socket.close()
        os.setsid()  # so that it can be ended with all that it starts
        for target, stream in enumerate(streams):
            os.dup2(stream, target)
            os.close(stream)
        os.chdir(job["folder"])
        os.environ.clear()
        os.environ.update(job["environment"])

    def _report(self) -> None:
        """Tell the clients of all jobs that have ended how they did."""
        while self.jobs:
            process, status = os.waitpid(-1, os.WNOHANG)
            if not process:
                return
            client = self.jobs.pop(process)
            with client.socket, contextlib.suppress(OSError):  # if the client has ended, too
                client.socket.sendall(str(os.waitstatus_to_exitcode(status)).encode())


def _kill(process: int) -> None:
    """End a job and all that it started."""
    try:
        os.killpg(process, signal.SIGKILL)
    except ProcessLookupError:  # it has no group of its own yet
        os.kill(process, signal.SIGKILL)


def _read(client: socket.socket) -> tuple[dict[str, Any] | None, list[int]]:
    """What a client sends: the job, None if it was cut off, and its standard streams."""
    line, streams, _, _ = socket.recv_fds(client, 2**16, 3)
    while line and not line.endswith(b"\n"):
        more = client.recv(2**16)
        line = line + more if more else b""
    return (json.loads(line) if line else None), streams


if __name__ == "__main__":
    main()
