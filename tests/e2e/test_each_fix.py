"""Each fix on each failing fixture, one by one, before a real API server.

The server is asked what it would say of the object before and after (``create --dry-run=server``,
with strict validation). What it takes before, it must take after; what it refuses before (a fixture
may show what only an older server let in) it may refuse for the same reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from auditor.audit import Bench, audit
from auditor.fixes.offer import with_fixes
from auditor.fixes.patch import apply
from auditor.fixes.together import texts
from auditor.model import Change, Finding, Manifest, Snapshot
from auditor.policies.engine import compile_policies
from auditor.policies.loader import load
from auditor.sources.files import FileSource
from tests.policy_fixtures import FIXABLE, settings_of

from .cluster import TestCluster

pytestmark = pytest.mark.e2e

FIXTURES = Path(__file__).parents[2] / "fixtures" / "policies"


@dataclass(frozen=True)
class Tried:
    """A fix and the objects it touches, as they were and as it leaves them."""

    name: str
    finding: Finding
    changes: tuple[tuple[Manifest | None, Manifest], ...]


def _tried() -> Iterator[Tried]:
    """Every fix of every policy that has some, on each of its failing fixtures."""
    policies, library = load()
    for policy in policies:
        if policy.fix not in FIXABLE:
            continue
        engine = compile_policies("regorus", {policy.file: policy.module} | dict(library))
        bench = Bench((policy,), engine)
        for file in sorted((FIXTURES / policy.id).glob("fail-*.yaml")):
            settings = settings_of(file)
            answer = audit(FileSource((str(file),)).snapshot(), bench, settings)
            answer = with_fixes(answer, bench, settings)
            for finding in answer.findings:
                yield _of(answer.snapshot, f"{policy.id} {file.name} {finding.message}", finding)


def _of(snapshot: Snapshot, name: str, finding: Finding) -> Tried:
    assert finding.fix, f"{name}: there is no fix"
    assert finding.fix.proof.holds, f"{name}: {finding.fix.proof}"
    _is_byte_exact(name, snapshot, finding)
    return Tried(name, finding, tuple(_states(snapshot, c) for c in finding.fix.changes))


def _is_byte_exact(name: str, snapshot: Snapshot, finding: Finding) -> None:
    """Outside of the edits of the fix every byte is the same, and the text reads as the object."""
    assert finding.fix
    for before, after in texts(snapshot, finding.fix.edits).values():
        rest = after
        for piece in _kept(before, finding):
            assert piece in rest, f"{name}: lost {piece!r}"
            rest = rest[rest.index(piece) + len(piece) :]
        assert apply(before, finding.fix.edits) == after


def _kept(text: str, finding: Finding) -> Iterator[str]:
    """The pieces of the file between the edits, in their order."""
    assert finding.fix
    lines = text.splitlines(keepends=True)
    starts = [sum(map(len, lines[:number])) for number in range(len(lines) + 1)]
    at = 0
    for edit in sorted(finding.fix.edits, key=lambda e: (e.span.line, e.span.column)):
        begin = starts[edit.span.line - 1] + edit.span.column - 1
        yield text[at:begin]
        at = starts[edit.span.end_line - 1] + edit.span.end_column - 1
    yield text[at:]


def _states(snapshot: Snapshot, change: Change) -> tuple[Manifest | None, Manifest]:
    before = snapshot.find(change.resource.ref)
    was = None if change.beside or before is None else before.manifest
    return was, change.resource.manifest


def _verdict(cluster: TestCluster, manifest: Manifest) -> str:
    """Why the server would not create the object; empty where it would."""
    text = json.dumps(_creatable(manifest))
    done = cluster.kubectl("create", "--dry-run=server", "--validate=strict", "-f", "-", input=text)
    said = re.sub(r"\s+", " ", done.stderr).strip()
    return (said or "refused without a word") if done.returncode else ""


def _creatable(manifest: Manifest) -> Mapping[str, Any]:
    """The object without its containers for debugging: no pod is created with some, and those that
    a pod has cannot be changed.
    """
    spec = manifest.get("spec")
    if manifest.get("kind") != "Pod" or not isinstance(spec, dict):
        return manifest
    kept = {key: value for key, value in spec.items() if key != "ephemeralContainers"}
    return {**manifest, "spec": kept}


def _namespaces(tried: list[Tried]) -> Iterator[Manifest]:
    found = {
        str((now.get("metadata") or {}).get("namespace") or "default")
        for one in tried
        for _, now in one.changes
    }
    for name in sorted(found - {"default"}):
        yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def test_each_fix_is_taken(cluster: TestCluster, capsys: pytest.CaptureFixture[str]) -> None:
    """Proven, exact to the byte, and nothing that the API server would refuse."""
    tried = list(_tried())
    spaces = {"apiVersion": "v1", "kind": "List", "items": list(_namespaces(tried))}
    cluster.kubectl("apply", "-f", "-", input=json.dumps(spaces))
    taken, as_before, wrong = 0, [], []
    for one in tried:
        for was, now in one.changes:
            said = _verdict(cluster, now)
            if not said:
                taken += 1
            elif was is not None and _verdict(cluster, was):
                as_before.append(f"{one.name}: {said}")
            else:
                wrong.append(f"{one.name}: {said}")
    with capsys.disabled():
        print(  # noqa: T201
            f"\n{len(tried)} fixes, {len({o.finding.policy.id for o in tried})} policies: "
            f"{taken} objects are taken, {len(as_before)} were refused before as well",
            *as_before,
            sep="\n  ",
        )
    assert not wrong, "\n".join(wrong)
    assert taken > 10 * len(as_before)
