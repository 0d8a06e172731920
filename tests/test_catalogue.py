"""docs/catalogue.md answers for every check of the catalogue, and names policies that are there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from auditor.policies.loader import load

ROOT = Path(__file__).parents[1]
TOOLS = {
    "trivy", "checkov", "kubescape", "kube-linter", "polaris", "kube-score", "kubesec", "kics",
    "kyverno", "gatekeeper", "popeye", "kubeaudit", "prowler", "istioctl",
}  # fmt: skip
POLICIES = {policy.id: policy for policy in load(ROOT / "policies")[0]}
SECTIONS = {"A": 48}
"""Section → how many checks it has."""


def rows() -> Mapping[str, str]:
    """Row of the catalogue → what is said of it."""
    text = (ROOT / "docs" / "catalogue.md").read_text("utf-8")
    found = re.findall(r"^\| ([A-Z]\d\d) \|[^|]*\|(.*)\|$", text, re.MULTILINE)
    assert len(found) == len(dict(found)), "a row stands there twice"
    return dict(found)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_check_has_an_answer(section: str) -> None:
    """A policy, or the reason why there is none."""
    answers = {row: said for row, said in rows().items() if row.startswith(section)}
    assert list(answers) == [f"{section}{n:02}" for n in range(1, SECTIONS[section] + 1)]
    for row, said in answers.items():
        assert "`" in said or said.strip().startswith("none: "), row


def test_every_policy_that_is_named_is_there() -> None:
    """And where it is off, the page says so."""
    for row, said in rows().items():
        for name, contested in re.findall(r"`([a-z_]+/[a-z_]+)`( \(contested\))?", said):
            assert name in POLICIES, row
            assert bool(contested) == bool(POLICIES[name].contested), (row, name)


def test_every_policy_on_pods_is_an_answer() -> None:
    """Nothing is asked that people who come from other tools cannot find."""
    named = {name for said in rows().values() for name in re.findall(r"`([^`]+)`", said)}
    assert {name for name in POLICIES if name.startswith("workload/")} <= named


def test_equivalents_name_a_tool_and_its_check() -> None:
    """Once each, as that tool writes it."""
    for policy in POLICIES.values():
        assert len(policy.equivalents) == len(set(policy.equivalents)), policy.id
        for each in policy.equivalents:
            tool, _, check = each.partition(":")
            assert tool in TOOLS, each
            assert re.fullmatch(FORMS.get(tool, r"[A-Za-z][A-Za-z0-9_-]*"), check), each


FORMS = {
    "trivy": r"(KSV|KCV)-\d{4,5}|KUBE-\d{4}",
    "checkov": r"CKV2?_K8S_\d+",
    "kubescape": r"C-\d{4}",
    "popeye": r"POP-\d+",
    "istioctl": r"IST\d{4}",
}
"""Tool → how it writes its ids; the others use words."""
