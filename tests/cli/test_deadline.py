"""A policy that never ends is a gap with its name, and everything else is answered."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.policies import workers

from .command import PRIVILEGED, Command

METADATA = """\
# METADATA
# title: Something
# description: It is asked of every pod.
# custom:
#   severity: high
#   fix: {fix}
package policies.{package}

"""
ENDLESS = """\
deny contains finding if {
	some a in numbers.range(1, 100000)
	some b in numbers.range(1, 100000)
	count([c | some c in numbers.range(1, 1000); a + b + c == 0]) > 0
	finding := {"path": [], "message": "it ended"}
}
"""
PRIVILEGE = """\
deny contains finding if {
	some index, container in input.object.spec.containers
	container.securityContext.privileged == true
	path := ["spec", "containers", index, "securityContext", "privileged"]
	finding := {
		"path": path,
		"anchor": container.name,
		"message": "it runs privileged",
		"fix": {
			"title": "run it without",
			"safety": "unsafe",
			"patch": [{"op": "replace", "path": path, "value": false}],
		},
	}
}
"""


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    """One policy that finds and mends, and one that never ends."""
    folder = tmp_path / "policies" / "mine"
    folder.mkdir(parents=True)
    for name, fix, rule in (("endless", "none", ENDLESS), ("quick", "deterministic", PRIVILEGE)):
        text = METADATA.format(package=f"mine.{name}", fix=fix) + rule
        (folder / f"{name}.rego").write_text(text, "utf-8")
    return folder.parent


def test_a_policy_that_never_ends_is_named(
    auditor: Command, folder: Path, policies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the object and the reason; the other one still finds, and its fix is tried."""
    monkeypatch.setattr(workers, "SECONDS", 0.3)
    (folder / "pod.yaml").write_text(PRIVILEGED, "utf-8")
    said = auditor(
        "audit", folder, "--policies", policies, "--no-builtin-policies", "--format", "json"
    )
    assert said.code == 1
    (gap,) = said.report["gaps"]
    assert gap["what"] == "policy mine/endless on shop/web[Pod]"
    assert gap["why"] == "it exceeded its time of 0.3 seconds for one object"
    assert gap["severity"] == "incomplete"
    (finding,) = said.report["findings"]
    assert finding["policy"] == "mine/quick"
    assert finding["fix"]["proof"]["resolved"]


def test_it_fails_a_run_that_is_clean_otherwise(
    auditor: Command, folder: Path, policies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody looked."""
    monkeypatch.setattr(workers, "SECONDS", 0.3)
    text = PRIVILEGED.replace("privileged: true", "privileged: false")
    (folder / "pod.yaml").write_text(text, "utf-8")
    assert auditor("audit", folder, "--policies", policies, "--no-builtin-policies").code == 4


@pytest.mark.parametrize("turned", [False, True])
def test_a_comparison_of_policies_ends_as_well(
    auditor: Command, folder: Path, policies: Path, monkeypatch: pytest.MonkeyPatch, turned: bool
) -> None:
    """With what could not be seen on whichever side; the other policies are compared."""
    monkeypatch.setattr(workers, "SECONDS", 0.3)
    (folder / "pod.yaml").write_text(PRIVILEGED, "utf-8")
    sides = ("1", policies) if not turned else (policies, "1")
    said = auditor("policies", "diff", *sides, folder)
    assert said.code == 4
    assert "mine/quick shop/web[Pod]: it runs privileged" in said.out
    when = "before" if turned else "after"
    assert f"could not be seen {when}: policy mine/endless on shop/web[Pod]" in said.out
