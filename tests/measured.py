"""Runs a command and says what it took."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

LAUNCHER = """
import json, os, subprocess, sys
process = subprocess.Popen(sys.argv[2:], stdout=open(sys.argv[1], "w"))
_, status, used = os.wait4(process.pid, 0)
code = os.waitstatus_to_exitcode(status)
print(json.dumps([used.ru_maxrss / 1024, used.ru_utime + used.ru_stime, code]))
"""
"""Linux counts the memory of whoever starts a program towards that program's peak: started by a
test, a command would be as large as all tests before it. So a small process starts it.
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a command took."""

    megabytes: float
    """At its peak."""
    seconds: float
    """Of CPU."""
    code: int


def measured(out: Path, *command: str, folder: Path | None = None) -> Measured:
    """Run a command with its standard output in `out`.

    Raises subprocess.CalledProcessError where it could not be started.
    """
    launched = subprocess.run(
        [sys.executable, "-S", "-c", LAUNCHER, str(out), *command],
        stdout=subprocess.PIPE,
        cwd=folder,
        check=True,
    )
    return Measured(*json.loads(launched.stdout))
