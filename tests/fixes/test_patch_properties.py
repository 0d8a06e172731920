"""Whatever the file looks like and whatever is to be changed: only that changes."""

from __future__ import annotations

import json
import random
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from auditor.fixes.compare import same
from auditor.fixes.operations import applied
from auditor.fixes.patch import apply, edits, insert_document, verify
from auditor.model import Operation, Origin, Ref, Resource
from auditor.sources.yaml import Document, documents

from .strategies import MANIFESTS, SCALARS, Writer, at, places, steps

_SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


def read(text: str) -> list[Document]:
    """The documents, all of which can be read."""
    found = list(documents("f", text))
    whole = [document for document in found if isinstance(document, Document)]
    assert len(whole) == len(found), text
    return whole


def resource_of(document: Document) -> Resource:
    """A document as an object; what it says does not matter here."""
    ref = Ref("v1", "Pod", "", "a")
    return Resource(ref, document.value, Origin("f", document))


@st.composite
def files(draw: st.DrawFn) -> tuple[str, list[dict[str, Any]]]:
    """A file of several documents, and what each of them says."""
    values = draw(st.lists(MANIFESTS, min_size=1, max_size=3))
    chance = random.Random(draw(st.integers(0, 2**32)))  # noqa: S311 - it is no secret
    parts = [Writer(chance).document(value) for value in values]
    marker = chance.choice(("---\n", "--- # next\n", "---  \n", "\n---\n\n"))
    text = chance.choice(("", "---\n", "# head\n\n---\n", "\ufeff")) + marker.join(parts)
    text = text.removesuffix("\n") if chance.random() < 0.2 and not text.endswith("\n\n") else text
    return text.replace("\n", "\r\n") if chance.random() < 0.3 else text, values


@settings(suppress_health_check=_SLOW, deadline=None, max_examples=150)
@given(files())
def test_the_files_are_what_they_should_be(file: tuple[str, list[dict[str, Any]]]) -> None:
    """Otherwise the tests below would say nothing."""
    text, values = file
    assert same([document.value for document in read(text)], values), text


@settings(suppress_health_check=_SLOW, deadline=None, max_examples=400)
@given(files(), st.data())
def test_the_edited_file_says_what_it_should(
    file: tuple[str, list[dict[str, Any]]], data: st.DataObject
) -> None:
    """Every step can be written, and every other document stays byte for byte."""
    text, _ = file
    found = read(text)
    index = data.draw(st.integers(0, len(found) - 1))
    resource = resource_of(found[index])
    value: Any = resource.manifest
    wanted: list[Operation] = []
    for _ in range(data.draw(st.integers(1, 3))):
        wanted.append(data.draw(steps(value)))
        value = applied(value, wanted[-1:])
    assume(value)
    made = edits(resource, wanted)
    verify(resource, made, value)
    after = read(apply(text, made))
    assert same([d.value for d in after], [value if d is found[index] else d.value for d in found])
    for position, document in enumerate(found):
        if position != index:
            now = after[position]
            assert now.text[now.start : now.end] == document.text[document.start : document.end]


@settings(suppress_health_check=_SLOW, deadline=None, max_examples=300)
@given(files(), st.data(), SCALARS)
def test_all_else_on_other_lines_stays(
    file: tuple[str, list[dict[str, Any]]], data: st.DataObject, new: Any
) -> None:
    """Replacing a scalar leaves every comment and every line that does not hold it."""
    text, _ = file
    resource = resource_of(read(text)[0])
    scalars = [
        p
        for p in places(resource.manifest)
        if not isinstance(at(resource.manifest, p), dict | list)
    ]
    assume(scalars)
    path = data.draw(st.sampled_from(scalars))
    span = resource.origin.span(path)
    after = apply(text, edits(resource, [Operation("replace", path, new)])).split("\n")
    before = text.split("\n")
    assert after[: span.line - 1] == before[: span.line - 1]
    rest = before[span.end_line :]
    assert not rest or after[-len(rest) :] == rest
    assert _comments("\n".join(after)) == _comments(text)


@settings(suppress_health_check=_SLOW, deadline=None, max_examples=300)
@given(files(), st.data(), SCALARS)
def test_adding_takes_nothing_away(
    file: tuple[str, list[dict[str, Any]]], data: st.DataObject, new: Any
) -> None:
    """Every line is still there, or has only grown; every comment as well."""
    text, _ = file
    resource = resource_of(read(text)[0])
    mappings = [p for p in places(resource.manifest) if isinstance(at(resource.manifest, p), dict)]
    path = data.draw(st.sampled_from(mappings))
    assume(at(resource.manifest, path))
    made = edits(resource, [Operation("add", (*path, "new"), new)])
    assert all(edit.span.line == edit.span.end_line for edit in made)
    assert all(edit.span.column == edit.span.end_column for edit in made)
    assert _comments(apply(text, made)) == _comments(text)


@settings(suppress_health_check=_SLOW, deadline=None, max_examples=200)
@given(files(), st.integers(0, 2))
def test_a_new_document_changes_no_other(
    file: tuple[str, list[dict[str, Any]]], index: int
) -> None:
    """It comes just before its neighbour."""
    text, _ = file
    found = read(text)
    assume(index < len(found))
    new = {"kind": "New", "data": {"a": "b\n"}}
    edit = insert_document(resource_of(found[index]), new)
    after = [document.value for document in read(apply(text, [edit]))]
    before = [document.value for document in found]
    assert same(after, [*before[:index], new, *before[index:]])


@settings(suppress_health_check=_SLOW, deadline=None, max_examples=200)
@given(MANIFESTS, st.data(), st.sampled_from([None, 2, "\t"]))
def test_json_stays_json(
    value: dict[str, Any], data: st.DataObject, indent: int | str | None
) -> None:
    """Written again by a program, it would look the same."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    resource = resource_of(read(text)[0])
    step = data.draw(steps(value))
    wanted = applied(value, [step])
    after = apply(text, edits(resource, [step]))
    assert same(json.loads(after), wanted)
    if indent:
        assert after == json.dumps(json.loads(after), indent=indent, ensure_ascii=False)


def _comments(text: str) -> list[str]:
    return re.findall(r"# comment \d+", text)


@settings(suppress_health_check=_SLOW, deadline=None, max_examples=200)
@given(st.lists(MANIFESTS, min_size=1, max_size=4), st.integers(0, 2**32), st.data())
def test_items_of_a_large_list_are_edited_one_by_one(
    items: list[dict[str, Any]], seed: int, data: st.DataObject
) -> None:
    """With the same places and the same edits as if the whole document was looked at."""
    chance = random.Random(seed)  # noqa: S311 - it is no secret
    text = Writer(chance).document({"kind": "List", "items": items, "name": "web"})
    text = text.replace("\n", "\r\n") if chance.random() < 0.3 else text
    (document,) = read(text)
    index = data.draw(st.integers(0, len(items) - 1))
    step = data.draw(steps(items[index]))
    wanted = applied(items[index], [step])
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("auditor.sources.yaml.LARGE", 0)
        (large,) = read(text)
        prefix = ("items", index)
        for path in places(items[index]):
            if path:
                assert large.span(prefix + path) == document.span(prefix + path)
        resource = Resource(Ref("v1", "Pod", "", "a"), items[index], Origin("f", large, prefix))
        made = edits(resource, [step])
        verify(resource, made, wanted)
    (after,) = read(apply(text, made))
    assert same(after.value["items"], [*items[:index], wanted, *items[index + 1 :]])
