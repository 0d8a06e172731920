"""Each fix on each failing fixture, one by one, before a real API server.

The server is asked what it would say of the object after (``create --dry-run=server``, with strict
validation). What it still refuses, it must have refused before, since the object has more faults of
that policy (only an older server let them in); with all of them mended, it has to take it.
``fail-refused-*.yaml`` is what it takes neither before nor after: wrong types, or what only an
older one let in.
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
from auditor.fixes.together import ClashError, merged, texts
from auditor.model import Audit, Change, Finding, Fix, Manifest, Snapshot, Status
from auditor.policies.engine import compile_policies
from auditor.policies.loader import load
from auditor.sources.files import FileSource
from tests.policy_fixtures import FIXABLE, beyond_fixing, settings_of

from .cluster import TestCluster
from .crds import definitions

pytestmark = pytest.mark.e2e

FIXTURES = Path(__file__).parents[2] / "fixtures" / "policies"
ROLLOUTS: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "rollouts.argoproj.io"},
    "spec": {
        "group": "argoproj.io",
        "scope": "Namespaced",
        "names": {"plural": "rollouts", "singular": "rollout", "kind": "Rollout"},
        "versions": [
            {
                "name": "v1alpha1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "x-kubernetes-preserve-unknown-fields": True,
                    }
                },
            }
        ],
    },
}
"""The kind of Argo Rollouts, as far as a fixture needs it."""


@dataclass(frozen=True)
class Tried:
    """A fix and the objects it touches, as they were and as it leaves them."""

    name: str
    finding: Finding
    changes: tuple[tuple[Manifest | None, Manifest], ...]
    whole: Manifest
    """The object of the finding after all fixes of its fixture."""

    @property
    def is_refused(self) -> bool:
        """Whether the fixture is one that the server takes neither before nor after."""
        return " fail-refused-" in self.name


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
            fixes = [finding.fix for finding in answer.findings if finding.fix]
            whole = {c.resource.ref.key: c.resource.manifest for c in _merged(answer, fixes)}
            hopeless = {message for _, message in beyond_fixing(file.read_text("utf-8"))}
            for finding in answer.findings:
                if finding.status is Status.OPEN and finding.message not in hopeless:
                    name = f"{policy.id} {file.name} {finding.message}"
                    yield _of(answer.snapshot, name, finding, whole.get(finding.ref.key, {}))


def _merged(answer: Audit, fixes: list[Fix]) -> tuple[Change, ...]:
    try:
        return merged(answer.snapshot, fixes)
    except ClashError:
        return ()  # then each has to be taken alone


def _of(snapshot: Snapshot, name: str, finding: Finding, whole: Manifest) -> Tried:
    assert finding.fix, f"{name}: there is no fix"
    assert finding.fix.proof.holds, f"{name}: {finding.fix.proof}"
    _is_byte_exact(name, snapshot, finding)
    states = tuple(_states(snapshot, change) for change in finding.fix.changes)
    return Tried(name, finding, states, whole)


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
    a pod has cannot be changed. What a cluster may have of that name gets one that none has yet.
    """
    if manifest.get("kind") in ("Namespace", "ClusterRole", "ClusterRoleBinding"):
        return {**manifest, "metadata": {**manifest["metadata"], "name": "made-anew"}}
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


def _accounts(tried: list[Tried]) -> Iterator[Manifest]:
    """Those that pods name: no pod is created without its account."""
    found: set[tuple[str, str]] = set()
    for one in tried:
        for now in (now for _, now in one.changes if now.get("kind") == "Pod"):
            named = now["spec"].get("serviceAccountName") or now["spec"].get("serviceAccount")
            found |= {(now["metadata"].get("namespace", "default"), named)} if named else set()
    for space, name in sorted(found):
        metadata = {"name": name, "namespace": space}
        yield {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}


def test_each_fix_is_taken(cluster: TestCluster, capsys: pytest.CaptureFixture[str]) -> None:
    """Proven, exact to the byte, and nothing that the API server would refuse."""
    tried = list(_tried())
    cluster.kubectl("apply", "-f", "-", input=json.dumps(ROLLOUTS), check=True)
    cluster.kubectl("wait", "--for=condition=Established", f"crd/{ROLLOUTS['metadata']['name']}")
    cluster.apply(*definitions("istio.io/api"), *definitions("github.com/openshift/api"))
    for needed in (_namespaces(tried), _accounts(tried)):
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(needed)})
        cluster.kubectl("apply", "-f", "-", input=text, check=True)
    alone, together, never, wrong = 0, 0, 0, []
    for one in tried:
        for was, now in one.changes:
            said = _verdict(cluster, now)
            if not said:
                alone += 1
            elif was is None or not _verdict(cluster, was):
                wrong.append(f"{one.name}: {said}")
            elif one.is_refused:
                never += 1
            elif not _verdict(cluster, one.whole):
                together += 1
            else:
                wrong.append(f"{one.name}: {said}")
    policies = {one.finding.policy.id for one in tried}
    with capsys.disabled():
        print(  # noqa: T201
            f"\n{len(tried)} fixes of {len(policies)} policies: {alone} objects are taken after "
            f"each, {together} after all of their fixes, {never} neither before nor after",
            end="",
        )
    assert not wrong, "\n".join(wrong)
    assert alone > 10 * together
