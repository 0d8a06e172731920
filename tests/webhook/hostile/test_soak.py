"""Two minutes of everything, one request in a hundred being hostile."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.webhook.world import ROOT

SECONDS = 120


@pytest.mark.e2e
def test_two_minutes_leave_nothing_behind() -> None:
    """Every answer is right; memory, open files and threads are at the end what they were in the
    middle.
    """
    command = [sys.executable, "benchmarks/webhook.py", "--soak", str(SECONDS)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    said = subprocess.run(
        command, check=False, cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert said.returncode == 0, said.stdout + said.stderr
    assert " 0 wrong, flat" in said.stdout
