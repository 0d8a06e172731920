"""How much CPU the command takes before it does anything, beside Python's own start.

``python benchmarks/startup.py [RUNS]`` prints CPU seconds (user and system) of the best and the
median run; wall clock says little on a shared machine. The bar for ``--help`` is 0.2 s.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

AUDITOR = Path(sys.executable).with_name("auditor")
COMMANDS: dict[str, list[str | Path]] = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "auditor --help": [AUDITOR, "--help"],
    "auditor --version": [AUDITOR, "--version"],
    "auditor audit --help": [AUDITOR, "audit", "--help"],
    "auditor policies list": [AUDITOR, "policies", "list"],
}


def cpu_seconds(command: list[str | Path]) -> float:
    """User and system time of one run."""
    may_compile = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    before = os.times()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=may_compile)
    after = os.times()
    user = after.children_user - before.children_user
    return user + after.children_system - before.children_system


def main(runs: int) -> None:
    """Print one line for each command."""
    for name, command in COMMANDS.items():
        cpu_seconds(command)  # the first run compiles
        taken = [cpu_seconds(command) for _ in range(runs)]
        best, median = min(taken), statistics.median(taken)
        print(f"{name:24} best {best:.3f} s, median {median:.3f} s of CPU in {runs} runs")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
