"""The wheel with what it declares, in an empty environment: nothing of ours is lent to it."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
PEAPODS = ROOT / "fixtures" / "clusters" / "peapods"


def _run(*words: str | Path, cwd: Path = ROOT) -> None:
    subprocess.run(words, cwd=cwd, check=True)


def test_a_fresh_installation_audits(tmp_path: Path) -> None:
    """The locked dependencies are all that it needs."""
    venv.create(tmp_path / "env", with_pip=True)
    programs, wheels = tmp_path / "env" / "bin", tmp_path / "dist"
    _run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", wheels)
    (wheel,) = wheels.glob("*.whl")
    install = (programs / "python", "-m", "pip", "install", "--quiet")
    _run(*install, "--require-hashes", "--requirement", "requirements/runtime.txt")
    _run(*install, "--no-index", wheel)
    done = subprocess.run(
        [programs / "auditor", "audit", PEAPODS, "--engine", "both"],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stderr
    assert "findings: 3 high" in done.stdout
    assert "auditor 0." in _as_plugin(programs)
    page = tmp_path / "report.html"
    asked = (programs / "auditor", "audit", PEAPODS, "--no-fixes", "--fail-on", "never")
    _run(*asked, "--format", "html", "-o", page, cwd=tmp_path)
    assert page.read_text("utf-8").startswith("<!doctype html>")


def _as_plugin(programs: Path) -> str:
    """What the real kubectl answers that finds us on its PATH."""
    kubectl = Path(sys.executable).parent / "kubectl"
    environment = {"PATH": f"{programs}:/usr/bin:/bin"}
    asked = [str(kubectl), "auditor", "--version"]
    return subprocess.check_output(asked, text=True, env=environment)
