"""The steps of a remedy, as RFC 6902 has them, on a manifest in memory."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from auditor.fixes.operations import CannotApplyError, applied, created, patched, settled
from auditor.model import Operation, Path
from tests.facts.network.cluster import pod, policy, resource

MANIFEST: dict[str, Any] = {"spec": {"list": ["a", "b"], "text": "x", "empty": None, "map": {}}}


def after(op: str, path: Path, value: Any = None) -> Any:
    """The specification after one step."""
    return applied(MANIFEST, [Operation(op, path, value)])["spec"]


@pytest.mark.parametrize(
    ("op", "path", "changed"),
    [
        ("add", ("text",), {"text": 9}),
        ("add", ("map", "k"), {"map": {"k": 9}}),
        ("add", ("empty", "k"), {"empty": {"k": 9}}),
        ("add", ("new", "deep", "k"), {"new": {"deep": {"k": 9}}}),
        ("add", ("list", "-"), {"list": ["a", "b", 9]}),
        ("add", ("list", 2), {"list": ["a", "b", 9]}),
        ("add", ("list", 0), {"list": [9, "a", "b"]}),
        ("replace", ("text",), {"text": 9}),
        ("replace", ("empty",), {"empty": 9}),
        ("replace", ("list", 1), {"list": ["a", 9]}),
        ("remove", ("list", 0), {"list": ["b"]}),
    ],
)
def test_a_step_changes_one_thing(op: str, path: Path, changed: dict[str, Any]) -> None:
    """The rest stays, and so does the manifest that was given."""
    before = copy.deepcopy(MANIFEST)
    assert after(op, ("spec", *path), 9) == {**MANIFEST["spec"], **changed}
    assert before == MANIFEST


def test_a_key_can_be_taken_away() -> None:
    """And is gone, not null."""
    assert "text" not in after("remove", ("spec", "text"))


@pytest.mark.parametrize(
    ("op", "path"),
    [
        ("replace", ("missing",)),
        ("replace", ("map", "missing")),
        ("replace", ("new", "deep")),
        ("replace", ("list", 2)),
        ("replace", ("list", -1)),
        ("replace", ("list", "-")),
        ("remove", ("missing",)),
        ("remove", ("list", 5)),
        ("remove", ("text", 0)),
        ("remove", ("empty", "k")),
        ("add", ("list", 3)),
        ("add", ("list", -1)),
        ("add", ("list", "x")),
        ("add", ("list", "0")),
        ("add", ("text", "k")),
        ("add", ("text", "k", "l")),
        ("add", ("map", 0)),
        ("add", ("list", 7, "k")),
        ("add", ("list", "-", "k")),
        ("move", ("text",)),
    ],
)
def test_a_step_that_does_not_fit_is_refused(op: str, path: Path) -> None:
    """Never applied somewhere near; the text says where."""
    with pytest.raises(CannotApplyError, match=r"\.".join(map(str, ("spec", *path)))):
        after(op, ("spec", *path), 9)


def test_steps_follow_each_other() -> None:
    """Each on what the one before has left."""
    steps = [
        Operation("remove", ("spec", "list", 0)),
        Operation("replace", ("spec", "list", 0), "c"),
        Operation("add", ("spec", "list", "-"), "d"),
    ]
    assert applied(MANIFEST, steps)["spec"]["list"] == ["c", "d"]


def test_what_is_added_is_a_copy() -> None:
    """A later step must not write into the remedy of a policy."""
    value: dict[str, Any] = {}
    steps = [Operation("add", ("spec", "new"), value), Operation("add", ("spec", "new", "k"), 1)]
    assert applied(MANIFEST, steps)["spec"]["new"] == {"k": 1}
    assert value == {}


def test_an_object_stays_an_object() -> None:
    """A remedy cannot put a text in the place of it."""
    with pytest.raises(CannotApplyError):
        applied(MANIFEST, [Operation("replace", (), "text")])


def test_a_change_keeps_who_and_where() -> None:
    """An object that is there keeps its name and place; a new one stands before another."""
    one = pod("shop/web")
    change = patched(one, Operation("add", ("spec", "hostPID"), value=False))
    assert (change.resource.ref, change.resource.origin) == (one.ref, one.origin)
    assert change.resource.manifest["spec"]["hostPID"] is False
    new = created(policy({"podSelector": {}}, "shop/new"), one)
    assert new.beside == one.ref
    assert applied({}, new.operations) == new.resource.manifest


BINDING = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "RoleBinding",
    "metadata": {"name": "ops", "namespace": "shop"},
}


def test_steps_speak_of_the_object_as_it_was() -> None:
    """Two fixes that take items out of one list do not meet the wrong ones, in whatever order."""
    subjects = [{"name": name} for name in ("anonymous", "ann", "everybody", "bob")]
    binding = resource({**BINDING, "subjects": subjects})
    first, third = (Operation("remove", ("subjects", index)) for index in (0, 2))
    renamed = Operation("replace", ("subjects", 3, "name"), "eve")
    for steps in ((first, third, renamed), (renamed, third, first)):
        change = patched(binding, *steps)
        assert change.resource.manifest["subjects"] == [{"name": "ann"}, {"name": "eve"}]
        again = list(settled(change.operations))
        assert again == [Operation("replace", ("subjects", 1, "name"), "eve")]
        assert applied(change.resource.manifest, again) == change.resource.manifest


def test_what_was_inside_of_a_removed_item_is_not_asked_for_again() -> None:
    """Whereas a removed key stays gone."""
    inside = Operation("replace", ("list", 1, "name"), "x")
    away, key = Operation("remove", ("list", 1)), Operation("remove", ("map", "key"))
    assert list(settled([inside, away, key])) == [key]
