"""The smallest roles that keep what was used: for people, for programs, and to be applied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from auditor.facts.access.holders import said
from auditor.facts.access.rules import Rule
from auditor.fixes.smallest_role import Minimized, Proposal, shown, written
from auditor.reporters.access.told import bound, place_of, words
from auditor.reporters.network.told import fit
from auditor.reporters.terminal import Terminal
from auditor.reporters.words import counted

MOST = 10
"""So many of those to whom nothing is proposed are named."""


def manifests(answer: Minimized) -> str:
    """YAML documents, in the order in which they are to be applied: nobody is without a right in
    between. In ASCII: names in a log are somebody else's text.
    """
    found = [resource.manifest for resource in answer.objects]
    return yaml.safe_dump_all(found, sort_keys=False, explicit_start=True)


def document(answer: Minimized) -> dict[str, Any]:
    """For programs."""
    return {
        "proposals": list(map(_proposal, answer.proposals)),
        "objects": [resource.manifest for resource in answer.objects],
        "byDefault": answer.by_default,
        "denied": [{"user": r.user, "request": shown(r)} for r in answer.denied],
        "idle": [str(ref) for ref in answer.idle],
        "unused": [f"{each.kind}/{each.name}" for each in answer.unused],
    }


def _proposal(one: Proposal) -> dict[str, Any]:
    return {
        "subject": f"{one.subject.kind}/{one.subject.name}",
        "used": [shown(request) for request in one.used],
        "keeps": [
            {"namespace": space, "rules": list(map(written, rules))}
            for space, rules in one.kept.items()
        ],
        "takenOutOf": [
            {**bound(each), "rules": list(map(written, each.rules))} for each in one.given_up
        ],
        "proven": not one.objections,
        "objections": list(one.objections),
    }


def lines(answer: Minimized, terminal: Terminal) -> Iterator[str]:
    """For people."""
    for one in answer.proposals:
        yield from _told(one, terminal)
        yield ""
    yield from _rest(answer)


def _told(one: Proposal, terminal: Terminal) -> Iterator[str]:
    proven = "proven" if not one.objections else "not offered"
    name = terminal.paint("bold", fit(said(one.subject)))
    yield f"{name}: {counted(len(one.used), 'request')} used ({proven})"
    for why in one.objections:
        yield f"  because {fit(why)}"
    for space, rules in one.kept.items():
        yield f"  keeps {'in every namespace' if space is None else f'in {fit(space)}'}"
        yield from (f"    {fit(_rule(rule))}" for rule in rules)
    for each in one.given_up:
        place = terminal.paint("link", fit(place_of(each.binding)))
        yield f"  takes away all else of {fit(words(each))}  {place}"
        yield from (f"    {fit(_rule(rule))}" for rule in each.rules)


def _rule(rule: Rule) -> str:
    told: Mapping[str, list[str]] = written(rule)
    what = ", ".join([*sorted(rule.resources), *sorted(rule.paths)])
    groups = ", ".join(group for group in told.get("apiGroups", ()) if group)
    names = f", named {', '.join(told['resourceNames'])}" if rule.names else ""
    return f"{', '.join(told['verbs'])}  {what}{f' of {groups}' if groups else ''}{names}"


def _rest(answer: Minimized) -> Iterator[str]:
    if answer.by_default:
        yield f"{counted(answer.by_default, 'request')} by what an API server gives: stays"
    for request in answer.denied[:MOST]:
        yield f"no role allows {fit(request.user)}: {fit(shown(request))}"
    if len(answer.denied) > MOST:
        yield f"and {counted(len(answer.denied) - MOST, 'more request')} that no role allows"
    if answer.unused:
        names = ", ".join(fit(said(each)) for each in answer.unused[:MOST])
        more = len(answer.unused) - MOST
        yield f"not seen to use anything, and left as they are: {names}" + (
            f" and {more} more" if more > 0 else ""
        )
    if answer.idle:
        names = ", ".join(fit(str(ref)) for ref in answer.idle)
        yield f"of no use any more once that is applied, to be deleted: {names}"
    if not answer.proposals:
        yield "nothing to propose: nobody of these bindings was seen to use what they give"
        return
    offered = len(answer.offered)
    yield f"{offered} of {counted(len(answer.proposals), 'proposal')} proven" + (
        "; --format yaml writes what is to be applied" if offered else ""
    )
