"""A fault is known again after everything about it has changed but the fault."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.audit import Bench, audit
from auditor.model import Finding, Policy, Ref, Settings
from auditor.policies.engine import compile_policies
from auditor.policies.loader import load
from auditor.sources.files import FileSource

ROOT = Path(__file__).parents[2]
POLICIES, LIBRARY = load()
BENCH = Bench(
    POLICIES, compile_policies("regorus", {p.file: p.module for p in POLICIES} | dict(LIBRARY))
)
FOLDER = ROOT / "fixtures" / "policies"
FIXTURES = sorted(FOLDER.rglob("fail-*.yaml"))


COUNTING = frozenset(
    ("capacity", "disruption", "placement", "redundancy", "rollout", "routing", "scaling", "spread")
)
"""The folders of policies on how many pods there are, and where: another number is another case."""


@cache
def bench_of(name: str) -> Bench:
    """The policy of that name alone."""
    asked = tuple(policy for policy in POLICIES if policy.id == name)
    modules = {policy.file: policy.module for policy in asked} | dict(LIBRARY)
    return Bench(asked, compile_policies("regorus", modules))


def fingerprints(folder: Path, kubernetes: int = 136, bench: Bench = BENCH) -> Counter[str]:
    """Those of all findings in a folder, with what each is about."""
    answer = audit(FileSource((str(folder),)).snapshot(), bench, Settings(kubernetes=kubernetes))
    return Counter(f"{f.policy.id} {f.ref} {f.anchor} {f.fingerprint}" for f in answer.findings)


def shuffled(value: Any, by: random.Random) -> Any:
    """The same object with its named things in another order, and its keys too."""
    if isinstance(value, dict):
        items = [(key, shuffled(inner, by)) for key, inner in value.items()]
        by.shuffle(items)
        return dict(items)
    if isinstance(value, list):
        found = [shuffled(inner, by) for inner in value]
        if all(isinstance(inner, dict) and "name" in inner for inner in found):
            by.shuffle(found)
        return found
    return value


def scaled(value: Any, by: random.Random) -> Any:
    """The same object with more or fewer replicas."""
    if isinstance(value, dict) and isinstance(value.get("spec"), dict):
        kind = value.get("kind")
        if kind in ("Deployment", "StatefulSet", "ReplicaSet") and "replicas" in value["spec"]:
            return {**value, "spec": {**value["spec"], "replicas": by.randint(2, 9)}}
    return value


@settings(
    max_examples=4, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(seed=st.integers(0, 2**32))
@pytest.mark.parametrize("file", FIXTURES, ids=lambda f: f"{f.parent.name}/{f.stem}")
def test_a_fault_is_known_again(
    tmp_path_factory: pytest.TempPathFactory, file: Path, seed: int
) -> None:
    """After containers, ports, volumes and keys were reordered, workloads scaled, documents moved
    to other lines, and the file renamed.
    """
    by = random.Random(seed)  # noqa: S311 - nothing secret
    before, after = tmp_path_factory.mktemp("before"), tmp_path_factory.mktemp("after")
    (before / "a.yaml").write_text(file.read_text("utf-8"), "utf-8")
    objects = [o for o in yaml.safe_load_all(file.read_text("utf-8")) if o is not None]
    changed = [shuffled(one, by) for one in objects]
    # There, with more pods the fault itself is another or gone, and the order of what is placed
    # decides who stands where.
    if not COUNTING.intersection(file.parts):
        changed = [scaled(one, by) for one in changed]
        by.shuffle(changed)
    moved = "\n" * by.randint(0, 9) + "# another\n" + yaml.safe_dump_all(changed, sort_keys=False)
    (after / "renamed.yml").write_text(moved, "utf-8")
    bench = bench_of("/".join(file.relative_to(FOLDER).parts[:2]))
    assert fingerprints(after, bench=bench) == fingerprints(before, bench=bench)


POLICY = POLICIES[0]
REF = Ref("apps/v1", "Deployment", "shop", "web")


@pytest.mark.parametrize(
    "change",
    [
        lambda f: replace(f, message="in other words"),
        lambda f: replace(f, path=("spec", 7)),
        lambda f: replace(f, ref=replace(f.ref, api_version="apps/v2beta1")),
        lambda f: replace(f, policy=replace(f.policy, title="x", description="x", module="x")),
        lambda f: replace(f, policy=replace(f.policy, id="new/name", aliases=(f.policy.id,))),
        lambda f: replace(
            f, policy=replace(f.policy, id="newer/name", aliases=(f.policy.id, "new/name"))
        ),
    ],
    ids=["rewording", "another place", "another version", "another text", "renamed", "and again"],
)
def test_what_changes_no_fingerprint(change: Callable[[Finding], Finding]) -> None:
    """It is the same fault of the same thing."""
    finding = Finding(replace(POLICY, aliases=()), REF, ("spec",), "app", "a fault")
    assert change(finding).fingerprint == finding.fingerprint


@pytest.mark.parametrize(
    "change",
    [
        lambda f: replace(f, anchor="other"),
        lambda f: replace(f, ref=replace(f.ref, name="other")),
        lambda f: replace(f, ref=replace(f.ref, namespace="other")),
        lambda f: replace(f, policy=replace(f.policy, id="another/policy", aliases=())),
    ],
    ids=["another container", "another object", "another namespace", "another policy"],
)
def test_what_is_another_fault(change: Callable[[Finding], Finding]) -> None:
    """And must not pass for a known one."""
    finding = Finding(replace(POLICY, aliases=()), REF, ("spec",), "app", "a fault")
    assert change(finding).fingerprint != finding.fingerprint


def test_each_other_autoscaler_is_another_fault(tmp_path: Path) -> None:
    """Three scale the same, so that two others are named at one place of each."""
    fixture = ROOT / "fixtures" / "policies" / "scaling" / "second_autoscaler" / "fail-two.yaml"
    text = fixture.read_text("utf-8")
    third = text.split("---\n")[1].replace("web-too", "web-as-well")
    (tmp_path / "three.yaml").write_text(f"{text}---\n{third}", "utf-8")
    answer = audit(FileSource((str(tmp_path),)).snapshot(), BENCH, Settings())
    found = [f.fingerprint for f in answer.findings if f.policy.id == "scaling/second_autoscaler"]
    assert len(found) == len(set(found)) == 3 * 2


def renamed(policy: Policy) -> Policy:
    """The policy under a new name."""
    module = policy.module.replace("privileged_container", "runs_privileged")
    return replace(policy, id="workload/runs_privileged", aliases=(policy.id,), module=module)


def test_a_renamed_policy_finds_the_same_fault_again() -> None:
    """With the real engine."""
    file = ROOT / "fixtures" / "policies" / "workload" / "privileged_container"
    old = next(p for p in POLICIES if p.id == "workload/privileged_container")
    found = []
    for policy in (old, renamed(old)):
        modules = {policy.file: policy.module} | dict(LIBRARY)
        bench = Bench((policy,), compile_policies("regorus", modules))
        answer = audit(FileSource((str(file),)).snapshot(), bench, Settings())
        found.append(sorted(finding.fingerprint for finding in answer.findings))
    assert found[0] == found[1] != []
