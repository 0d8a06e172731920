"""Paths to personal data, for people: what opens them, the shortest from the internet, what closes
them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditor.facts.paths import INTERNET, DataPath, Means
from auditor.facts.paths.findings import Opening, StorePaths
from auditor.reporters.network.told import fit
from auditor.reporters.paths.view import View, grouped, names
from auditor.reporters.terminal import Terminal
from auditor.reporters.words import counted

KINDS = {
    "network": "network",
    "api": "API server",
    "node": "node",
    "volume": "volume",
    "credentials": "credentials",
    "identity": "identity",
}
WIDTH = max(map(len, KINDS.values())) + 2


def text(views: Sequence[View], terminal: Terminal) -> Iterator[str]:
    """The whole report."""
    for view in views:
        if view.name:
            yield terminal.paint("bold", fit(view.name))
        for store in view.stores:
            yield from _store(store, view, terminal)
        yield from _nodes(view, terminal)
        yield _summary(view)


def _summary(view: View) -> str:
    if not view.stores:
        return "No store of personal data is known: nothing was asked."
    kept = sum(not store.paths for store in view.stores)
    stores = counted(len(view.stores), "store")
    if kept == len(view.stores):
        return f"{stores} of personal data: no path but by design."
    starts = {path.start for store in view.stores for path in store.paths}
    return (
        f"{stores} of personal data, {len(view.stores) - kept} with paths to them that are not by "
        f"design, from {counted(len(starts), 'place')}"
    )


def _store(store: StorePaths, view: View, terminal: Terminal) -> Iterator[str]:
    if not store.paths:
        return
    held = " and ".join(name.upper() for name in view.held[store.store]) or "what was asked for"
    declared = view.where(view.declared.get(store.store))
    yield terminal.paint("bold", f"{fit(store.store.name)} ({held})") + (f"  {declared}")
    if store.clients:
        yield f"  asked by design by {names(store.clients)}"
    if store.asked:
        for path in store.paths:
            yield f"  from {terminal.paint('bold', fit(path.start.name))}"
            yield from _path(path, view, terminal)
    for opening in store.openings:
        yield from _opening(opening, store, view, terminal)
    yield from _from_internet(store, view, terminal)
    yield from _cut(store, view, terminal)
    yield from _clients(store, view, terminal)
    yield ""


def _opening(one: Opening, store: StorePaths, view: View, terminal: Terminal) -> Iterator[str]:
    kind = KINDS[one.means.kind]
    for why, sources in grouped(one.means, view, one.target):
        head = terminal.paint("bad", kind) + " " * (WIDTH - len(kind))
        body = f"{names(sources)}: {fit(why.text)}"
        yield f"  {head}{terminal.wrapped(body, WIDTH + 2, WIDTH + 2)}"
        if where := view.where(why):
            yield " " * (WIDTH + 2) + terminal.paint("link", where)
    if one.target.workload is not store.store.workload:
        way = [one.target, *(step.target for step in one.onward)]
        said = " → ".join(fit(position.name) for position in way)
        last = way[-1]
        client = ", a client of it" if last.workload is not store.store.workload else ""
        yield " " * (WIDTH + 2) + f"→ {said}{client}"


def _path(path: DataPath, view: View, terminal: Terminal) -> Iterator[str]:
    for number, step in enumerate(path.steps, 1):
        why = view.why(step)
        design = " (by design)" if step.means.needed and step.means.kind == "network" else ""
        body = f"{fit(step.target.name)}{design}: {fit(why.text)}"
        yield f"    {number}. {terminal.wrapped(body, 7, 7)}"
        if where := view.where(why):
            yield f"       {terminal.paint('link', where)}"
    if path.through:
        yield f"    {fit(path.through.name)} is a client of {fit(path.store.name)}"


def _from_internet(store: StorePaths, view: View, terminal: Terminal) -> Iterator[str]:
    if store.asked:
        return
    for path in store.paths:
        if path.start is INTERNET:
            yield "  the shortest way from the internet:"
            yield from _path(path, view, terminal)
    subjects = sum(path.start.kind == "subject" for path in store.paths)
    workloads = sum(path.start.kind == "workload" for path in store.paths)
    yield f"  in all, from {_count(workloads, 'workload')} and {_count(subjects, 'subject')}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _cut(store: StorePaths, view: View, terminal: Terminal) -> Iterator[str]:
    cut = store.cut
    if cut.taken:
        count = "one thing" if len(cut.taken) == 1 else f"{len(cut.taken)} things"
        asked = "asked again without: no path is left" if cut.closes else "some paths are left"
        least = terminal.paint("good", "the least that closes")
        yield f"  {least} what can be closed, {count} ({asked}):"
    for number, means in enumerate(cut.taken, 1):
        where = view.where(means.place)
        yield f"    {number}. {terminal.wrapped(fit(means.mend), 7, 7)}{'  ' * bool(where)}{where}"
        yield from _lost(means, view)
    for means in cut.unmendable:
        yield f"  no NetworkPolicy closes the way of {names(means.sources)}: one end of it"
        yield "    is on the network of its node"


def _lost(means: Means, view: View) -> Iterator[str]:
    """What would go that somebody seems to need."""
    for edge in view.graph.needs_of(means):
        where = view.places.where(edge.ref, edge.path)
        place = f" ({where})" if where else ""
        yield f"       would cut {fit(edge.source.name)}, which {fit(edge.told)}{place}:"
        yield "       declare it a client, if its owner wants it to be one"


def _clients(store: StorePaths, view: View, terminal: Terminal) -> Iterator[str]:
    for client, means in view.graph.broken_into(store.store):
        others = [one for one in means.sources if one not in (store.store, *store.clients)]
        if others:
            body = (
                f"through {fit(client.name)}, if somebody breaks into it: open to {names(others)}, "
                "of whom nobody is known to need it"
            )
            yield f"  {terminal.wrapped(body, 4, 2)}"


def _nodes(view: View, terminal: Terminal) -> Iterator[str]:
    for means in view.graph.on_nodes():
        where = view.where(means.place)
        body = f"{names(means.sources)} owns its node, and reaches there: {names(means.targets)}"
        yield terminal.wrapped(body, 2, 0) + (f"  {where}" if where else "")
