"""`auditor access paths`: who comes to every right in the cluster, step by step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from auditor.cli.network.outputs import Forms, network_outputs
from auditor.cli.network.reading import Read, read_all, reading_options

if TYPE_CHECKING:
    from auditor.cli.network.reading import State
    from auditor.facts.escalation import Chain, Escalation, Place


@click.command(short_help="Say who comes to every right, step by step.")
@reading_options
@click.option("--from", "sources", multiple=True, metavar="NAME", help="From these alone.")
@network_outputs("text", "json")
def paths(read: Read, sources: tuple[str, ...], outputs: Forms) -> int:
    """Say who comes to every right in the cluster (cluster-admin) by what they may do by the roles
    and bindings in PATH: over pods, tokens, Secrets, nodes, bindings, roles, impersonation,
    certificates and webhooks, and over one after the other. Asked is everybody whom a binding names
    that the API server does not make for itself, and every workload whose pods hold a token.

    --from takes 'ServiceAccount namespace/name', 'User name', 'Group name' or namespace/name of a
    workload, and shows the shortest way to whatever that one comes to.

    Ends with 1 where somebody comes to every right, with 4 where nobody is seen to and something
    could not be read.
    """
    from auditor.cli.access.asking import say_blind
    from auditor.cli.ends import ends_with
    from auditor.facts.escalation import Escalation
    from auditor.reporters.encoded import encoded

    reading = read_all(read)
    code, gaps = say_blind(reading)
    _say_unknown(sources, reading.states)
    views = [(state, escalation := Escalation(state.facts), _found(escalation, sources))
             for state in reading.states]  # fmt: skip

    def rendered(form: str) -> str:
        from auditor.reporters.access.told import chain

        if form == "json":
            states = [{"name": s.name, "paths": list(map(chain, found))} for s, _, found in views]
            return encoded({"states": states, "gaps": gaps})
        lines = (line for view in views for line in _text(*view, bool(sources), outputs))
        return str(outputs.terminal.shown("".join(f"{line}\n" for line in lines)))

    outputs.write(rendered)
    return ends_with(any(_to_all(chain) for _, _, found in views for chain in found), code)


def _say_unknown(sources: Sequence[str], states: Sequence[State]) -> None:
    """Whoever mistypes a name is not to read that this one comes to nothing."""
    from auditor.cli.access.asking import say_unknown, subject_of

    there = [workload for state in states for workload in state.facts.workloads]
    named = {name for workload in there for name in (workload.name, str(workload.ref))}
    for name in sources:
        if name not in named:
            say_unknown(subject_of(name), states)


def _to_all(chain: Chain) -> bool:
    from auditor.facts.escalation import CLUSTER

    return chain.steps[-1].target == CLUSTER


def _found(escalation: Escalation, sources: Sequence[str]) -> list[Chain]:
    if sources:
        starts = [start for name in sources for start in _starts(escalation, name)]
        return [chain for start in starts for chain in escalation.chains(start)]
    every = (*escalation.subjects, *escalation.workloads)
    return [chain for start in every if (chain := escalation.chain(start))]


def _starts(escalation: Escalation, name: str) -> Iterator[Place]:
    """The workload of that name, and else the subject, be it one that no binding names."""
    from auditor.cli.access.asking import subject_of
    from auditor.facts.escalation.graph import place_of

    found = [
        place
        for place, workload in escalation.workloads.items()
        if name in (workload.name, str(workload.ref))
    ]
    yield from found or (place_of(subject_of(name)),)


def _text(
    state: State, escalation: Escalation, found: Sequence[Chain], asked: bool, outputs: Forms
) -> Iterator[str]:
    from auditor.reporters.access.text import chain_lines, summary
    from auditor.reporters.network.told import fit
    from auditor.reporters.words import counted

    if state.name:
        yield outputs.terminal.paint("bold", fit(state.name))
    for chain in found:
        yield from chain_lines(chain, outputs.terminal)
        yield ""
    if asked:
        where = counted(len(found), "place")
        yield where if found else "comes to nothing beside what it may do"
        return
    yield summary(len(found), len(escalation.subjects), len(escalation.workloads))
