"""What people put into their CI, run as it would be run there."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from .product import POLICIES

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
FAULTY = ROOT / "fixtures" / "clusters" / "peapods"

ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
GITLAB = yaml.safe_load((ROOT / "deploy" / "gitlab" / "auditor.yml").read_text("utf-8"))


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a fresh Python, as a runner has it."""
    folder = tmp_path_factory.mktemp("python")
    venv.create(folder, with_pip=True)
    return folder / "bin"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Somebody's repository, with faults in a folder that has a space in its name."""
    folder = tmp_path / "shop"
    shutil.copytree(FAULTY, folder / "to deploy")
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "-c", "user.name=t", "-c", "user.email=t@e.example", "commit", "-qm", "first")
    return folder


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


def run(
    script: str, folder: Path, python: Path, **variables: str
) -> "subprocess.CompletedProcess[str]":
    """A step of a runner: bash, that ends at the first error."""
    path = f"{python}{os.pathsep}{os.environ['PATH']}"
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=folder, capture_output=True, text=True, check=False,
        env={**kept, "PATH": path, **variables},
    )  # fmt: skip


def steps(inputs: Mapping[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Every script of the action with its variables, the inputs put in."""
    given = {name: str(one["default"]) for name, one in ACTION["inputs"].items()} | dict(inputs)

    def put(text: str) -> str:
        return re.sub(r"\$\{\{ inputs\.(\w+) \}\}", lambda m: given[m[1]], text)

    for step in ACTION["runs"]["steps"]:
        if "run" in step:
            assert "${{" not in step["run"], "an input in a script is run as a script"
            yield step["run"], {key: put(v) for key, v in step.get("env", {}).items()}


def test_the_github_action_fails_on_faults_and_leaves_a_report(
    repository: Path, python: Path
) -> None:
    """Its scripts, in their order, on a Python that has nothing."""
    path = {"GITHUB_ACTION_PATH": str(ROOT)}
    inputs = {"paths": "to deploy", "arguments": "--fail-on=high\n--no-fixes"}
    for script, variables in steps(inputs):
        done = run(script, repository, python, **path, **variables)
    assert done.returncode == 1, done.stderr
    assert "workload/privileged_container" in done.stdout
    assert results(repository / "auditor.sarif") >= set(POLICIES)


def test_an_input_of_the_action_is_no_script(repository: Path, python: Path) -> None:
    """Somebody else may write what is audited."""
    script, variables = list(steps({"paths": "to deploy/$(touch owned); touch owned"}))[-1]
    done = run(script, repository, python, GITHUB_ACTION_PATH=str(ROOT), **variables)
    assert done.returncode == 2
    assert not (repository / "owned").exists()


def test_the_action_runs_nothing_of_what_it_audits(repository: Path, python: Path) -> None:
    """A pull request may bring a folder by the name of a package."""
    mark = repository / "owned"
    (repository / "click").mkdir()
    (repository / "click" / "__init__.py").write_text(f"open({str(mark)!r}, 'w')", "utf-8")
    script, variables = list(steps({"paths": "to deploy"}))[-1]
    run(script, repository, python, GITHUB_ACTION_PATH=str(ROOT), **variables)
    assert not mark.exists()


def test_what_the_action_uses_is_pinned() -> None:
    """A tag can be moved."""
    used = [step["uses"] for step in ACTION["runs"]["steps"] if "uses" in step]
    assert used
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", one) for one in used)


def test_the_gitlab_job_fails_on_faults_and_leaves_a_report(
    repository: Path, python: Path, tmp_path: Path
) -> None:
    """Its scripts, in their order, with a wheel of this checkout."""
    (repository / "requirements-auditor.txt").write_text(requirements(tmp_path), "utf-8")
    variables = {**GITLAB["variables"], "AUDITOR_PATHS": "deploy"}
    (repository / "to deploy").rename(repository / "deploy")
    job = GITLAB["auditor"]
    before = run("\n".join(job["before_script"]), repository, python, **variables)
    assert before.returncode == 0, before.stderr
    done = run("\n".join(job["script"]), repository, python, **variables)
    assert done.returncode == 1, done.stderr
    assert results(repository / job["artifacts"]["reports"]["sarif"]) >= set(POLICIES)


def requirements(folder: Path) -> str:
    """What the product needs, and the product as a wheel, with hashes."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("auditor-*.whl")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    needed = (ROOT / "requirements" / "runtime.txt").read_text("utf-8")
    return f"{needed}\n{wheel} --hash=sha256:{digest}\n"


def test_the_hooks_find_and_mend(repository: Path, tmp_path: Path) -> None:
    """pre-commit installs them from this repository, and runs them before a commit."""
    found = hook(repository, tmp_path, "auditor")
    assert found.returncode == 1
    assert "workload/privileged_container" in found.stdout, found.stdout + found.stderr
    mended = hook(repository, tmp_path, "auditor-fix")
    assert "files were modified by this hook" in mended.stdout, mended.stdout + mended.stderr


def hook(repository: Path, home: Path, name: str) -> "subprocess.CompletedProcess[str]":
    assert name in {one["id"] for one in HOOKS}
    environment = {**os.environ, "PRE_COMMIT_HOME": str(home / "pre-commit")}
    command = [sys.executable, "-m", "pre_commit", "try-repo", str(ROOT), name, "--all-files"]
    return subprocess.run(
        command, cwd=repository, env=environment, capture_output=True, text=True, check=False
    )


def results(report: Path) -> set[str]:
    """The policies whose findings a report holds."""
    found = json.loads(report.read_text("utf-8"))["runs"][0]["results"]
    return {one["ruleId"] for one in found}
