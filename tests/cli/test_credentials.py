"""A credential that a manifest holds comes out nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.model import Audit, Gap, Snapshot, Unseen, Waiver
from auditor.reporters import render

from .command import PRIVILEGED, Command

FIXTURES = Path(__file__).parents[2] / "fixtures" / "policies" / "workload"
PLANTED = (
    "hunter2", "opensesame", "yYrECL4q", "4f1c2d3e-5b6a", "ghp_0000", "12345678", "AAAA",
)  # fmt: skip


@pytest.mark.parametrize("form", ["text", "json", "sarif"])
@pytest.mark.parametrize("policy", ["credential_in_environment", "credential_in_config_map"])
def test_no_report_shows_a_credential(auditor: Command, policy: str, form: str) -> None:
    """Whoever reads a report is told where one is, in messages, excerpts and fixes alike."""
    file = FIXTURES / policy / "fail-each-way.yaml"
    text = file.read_text("utf-8")
    assert any(value in text for value in PLANTED)
    said = auditor("audit", str(file), "--select", "workload", "--format", form)
    assert "credential in plain text" in said.out
    assert [value for value in PLANTED if value in said.out + said.err] == []


SPOKEN = "password=hunter2"


@pytest.mark.parametrize("form", ["text", "json", "sarif"])
def test_no_report_shows_a_credential_that_a_reason_quotes(
    auditor: Command, folder: Path, form: str
) -> None:
    """People who answer for a fault or a gap write down why, in their own words."""
    (folder / "web.yaml").write_text(PRIVILEGED, "utf-8")
    (folder / "broken.yaml").write_text("a: [", "utf-8")
    (folder / ".auditor.yaml").write_text(
        f"waivers:\n  - {{policy: '*', object: '*', reason: 'needs {SPOKEN}'}}\n"
        f"acknowledged:\n  - {{gap: '*', reason: 'sent with {SPOKEN}'}}\n",
        "utf-8",
    )
    said = auditor("audit", folder, "--format", form)
    assert said.code == 0
    assert "needs password=" in said.out
    assert "sent with password=" in said.out
    assert "hunter2" not in said.out + said.err


@pytest.mark.parametrize("form", ["text", "json", "sarif"])
def test_no_report_shows_a_credential_of_a_waiver_that_a_change_adds(form: str) -> None:
    """It does not count, and is told all the same."""
    added = Waiver("*", "*", f"needs {SPOKEN}", origin=f".auditor.yaml:2, {SPOKEN}")
    gap = Gap(f"shop/web[Pod], {SPOKEN}", "it is broken", Unseen.UNKNOWN)
    report = render(form, Audit(Snapshot(()), (), (gap,), added=(added,)), paths=(), terminal=None)
    assert "needs password=" in report
    assert "hunter2" not in report
