"""Applications that people run, as their authors publish them: what the command says of them,
judged by hand.

`judgements.yaml` holds every open finding of the default profile at severity high or above, and
whether the author of that application would agree. A finding that is not judged fails the test, and
so does a judgement of what is no longer found.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
import yaml

from auditor.cli.answer import Answers
from auditor.cli.options import Chosen, PolicyOptions, choose, read_variants
from auditor.cli.scope import ScopeOptions, scoped
from auditor.facts.workloads import workload_of
from auditor.model import Audit, Severity, Status

pytestmark = pytest.mark.conformance

ROOT = Path(os.environ.get("AUDITOR_CONFORMANCE", "../shared/conformance"))
APPLICATIONS = ROOT.parent / "realworld"
JUDGED = Path(__file__).with_name("judgements.yaml")
ENOUGH = 0.95
GOOD = ("argo-cd", "cloudnative-pg", "ingress-nginx", "metrics-server", "online-boutique")
"""Whose authors have taken care."""
FEW = 3.6
"""Findings for each workload; most at Argo CD, where the development branch asks for latest, and
five workloads wish to be apart from pods with a label that no pod has; and its controller deploys
anything, with every right.
"""


@dataclass(frozen=True, slots=True, order=True)
class Said:
    """A finding, as it is judged."""

    application: str
    policy: str
    object: str
    anchor: str


@cache
def _chosen() -> Chosen:
    """What the command asks without a flag."""
    options = PolicyOptions("recommended", (), (), None, "regorus", None, None)
    return scoped(choose(options, APPLICATIONS), ScopeOptions())


def _answer(path: Path) -> Audit:
    found = read_variants((str(path),), _chosen().building)
    return Answers.of(found, _chosen().bench, _chosen().settings).merged()


def _units(application: Path) -> Iterator[Path]:
    """What is audited at once: the whole, or each file of two that hold one object many times."""
    if application.name in {"guestbook", "istio-bookinfo"}:
        yield from sorted(application.rglob("*.yaml"))
    else:
        yield application


@cache
def _answers() -> tuple[tuple[str, Audit], ...]:
    if not APPLICATIONS.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{APPLICATIONS} is not there")
        pytest.skip(f"{APPLICATIONS} is not there: set AUDITOR_CONFORMANCE")
    return tuple(
        (application.name, _answer(unit))
        for application in sorted(APPLICATIONS.iterdir())
        if application.is_dir()
        for unit in _units(application)
    )


def _grave() -> set[Said]:
    return {
        Said(application, f.policy.id, str(f.ref), f.anchor)
        for application, answer in _answers()
        for f in answer.open
        if f.severity.at_least(Severity.HIGH)
    }


def _workloads(answer: Audit) -> int:
    return len({one.ref.key for one in answer.snapshot.resources if workload_of(one)})


def test_each_grave_finding_is_judged_and_nearly_all_are_right(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """At least 95 of 100 would convince the author."""
    judged = yaml.safe_load(JUDGED.read_text("utf-8")) or []
    verdicts = {
        Said(one["application"], one["policy"], one["object"], one.get("anchor", "")): one
        for one in judged
    }
    assert all(one["because"] for one in judged)
    found = _grave()
    assert sorted(found - verdicts.keys()) == [], "not judged"
    assert sorted(verdicts.keys() - found) == [], "judged, and no longer found"
    right = sum(verdicts[said]["right"] is True for said in found)
    with capsys.disabled():
        print(f"\nhigh and above: {right} of {len(found)} are right", end="")  # noqa: T201
    assert right >= ENOUGH * len(found)


@pytest.mark.parametrize(
    "application", sorted(path.name for path in APPLICATIONS.glob("*") if path.is_dir())
)
def test_findings_per_workload_are_few(
    application: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a good application of today gets to see."""
    answers = [answer for name, answer in _answers() if name == application]
    workloads = sum(map(_workloads, answers))
    found = Counter((f.severity, f.policy.id) for answer in answers for f in answer.open)
    each = found.total() / max(workloads, 1)
    with capsys.disabled():
        print(  # noqa: T201
            f"\n{application}: {workloads} workloads, {found.total()} findings, {each:.1f} each",
            *(f"{n} {severity.value} {policy}" for (severity, policy), n in sorted(found.items())),
            sep="\n  ",
            end="",
        )
    assert workloads
    if application in GOOD:
        assert each <= FEW


def test_an_agent_of_the_node_is_folded_with_all_that_it_needs() -> None:
    """kube-prometheus ships node-exporter with the namespaces of the node, its root and /sys."""
    answer = next(answer for name, answer in _answers() if name == "kube-prometheus")
    said = [f for f in answer.findings if f.ref.name == "node-exporter"]
    assert said
    assert {f.status for f in said} == {Status.PLATFORM}
