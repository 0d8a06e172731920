"""Every control that others have in their catalogues is in ours: ids and mappings of others lie
beside the recorded answers.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from auditor.frameworks.catalogue import framework, linked
from auditor.policies.loader import load

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("AUDITOR_CONFORMANCE", ROOT / "../shared/conformance")).parent
OURS = load()[0]
BY_ID = {policy.id: policy for policy in OURS}


def looks(name: str) -> dict[str, set[str]]:
    """Control → the policies that look at it."""
    found: dict[str, set[str]] = {number: set() for number in framework(name).controls}
    for policy in linked(OURS, [name]):
        for control in policy.controls:
            if control.startswith(f"{name}/"):
                found[control.partition("/")[2]].add(policy.id)
    return found


def controls(file: str) -> list[dict[str, Any]]:
    """What one of those files lists; without it the test is skipped, or fails where CI=true."""
    path = DATA / "frameworks" / file
    if not path.is_file():
        why = f"no catalogues of others at {path.parent}; set AUDITOR_CONFORMANCE"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(why)
    found: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["controls"]
    assert found
    return found


@pytest.mark.parametrize("version", ["1.10", "1.12", "2.0.1"])
def test_every_recommendation_of_a_cis_benchmark(version: str) -> None:
    """With its number, its level, and whether it takes a person: as Prowler has them."""
    ours = framework(f"cis-{version}").controls
    theirs = {one["id"]: one for one in controls(f"cis_{version}_kubernetes.json")}
    assert list(ours) == sorted(theirs, key=lambda name: [int(part) for part in name.split(".")])
    for name, one in theirs.items():
        assert f"Level {ours[name].level}" == one["profile"], name
        assert ours[name].automated == (one["assessment"] == "Automated"), name


@pytest.mark.parametrize("version", ["1.10", "1.12", "2.0.1"])
def test_every_automated_recommendation_has_a_policy_or_says_why_not(version: str) -> None:
    """None is merely left to a person."""
    name = f"cis-{version}"
    looking = looks(name)
    for number, control in framework(name).controls.items():
        if control.automated and not looking[number]:
            assert control.unseen or control.flags_of, number


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("cis-1.10", "kubescape-cis-v1.10.0.json"),
        ("cis-1.12", "kubescape-cis-v1.12.0.json"),
        ("nsa-cisa", "kubescape-nsaframework.json"),
        ("mitre-attack-containers", "kubescape-mitre.json"),
    ],
)
def test_every_control_of_kubescape(name: str, file: str) -> None:
    """Under the control of ours that asks the same. (In 1.12 it keeps the numbers of 1.10.)"""
    known = {each for control in framework(name).controls.values() for each in control.elsewhere}
    theirs = {f"kubescape:{one['id']}" for one in controls(file)}
    assert theirs - known == set()


def test_every_number_of_nsa_and_cisa_as_trivy_counts() -> None:
    """With the checks by which Trivy looks at each."""
    ours = framework("nsa-cisa").controls
    for one in controls("trivy-k8s-nsa-1.0.json"):
        assert {f"trivy:{check}" for check in one["checks"]} <= set(ours[one["id"]].elsewhere)


@pytest.mark.parametrize("level", ["baseline", "restricted"])
def test_every_check_of_the_standards_that_trivy_has(level: str) -> None:
    """Trivy numbers them, Kubernetes names them."""
    ours = framework(f"pss-{level}").controls
    known = {each for control in ours.values() for each in control.elsewhere}
    theirs = {c for one in controls(f"trivy-k8s-pss-{level}-0.1.json") for c in one["checks"]}
    assert {f"trivy:{check}" for check in theirs} <= known


OTHERWISE = {
    (
        "1.9",
        "trivy:KSV-0030",
    ): "Trivy asks for a profile there; that none is turned off is asked here",
    (
        "2.0",
        "trivy:KSV-0038",
    ): "Trivy asks that no policy is for every pod; that each has one, ours",
    (
        "5.6.3",
        "kubescape:C-0211",
    ): "a dozen settings, most with a control of their own; ours are four",
    ("5.7.3", "kubescape:C-0211"): "the same with the number of 1.10",
}
"""Control and check → why the policy that stands for the check does not look at the control."""


@pytest.mark.parametrize("name", ["cis-1.10", "cis-1.12", "cis-2.0.1", "nsa-cisa"])
def test_a_policy_that_stands_for_a_check_looks_at_its_control(name: str) -> None:
    """What others look at by a check, we look at by the policy that says that it is this check."""
    looking = looks(name)
    checks = [
        (number, check)
        for number, control in framework(name).controls.items()
        for check in control.elsewhere
    ]
    missing = {
        (number, check)
        for number, check in checks
        for policy in OURS
        if check in policy.equivalents
        and not any(check in BY_ID[one].equivalents for one in looking[number])
    }
    assert missing == OTHERWISE.keys() & set(checks)


def test_own_words() -> None:
    """No title is what somebody else wrote: the id of a rule of Kubescape is its sentence."""
    for version in ("1.10", "1.12"):
        theirs = {
            rule.replace("-", " ").lower()
            for one in controls(f"kubescape-cis-v{version}.0.json")
            for rule in one["rules"]
        }
        titles = {one.title.lower() for one in framework(f"cis-{version}").controls.values()}
        assert not any(title.startswith("ensure") for title in titles)
        assert titles.isdisjoint(theirs)
