"""What is true of the policies on pods whatever the pod: both engines agree, findings point at what
is written, and fixes leave a pod that the API server takes.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from auditor.audit import Bench, audit
from auditor.fixes.operations import applied
from auditor.manifests import at
from auditor.model import (
    Audit,
    Finding,
    Manifest,
    Operation,
    Origin,
    Path,
    Policy,
    Ref,
    Resource,
    Settings,
    Snapshot,
    Span,
)
from auditor.policies.engine import compile_policies
from auditor.policies.loader import load

from .pods import APP_ARMOR, CONTAINERS, OF_PODS, SECCOMP, SECCOMP_OF_POD, Pod, pods

POLICIES, LIBRARY = load()
ON_PODS = tuple(policy for policy in POLICIES if policy.id.startswith("workload/"))
MODULES = {policy.file: policy.module for policy in POLICIES} | dict(LIBRARY)
VERSIONS = st.sampled_from([100, 107, 118, 119, 122, 124, 125, 130, 131, 134, 135, 136, 137])
ODD: list[Any] = [None, True, 0, -1, 1.5, "", "text", [], [None], ["ALL", 3], {}, {"name": 3}]
"""What somebody may write where something else is meant."""


class NoLines:
    """These manifests are not shown to anyone."""

    def span(self, path: Path) -> Span:
        return Span(1, 1, 1, 1)


@cache
def bench() -> Bench:
    """The policies on pods, compiled together with all others."""
    return Bench(ON_PODS, compile_policies("regorus", MODULES))


@cache
def second(policy: Policy) -> Bench:
    """One policy alone on the other engine, which takes longer the more it knows."""
    modules = {policy.file: policy.module} | dict(LIBRARY)
    return Bench((policy,), compile_policies("regopy", modules))


def judged(pod: Manifest, version: int, asked: Bench | None = None) -> Audit:
    """What a bench says of a Pod; without one, all policies together."""
    ref = Ref("v1", "Pod", "shop", "generated")
    resource = Resource(ref, pod, Origin("pod.yaml", NoLines()))
    return audit(Snapshot((resource,)), asked or bench(), Settings(kubernetes=version))


def told(*answers: Audit) -> dict[str, Any]:
    """Everything that findings say, and what could not be asked."""
    found = [finding for answer in answers for finding in answer.findings]
    said = [(f.policy.id, str(f.path), f.anchor, f.message, f.remedy) for f in found]
    gaps = [gap for answer in answers for gap in answer.gaps if gap.what.startswith("policy")]
    return {"findings": sorted(said, key=str), "gaps": gaps}


def told_by_second(pod: Manifest, version: int) -> dict[str, Any]:
    """The same of the other engine."""
    return told(*(judged(pod, version, second(policy)) for policy in ON_PODS))


@settings(max_examples=25, deadline=None)
@given(pods(), VERSIONS)
def test_both_engines_agree(pod: Pod, version: int) -> None:
    """Same findings, same words, same places, same fixes."""
    answer = told(judged(pod, version))
    assert answer["gaps"] == []
    assert answer == told_by_second(pod, version)


@st.composite
def odd_pods(draw: st.DrawFn) -> Pod:
    """Pods in which some fields hold what nobody would put there."""
    pod = copy.deepcopy(draw(pods()))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.sampled_from(list(_places(pod))))
        _put(pod, place, copy.deepcopy(draw(st.sampled_from(ODD))))
    return pod


def _places(value: Any, path: Path = ()) -> Iterator[Path]:
    if path:
        yield path
    steps = value.items() if isinstance(value, dict) else enumerate(value)
    for step, inner in steps:
        if isinstance(inner, dict | list):
            yield from _places(inner, (*path, step))
        else:
            yield (*path, step)
    if path == ("spec",):
        yield from ((*path, field[0]) for field in OF_PODS)
        yield (*path, "volumes")


def _put(pod: Pod, path: Path, value: Any) -> None:
    """Leaves what cannot hold it as it is."""
    with suppress(TypeError, IndexError):
        at(pod, path[:-1])[path[-1]] = value


@settings(max_examples=40, deadline=None)
@given(odd_pods(), VERSIONS)
def test_no_value_breaks_a_policy(pod: Pod, version: int) -> None:
    """Where the API server would refuse a value, both engines have the same answer all the same."""
    answer = told(judged(pod, version))
    assert answer["gaps"] == []
    assert answer == told_by_second(pod, version)


@settings(max_examples=200, deadline=None)
@given(pods(), VERSIONS)
def test_findings_point_at_what_is_written(pod: Pod, version: int) -> None:
    """At the field at fault, or at the nearest one above it that is there."""
    for finding in judged(pod, version).findings:
        outer = at(pod, finding.path[:-1])
        assert finding.path[-1] in (outer if isinstance(outer, dict) else range(len(outer)))


@settings(max_examples=300, deadline=None)
@given(pods(), VERSIONS)
def test_a_fix_ends_its_finding_and_leaves_a_valid_pod(pod: Pod, version: int) -> None:
    """One alone, and all of them together."""
    assume(is_valid(pod))
    answer = judged(pod, version)
    for finding in _fixable(answer):
        fixed = applied(pod, finding.remedy.patch if finding.remedy else ())
        assert is_valid(fixed), finding
        left = {f.fingerprint for f in judged(fixed, version).findings}
        assert finding.fingerprint not in left, finding
    steps: list[Operation] = []
    for finding in _fixable(answer):
        steps += [s for s in (finding.remedy.patch if finding.remedy else ()) if s not in steps]
    fixed = applied(pod, steps)
    assert is_valid(fixed)
    left = {f.fingerprint for f in judged(fixed, version).findings}
    assert not left & {finding.fingerprint for finding in _fixable(answer)}


def _fixable(answer: Audit) -> list[Finding]:
    return [finding for finding in answer.findings if finding.remedy]


def is_valid(pod: Manifest) -> bool:
    """Whether the API server takes it, as far as one setting forbids another
    (k8s.io/kubernetes/pkg/apis/core/validation 1.36).
    """
    spec = pod["spec"]
    containers = [c for key in CONTAINERS for c in spec.get(key) or ()]
    contexts = [context_of(owner) for owner in (spec, *containers)]
    return (
        all(map(_may_escalate, contexts))
        and all(_is_profile(c.get(field)) for c in contexts for field in PROFILES)
        and _is_all_host_process(spec, containers)
        and _annotations_agree(pod, containers)
    )


PROFILES = ("seccompProfile", "appArmorProfile")


def context_of(owner: Manifest) -> Manifest:
    """The security context of a pod or a container."""
    return owner.get("securityContext") or {}


def _may_escalate(context: Manifest) -> bool:
    added = (context.get("capabilities") or {}).get("add") or ()
    refused = context.get("privileged") is True or "CAP_SYS_ADMIN" in added
    return not (refused and context.get("allowPrivilegeEscalation") is False)


def _is_profile(profile: Manifest | None) -> bool:
    if profile is None:
        return True
    local = profile.get("type") == "Localhost"
    known = profile.get("type") in {"Localhost", "RuntimeDefault", "Unconfined"}
    return known and local == bool(profile.get("localhostProfile"))


def _is_all_host_process(spec: Manifest, containers: list[Manifest]) -> bool:
    def says(owner: Manifest) -> Any:
        return (context_of(owner).get("windowsOptions") or {}).get("hostProcess")

    effective = {says(c) if says(c) is not None else bool(says(spec)) for c in containers}
    if True not in effective:
        return True
    return effective == {True} and spec.get("hostNetwork") is True


def _annotations_agree(pod: Manifest, containers: list[Manifest]) -> bool:
    """AppArmor's of a container with what holds for it; seccomp's with what is said beside it."""
    said = pod["metadata"].get("annotations") or {}
    whole = context_of(pod["spec"])
    pairs = [(said.get(SECCOMP_OF_POD), whole.get("seccompProfile"))]
    for container in containers:
        name, own = container["name"], context_of(container)
        app_armor = own.get("appArmorProfile") or whole.get("appArmorProfile")
        pairs.append((said.get(APP_ARMOR + name), app_armor))
        pairs.append((said.get(SECCOMP + name), own.get("seccompProfile")))
    return all(_agree(name, profile) for name, profile in pairs)


def _agree(name: str | None, profile: Manifest | None) -> bool:
    if not name:
        return True
    known = re.fullmatch("runtime/default|localhost/.+|unconfined", name)
    return bool(known) and (not profile or name.split("/")[0] == _in_the_past(profile))


def _in_the_past(profile: Manifest) -> str:
    names = {"RuntimeDefault": "runtime", "Localhost": "localhost", "Unconfined": "unconfined"}
    return names.get(profile["type"], "")
