"""`auditor fix`: what is shown, what is written, and what is left alone."""

from __future__ import annotations

import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from .command import PEAPODS, PRIVILEGED, Command


@pytest.fixture
def company(tmp_path: Path) -> Path:
    """The example company, to be written to."""
    return Path(shutil.copytree(PEAPODS, tmp_path / "peapods"))


def _texts(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}


def test_the_diff_applies_with_git(auditor: Command, company: Path) -> None:
    """What is shown can be reviewed, sent and applied like any patch; then all is right."""
    said = auditor("fix", company)
    assert said.code == 0
    before = _texts(company)
    subprocess.run(
        ["git", "apply", "--unsafe-paths", "-p2" if str(company).startswith("/") else "-p1", "-"],
        input=said.out.replace(f"a{company}", "a/x").replace(f"b{company}", "b/x"),
        text=True, check=True, cwd=company,
    )  # fmt: skip
    assert _texts(company) != before
    assert auditor("audit", company, "--strict", "--fail-on", "info").code == 0


def test_nothing_is_written_unasked(auditor: Command, company: Path) -> None:
    """Showing is not writing."""
    before = _texts(company)
    auditor("fix", company)
    assert _texts(company) == before


def test_only_safe_fixes_are_written(auditor: Command, company: Path) -> None:
    """To take a privilege away may break the program that used it: that is said, and left."""
    before = _texts(company)
    said = auditor("fix", company, "--write")
    assert said.code == 0
    after = _texts(company)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"customers.yaml", "diets.yaml", "orders.yaml"}
    assert "left alone: workload/privileged_container shop/nightly-report[CronJob]" in said.err
    assert auditor("fix", company, "--write", "--unsafe").code == 0
    assert auditor("audit", company, "--strict", "--fail-on", "info").code == 0


def test_a_second_time_changes_nothing(auditor: Command, company: Path) -> None:
    """A fix that is asked for again finds nothing to do."""
    auditor("fix", company, "--write", "--unsafe")
    once = _texts(company)
    said = auditor("fix", company, "--write", "--unsafe")
    assert said.code == 0
    assert _texts(company) == once


def test_every_other_byte_stays(auditor: Command, tmp_path: Path) -> None:
    """Comments, line ends, quotes, a missing last line end and the file's mode."""
    text = PRIVILEGED.replace("\n", "\r\n").replace("name: web", "name:   'web'").rstrip()
    file = tmp_path / "pod.yaml"
    file.write_bytes(text.encode())
    file.chmod(0o640)
    assert auditor("fix", file, "--write", "--unsafe").code == 0
    assert file.read_bytes() == text.replace("privileged: true", "privileged: false").encode()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_standard_input_cannot_be_written_to(
    auditor: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is nowhere to write."""
    said = auditor("fix", "-", "--write")
    assert said.code == 2
    assert "standard input" in said.err


def test_what_is_written_twice_is_reported_twice_and_left_alone(
    auditor: Command, tmp_path: Path
) -> None:
    """Of two objects with one identity only one can be there: which, nobody can tell."""
    for name in ("dev", "prod"):
        (tmp_path / f"{name}.yaml").write_text(PRIVILEGED, "utf-8")
    said = auditor("audit", tmp_path, "--format", "json")
    places = [(Path(f["file"]).name, f["line"]) for f in said.report["findings"]]
    assert sorted(places) == [("dev.yaml", 11), ("prod.yaml", 11)]
    assert not any(f["fix"]["proven"] for f in said.report["findings"])
    said = auditor("fix", tmp_path, "--write", "--unsafe")
    assert "written more than once" in said.err
    assert (tmp_path / "dev.yaml").read_text("utf-8") == PRIVILEGED
