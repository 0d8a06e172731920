"""Several fixes are written as one, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.fixes.operations import created, patched
from auditor.fixes.patch import CannotEditError
from auditor.fixes.together import ClashError, check, merged, texts, written
from auditor.model import Change, Fix, Operation, Proof, Ref, Resource, Safety, Snapshot
from auditor.sources.files import FileSource

POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
    - name: app # the only one
      image: registry.example/app:1.0.0
"""
CONTEXT = ("spec", "containers", 0, "securityContext")


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    """One pod in a file."""
    (tmp_path / "pod.yaml").write_text(POD, "utf-8")
    return FileSource((str(tmp_path),)).snapshot()


def _fix(*changes: Change) -> Fix:
    return Fix("x", Safety.SAFE, changes, (), Proof(resolved=True))


def _adding(snapshot: Snapshot, key: str, value: object) -> Fix:
    step = Operation("add", (*CONTEXT, key), value)
    return _fix(patched(snapshot.resources[0], step))


def _text(snapshot: Snapshot, *fixes: Fix) -> str:
    changes = merged(snapshot, fixes)
    edited = texts(snapshot, written(snapshot, changes))
    check(snapshot, changes, edited)
    ((_, after),) = edited.values()
    return after


def test_two_fixes_that_add_to_one_mapping_make_it_once(snapshot: Snapshot) -> None:
    """Written one after the other, each would bring a securityContext of its own."""
    one = _adding(snapshot, "privileged", value=False)
    other = _adding(snapshot, "runAsUser", 10001)
    assert _text(snapshot, one, other) == POD + (
        "      securityContext:\n        privileged: false\n        runAsUser: 10001\n"
    )


def test_what_two_fixes_have_in_common_is_done_once(snapshot: Snapshot) -> None:
    """One rule may be the cause of two findings."""
    step = Operation("add", ("spec", "containers", "-"), {"name": "second"})
    same = _fix(patched(snapshot.resources[0], step))
    assert _text(snapshot, same, same) == POD + "    - name: second\n"


def _policy(pod: Resource, space: str) -> Change:
    ref = Ref("networking.k8s.io/v1", "NetworkPolicy", "default", "guard")
    manifest = {
        "apiVersion": ref.api_version,
        "kind": ref.kind,
        "metadata": {"name": ref.name, "namespace": space},
    }
    return created(Resource(ref, manifest, pod.origin), pod)


def test_a_new_object_and_a_changed_one_share_a_file(snapshot: Snapshot) -> None:
    """The new one stands before the one that it is for."""
    (pod,) = snapshot.resources
    after = _text(
        snapshot, _adding(snapshot, "privileged", value=False), _fix(_policy(pod, "default"))
    )
    assert after.startswith("apiVersion: networking.k8s.io/v1\n")
    assert after.endswith("      securityContext:\n        privileged: false\n")
    assert after.count("\n---\n") == 1


def test_two_fixes_that_make_one_object_differently_clash(snapshot: Snapshot) -> None:
    """Neither is written."""
    (pod,) = snapshot.resources
    with pytest.raises(ClashError, match=r"default/guard\[NetworkPolicy\]"):
        merged(snapshot, [_fix(_policy(pod, "default")), _fix(_policy(pod, "other"))])


def test_fixes_that_exclude_each_other_clash(snapshot: Snapshot) -> None:
    """What one takes away the other cannot replace."""
    (pod,) = snapshot.resources
    image = ("spec", "containers", 0, "image")
    gone = _fix(patched(pod, Operation("remove", image)))
    new = _fix(patched(pod, Operation("replace", image, "x:2")))
    with pytest.raises(ClashError, match=r"default/web\[Pod\]"):
        merged(snapshot, [gone, new])


def test_a_text_that_says_something_else_is_refused(snapshot: Snapshot) -> None:
    """The last look is at the whole file, whoever edited it."""
    changes = merged(snapshot, [_adding(snapshot, "privileged", value=False)])
    ((uri, (before, after)),) = texts(snapshot, written(snapshot, changes)).items()
    check(snapshot, changes, {uri: (before, after)})
    for spoiled in (before, after.replace("false", "true"), after + "---\n" + POD):
        with pytest.raises(CannotEditError, match="something else"):
            check(snapshot, changes, {uri: (before, spoiled)})
