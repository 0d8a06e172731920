"""Documents come out of a file as kubectl would read them, and know where each field stands."""

from __future__ import annotations

import json
import textwrap
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.model import Path, Span
from auditor.sources.yaml import Broken, Document, documents


def read(text: str) -> list[Any]:
    """What the documents of a text say; the text of the problem for a broken one."""
    return [d.value if isinstance(d, Document) else d.problem.why for d in documents("f", text)]


def only(text: str) -> Document:
    """The one document of a text."""
    (document,) = documents("f", text)
    assert isinstance(document, Document)
    return document


def cut(text: str, path: Path) -> str:
    """What stands in the region of a path."""
    span = only(text).span(path)
    lines = text.split("\n")[span.line - 1 : span.end_line]
    lines[-1] = lines[-1][: span.end_column - 1]
    lines[0] = lines[0][span.column - 1 :]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\n---\nb: 2\n", [{"a": 1}, {"b": 2}]),
        ("a: 1\n--- # next\nb: 2\n", [{"a": 1}, {"b": 2}]),
        ("a: 1\n---   \nb: 2\n", [{"a": 1}, {"b": 2}]),
        ("a: 1\n---\t\nb: 2\n", [{"a": 1}, {"b": 2}]),
        ("a: 1\n--- {b: 2}\n", [{"a": 1}, {"b": 2}]),
        ("--- !!map {b: 2}\n", [{"b": 2}]),
        ("a: 1\r\n---\r\nb: 2\r\n", [{"a": 1}, {"b": 2}]),
        ("a: 1\n...\nb: 2\n", [{"a": 1}, {"b": 2}]),
        ("a: 1\n... # end\n---\nb: 2\n", [{"a": 1}, {"b": 2}]),
        ("%YAML 1.1\n---\na: 1\n...\n%TAG ! tag:x,2000:\n---\nb: 2\n", [{"a": 1}, {"b": 2}]),
        ("a: 1\n%YAML 1.1\n# why\n---\nb: 2\n", [{"a": 1}, {"b": 2}]),
        ("---\n---\n# nothing\n---\na: 1\n---\n", [{"a": 1}]),
        ("a: |\n  ---\n  b: 2\n", [{"a": "---\nb: 2\n"}]),
        ("a: |\n  x\n---\nb: 2", [{"a": "x\n"}, {"b": 2}]),
        ("a: 1\n---b: 2\n", [{"a": 1, "---b": 2}]),
        ("", []),
        ("\n\n# only a comment\n", []),
        ("null\n", []),
        ("\ufeffa: 1\n", [{"a": 1}]),
        ("a: 1\n---\n\ufeffb: 2\nc: 3\n", [{"a": 1}, {"b": 2, "c": 3}]),
        ("--- |\n  text\n---\na: 1\n", ["text\n", {"a": 1}]),
    ],
)
def test_documents_are_parted_at_markers(text: str, expected: Any) -> None:
    """A marker at the start of a line parts documents, whatever stands behind it."""
    assert read(text) == expected


def test_a_broken_document_leaves_the_others() -> None:
    """What cannot be read is named with its line; what stands around it is there."""
    first, broken, last = documents("f", "a: 1\n---\nb: 1\nc: [1\n---\nd: 1\n")
    assert isinstance(first, Document)
    assert isinstance(last, Document)
    assert (first.value, last.value) == ({"a": 1}, {"d": 1})
    assert isinstance(broken, Broken)
    assert broken.line in (4, 5)


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("a: 1\n\tb: 2\n", 2, "tab"),
        ("a: 1\nb: *x\n", 2, "nothing is called 'x'"),
        ("a: &x\n  - *x\n", 2, "contains itself"),
        ("a: 1\nb: .inf\n", 2, "no number that JSON can hold"),
        ("a: 1\n? [b]\n: c\n", 2, "a key is no text"),
        ("a: 1\n~: c\n", 2, "a key is null"),
        ("a: 1\n<<: 3\n", 2, "can only bring in mappings"),
        ("a: 1\nb: !!int x\n", 2, "tagged as int"),
        ("a: 1\nb: !!binary '*'\n", 2, "no base64"),
        ("ключ: 1\nb: \x07\n", 2, "control characters"),
        ("a: 1\nb: 'x\n", 3, "end of stream"),
        ("[" * 300 + "]" * 300, 1, "nested more than 200 deep"),
        ("[" * 20_000, 1, "nest"),
        ("- " * 20_000 + "a", 1, "nest"),
        ('{"a":' * 20_000 + "1" + "}" * 20_000, 1, "nest"),
    ],
)
def test_what_cannot_be_read_says_where_and_why(text: str, line: int, why: str) -> None:
    """Nobody should have to look for the mistake."""
    (broken,) = documents("f", text)
    assert isinstance(broken, Broken)
    assert why in broken.problem.why
    assert broken.line == line
    assert broken.span(("a",)).line == line


def test_aliases_cannot_stand_for_too_much() -> None:
    """A few lines of aliases to aliases would fill the memory (the billion laughs)."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    (broken,) = documents("f", "\n".join(lines))
    assert isinstance(broken, Broken)
    assert "stand for more than" in broken.problem.why


def test_aliases_cannot_nest_deeper_than_they_are_written() -> None:
    """Each level is shallow; what they stand for together is not."""
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} {'[' * 90}*a{n - 1}{']' * 90}" for n in range(1, 40)]
    (broken,) = documents("f", "\n".join(lines))
    assert isinstance(broken, Broken)
    assert "nested more than 200 deep" in broken.problem.why


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("a: |\n  x" + "\n" * 200_000 + "b: 1\n", 1),
        ("a: |\n  x" + "\n" * 200_000 + "  y\n", 1),
        ("%A x\n" * 50_000 + "---\na: 1\n", 1),
        ("# x\n%A x\n\n" * 50_000 + "a: 1\n", 1),
        ('{"a": 1}' * 50_000, 50_000),
        ("---\n" * 200_000, 0),
        ('{"a": 1, ' + '"b": 2, ' * 100_000 + '"c": 3}', 1),
        ("a: " + "9" * 100_000, 1),
        ('{"a": ' + "9" * 100_000 + "}", 1),
        ("? " * 5_000 + "a", 1),
        ("&a " * 50_000, 1),
        ("a: " + "[" * 150 + "]" * 150 + "\n" + "---\n", 1),
    ],
)
def test_odd_files_take_no_odd_time(text: str, count: int) -> None:
    """What is read once for each of its parts would take hours here."""
    found = list(documents("f", text))
    assert len(found) == count
    for document in found[:1]:
        document.span(("a",))


def test_aliases_are_copies() -> None:
    """What an alias stands for can be changed without changing the other place."""
    value = only("a: &x {b: [1]}\nc: *x\n").value
    value["c"]["b"].append(2)
    assert value == {"a": {"b": [1]}, "c": {"b": [1, 2]}}


def test_a_key_that_stands_twice_is_reported() -> None:
    """The last one counts, as in kubectl; a reader may have looked at the first one."""
    document = only("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n")
    assert document.value == {"a": 1, "b": {"c": 3, "d": 2}}
    (problem,) = document.problems
    assert document.source.line(problem.offset) == 5
    assert "'c' stands twice" in problem.why


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": "\\ud83d\\ude00"}', {"a": "😀"}),
        ('{"a": "\\ud83d"}', {"a": "\ufffd"}),
        ('{\n\t"a": {\n\t\t"b": 1\n\t}\n}\n', {"a": {"b": 1}}),
        (
            '{"a": 1.0, "b": 1e3, "c": 123456789012345678901}',
            {"a": 1, "b": 1000, "c": 1.2345678901234568e20},
        ),
        ('{"a": true, "yes": "no"}', {"a": True, "yes": "no"}),
        ('{"a": 1, "a": 2}', {"a": 2}),
        ('{"a": yes}', {"a": True}),
        ('{"a": 1,}', {"a": 1}),
        ('--- \n{"a": 1}\n', {"a": 1}),
        ('{"a": 1} # all\n', {"a": 1}),
        ('{"a": NaN}', {"a": "NaN"}),
    ],
)
def test_json_is_read(text: str, expected: Any) -> None:
    """Also where it is not YAML, and where it is only nearly JSON."""
    assert read(text) == [expected]


def test_json_objects_may_follow_each_other() -> None:
    """As kubectl takes them; what follows and is broken does not hide them."""
    assert read('{"a": 1}\n{"b": 2}{"c": 3}')[:3] == [{"a": 1}, {"b": 2}, {"c": 3}]
    first, broken = documents("f", '{"a": 1}\n{"b": [}\n')
    assert isinstance(first, Document)
    assert isinstance(broken, Broken)
    assert broken.line == 2


YAML = """\
# deployments
kind: Deployment  # of the shop
spec:
  replicas: 3

  template:
    containers:
      - name: "web"
        ports: [80, {port: 443}]
        args:
        - -c
        - |
          echo 1

          echo 2

      # the last one
      - name: 日本😀  # why not
        env:
        stdin: &on true
        tty: *on

# end
"""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("kind",), "Deployment"),
        (("spec", "replicas"), "3"),
        (("spec", "template", "containers", 0, "name"), '"web"'),
        (("spec", "template", "containers", 0, "ports"), "[80, {port: 443}]"),
        (("spec", "template", "containers", 0, "ports", 1, "port"), "443"),
        (("spec", "template", "containers", 0, "args", 0), "-c"),
        (
            ("spec", "template", "containers", 0, "args", 1),
            "|\n          echo 1\n\n          echo 2",
        ),
        (("spec", "template", "containers", 1, "name"), "日本😀"),
        (("spec", "template", "containers", 1, "env"), "env:"),
        (("spec", "template", "containers", 1, "tty"), "*on"),
        (("spec", "template", "containers", 1, "stdin"), "&on true"),
        (("kind", "nothing", 1), "Deployment"),
        (
            ("spec", "template", "containers", 7),
            YAML[YAML.index("containers:") : YAML.index("\n\n# end")],
        ),
        (("spec", "nothing"), YAML[YAML.index("spec:") : YAML.index("\n\n# end")]),
    ],
)
def test_every_field_knows_its_place(path: Path, expected: str) -> None:
    """A scalar's region is what is written; a block begins with its key and ends before the
    comments and blank lines after it; a field that is not written is where its parent is.
    """
    assert cut(YAML, path) == expected


def test_places_count_from_the_start_of_the_file() -> None:
    """Lines and columns count from 1 and in characters, whatever stands before."""
    text = "\ufeff# 日本\r\n---\r\na: 1\r\n---\r\nb:\r\n  - 😀: x\r\n"
    second = list(documents("f", text))[1]
    assert second.span(("b", 0, "😀")) == Span(6, 8, 6, 9)


JSON = '{\n\t"kind": "😀",\n\t"list": [1, {"a": [], "b": "\\ud83d\\ude00"}],\n\t"a\\u0062": null\n}'


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("kind",), '"😀"'),
        (("list", 0), "1"),
        (("list", 1, "a"), "[]"),
        (("list", 1, "b"), '"\\ud83d\\ude00"'),
        (("ab",), "null"),
        (("nothing",), JSON),
    ],
)
def test_fields_of_json_know_their_place(path: Path, expected: str) -> None:
    """Also behind tabs and escapes."""
    assert cut(JSON, path) == expected


_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=8)
_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | _TEXT,
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(_TEXT, inside, max_size=3),
    max_leaves=10,
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(_TEXT, _VALUE, max_size=4), st.sampled_from([None, 1, "\t"]), st.booleans())
def test_all_json_is_read_with_its_places(
    value: dict[str, Any], indent: int | str | None, ascii_only: bool
) -> None:
    """What Python writes as JSON, we read as the same, and find each part where it is."""
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert read(text) == [value]
    for key, inner in value.items():
        if "\n" not in text:
            assert json.loads(cut(text, (key,))) == inner


def test_indented_texts_with_markers_are_texts() -> None:
    """Manifests inside of a ConfigMap are no documents of the file."""
    inner = "apiVersion: v1\n---\nkind: Pod\n"
    text = "kind: ConfigMap\ndata:\n  a.yaml: |\n" + textwrap.indent(inner, "    ")
    assert only(text).value["data"]["a.yaml"] == inner


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\n",
        "\n\n# first\n\na: 1\n",
        "---\na: 1\n",
        "--- # comment\n  # more\n\n  a: 1\n",
        "%YAML 1.1\n---\n# x\na: 1\n",
        "--- {a: 1}\n",
        "\ufeff# x\na: 1\n",
        "\r\n# x\r\n---\r\na: 1\r\n",
        "# a\nb: 1\n---\n# c\n\nd: 1\n--- # e\nf: 1\n",
        '{"a": 1}',
        '\n\n{"a": 1}\n',
    ],
)
def test_the_first_line_is_known_without_a_tree(text: str) -> None:
    """Comments, markers and directives stand before it."""
    for document in documents("x", text):
        assert isinstance(document, Document)
        assert document.first_line == document.line


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(["a: [1, {b: 2}]\n", "a: 1\na: 2\n", "a: [\n", "{a: {}}\n", "\n"])))
def test_documents_that_are_alike_are_read_each_in_its_place(chunks: list[str]) -> None:
    """In one file or in many: places are those of the file, and no value is shared."""
    text = "---\n".join(["# first\n", *chunks])
    found = list(documents("f", text))
    places = [
        number for number, line in enumerate(text.split("\n"), 1) if line[:1] in "a{" and line
    ]
    spans = [one.span(()).line for one in found if isinstance(one, Document)]
    assert set(spans) <= set(places)
    assert spans == sorted(set(spans))
    assert len(found) == sum(chunk != "\n" for chunk in chunks)
    problems = [p.offset for d in found if isinstance(d, Document) for p in d.problems]
    problems += [d.problem.offset for d in found if isinstance(d, Broken)]
    assert len(set(problems)) == len(problems)
    values = [one.value for one in found if isinstance(one, Document)]
    lists = [id(v["a"]) for v in values if isinstance(v["a"], list | dict)]
    assert len(set(lists)) == len(lists)


def test_what_is_changed_in_one_value_is_not_changed_in_the_next_file() -> None:
    """Files of one text have a value each."""
    text = "kind: Pod\nspec: {containers: [{name: app}]}\n"
    first, second = only(text), only(text)
    first.value["spec"]["containers"][0]["name"] = "other"
    assert second.value["spec"]["containers"][0]["name"] == "app"
    assert only(text).value["spec"]["containers"][0]["name"] == "app"
    assert first.uri == second.uri == "f"
