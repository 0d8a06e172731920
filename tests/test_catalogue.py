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
    "kyverno", "gatekeeper", "popeye", "kubeaudit", "prowler", "istioctl", "datree",
}  # fmt: skip
POLICIES = {policy.id: policy for policy in load(ROOT / "policies")[0]}
SECTIONS = {"A": 48, "D": 30, "E": 24, "F": 22, "G": 19}
"""Section → how many checks it has."""
ANSWERING = ("workload/", "control_plane/", "metadata/", "admission/", "kubelet/")
"""Folders of policies that are there for rows of the catalogue."""


def rows() -> Mapping[str, str]:
    """Row of the catalogue → what is said of it."""
    text = (ROOT / "docs" / "catalogue.md").read_text("utf-8")
    found = re.findall(r"^\| ([A-Z]\d\d\d?) \|[^|]*\|(.*)\|$", text, re.MULTILINE)
    assert len(found) == len(dict(found)), "a row stands there twice"
    return dict(found)


def test_every_check_of_the_control_plane_has_an_answer() -> None:
    """One by one, or a range of which none can be seen."""
    text = (ROOT / "docs" / "catalogue.md").read_text("utf-8")
    found = re.findall(r"^\| H(\d+)(?:–H(\d+))? \|[^|]*\|(.*)\|$", text, re.MULTILINE)
    assert all("`" in said or said.strip().startswith("none") for _, _, said in found)
    numbers = [n for first, last, _ in found for n in range(int(first), int(last or first) + 1)]
    assert numbers == list(range(1, 102))


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
    assert {name for name in POLICIES if name.startswith(ANSWERING)} <= named


def test_equivalents_name_a_tool_and_its_check() -> None:
    """Once each, as that tool writes it."""
    for policy in POLICIES.values():
        names = (*policy.equivalents, *policy.near)
        assert len(names) == len(set(names)), policy.id
        for each in names:
            tool, _, check = each.partition(":")
            assert tool in TOOLS, each
            assert re.fullmatch(FORMS.get(tool, r"[A-Za-z][A-Za-z0-9_-]*"), check), each


def test_what_is_near_says_what_differs() -> None:
    """Check by check, with the policies that name it."""
    text = (ROOT / "docs" / "catalogue.md").read_text("utf-8")
    found = re.findall(r"^\| `([a-z-]+:[^`]+)` \| ([^|]*) \| ([^|]+) \|$", text, re.MULTILINE)
    told = {check: set(re.findall(r"`([^`]+)`", policies)) for check, policies, _ in found}
    near: dict[str, set[str]] = {}
    for policy in POLICIES.values():
        for check in policy.near:
            near.setdefault(check, set()).add(policy.id)
    assert told == near
    assert all(len(why.split()) > 5 for _, _, why in found)


FORMS = {
    "trivy": r"(KSV|KCV)-\d{4,5}|KUBE-\d{4}",
    "checkov": r"CKV2?_K8S_\d+",
    "kubescape": r"C-\d{4}",
    "popeye": r"POP-\d+",
    "istioctl": r"IST\d{4}",
}
"""Tool → how it writes its ids; the others use words."""
