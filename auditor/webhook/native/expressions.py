"""Makes of a form the CEL of one ValidatingAdmissionPolicy: its variables, for the object as it
would be and as it was.

A form speaks of one object. Here each of its names becomes a variable of the policy, and a second
one, with ``old_`` before it, for what the object was before an update: only faults that there are
more of than before count, as in admission by the webhook.

Names that every form may use, beside those of ``let``:

    object       the object; no name of its old state is needed, that is what this module adds
    pod          the pod specification, wherever the kind keeps it; {} where there is none
    annotations  those of the pods
    containers   every container of every list: {list, name, spec, security}
    kubernetes   the version judged for, 100 × major + minor
    parameters   what the policy was declared
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from auditor.errors import PolicyError
from auditor.facts.workloads import CONTAINER_LISTS, TEMPLATES
from auditor.model import Path
from auditor.values import dataclass
from auditor.webhook.native.forms import Form, Loop, Rule

TOKEN = re.compile(r"""r?'(?:[^'\\]|\\.)*'|r?"(?:[^"\\]|\\.)*"|\.\??\s*[A-Za-z_]\w*|[A-Za-z_]\w*""")
OBJECT = "object"
MACRO = re.compile(r"\.(?:all|exists|exists_one|filter|map)\(\s*([A-Za-z_]\w*)\s*,")
"""A call that names each of a list."""
MARK, SEPARATOR = "'='", r"'\n'"
"""Before and between the anchors of inner loops, while they are put into one list."""
FLAT = (
    f".join({SEPARATOR}).split({SEPARATOR})"
    ".filter(anchor, anchor != '').map(anchor, anchor.substring(1))"
)


@dataclass(frozen=True, slots=True)
class Judgement:
    """A form, for one version and one set of kinds."""

    variables: tuple[tuple[str, str], ...]
    """Name and CEL, each after those that it uses. The last one is `added`: the anchors of the
    faults that the request adds."""
    anchored: bool
    """Whether anchors say anything: they are all empty where a fault is of the whole object."""


@dataclass(frozen=True, slots=True)
class Asked:
    """For whom a form is written out."""

    kinds: tuple[tuple[str, str], ...]
    """API groups and kinds of the objects."""
    kubernetes: int
    """100 × major + minor."""
    parameters: Mapping[str, Any]
    waived: str
    """CEL: whether the fault called `anchor` is waived; empty where none is."""


def judgement(form: Form, asked: Asked) -> Judgement | None:
    """The form as CEL; None where nothing is asked for the version.

    Raises:
        PolicyError: a loop takes the name of a definition, or definitions go in a circle.
    """
    rules = [rule for rule in form.rules if rule.holds_at(asked.kubernetes)]
    if not rules:
        return None
    builtin = _builtin(asked.kinds, asked.parameters)
    _check_names(form, rules, builtin)
    known = builtin | dict(form.definitions)
    names = _Names(form.file, known, asked.kubernetes)
    found = " + ".join(map(_found, rules))
    if asked.waived:
        found = f"({found}).filter(anchor, !({asked.waived}))"
    before = f"oldObject == null ? [] : {names.as_it_was(found)}"
    variables = (
        *names.variables(found),
        ("found", names.as_it_is(found)),
        ("before", before),
        ("added", ADDED),
    )
    return Judgement(variables, any(rule.anchor != "''" for rule in rules))


ADDED = (
    "oldObject == null ? variables.found : variables.found.filter(one, "
    "variables.found.filter(other, other == one).size() > "
    "variables.before.filter(other, other == one).size())"
)
"""Of several faults with one anchor, one more than before is new."""


def _builtin(kinds: Iterable[tuple[str, str]], parameters: Mapping[str, Any]) -> dict[str, str]:
    return {
        "template": _template(kinds),
        "pod": "template.?spec.orValue({})",
        "annotations": "template.?metadata.?annotations.orValue({})",
        "containers": " + ".join(map(_containers, CONTAINER_LISTS)),
        "parameters": json.dumps(dict(parameters), sort_keys=True, ensure_ascii=False),
    }


def _template(kinds: Iterable[tuple[str, str]]) -> str:
    """Where each of these kinds keeps its pods; the way of most comes last."""
    ways: dict[Path, list[str]] = {}
    for group, kind in kinds:
        if (group, kind) in TEMPLATES:
            ways.setdefault(TEMPLATES[group, kind], []).append(kind)
    if not ways:
        return "{}"
    *others, (last, _) = sorted(ways.items(), key=lambda way: len(way[1]))
    cases = [f"{_is_one_of(kinds)} ? {_at(path)} : " for path, kinds in others]
    return "".join([*cases, _at(last)])


def _at(path: Path) -> str:
    return OBJECT + "".join(f".?{step}" for step in path) + (".orValue({})" if path else "")


def _containers(field: str) -> str:
    return (
        f"pod.?{field}.orValue([]).map(each, {{"
        f"'list': dyn('{field}'), 'name': each.?name.orValue(''), "
        "'spec': each, 'security': each.?securityContext.orValue({})})"
    )


def _is_one_of(kinds: Iterable[str]) -> str:
    return " || ".join(f"{OBJECT}.kind == '{kind}'" for kind in kinds)


def _check_names(form: Form, rules: Iterable[Rule], builtin: Mapping[str, str]) -> None:
    """Every name means one thing.

    Raises:
        PolicyError: one is taken.
    """
    taken = {*builtin, OBJECT, "anchor", "oldObject", "variables", "kubernetes"}
    if twice := taken & form.definitions.keys():
        raise PolicyError(f"{form.file}: let: every form has it already: {_listed(twice)}")
    loops = {loop.name for rule in rules for loop in rule.loops}
    texts = [text for rule in rules for text in (rule.when, rule.anchor)]
    each = {name for text in (*texts, *form.definitions.values()) for name in MACRO.findall(text)}
    if twice := (loops | each) & {*taken, *form.definitions}:
        raise PolicyError(
            f"{form.file}: the name is taken, and no loop can have it: {_listed(twice)}"
        )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _found(rule: Rule) -> str:
    """The list of the anchors of what a rule finds."""
    if not rule.loops:
        return f"({rule.when} ? [{rule.anchor}] : [])"
    *outer, inner = rule.loops
    # CEL makes no flat list of lists: the anchors are joined to a text and taken apart again. What
    # stands before each tells one that is empty from none.
    anchor = f"{MARK} + {rule.anchor}" if outer else rule.anchor
    found = f"{_list(inner)}.filter({inner.name}, {rule.when}).map({inner.name}, {anchor})"
    for loop in reversed(outer):
        found = f"{_list(loop)}.map({loop.name}, {found}.join({SEPARATOR}))"
    return f"{found}{FLAT}" if outer else found


def _list(loop: Loop) -> str:
    simple = re.fullmatch(r"[\w.?()\[\]', {}]+", loop.items)
    return loop.items if simple else f"({loop.items})"


class _Names:
    """What the names in a form stand for."""

    def __init__(self, file: str, known: Mapping[str, str], kubernetes: int) -> None:
        self._file = file
        self._known = known
        self._kubernetes = kubernetes
        self._order = tuple(self._sorted())
        self._changing = self._of_the_object()

    def variables(self, expression: str) -> Iterator[tuple[str, str]]:
        """The definitions that an expression needs, each after those that it needs itself."""
        needed = self._needed(expression)
        for name in self._order:
            if name in needed:
                yield name, self.as_it_is(self._known[name])
        for name in self._order:
            if name in needed & self._changing:
                yield f"old_{name}", self.as_it_was(self._known[name])

    def as_it_is(self, expression: str) -> str:
        """The expression over the object as it would be."""
        return TOKEN.sub(lambda match: self._said(match[0], OBJECT, ""), expression)

    def as_it_was(self, expression: str) -> str:
        """The expression over the object until now."""
        return TOKEN.sub(lambda match: self._said(match[0], "oldObject", "old_"), expression)

    def _said(self, token: str, root: str, prefix: str) -> str:
        if token == OBJECT:
            return f"dyn({root})"  # else the server warns of fields that other kinds have not
        if token == "kubernetes":  # noqa: S105
            return str(self._kubernetes)
        if token not in self._known:
            return token
        return f"variables.{prefix if token in self._changing else ''}{token}"

    def _used(self, expression: str) -> set[str]:
        return {token for token in TOKEN.findall(expression) if token in self._known}

    def _needed(self, expression: str) -> set[str]:
        found, left = set[str](), self._used(expression)
        while left:
            found |= left
            left = {name for each in left for name in self._used(self._known[each])} - found
        return found

    def _sorted(self) -> Iterator[str]:
        left = dict(self._known)
        while left:
            ready = [name for name, text in left.items() if not self._used(text) & left.keys()]
            if not ready:
                circle = ", ".join(sorted(left))
                raise PolicyError(f"{self._file}: let: defined in a circle: {circle}")
            yield from ready
            left = {name: text for name, text in left.items() if name not in ready}

    def _of_the_object(self) -> set[str]:
        changing: set[str] = set()
        for name in self._order:
            text = self._known[name]
            if OBJECT in TOKEN.findall(text) or self._used(text) & changing:
                changing.add(name)
        return changing
