"""What somebody most likely meant who mistyped a name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import PRIVILEGED, Command


@pytest.mark.parametrize(
    ("flag", "typed", "meant"),
    [
        ("--select", "wrkload", "workload"),
        ("--select", "workload/privileged_containr", "workload/privileged_container"),
        ("--select", "privileged", "workload/privileged_container"),
        ("--framework", "pss-restricte", "pss-restricted"),
        ("--framework", "NSA-CISA", "nsa-cisa"),
    ],
)
def test_a_slip_of_a_name_is_told(
    flag: str, typed: str, meant: str, auditor: Command, tmp_path: Path
) -> None:
    """And nothing is audited in the meantime."""
    (tmp_path / "pod.yaml").write_text(PRIVILEGED)
    said = auditor("audit", tmp_path, flag, typed)
    assert said.code == 2
    assert f"'{typed}'; did you mean '{meant}'?" in said.err
    assert said.out == ""


def test_a_folder_is_no_snapshot(auditor: Command, tmp_path: Path) -> None:
    """Whoever wants to audit manifests needs none."""
    said = auditor("snapshot", tmp_path, "-o", tmp_path / "saved")
    assert said.code == 2
    assert "is a folder: manifests are audited as they are" in said.err
