"""A credential that a manifest holds comes out nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from .command import Command

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
