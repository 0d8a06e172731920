"""`auditor access who-can`: everybody who may do one thing, and by which binding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from auditor.cli.network.outputs import Forms, network_outputs
from auditor.cli.network.reading import Read, read_all, reading_options
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.cli.access.resources import Resources
    from auditor.cli.network.reading import State
    from auditor.facts.access.authorizer import Bound
    from auditor.facts.access.requests import Request
    from auditor.facts.access.subjects import Subject

OF_ONE = frozenset(("get", "update", "patch", "delete"))
"""The verbs by which a request is for one object."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """A subject that may do it."""

    subject: Subject
    bound: Bound
    rule: int
    """Which rule of the role."""
    names: tuple[str, ...] = ()
    """To these objects alone; () where it is to any, or to the one that was asked about."""

    @property
    def by_default(self) -> bool:
        """Whether an API server gives it by what it makes for itself."""
        from auditor.facts.access.holders import by_default, key_of

        return (self.bound.binding.ref.key, key_of(self.subject)) in by_default()


@dataclass(frozen=True, slots=True)
class Found:
    """What one state of the files, or the cluster, answers."""

    state: str
    allowed: tuple[Allowed, ...]
    doubts: tuple[str, ...]
    """What is not known of what was asked about."""


@click.command("who-can", short_help="Say who may do one thing.")
@click.argument("verb")
@click.argument("resource")
@reading_options
@click.option("--name", default="", metavar="NAME", help="To the object of this name.")
@click.option("--all", "defaults", is_flag=True, help="Those too to whom the API server gives it.")
@network_outputs("text", "json")
def who_can(verb: str, resource: str, read: Read, name: str, defaults: bool, outputs: Forms) -> int:
    """Say who may do VERB to RESOURCE by the roles and bindings in PATH, and which binding says so.

    RESOURCE is written as kubectl does: pods, pods/exec, deployments.apps, deployments.apps/scale;
    or a path of the API server, as /metrics. Without --namespace it is asked of every one, and each
    answer says where it holds; what is in no namespace, a RoleBinding does not give. JSON has those
    too to whom the API server gives it by what it makes for itself, with "default": true.

    Ends with 4 where something could not be read.
    """
    from auditor.cli.access.asking import say_blind
    from auditor.reporters.encoded import encoded

    _check_order(verb)
    spaces = read.scope.namespaces
    # They are what is asked about: what does not stand in one of them may give rights there.
    reading = read_all(replace(read, scope=replace(read.scope, namespaces=())))
    code, gaps = say_blind(reading)
    found = [_found(state, (verb, resource, name), spaces) for state in reading.states]
    _say_doubts(found)

    def rendered(form: str) -> str:
        if form == "json":
            states = list(map(_state, found))
            return encoded({"states": states, "gaps": gaps})
        return str(outputs.terminal.shown("".join(_text(found, defaults=defaults))))

    outputs.write(rendered)
    return code


def _found(state: State, asked: tuple[str, str, str], spaces: Sequence[str]) -> Found:
    from auditor.cli.access.resources import Resources
    from auditor.facts.access import Authorizer

    authorizer = Authorizer.of(state.snapshot, assume_defaults=True)
    resources = Resources.of(state.snapshot, authorizer.roles.values())
    request = _request(resources, *asked)
    allowed = (
        one
        for each in authorizer.bound
        if each.space is None or _is_in(each.space, spaces)
        for one in _allowed(each, request, resources)
    )
    doubts = (*_doubts(resources, request, asked), *_unknown(state, spaces))
    return Found(state.name, tuple(allowed), doubts)


def _unknown(state: State, spaces: Sequence[str]) -> Iterator[str]:
    """The namespaces that are asked about and that nothing is in."""
    from auditor.scope.territory import Territory
    from auditor.terms import Scope

    for gap in Territory(state.snapshot, Scope(namespaces=tuple(spaces))).idle():
        yield f"{gap.what.removesuffix(' of the scope')}: {gap.why}"


def _doubts(resources: Resources, request: Request, asked: tuple[str, str, str]) -> Iterator[str]:
    """Whoever mistypes a verb or a resource is not to read that nobody may do it."""
    from auditor.cli.access.resources import doubt, doubt_verb

    if (verb := resources.meant_verb(request.verb)) is not None:
        yield doubt_verb(asked[0], verb)
    if request.path is None and (resource := resources.meant(request)) is not None:
        yield doubt(asked[1], resource)


def _say_doubts(found: Sequence[Found]) -> None:
    """What is known in none of the states."""
    from auditor.cli.screen import say

    for each in found[0].doubts if found else ():
        if all(each in one.doubts for one in found):
            say(each, err=True)


def _check_order(verb: str) -> None:
    """Raises UsageError where a path was given for the verb, as other commands take it first."""
    from pathlib import Path

    from auditor.cli.access.resources import VERBS
    from auditor.errors import UsageError

    if verb not in VERBS and Path(verb).exists():
        raise UsageError(f"'{verb}' is a path: first comes the verb, then the resource, then paths")


def _allowed(each: Bound, request: Request, resources: Resources) -> Iterator[Allowed]:
    """Whom a binding lets do it."""
    space, narrowed = each.space, False
    if space is not None and (request.path is not None or not resources.is_namespaced(request)):
        if not _is_of_space(request, space):
            return
        narrowed = not request.name
        request = replace(request, name=space)
    if (given := _given(each, request)) is not None:
        rule, names = given
        for subject in each.subjects:
            yield Allowed(subject, each, rule, (request.name,) if narrowed else names)


def _is_of_space(request: Request, space: str) -> bool:
    """Whether what is in no namespace may be the namespace itself: a request for one is made in it
    (``RequestInfoFactory`` of ``k8s.io/apiserver``), so that a RoleBinding there gives it.
    """
    is_one = (request.group, request.resource) == ("", "namespaces") and request.verb in OF_ONE
    return is_one and request.name in ("", space)


def _is_in(space: str, patterns: Sequence[str]) -> bool:
    from fnmatch import fnmatchcase

    return not patterns or any(fnmatchcase(space, pattern) for pattern in patterns)


def _given(each: Bound, asked: Request) -> tuple[int, tuple[str, ...]] | None:
    """The first rule that allows it; and for which names alone, where none was asked about and
    only rules for some allow it: those of all such rules.
    """
    first: int | None = None
    found: set[str] = set()
    for number, rule in enumerate(each.rules):
        if rule.allows(asked):
            return number, ()
        # Who creates an object does not say of which name; whoever creates below one does.
        if not asked.name and (asked.verb != "create" or asked.subresource):
            names = {name for name in rule.names if rule.allows(replace(asked, name=name))}
            first = number if first is None and names else first
            found |= names
    return None if first is None else (first, tuple(sorted(found)))


def _request(resources: Resources, verb: str, resource: str, name: str) -> Request:
    from auditor.facts.access.requests import Request

    if resource.startswith("/"):
        return Request("", frozenset(), verb, path=resource)
    whole, _, subresource = resource.partition("/")
    kind, dot, group = whole.partition(".")
    group = group if dot else resources.group_of(kind)
    return Request("", frozenset(), verb, "", group, kind, subresource, name)


def _state(found: Found) -> Mapping[str, Any]:
    allowed = list(map(_document, found.allowed))
    return {"name": found.state, "allowed": allowed, "doubts": list(found.doubts)}


def _document(one: Allowed) -> Mapping[str, Any]:
    from auditor.reporters.access.told import bound

    told: dict[str, Any] = {
        "subject": f"{one.subject.kind}/{one.subject.name}",
        "namespace": one.bound.space,
        "binding": bound(one.bound),
        "default": one.by_default,
    }
    return {**told, "names": list(one.names)} if one.names else told


def _text(found: Sequence[Found], *, defaults: bool) -> Iterator[str]:
    from auditor.reporters.network.told import fit
    from auditor.reporters.words import counted

    for each in found:
        if each.state:
            yield f"{fit(each.state)}\n"
        shown = [one for one in each.allowed if defaults or not one.by_default]
        for one in shown:
            yield f"{_line(one)}\n"
        if not each.allowed:
            yield "nobody but the group system:masters, which may do everything\n"
        elif left := len(each.allowed) - len(shown):
            nobody = f"nobody but {counted(left, 'subject')}, and that"
            some = f"{left} more" if shown else nobody
            yield f"{some} by what an API server makes for itself (--all names them)\n"


def _line(one: Allowed) -> str:
    from auditor.facts.access.holders import said
    from auditor.reporters.access.told import place_of, words
    from auditor.reporters.network.told import fit

    space = one.bound.space
    where = "in every namespace" if space is None else f"in {space}"
    names = f", to {', '.join(one.names)} alone" if one.names else ""
    by = f"{words(one.bound)}  {place_of(one.bound.binding)}"
    return fit(f"{said(one.subject)}  {where}{names}  {by}")
