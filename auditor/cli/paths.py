"""`auditor paths`: who can get at personal data, over everything that leads there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from auditor.cli.network.outputs import Forms, network_outputs
from auditor.cli.network.reading import Read, read_all, reading_options, say_unseen

if TYPE_CHECKING:
    from auditor.cli.network.reading import Reading, State
    from auditor.facts.paths import PathGraph, Position
    from auditor.facts.workloads import Workload
    from auditor.model import Gap
    from auditor.reporters.paths.view import View


@click.command(short_help="Say who can get at personal data, and what closes it.")
@reading_options
@click.option("--to", "targets", multiple=True, metavar="NAME", help="To these workloads alone.")
@click.option("--from", "sources", multiple=True, metavar="NAME", help="From these alone.")
@network_outputs("text", "json", "dot")
def paths(read: Read, targets: tuple[str, ...], sources: tuple[str, ...], outputs: Forms) -> int:
    """Say how somebody gets at the personal data in PATH who is no declared client of it: over the
    network, through the API server, from a node, over a shared volume or Secret, or over one after
    the other; and what is the least to take away, so that nobody does.

    --to takes workloads, as namespace/name, whatever they hold; --from takes those too, internet,
    'ServiceAccount namespace/name', 'User name' or 'Group name'. * stands for others.

    Ends with 1 where there is a path, with 4 where none is seen and something could not be read,
    or nothing is declared to hold personal data.
    """
    from auditor.cli.ends import ends_with
    from auditor.cli.network.reading import unseen
    from auditor.cli.progress import progress
    from auditor.cli.screen import say

    with progress("reading", quiet=outputs.quiet) as now:
        reading = read_all(read)
        now("looking for paths")
        views = [_view(state, targets, sources) for state in reading.states]
        blind = [gap for state, view in zip(reading.states, views, strict=True)
                 for gap in _blind(state, view)]  # fmt: skip
        say_unseen(reading, quiet=outputs.quiet)
        for line in unseen(dict.fromkeys(blind)):
            say(line, err=True)
        outputs.write(lambda form: _rendered(form, views, reading, blind, outputs))
    blinded = any(gap.kinds for gap in blind) or reading.code
    return ends_with(any(view.has_paths for view in views), blinded)


def _view(state: State, targets: Sequence[str], sources: Sequence[str]) -> View:
    from auditor.facts.paths import PathGraph, Why
    from auditor.facts.paths.findings import paths_to
    from auditor.reporters.network.told import Places
    from auditor.reporters.paths.view import View

    facts = state.facts
    graph = PathGraph(facts, _workloads(state, targets) if targets else None)
    starts = _starts(graph, sources) if sources else None
    told = [store for store in graph.stores if store.workload and _holds(state, store.workload)]
    classes = {s: facts.data.of(s.workload) for s in told if s.workload}
    held = {store: found.names if found else () for store, found in classes.items()}
    declared = {
        store: Why("declared here", found.declared.ref, found.declared.path)
        for store, found in classes.items()
        if found
    }
    stores = [paths_to(graph, store, starts) for store in told]
    return View(state.name, graph, stores, held, declared, Places(state.snapshot))


def _holds(state: State, workload: Workload) -> bool:
    return state.territory.holds(workload.resource)


def _workloads(state: State, names: Sequence[str]) -> list[Workload]:
    """The workloads of these names.

    Raises:
        UsageError: a name fits none.
    """
    from auditor.cli.network.ends import meant
    from auditor.errors import UsageError

    found: dict[str, Workload] = {}
    for name in names:
        fitting = [w for w in state.facts.workloads if _fits(name, w.name, w.ref.name, str(w.ref))]
        if not fitting:
            close = meant(name, (w.name for w in state.facts.workloads))
            raise UsageError(f"nothing that was read is called '{name}'{close}")
        found |= {str(workload.ref): workload for workload in fitting}
    return list(found.values())


def _starts(graph: PathGraph, names: Sequence[str]) -> list[Position]:
    """The starts of these names.

    Raises:
        UsageError: a name fits none.
    """
    from auditor.cli.network.ends import meant
    from auditor.errors import UsageError

    assert graph.means is not None, "who is a subject is known when the graph is"
    found: dict[Position, None] = {}
    for name in names:
        fitting = [one for one in graph.starts if _is_start(name, one)]
        if not fitting:
            close = meant(name, (one.name for one in graph.starts))
            raise UsageError(f"nobody that was read sets out from '{name}'{close}")
        found |= dict.fromkeys(fitting)
    return list(found)


def _is_start(name: str, one: Position) -> bool:
    if one.kind == "internet":
        return name in ("internet", "world")
    workload = one.workload
    more = (workload.ref.name, str(workload.ref)) if workload else (one.subject,)
    return _fits(name, one.name, *more)


def _fits(pattern: str, *names: str) -> bool:
    from fnmatch import fnmatchcase

    return any(fnmatchcase(name, pattern.replace("[", "[[]")) for name in names)


def _blind(state: State, view: View) -> Iterator[Gap]:
    """What keeps the answer from being whole."""
    from auditor.facts.access.authorizer import KINDS
    from auditor.model import Gap, Unseen

    if not view.graph.stores:
        why = "no workload is declared to hold any; `auditor classify` proposes which do"
        yield Gap("paths to personal data", why, Unseen.INCOMPLETE, ("*",))
    server = state.snapshot.server
    if server is not None and not server.kinds.issuperset(KINDS):
        why = "roles and bindings were not read from this cluster"
        yield Gap("paths through the API server", why, Unseen.INCOMPLETE, KINDS)
    elif server is None and not any(state.snapshot.of_kind(*KINDS)):
        why = "there is no role or binding among the files; only defaults are taken for granted"
        yield Gap("paths through the API server", why, Unseen.UNKNOWN)


def _rendered(
    form: str, views: Sequence[View], reading: Reading, blind: Sequence[Gap], outputs: Forms
) -> str:
    if form == "json":
        from auditor.cli.network.outputs import rejection_documents
        from auditor.reporters.encoded import encoded
        from auditor.reporters.gaps import gap_documents
        from auditor.reporters.paths.document import document

        gaps = gap_documents((*reading.gaps, *blind))
        return encoded(document(views, gaps, rejection_documents(reading)))
    if form == "dot":
        from auditor.reporters.paths.dot import dot

        return dot(views)
    from auditor.reporters.paths.text import text

    screen = outputs.terminal
    return str(screen.shown("\n".join(text(views, screen)) + "\n"))
