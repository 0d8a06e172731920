"""Makes mutants of a Rego module: its text with one thing changed."""

from __future__ import annotations

import base64
import json
import re
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
_NOTHING = '"(nothing)"'
"""What no object says, not even in part: in its place in a list, an element is as good as gone."""
_ELSE = re.compile(r"\Aelse := (?P<value>.+?) if (?P<condition>[^{\n]+)$", re.MULTILINE)


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
        for other in _elses(rule):
            yield from _otherwise(file, text, other)
        for listed in _looped(rule):
            yield _put(file, text, listed, "[]", f"nothing in: {_shown(listed)}")
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


def _elses(rule: Node) -> Iterator[Node]:
    while "else" in rule:
        rule = rule["else"]
        yield rule


def _otherwise(file: Path, text: str, other: Node) -> Iterator[Mutant]:
    """Without an ``else`` and what follows it, and its condition changed where that stands on the
    same line: there the parser tells no place of it.
    """
    said = _text(other)
    yield _put(file, text, other, "", f"else dropped: {_shown(other)}")
    found = _ELSE.match(said)
    if found:
        value, condition, rest = found["value"], found["condition"], said[found.end() :]
        without = condition.removeprefix("not ")
        opposite = without if without != condition else f"not {condition}"
        yield _put(file, text, other, f"else := {value}{rest}", f"dropped: {condition}")
        changed = f"else := {value} if {opposite}{rest}"
        yield _put(file, text, other, changed, f"negated: {condition}")


def _looped(node: Any) -> Iterator[Node]:
    """Whatever is gone through below `node`: ``xs`` of ``some x in xs`` and ``every x in xs``."""
    if isinstance(node, dict):
        terms = node.get("terms")
        if isinstance(terms, dict) and "symbols" in terms:
            yield from (call["value"][-1] for call in terms["symbols"] if call["type"] == "call")
        elif isinstance(terms, dict) and "domain" in terms:
            yield terms["domain"]
        for inside in node.values():
            yield from _looped(inside)
    elif isinstance(node, list):
        for inside in node:
            yield from _looped(inside)


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
    if said.strip() == "true" or said.startswith("else "):
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
    return _put(file, text, rule, "", f"rule dropped: {_shown(rule)}")


def _put(file: Path, text: str, node: Node, new: str, what: str) -> Mutant:
    row, column = node["location"]["row"], node["location"]["col"]
    lines = text.encode().splitlines(keepends=True)
    start = sum(map(len, lines[: row - 1])) + column - 1
    old = _text(node).encode()
    data = text.encode()
    if data[start - 1 : start] == b"(" == old[:1]:  # of what is in brackets it tells the inside
        start -= 1
    assert data[start : start + len(old)] == old, (file, row, column)
    changed = data[:start] + new.encode() + data[start + len(old) :]
    return Mutant(str(file), row, what, changed.decode())


def _shown(node: Node) -> str:
    return " ".join(_text(node).split())[:100]


def _text(node: Node) -> str:
    return base64.b64decode(node["location"]["text"]).decode()
