"""An edit writes what it should, in the manner of the file, and nothing else."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from auditor.fixes.operations import applied
from auditor.fixes.patch import (
    CannotEditError,
    apply,
    edits,
    insert_document,
    unified_diff,
    verify,
)
from auditor.model import Manifest, Operation, Origin, Ref, Resource, Span, TextEdit
from auditor.sources.objects import objects_of
from auditor.sources.yaml import Document, documents

HEAD = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n"
Steps = list[tuple[Any, ...]]


def objects(text: str) -> list[Resource]:
    """The objects of a text."""
    found = (d for d in documents("f.yaml", text) if isinstance(d, Document))
    return [o for document in found for o in objects_of(document) if isinstance(o, Resource)]


def operations(steps: Steps) -> tuple[Operation, ...]:
    """Steps, written short: ("add", "spec/x", 1)."""
    found = []
    for op, path, *value in steps:
        keys = tuple(int(key) if key.isdigit() else key for key in path.split("/"))
        found.append(Operation(op, keys, *value))
    return tuple(found)


def edited(text: str, *steps: tuple[Any, ...], index: int = 0) -> str:
    """The text after steps on one of its objects, checked by reading it again."""
    resource = objects(text)[index]
    wanted = operations(list(steps))
    found = edits(resource, wanted)
    verify(resource, found, applied(resource.manifest, wanted))
    return apply(text, found)


def spec(body: str) -> str:
    """A pod with this as its spec."""
    return HEAD + "spec:\n" + body


@pytest.mark.parametrize(
    ("before", "step", "after"),
    [
        ("  a: true # why\n", ("replace", "spec/a", False), "  a: false # why\n"),
        ("  a: 'x'  # why\n", ("replace", "spec/a", "y"), "  a: 'y'  # why\n"),
        ('  a: "x"\n', ("replace", "spec/a", "it's"), '  a: "it\'s"\n'),
        ('  a: "x"\n', ("replace", "spec/a", 3), "  a: 3\n"),
        ("  a: x\n", ("replace", "spec/a", "3"), '  a: "3"\n'),
        ("  a: x\n", ("replace", "spec/a", "yes"), '  a: "yes"\n'),
        ("  a: x\n", ("replace", "spec/a", "100m"), "  a: 100m\n"),
        ("  a: x\n", ("replace", "spec/a", "r.io/x:1.2@sha256:ab"), "  a: r.io/x:1.2@sha256:ab\n"),
        ("  a: # why\n  b: 1\n", ("add", "spec/a", 1), "  a: 1 # why\n  b: 1\n"),
        ("  a:\n  b: 1\n", ("add", "spec/a", {"c": 1}), "  a:\n    c: 1\n  b: 1\n"),
        ("  a: &x 1\n  b: 2\n", ("replace", "spec/a", 3), "  a: 3\n  b: 2\n"),
        ("  a: |\n    x\n    y\n\n  b: 1\n", ("replace", "spec/a", "z"), "  a: z\n\n  b: 1\n"),
        ("  a: long\n    text\n  b: 1\n", ("replace", "spec/a", "z"), "  a: z\n  b: 1\n"),
        (
            "  a: x # why\n",
            ("replace", "spec/a", {"b": [1], "c": {}}),
            "  a: # why\n    b:\n    - 1\n    c: {}\n",
        ),
        ("  a: # why\n    b: 1\n  c: 2\n", ("replace", "spec/a", "x"), "  a: x # why\n  c: 2\n"),
        ("  a:\n    b: 1\n  c: 2\n", ("replace", "spec/a", [1]), "  a:\n  - 1\n  c: 2\n"),
        ("  a:\n  - 1\n  c: 2\n", ("replace", "spec/a", {"b": 1}), "  a:\n    b: 1\n  c: 2\n"),
        ("  a: x\n", ("replace", "spec/a", "1\n2\n"), "  a: |\n    1\n    2\n"),
        ("  a: x # why\n", ("replace", "spec/a", "1\n2\n"), "  a: | # why\n    1\n    2\n"),
        ("  a: x\n      # b\n", ("replace", "spec/a", "1\n2\n"), '  a: "1\\n2\\n"\n      # b\n'),
        ("  a: x\n", ("replace", "spec/a", "1\n2"), "  a: |-\n    1\n    2\n"),
        ("  a: x\n", ("replace", "spec/a", " 1\n2"), '  a: " 1\\n2"\n'),
        ("  a: x\n", ("replace", "spec/a", "\x07😀\u2028"), '  a: "\\u0007😀\\u2028"\n'),
    ],
)
def test_values_are_replaced_in_place(before: str, step: tuple[Any, ...], after: str) -> None:
    """Comments stay, quotes stay where they can, and every text stays a text."""
    assert edited(spec(before), step) == spec(after)


@pytest.mark.parametrize(
    ("before", "step", "after"),
    [
        ("  a: 1 # why\n", ("add", "spec/b", 2), "  a: 1 # why\n  b: 2\n"),
        ("  a: 1\n\n# end\n", ("add", "spec/b", 2), "  a: 1\n  b: 2\n\n# end\n"),
        ("  a: 1", ("add", "spec/b", 2), "  a: 1\n  b: 2"),
        ("      a: 1\n", ("add", "spec/b", {"c": 1}), "      a: 1\n      b:\n        c: 1\n"),
        (
            "  a:\n    b: 1\n    # c: 2\n  # d: 3\n",
            ("add", "spec/a/e", 4),
            "  a:\n    b: 1\n    e: 4\n    # c: 2\n  # d: 3\n",
        ),
        ("  a: |\n    x\n\n\n", ("add", "spec/b", 2), "  a: |\n    x\n  b: 2\n\n\n"),
        ("  a: |+\n    x\n\n", ("add", "spec/b", 2), "  a: |+\n    x\n\n  b: 2\n"),
        ("  a:\n", ("add", "spec/b", 2), "  a:\n  b: 2\n"),
        ("  {a: 1} # x\n", ("add", "spec/b", 2), "  {a: 1, b: 2} # x\n"),
        (
            "  a: {b: 1}\n",
            ("add", "spec/a/c", ["x", {"d": "f, g"}]),
            '  a: {b: 1, c: [x, {d: "f, g"}]}\n',
        ),
        ("  a: {}  # why\n", ("add", "spec/a/b", 1), "  a:  # why\n    b: 1\n"),
        ("  a: {b: {}}\n", ("add", "spec/a/b/c", 1), "  a: {b: {c: 1}}\n"),
        (
            "  a: {\n    b: 1, # one\n    c: 2 # two\n  }\n",
            ("add", "spec/a/d", 3),
            "  a: {\n    b: 1, # one\n    c: 2, # two\n    d: 3\n  }\n",
        ),
        (
            "  a: {\n    b: 1,\n  }\n",
            ("add", "spec/a/d", 3),
            "  a: {\n    b: 1,\n    d: 3,\n  }\n",
        ),
        ("  a: 1\n", ("add", "spec/b/c/d", True), "  a: 1\n  b:\n    c:\n      d: true\n"),
        ("  - a: 1\n", ("add", "spec/0/b", 2), "  - a: 1\n    b: 2\n"),
        ("  -   a: 1\n", ("add", "spec/0/b", 2), "  -   a: 1\n      b: 2\n"),
        ("  -\n    a: 1\n", ("add", "spec/0/b", 2), "  -\n    a: 1\n    b: 2\n"),
        ("  - - a: 1\n", ("add", "spec/0/0/b", 2), "  - - a: 1\n      b: 2\n"),
        ("  &x a: 1\n", ("add", "spec/b", 2), "  &x a: 1\n  b: 2\n"),
        ("  a: 1\n", ("add", "spec/example.com~x: y", 2), '  a: 1\n  "example.com~x: y": 2\n'),
    ],
)
def test_keys_are_added_beside_their_siblings(
    before: str, step: tuple[Any, ...], after: str
) -> None:
    """As deep as these, after the last one's end and before the comments that follow."""
    assert edited(spec(before), step) == spec(after)


@pytest.mark.parametrize(
    ("before", "step", "after"),
    [
        (
            "  a:\n  - 1 # one\n  # end\n",
            ("add", "spec/a/-", 2),
            "  a:\n  - 1 # one\n  - 2\n  # end\n",
        ),
        (
            "  a:\n    - 1\n",
            ("add", "spec/a/-", {"b": 1, "c": 2}),
            "  a:\n    - 1\n    - b: 1\n      c: 2\n",
        ),
        ("  a:\n    - 1\n", ("add", "spec/b", [2]), "  a:\n    - 1\n  b:\n    - 2\n"),
        ("  a:\n  - 1\n  - 2\n", ("add", "spec/a/1", 9), "  a:\n  - 1\n  - 9\n  - 2\n"),
        ("  a:\n  # one\n  - 1\n", ("add", "spec/a/0", 9), "  a:\n  # one\n  - 9\n  - 1\n"),
        ("  - - 1\n", ("add", "spec/0/0", 9), "  - - 9\n    - 1\n"),
        ("  a: [1, 2] # x\n", ("add", "spec/a/-", 3), "  a: [1, 2, 3] # x\n"),
        ("  a: [1, 2] # x\n", ("add", "spec/a/0", 3), "  a: [3, 1, 2] # x\n"),
        ("  a: [1, 2] # x\n", ("add", "spec/a/1", 3), "  a: [1, 3, 2] # x\n"),
        ("  a: [] # x\n", ("add", "spec/a/-", 3), "  a: # x\n  - 3\n"),
        ("  a:\n  - 1\n  -\n", ("add", "spec/a/-", 3), "  a:\n  - 1\n  -\n  - 3\n"),
        ("  a:\n  - 1\n  - # none\n", ("replace", "spec/a/1", 3), "  a:\n  - 1\n  - 3 # none\n"),
        ("  a:\n  - 1\n", ("add", "spec/a/-", [1, [2]]), "  a:\n  - 1\n  - - 1\n    - - 2\n"),
        ("  a:\n  - |\n    x\n", ("add", "spec/a/-", "z"), "  a:\n  - |\n    x\n  - z\n"),
    ],
)
def test_items_are_added_as_their_siblings_are(
    before: str, step: tuple[Any, ...], after: str
) -> None:
    """Indented under the key or not, in brackets or not."""
    assert edited(spec(before), step) == spec(after)


@pytest.mark.parametrize(
    ("before", "step", "after"),
    [
        ("  a: 1\n  b: 2 # why\n  c: 3\n", ("remove", "spec/b"), "  a: 1\n  c: 3\n"),
        ("  a: 1\n  b: 2", ("remove", "spec/b"), "  a: 1"),
        ("  a:\n    b: 1\n    c: 2\n", ("remove", "spec/a/c"), "  a:\n    b: 1\n"),
        ("  a: 1\n  b: # why\n    c: 2\n  # d\n", ("remove", "spec/b"), "  a: 1\n  # d\n"),
        ("  a: # why\n    b: 1 # one\n  c: 2\n", ("remove", "spec/a/b"), "  a: {} # why\n  c: 2\n"),
        ("  - a: 1\n    b: 2\n", ("remove", "spec/0/a"), "  - b: 2\n"),
        ("  - a: 1\n    # two\n    b: 2\n", ("remove", "spec/0/a"), "  - # two\n    b: 2\n"),
        ("  - a: 1\n    b: 2\n", ("remove", "spec/0/b"), "  - a: 1\n"),
        ("  - a: 1\n  - b: 2\n", ("remove", "spec/0"), "  - b: 2\n"),
        ("  - a: 1\n  - b: 2\n  - c: 3\n", ("remove", "spec/1"), "  - a: 1\n  - c: 3\n"),
        ("  - - 1\n    - 2\n", ("remove", "spec/0/0"), "  - - 2\n"),
        ("  a:\n  - 1\n  b: 2\n", ("remove", "spec/a/0"), "  a: []\n  b: 2\n"),
        ("  a: {b: 1, c: 2, d: 3}\n", ("remove", "spec/a/b"), "  a: {c: 2, d: 3}\n"),
        ("  a: {b: 1, c: 2, d: 3}\n", ("remove", "spec/a/c"), "  a: {b: 1, d: 3}\n"),
        ("  a: {b: 1, c: 2, d: 3}\n", ("remove", "spec/a/d"), "  a: {b: 1, c: 2}\n"),
        ("  a: {b: 1} # x\n", ("remove", "spec/a/b"), "  a: {} # x\n"),
        ("  a: [1, [2], 3]\n", ("remove", "spec/a/1"), "  a: [1, 3]\n"),
        (
            "  a: {\n    b: 1, # one\n    c: 2 # two\n  }\n",
            ("remove", "spec/a/c"),
            "  a: {\n    b: 1 # one # two\n  }\n",
        ),
        ("  a: |+\n    x\n\n  b: 1\n", ("remove", "spec/a"), "  b: 1\n"),
        ("  a: 1\n  a: 2\n  b: 3\n", ("remove", "spec/a"), "  b: 3\n"),
        ('  "a": 1\n  b: 3\n', ("remove", "spec/a"), "  b: 3\n"),
    ],
)
def test_what_is_removed_takes_its_lines_with_it(
    before: str, step: tuple[Any, ...], after: str
) -> None:
    """And the comment on them; all around it stays."""
    assert edited(spec(before), step) == spec(after)


def test_several_steps_go_together() -> None:
    """Each refers to what the ones before it left."""
    before = spec("  containers:\n  - name: a\n    image: x # y\n    args: [b, c]\n  - name: d\n")
    after = edited(
        before,
        ("add", "spec/containers/0/securityContext", {"privileged": False}),
        ("add", "spec/containers/0/securityContext/runAsUser", 1000),
        ("remove", "spec/containers/0/args/0"),
        ("add", "spec/containers/-", {"name": "e"}),
        ("remove", "spec/containers/1"),
        ("replace", "spec/containers/0/image", "z"),
    )
    assert after == spec(
        "  containers:\n  - name: a\n    image: z # y\n    args: [c]\n    securityContext:\n"
        "      privileged: false\n      runAsUser: 1000\n  - name: e\n"
    )


def test_line_ends_stay() -> None:
    """A file of Windows gets lines of Windows."""
    before = spec("  a:\n  - 1\n").replace("\n", "\r\n")
    after = edited(before, ("add", "spec/b", {"c": "1\n2\n"}), ("add", "spec/a/-", 2))
    expected = spec("  a:\n  - 1\n  - 2\n  b:\n    c: |\n      1\n      2\n")
    assert after == expected.replace("\n", "\r\n")


def test_a_byte_order_mark_stays() -> None:
    """It is no part of the first key."""
    before = "\ufeff" + HEAD
    assert edited(before, ("add", "spec", 1)) == "\ufeff" + HEAD + "spec: 1\n"


def test_only_the_object_changes() -> None:
    """Other documents and items of the file stay as they are."""
    other = HEAD.replace("name: a", "name: b")
    text = f"# top\n{HEAD}---\n# two\n{other}--- # three\n{HEAD}"
    expected = f"# top\n{HEAD}---\n# two\n{other}spec: 1\n--- # three\n{HEAD}"
    assert edited(text, ("add", "spec", 1), index=1) == expected


LIST = """\
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Pod
  metadata: {name: a}
# the second
- apiVersion: v1
  kind: Pod
  metadata: {name: b}
"""


def test_items_of_a_list_are_objects() -> None:
    """An edit of one leaves the others alone."""
    expected = LIST.replace("{name: b}", "{name: b}\n  spec: {}")
    assert edited(LIST, ("add", "spec", {}), index=1) == expected
    typed = "apiVersion: v1\nkind: PodList\nitems:\n- metadata: {name: a}\n"
    assert edited(typed, ("add", "spec", 1)) == typed + "  spec: 1\n"


SPREAD = """\
{
  "a": {
    "b": 1,
    "c": {
      "d": [
        1
      ],
      "e": {}
    }
  }
}"""


@pytest.mark.parametrize(
    ("before", "step", "after"),
    [
        (
            '{\n  "a": {\n    "b": 1\n  }\n}',
            ("add", "a/c", {"d": [1], "e": {}}),
            SPREAD,
        ),
        ('{\n\t"a": [\n\t\t1\n\t]\n}', ("add", "a/-", 2), '{\n\t"a": [\n\t\t1,\n\t\t2\n\t]\n}'),
        ('{"a":{"b":1}}', ("add", "a/c", [1, 2]), '{"a":{"b":1,"c":[1,2]}}'),
        ('{"a": 1, "b": 2}', ("remove", "a"), '{"b": 2}'),
        ('{"a": "\\ud83d\\ude00"}', ("add", "b", "é\n"), '{"a": "\\ud83d\\ude00", "b": "é\\n"}'),
        ('{"a": {}}', ("add", "a/b", 1), '{"a": {"b": 1}}'),
        ('{\n  "a": {}\n}', ("add", "a/b", 1), '{\n  "a": {\n    "b": 1\n  }\n}'),
        ('{\n  "a": 1,\n  "b": 2\n}', ("remove", "b"), '{\n  "a": 1\n}'),
        ('{\n  "a": 1,\n  "b": 2\n}', ("remove", "a"), '{\n  "b": 2\n}'),
        ('{"a": [1, 2]}', ("replace", "a", None), '{"a": null}'),
        ('{"a": "x"}', ("replace", "a", "yes"), '{"a": "yes"}'),
    ],
)
def test_json_stays_json(before: str, step: tuple[Any, ...], after: str) -> None:
    """With the indentation that it has."""
    (document,) = documents("f.json", before + "\n")
    assert isinstance(document, Document)
    assert document.is_json
    resource = Resource(Ref("v1", "Pod", "", "a"), document.value, Origin("f.json", document))
    found = edits(resource, operations([step]))
    verify(resource, found, applied(document.value, operations([step])))
    assert apply(document.text, found) == after + "\n"


@pytest.mark.parametrize(
    ("text", "step", "why"),
    [
        ("  a: &x {b: 1}\n  c: *x\n", ("add", "spec/c/d", 1), "which other places use"),
        ("  a: &x {b: 1}\n  c: *x\n", ("add", "spec/a/d", 1), "would change with it"),
        ("  a: &x {b: {c: 1}}\n  c: *x\n", ("add", "spec/a/b/d", 1), "would change with it"),
        ("  a: &x {b: 1}\n  c:\n    <<: *x\n    d: 1\n", ("remove", "spec/c/b"), "from '<<'"),
        ("  ? a\n  : b: 1\n", ("replace", "spec/a", 1), "unusual"),
        ("  a: &x 1\n  c: *x\n", ("replace", "spec/a", 2), "would change with it"),
    ],
)
def test_what_would_change_other_places_is_refused(
    text: str, step: tuple[Any, ...], why: str
) -> None:
    """Better no edit than a surprise."""
    with pytest.raises(CannotEditError, match=why):
        edited(spec(text), step)


def test_an_alias_of_a_value_is_replaced_by_a_value() -> None:
    """Only this place changes; a merged key is overridden beside the merge."""
    assert edited(spec("  a: &x 1\n  b: *x\n"), ("replace", "spec/b", 2)) == spec(
        "  a: &x 1\n  b: 2\n"
    )
    assert edited(
        spec("  a: &x {b: 1}\n  c:\n    <<: *x # all\n"), ("replace", "spec/c/b", 2)
    ) == spec("  a: &x {b: 1}\n  c:\n    <<: *x # all\n    b: 2\n")


def test_files_that_are_no_utf_8_are_left_alone() -> None:
    """They could not be written back as they were."""
    (document,) = documents("f", HEAD, rewritable=False)
    assert isinstance(document, Document)
    (resource,) = objects_of(document)
    assert isinstance(resource, Resource)
    with pytest.raises(CannotEditError, match="is not UTF-8"):
        edits(resource, [Operation("add", ("spec",), 1)])


NEW: Manifest = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "new"}}
NEW_TEXT = "apiVersion: v1\nkind: Service\nmetadata:\n  name: new\n"


@pytest.mark.parametrize(
    ("before", "after", "index"),
    [
        ("# about a\nA", "N---\n# about a\nA", 0),
        ("\ufeffA", "\ufeffN---\nA", 0),
        ("---\n# about a\nA", "---\nN---\n# about a\nA", 0),
        ("# license\n---\nA", "# license\n---\nN---\nA", 0),
        ("A---\n# b\nB", "A---\nN---\n# b\nB", 1),
        ("A--- # b\nB", "A---\nN--- # b\nB", 1),
        ("A...\nB", "A...\nN---\nB", 1),
        ("A... # end\nB", "A... # end\nN---\nB", 1),
        ("%YAML 1.1\n---\nA", "---\nN...\n%YAML 1.1\n---\nA", 0),
        ("A...\n%YAML 1.1\n---\nB", "A...\n---\nN...\n%YAML 1.1\n---\nB", 1),
        ("A---\n# nothing\n---\nB", "A---\n# nothing\n---\nN---\nB", 1),
    ],
)
def test_a_new_document_stands_before_its_neighbour(before: str, after: str, index: int) -> None:
    """With what parts it from both, and the neighbour's comments left to it."""
    names = {"A": HEAD, "B": HEAD.replace("name: a", "name: b"), "N": NEW_TEXT}

    def whole(short: str) -> str:
        return "".join(
            names.get(sign, sign) if short[at - 1 : at] != "Y" else sign
            for at, sign in enumerate(short)
        )

    for newline in ("\n", "\r\n"):
        text, expected = whole(before).replace("\n", newline), whole(after).replace("\n", newline)
        new = apply(text, [insert_document(objects(text)[index], NEW)])
        assert new == expected
        found = [r.manifest for r in objects(new)]
        assert NEW in found
        assert len(found) == len(objects(text)) + 1


def test_a_new_object_in_a_list_is_an_item() -> None:
    """Before the item that it belongs to."""
    new = apply(LIST, [insert_document(objects(LIST)[1], NEW)])
    assert [r.ref.name for r in objects(new)] == ["a", "new", "b"]
    text = '{"apiVersion": "v1", "kind": "List", "items": [%s]}'
    pod = '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}'
    new = apply(text % pod, [insert_document(objects(text % pod)[0], NEW)])
    assert [r.ref.name for r in objects(new)] == ["new", "a"]
    with pytest.raises(CannotEditError, match="one object"):
        insert_document(objects(pod)[0], NEW)


def test_edits_are_applied_together() -> None:
    """The same one counts once, insertions keep their order, overlapping ones are refused."""

    def edit(start: int, end: int, text: str) -> TextEdit:
        return TextEdit("f", Span(1, start, 1, end), text)

    assert apply("abc", [edit(3, 4, "z"), edit(1, 2, "x"), edit(1, 2, "x")]) == "xbz"
    assert apply("abc", [edit(2, 2, "1"), edit(2, 2, "2"), edit(2, 3, "")]) == "a12c"
    with pytest.raises(CannotEditError, match="overlap"):
        apply("abc", [edit(1, 3, "x"), edit(2, 3, "y")])


def test_a_wrong_edit_is_found_out() -> None:
    """Whatever it does: another value, a broken text, a second document, another document."""
    text = f"{HEAD}---\n{HEAD}"
    resource = objects(text)[0]
    for span, new in [
        (Span(4, 9, 4, 10), "b"),
        (Span(4, 9, 4, 10), "[b"),
        (Span(4, 9, 4, 10), "a\n---\n" + HEAD.rstrip()),
        (Span(4, 10, 5, 1), ""),
        (Span(8, 9, 8, 10), "b"),
    ]:
        with pytest.raises(CannotEditError):
            verify(resource, [TextEdit("f.yaml", span, new)], resource.manifest)
    verify(resource, [], resource.manifest)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a\nb\nc\n", "a\nx\nc\n"),
        ("a\r\nb\r\n", "a\r\nb\r\nc\r\n"),
        ("a\nb", "a\nb\nc"),
        ("a\nb", "a\nb\n"),
        ("a\nb\n", "a\nb"),
        ("a\u2028b\x0c\nc\n", "a\u2028b\x0c\nd\n"),
        ("\ufeffa\n", "\ufeffb\n"),
        ("x\n" * 50 + "a\n" + "x\n" * 50, "y\n" + "x\n" * 50 + "b\n" + "x\n" * 50),
    ],
)
@pytest.mark.parametrize("name", ["a.yaml", 'a folder/it\'s a "file".yaml', "größe.yaml", "a\tb"])
def test_git_takes_the_diff(tmp_path: Path, before: str, after: str, name: str) -> None:
    """What we show can be applied, byte for byte."""
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(before.encode())
    diff = unified_diff(name, before, after)
    command = ["git", "apply", "--whitespace=nowarn", "-"]
    done = subprocess.run(
        command, input=diff.encode(), cwd=tmp_path, capture_output=True, check=False
    )
    assert done.stderr.decode() == ""
    assert file.read_bytes() == after.encode()


def test_no_difference_is_no_diff() -> None:
    """Nothing to show."""
    assert unified_diff("a", "x\n", "x\n") == ""
