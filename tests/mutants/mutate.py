"""Makes mutants of a Rego module: its text with one thing changed."""

from __future__ import annotations

import base64
import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Node = dict[str, Any]

_OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_NEAR = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
_DECLARES = ("assign", "unify", "eq")
_LISTS = ("containers", "initContainers", "ephemeralContainers")
_NOTHING = '"-"'
"""What no object says: in its place in a list, an element is as good as gone."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A module with one thing changed."""

    file: str
    line: int
    what: str
    """What was done to which text, on one line: ``dropped: is_array(pod.volumes)``."""
    text: str


def mutants(file: Path, text: str, opa: Path) -> Iterator[Mutant]:
    """Every mutant of the module `text`."""
    rules = _parsed(file, opa).get("rules", [])
    names = Counter(rule["head"].get("name") for rule in rules)
    for rule in rules:
        if names[rule["head"].get("name")] > 1:
            yield _without_rule(file, text, rule)
        for expression in _expressions(rule):
            yield from _changed(file, text, expression)
        for element in _elements(rule):
            shown = _text(element)
            yield _put(file, text, element, _NOTHING, f"left out: {shown}")


def without_list(file: Path, text: str, name: str) -> Mutant:
    """The library of workloads, blind for one list of containers; for all where `name` is "*"."""
    whole = "containers := input.workload.containers"
    assert whole in text
    dropped = (
        "[]" if name == "*" else f'[c | some c in input.workload.containers; c.list != "{name}"]'
    )
    line = text[: text.index(whole)].count("\n") + 1
    changed = text.replace(whole, f"containers := {dropped}", 1)
    return Mutant(str(file), line, f"left out: {name}", changed)


def lists() -> tuple[str, ...]:
    """The lists of containers that a pod has."""
    return _LISTS


def _parsed(file: Path, opa: Path) -> Node:
    command = (str(opa), "parse", "--format=json", "--json-include=locations,-comments", str(file))
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    parsed: Node = json.loads(done.stdout)
    return parsed


def _expressions(node: Any) -> Iterator[Node]:
    """Every condition below `node`: in the bodies of rules, comprehensions and `every`."""
    if isinstance(node, dict):
        if "terms" in node and "location" in node and not node.get("generated"):
            yield node
        for inside in node.values():
            yield from _expressions(inside)
    elif isinstance(node, list):
        for inside in node:
            yield from _expressions(inside)


def _elements(rule: Node) -> Iterator[Node]:
    """Every element of the sets of texts, of the lists of texts that something is sought in, and of
    those that have a name of their own: they are what a standard, or we, count up.
    """
    value = rule["head"].get("value", {})
    if value.get("type") in ("array", "object"):
        yield from _texts(value)
    yield from _sought(rule)


def _sought(node: Any) -> Iterator[Node]:
    if isinstance(node, dict):
        if node.get("type") == "set":
            yield from _texts(node)
        for inside in node.values():
            yield from _sought(inside)
    elif isinstance(node, list):
        if _is_member(node) and node[-1].get("type") == "array":
            yield from _texts(node[-1])
        for inside in node:
            yield from _sought(inside)


def _is_member(terms: list[Any]) -> bool:
    """Whether they are those of ``x in xs``."""
    called = terms[0] if terms and isinstance(terms[0], dict) else {}
    return called.get("type") == "ref" and _text(called) == "in"


def _texts(literal: Node) -> Iterator[Node]:
    """The elements of a set or an array, or the keys of an object: where all of them are texts, and
    what stands at a key is none or a plain value.
    """
    pairs = literal["type"] == "object"
    keys = [pair[0] for pair in literal["value"]] if pairs else literal["value"]
    values = [pair[1] for pair in literal["value"]] if pairs else []
    if all(key["type"] == "string" for key in keys) and all(
        value["type"] in ("string", "number") for value in values
    ):
        yield from keys


def _changed(file: Path, text: str, expression: Node) -> Iterator[Mutant]:
    if _declares(expression):
        return
    said = _text(expression)
    shown = " ".join(said.split())
    if said.strip() == "true":
        return
    yield _put(file, text, expression, "true", f"dropped: {shown}")
    yield _put(file, text, expression, _negated(expression, said), f"negated: {shown}")
    for sign, near in _NEAR.items():
        if f" {sign} " in said and said.count(f" {sign} ") == 1:
            moved = said.replace(f" {sign} ", f" {near} ")
            yield _put(file, text, expression, moved, f"{near} for {sign}: {shown}")


def _declares(expression: Node) -> bool:
    """Whether other conditions need it for the names that it gives."""
    terms = expression["terms"]
    if isinstance(terms, dict):  # some x in xs, every
        return "symbols" in terms or "key" in terms
    head = terms[0].get("value") if isinstance(terms, list) else None
    return isinstance(head, list) and head[0].get("value") in _DECLARES


def _negated(expression: Node, said: str) -> str:
    if expression.get("negated"):
        return said.removeprefix("not").lstrip()
    for sign, opposite in _OPPOSITE.items():
        if said.count(f" {sign} ") == 1:
            return said.replace(f" {sign} ", f" {opposite} ")
    return f"not {said}"


def _without_rule(file: Path, text: str, rule: Node) -> Mutant:
    said = _text(rule)
    shown = " ".join(said.split())[:100]
    return _put(file, text, rule, "", f"rule dropped: {shown}")


def _put(file: Path, text: str, node: Node, new: str, what: str) -> Mutant:
    row, column = node["location"]["row"], node["location"]["col"]
    lines = text.encode().splitlines(keepends=True)
    start = sum(map(len, lines[: row - 1])) + column - 1
    old = _text(node).encode()
    data = text.encode()
    assert data[start : start + len(old)] == old, (file, row, column)
    changed = data[:start] + new.encode() + data[start + len(old) :]
    return Mutant(str(file), row, what, changed.decode())


def _text(node: Node) -> str:
    return base64.b64decode(node["location"]["text"]).decode()
