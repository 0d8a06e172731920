"""What is shipped for the places where people work, read by the linters of these places: workflows
and the action of GitHub, the template of GitLab, the hooks of pre-commit, the image. The chart is
linted by Helm in tests/test_chart.py.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .build import ACTIONLINT, built
from .cluster_errors import NoClusterError
from .npm import npm_package

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").iterdir())
SCHEMAS = [
    ("vendor.github-actions", ROOT / "action.yml"),
    ("vendor.gitlab-ci", ROOT / "deploy" / "gitlab" / "auditor.yml"),
    *(("vendor.github-workflows", workflow) for workflow in WORKFLOWS),
]


def _said(*command: str | Path) -> tuple[int, str]:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def actionlint() -> Path:
    """The linter of workflows, as its own module builds it."""
    program = built(ACTIONLINT)
    if program is None:
        raise NoClusterError("no actionlint here: `python -m tests.e2e.build actionlint`")
    return program


def test_workflows(actionlint: Path) -> None:
    """Actionlint has nothing to say, and would have."""
    assert WORKFLOWS
    assert _said(actionlint, *WORKFLOWS) == (0, "")


def test_a_workflow_with_a_slip(actionlint: Path, tmp_path: Path) -> None:
    """So that its silence means something."""
    slip = tmp_path / "slip.yaml"
    slip.write_text(WORKFLOWS[0].read_text("utf-8").replace("runs-on:", "run-on:", 1), "utf-8")
    code, said = _said(actionlint, slip)
    assert code == 1
    assert "run-on" in said


@pytest.mark.parametrize(("schema", "file"), SCHEMAS, ids=lambda value: getattr(value, "name", ""))
def test_forms(schema: str, file: Path) -> None:
    """Each has the form that its reader publishes."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema]
    code, said = _said(*command, file)
    assert code == 0, said


def test_hooks() -> None:
    """pre-commit itself reads them."""
    code, said = _said(
        sys.executable, "-m", "pre_commit", "validate-manifest", ".pre-commit-hooks.yaml"
    )
    assert code == 0, said


def test_dockerfile(tmp_path: Path) -> None:
    """The linter of the Docker extension of editors finds nothing, and would."""
    folder = npm_package(Path(__file__).parent / "dockerfile", "dockerfile")
    lint = folder / "node_modules" / "dockerfile-utils" / "bin" / "dockerfile-utils"
    code, said = _said("node", lint, "lint", ROOT / "deploy" / "Dockerfile")
    assert (code, said.strip()) == (0, "")
    (tmp_path / "Dockerfile").write_text("FROM\nRUN\n", "utf-8")
    assert _said("node", lint, "lint", tmp_path / "Dockerfile")[0] == 1
