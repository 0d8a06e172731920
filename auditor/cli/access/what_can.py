"""`auditor access what-can`: all that somebody may do, and what they come to by it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from auditor.cli.network.outputs import Forms, network_outputs
from auditor.cli.network.reading import Read, read_all, reading_options

if TYPE_CHECKING:
    from auditor.cli.network.reading import State
    from auditor.facts.access.holders import Held, Holder
    from auditor.facts.access.subjects import Subject
    from auditor.facts.escalation import Step
    from auditor.reporters.terminal import Terminal


@click.command("what-can", short_help="Say what somebody may do.")
@click.argument("subject")
@reading_options
@click.option("--group", "groups", multiple=True, metavar="NAME", help="Of which it is a member.")
@network_outputs("text", "json")
def what_can(subject: str, read: Read, groups: tuple[str, ...], outputs: Forms) -> int:
    """Say what SUBJECT may do by the roles and bindings in PATH, and what it comes to by that.

    SUBJECT is 'ServiceAccount namespace/name' (or namespace/name), 'User name' or 'Group name'. The
    groups that the API server adds count; of a user, name others with --group.

    Ends with 4 where something could not be read.
    """
    from auditor.cli.access.asking import say_blind, say_unknown, subject_of
    from auditor.reporters.encoded import encoded

    reading = read_all(read)
    code, gaps = say_blind(reading)
    who = subject_of(subject)
    say_unknown(who, reading.states)

    def rendered(form: str) -> str:
        if form == "json":
            states = [_document(state, who, groups) for state in reading.states]
            return encoded({"states": states, "gaps": gaps})
        lines = (line for state in reading.states
                 for line in _text(state, who, groups, outputs.terminal))  # fmt: skip
        return str(outputs.terminal.shown("".join(f"{line}\n" for line in lines)))

    outputs.write(rendered)
    return code


def _holding(
    state: State, who: Subject, groups: tuple[str, ...]
) -> tuple[Holder, tuple[Step, ...]]:
    from auditor.facts.access.holders import groups_of
    from auditor.facts.escalation import Escalation

    escalation = Escalation(state.facts)
    holder = escalation.holders.of(who, groups_of(who, groups))
    return holder, escalation.direct(holder)


def _document(state: State, who: Subject, groups: tuple[str, ...]) -> Mapping[str, Any]:
    from auditor.reporters.access.told import step

    holder, steps = _holding(state, who, groups)
    return {
        "name": state.name,
        "subject": f"{holder.subject.kind}/{holder.subject.name}",
        "groups": sorted(holder.groups),
        "everything": holder.is_admin,
        "rights": [_right(held) for held in holder.held],
        "steps": [step(each) for each in steps],
    }


def _right(held: Held) -> Mapping[str, Any]:
    from auditor.reporters.access.told import bound

    rule = held.rule
    told = {
        "verbs": sorted(rule.verbs),
        "apiGroups": sorted(rule.groups),
        "resources": sorted(rule.resources),
        "resourceNames": sorted(rule.names),
        "nonResourceURLs": sorted(rule.paths),
    }
    given = {"namespace": held.space, **{key: value for key, value in told.items() if value}}
    return {**given, "binding": bound(held.bound)} if held.bound else given


def _text(state: State, who: Subject, groups: tuple[str, ...], terminal: Terminal) -> Iterator[str]:
    from auditor.facts.access.holders import said
    from auditor.reporters.access.text import step_lines
    from auditor.reporters.network.told import fit

    holder, steps = _holding(state, who, groups)
    if state.name:
        yield terminal.paint("bold", fit(state.name))
    name = terminal.paint("bold", fit(said(holder.subject)))
    yield f"{name}, a member of {fit(', '.join(sorted(holder.groups)))}"
    yield from _rights(holder, terminal)
    if holder.is_admin:
        yield "holds every right (cluster-admin)"
    elif steps:
        yield "comes to, beside what it may do:"
        yield from step_lines(steps, terminal)


def _rights(holder: Holder, terminal: Terminal) -> Iterator[str]:
    """What it holds, under the binding that gives it; what everybody is given, on one line."""
    from auditor.facts.access.authorizer import ASSUMED
    from auditor.reporters.access.told import place_of, words
    from auditor.reporters.network.told import fit

    by: dict[int, list[Held]] = {}
    for held in holder.held:
        by.setdefault(id(held.bound), []).append(held)
    usual: list[str] = []
    for rules in by.values():
        bound = rules[0].bound
        assert bound is not None
        if bound.binding.origin.uri == ASSUMED:
            usual.append(bound.binding.ref.name)
            continue
        where = "in every namespace" if bound.space is None else f"in {bound.space}"
        place = terminal.paint("link", fit(place_of(bound.binding)))
        yield f"  {where}, by {fit(words(bound))}  {place}"
        for held in rules:
            yield f"    {fit(_rule(held))}"
    if usual:
        yield f"  what an API server gives it (assumed): {fit(', '.join(usual))}"
    if not by:
        yield "  nothing"


def _rule(held: Held) -> str:
    rule = held.rule
    what = [*sorted(rule.resources), *sorted(rule.paths)]
    groups = [group for group in sorted(rule.groups) if group]
    of = f" of {', '.join(groups)}" if groups else ""
    names = f", named {', '.join(sorted(rule.names))}" if rule.names else ""
    return f"{', '.join(sorted(rule.verbs))}  {', '.join(what)}{of}{names}"
