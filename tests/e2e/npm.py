"""Fetches programs that are npm packages, pinned with their checksums by a lock file."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from .cluster_errors import NoClusterError

CACHE = Path(__file__).resolve().parents[2] / ".cache"
GIVEN = ("package.json", "package-lock.json", ".npmrc")


def npm_package(locked: Path, name: str) -> Path:
    """The folder with the ``node_modules`` that the files in `locked` ask for, below
    ``.cache/NAME``; fetched unless it is there.

    Raises:
        NoClusterError: npm is missing or could not fetch it; the test is to be skipped.
    """
    digest = hashlib.sha256((locked / "package-lock.json").read_bytes()).hexdigest()[:12]
    folder = CACHE / name / f"npm-{digest}"
    if not folder.is_dir():
        _install(locked, folder)
    return folder


def _install(locked: Path, folder: Path) -> None:
    if shutil.which("npm") is None:
        raise NoClusterError(f"no npm here to fetch {folder.parent.name} with: install Node.js")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".building-") as scratch:
        work = Path(scratch) / folder.name
        work.mkdir()
        for name in GIVEN:
            shutil.copy(locked / name, work / name)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise NoClusterError(f"npm could not fetch {folder.parent.name}: {done.stderr[-500:]}")
        if not folder.is_dir():  # another run may have been faster
            work.rename(folder)
