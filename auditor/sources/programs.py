"""Runs a program that builds manifests, kept from the network, from Git and from any credential.

Only `auditor.sources.builds` may know it.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from auditor.credentials import told as without_credentials

SECONDS = 60
"""How long one build may take."""
MOST_BYTES = 64 * 1024 * 1024
"""How much it may write."""
_TAIL = 4096
_NOWHERE = "http://127.0.0.1:9"
"""A proxy where nobody listens: the port of the discard protocol (RFC 863)."""
_MOST_TOLD = 400
_KLOG = re.compile(r'[EF]\d{4} .*? err=(?:"(.*)"|< *(.*?) *>)', re.DOTALL)


class BuildError(Exception):
    """Nothing was built. The text says why, in one line."""


def program(name: str) -> str | None:
    """The program as PATH has it, or as it lies beside the Python that runs us."""
    return shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))


def output(command: Sequence[str], home: str) -> str:
    """What the program writes. It gets no PATH, so that it finds no Git and no plugin, no proxy
    that answers, and `home`, an empty folder, as its current one and its home.

    Raises:
        BuildError: it fails, takes longer than SECONDS or writes more than MOST_BYTES.
    """
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(  # noqa: S603 - a list, to a program that we chose
                command, cwd=home, env=_environment(home), stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=errors, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise BuildError(f"{command[0]} could not be run: {error.strerror or error}") from error
        data, is_late = _watched(process)
        if is_late:
            raise BuildError(f"it took longer than {SECONDS} seconds")
        if len(data) > MOST_BYTES:
            raise BuildError(f"it wrote more than {MOST_BYTES} bytes")
        if process.returncode:
            raise BuildError(_reason(errors, home) or f"exit code {process.returncode}")
    return data.decode("utf-8", "replace")


def _watched(process: subprocess.Popen[bytes]) -> tuple[bytes, bool]:
    """What was written, one byte more than allowed at most, and whether the time ran out."""
    late = threading.Event()

    def stop() -> None:
        late.set()
        _kill(process)

    timer = threading.Timer(SECONDS, stop)
    timer.start()
    try:
        data = _read(process)
    finally:
        timer.cancel()
        timer.join()
    return data, late.is_set()


def _read(process: subprocess.Popen[bytes]) -> bytes:
    """What it writes until it ends. It never outlives this, whatever interrupts us."""
    with process:
        try:
            assert process.stdout is not None
            data = process.stdout.read(MOST_BYTES + 1)
            if len(data) > MOST_BYTES:
                _kill(process)
            process.stdout.close()
            process.wait()
        except BaseException:
            if process.returncode is None:
                _kill(process)
                process.wait()
            raise
    return data


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End it and whatever it started, which would keep its output open."""
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)


def _environment(home: str) -> dict[str, str]:
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), _NOWHERE)
    git = {"GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": "none"}
    kept = {name: os.environ[name] for name in ("SYSTEMROOT", "PYTHONPATH") if name in os.environ}
    homes = dict.fromkeys(("HOME", "USERPROFILE", "TMPDIR", "XDG_CONFIG_HOME"), home)
    return {"PATH": "", "KUBERC": "off", **proxies, **git, **homes, **kept}


def _reason(errors: IO[bytes], home: str) -> str:
    """The end of what was complained of as one line, without what a logger puts around it. `home`
    has another name every time, and the same input gets the same answer.
    """
    errors.seek(max(errors.seek(0, os.SEEK_END) - _TAIL, 0))
    told = " ".join(errors.read().decode("utf-8", "replace").replace(home, ".").split())
    logged = _KLOG.fullmatch(told)
    why = (logged[1] or logged[2] or "") if logged else told
    why = why.removeprefix("Error: ").removeprefix("error: ")
    why = without_credentials(why)
    return why if len(why) <= _MOST_TOLD else "…" + why[-_MOST_TOLD:]
