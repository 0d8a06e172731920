"""The wheel works without the checkout: the policies travel in it."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    (built,) = folder.glob("*.whl")
    return built


def test_it_holds_the_policies_and_nothing_of_the_tests(wheel: Path) -> None:
    """What an installation gets."""
    names = zipfile.ZipFile(wheel).namelist()
    assert "auditor/policies/bundle/workload/privileged_container.rego" in names
    assert "auditor/frameworks/catalogues/pss-baseline.yaml" in names
    assert not [name for name in names if name.startswith(("tests", "fixtures", "policies"))]


def test_it_audits_from_any_folder(wheel: Path, tmp_path: Path) -> None:
    """Installed into an environment of its own, it finds what the checkout finds.

    Its dependencies are lent by this environment: what they are is tested in tests/e2e.
    """
    venv.create(tmp_path / "env")
    python = tmp_path / "env" / "bin" / "python"
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps",
         "--no-index", "--disable-pip-version-check", wheel],
        check=True, capture_output=True,
    )  # fmt: skip
    done = subprocess.run(
        [tmp_path / "env" / "bin" / "auditor", "audit", ROOT / "fixtures" / "clusters" / "peapods"],
        cwd=tmp_path, check=False, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": sysconfig.get_path("purelib")},
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "findings: 3 high" in done.stdout
