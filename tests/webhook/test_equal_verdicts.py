"""Scan and admission give one answer: what the audit says of an object is what its creation is
judged by. Every policy is asked, at every severity.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from auditor.audit import Bench
from auditor.errors import NothingToAuditError
from auditor.model import Settings
from auditor.policies.engine import compile_policies
from auditor.policies.loader import load
from auditor.sources.files import FileSource
from tests.policy_fixtures import settings_of

from . import equal
from .equal import Compared, compared, everything, told
from .world import CONFORMANCE, live, pod, privileged

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "fixtures" / "policies"
POLICIES = sorted(str(each.parent.relative_to(FIXTURES)) for each in FIXTURES.glob("*/*/fail-*"))
POLICIES = list(dict.fromkeys(POLICIES))
APPLICATIONS = CONFORMANCE.parent / "realworld"
POLARIS = CONFORMANCE / "polaris" / "checks"


def of_path(path: Path, settings: Settings, bench: Bench) -> Compared:
    """All alternatives of a file or folder, together; nothing where there is no object in it."""
    try:
        variants = FileSource((str(path),)).variants()
    except NothingToAuditError:
        return Compared(0, 0, ())
    each = [compared(one.snapshot, bench, settings) for one in variants]
    differences = tuple(difference for one in each for difference in one.differences)
    return Compared(sum(o.objects for o in each), sum(o.findings for o in each), differences)


@cache
def _loaded() -> Any:
    return load()


def alone(name: str) -> Bench:
    """A bench that asks the policy of these fixtures."""
    policies, library = _loaded()
    (policy,) = (each for each in policies if each.id == name)
    return Bench((policy,), compile_policies("regorus", {policy.file: policy.module, **library}))


def fixtures(folder: Path) -> Iterable[Path]:
    """The manifests of a policy, less what stood there before a change."""
    found = sorted(folder.glob("*.yaml"))
    return (file for file in found if not file.name.startswith((".auditor", "before-")))


@pytest.mark.parametrize("name", POLICIES)
def test_every_fixture_of_every_policy(name: str) -> None:
    """By that policy: each fault is seen before the object exists."""
    bench = alone(name)
    each = [of_path(file, settings_of(file), bench) for file in fixtures(FIXTURES / name)]
    assert [line for one in each for line in told(one.differences)] == []


def test_the_fixtures_have_faults_to_compare() -> None:
    """Or else two silences would be equal."""
    bench = alone("workload/privileged_container")
    folder = FIXTURES / "workload" / "privileged_container"
    each = [of_path(file, settings_of(file), bench) for file in fixtures(folder)]
    assert sum(one.findings for one in each) > 3


@pytest.mark.parametrize("name", ["peapods", "peapods-fixed", "peapods-mesh"])
def test_whole_clusters(name: str) -> None:
    """By all policies: most of these faults are of several objects together."""
    found = of_path(ROOT / "fixtures" / "clusters" / name, Settings(), everything())
    assert found.findings > 30
    assert [*told(found.differences)] == []


def test_what_is_not_the_same_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A comparison that cannot fail would prove nothing."""
    snapshot, sound = live(privileged()), pod()
    assert not compared(snapshot, everything(), Settings()).differences
    sent = equal.creation
    monkeypatch.setattr(equal, "creation", lambda each: sent(replace(each, manifest=sound)))
    (line,) = told(compared(snapshot, everything(), Settings()).differences)
    assert "workload/privileged_container" in line


@pytest.mark.conformance
@pytest.mark.parametrize("name", POLICIES)
def test_every_fixture_by_every_policy(name: str) -> None:
    """Not only by the one whose fixture it is."""
    each = [of_path(f, settings_of(f), everything()) for f in fixtures(FIXTURES / name)]
    assert [line for one in each for line in told(one.differences)] == []


def applications() -> list[str]:
    """Those that people run, as their authors publish them."""
    return sorted(each.name for each in APPLICATIONS.glob("*") if each.is_dir()) or ["none"]


@pytest.mark.conformance
@pytest.mark.parametrize("name", applications())
def test_applications_that_people_run(name: str) -> None:
    """As a whole, each in all the states in which it may be deployed."""
    if name == "none":
        pytest.skip(f"no applications at {APPLICATIONS} (see AUDITOR_CONFORMANCE)")
    found = of_path(APPLICATIONS / name, Settings(), everything())
    assert found.objects > 3
    assert [*told(found.differences)] == []


@pytest.mark.conformance
def test_the_cases_of_another_tool() -> None:
    """All of Polaris' checks: what we say of them in a scan, we say at admission."""
    files = sorted(POLARIS.rglob("*.yaml"))
    if not files:
        pytest.skip(f"no cases at {POLARIS} (see AUDITOR_CONFORMANCE)")
    each = [of_path(file, Settings(), everything()) for file in files]
    assert sum(one.findings for one in each) > 100
    assert [line for one in each for line in told(one.differences)] == []
