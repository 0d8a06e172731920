"""The first steps in a repository: a configuration, and a shell that completes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from auditor.policies.loader import load

from .command import PEAPODS, ROOT, Command


@pytest.fixture
def auditor(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command."""
    return Command(monkeypatch, capsys)


def test_a_first_configuration_is_read_and_changes_no_verdict(
    auditor: Command, tmp_path: Path
) -> None:
    """The rack label of the Nodes is found; the set of policies is the newest."""
    folder = tmp_path / "company"
    shutil.copytree(ROOT / PEAPODS, folder)
    (folder / ".auditor.yaml").unlink(missing_ok=True)
    before = auditor("audit", folder, "--format", "json", "--fail-on", "never").report
    said = auditor("init", folder)
    assert (said.code, said.out) == (0, "")
    text = (folder / ".auditor.yaml").read_text("utf-8")
    assert f"policySet: {max(policy.since for policy in load()[0])} " in text
    assert "rack: topology.kubernetes.io/rack\n" in text
    after = auditor("audit", folder, "--format", "json", "--fail-on", "never").report
    prints = [[f["fingerprint"] for f in report["findings"]] for report in (before, after)]
    assert prints[0] == prints[1] != []


def test_what_is_there_is_not_written_over(auditor: Command, tmp_path: Path) -> None:
    """Somebody may have written it."""
    file = tmp_path / ".auditor.yaml"
    file.write_text("policySet: 1\n", "utf-8")
    said = auditor("init", tmp_path)
    assert said.code == 2
    assert "is there already" in said.err
    assert file.read_text("utf-8") == "policySet: 1\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_takes_the_completion(auditor: Command, shell: str) -> None:
    """The shell itself reads it, where it is installed; bash is everywhere."""
    said = auditor("completion", shell)
    assert said.code == 0
    assert "_AUDITOR_COMPLETE" in said.out
    program = shutil.which(shell)
    if program:
        subprocess.run([program, "-n"], input=said.out, text=True, check=True)
    else:
        assert shell != "bash"
