"""Starts and ends the processes of a test cluster. Knows nothing of Kubernetes.

Every process is ended by its own id. Three nets catch it: the fixture that stops the cluster,
``atexit`` when no fixture came to that, and, on Linux, the kernel (``setpriv --pdeathsig``) when
the test run itself is killed.
"""

import atexit
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from .cluster_errors import ClusterError

POLL = 0.1


@dataclass(frozen=True, slots=True)
class Running:
    """One started process. What it prints goes to ``log``."""

    name: str
    process: "subprocess.Popen[bytes]"
    log: Path

    def end(self) -> None:
        """Kill it and wait for it. Its data is thrown away, so there is nothing to say goodbye to.

        May be called again.
        """
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        atexit.unregister(self.end)

    def last_words(self, lines: int = 15) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-lines:])


def launch(name: str, command: Sequence[str | Path], folder: Path, logs: Path) -> Running:
    """Start a process with ``folder`` as its home and working folder; its log is NAME.log.

    It sees nothing of the caller's environment but PATH, so that no proxy, kubeconfig or
    configuration file of the person at the keyboard reaches it.
    """
    log = logs / f"{name}.log"
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder)}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*_dying_with_us(), *map(str, command)],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for us: we still talk to the server while we stop
        )
    running = Running(name, process, log)
    atexit.register(running.end)
    return running


def _dying_with_us() -> tuple[str, ...]:
    """What makes the kernel kill the process when ours ends, where there is such a tool."""
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", "KILL", "--") if setpriv else ()


def free_ports() -> tuple[int, int, int]:
    """Three different TCP ports of the loopback interface that nobody listens on just now."""
    with ExitStack() as stack:
        return _free_port(stack), _free_port(stack), _free_port(stack)


def _free_port(stack: ExitStack) -> int:
    """A port that stays taken until ``stack`` is closed, so that the next one is another."""
    taken = stack.enter_context(socket.socket())
    taken.bind(("127.0.0.1", 0))
    port: int = taken.getsockname()[1]
    return port


def wait_until(
    what: str, why_not: Callable[[], str], seconds: float, processes: Sequence[Running] = ()
) -> None:
    """Ask ``why_not`` again and again until it answers "".

    Raises ClusterError with its last answer after ``seconds``, and at once when one of
    ``processes`` has ended, with the last lines that it logged.
    """
    deadline = time.monotonic() + seconds
    while reason := why_not():
        for running in processes:
            if (code := running.process.poll()) is not None:
                words = running.last_words()
                raise ClusterError(f"{running.name} ended with {code}, see {running.log}\n{words}")
        if time.monotonic() > deadline:
            raise ClusterError(f"{what}: not within {seconds:g} s\n{reason}")
        time.sleep(POLL)
