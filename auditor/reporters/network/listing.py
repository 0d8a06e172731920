"""Who reaches whom, as `auditor network list` tells it: for people by what is alike, counts first;
for programs in rows of ends that give or get the same.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

from auditor.credentials import told
from auditor.facts.connections import Connections, End, Link, Row
from auditor.facts.forms import as_object
from auditor.facts.network import PortSet
from auditor.reporters.network.told import (
    Folder,
    Places,
    fit,
    markdown,
    marked,
    ports,
    ports_document,
    way_said,
)
from auditor.reporters.terminal import Terminal
from auditor.reporters.words import counted
from auditor.values import dataclass

Side = Literal["into", "out of"]

LIMIT = 24
"""How many names of ends that are alike are shown on one line."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What is listed of one state."""

    name: str
    """Of the state; empty where there is one alone."""
    connections: Connections
    sources: tuple[End, ...]
    targets: tuple[End, ...]
    told: tuple[End, ...]
    """The workloads that it is about."""
    side: Side = "into"
    """Whether it is told by who is reached, or by who reaches."""
    places: Places | None = None

    @property
    def rows(self) -> tuple[Row, ...]:
        """Everything that is open."""
        return self.rows_of(self.targets if self.side == "into" else self.sources)

    def rows_of(self, ends: Sequence[End]) -> tuple[Row, ...]:
        """What is open to or from these."""
        if self.side == "into":
            return self.connections.into(ends, self.sources)
        return self.connections.out_of(ends, self.targets)

    @property
    def others(self) -> tuple[End, ...]:
        """Who may be at the other side of a row."""
        return self.sources if self.side == "into" else self.targets


def text(listings: Sequence[Listing], terminal: Terminal) -> Iterator[str]:
    """For people."""
    both = len({one.side for one in listings}) > 1
    for number, one in enumerate(listings):
        if number:
            yield ""
        if one.name:
            yield terminal.paint("bold", f"{fit(one.name)}:")
        if both:
            title = "who reaches them" if one.side == "into" else "whom they reach"
            yield terminal.paint("bold", f"{title}:")
        if not one.connections.workloads:
            yield "no workload was read"
            continue
        yield from (terminal.wrapped(line, 2, 0) for line in _counted(one))
        yield from _told(one, terminal)


def _counted(one: Listing) -> Iterator[str]:
    """What there is, in numbers, before any name."""
    if not one.told:
        return
    workloads = [end for end in one.targets if end.workload]
    sources = [end for end in one.sources if end.workload]
    count = one.connections.counts(sources, workloads)
    network = one.connections.network
    spaces = len({end.namespace for end in one.told})
    holders = [end for end in one.told if end.data]
    held = f", {len(holders)} of them with personal data" if holders else ""
    yield f"{counted(len(one.told), 'workload')} in {counted(spaces, 'namespace')}{held}"
    parts = [
        f"{count.whole:,} open on every port",
        f"{count.some:,} on some ports",
        f"{count.closed:,} closed",
        *([f"{count.unsure:,} not known for sure"] if count.unsure else []),
    ]
    yield f"{count.pairs:,} pairs of workloads: {', '.join(parts)}"
    inside = _isolated(network, one.told, "Ingress")
    outside = _isolated(network, one.told, "Egress")
    with_data = ""
    if holders:
        protected = len(_isolated(network, holders, "Ingress"))
        with_data = f" ({protected} of the {len(holders)} with personal data)"
    yield (
        f"isolated on the way in: {len(inside)} of {len(one.told)}{with_data}; "
        f"on the way out: {len(outside)}"
    )


def _isolated(network: Any, ends: Iterable[End], direction: Any) -> list[End]:
    return [end for end in ends if end.workload and network.isolating(end.workload, direction)]


def _told(one: Listing, terminal: Terminal) -> Iterator[str]:
    folder = Folder.of(one.others)
    ends = one.targets if one.side == "into" else one.sources
    rows = one.rows_of([end for end in ends if end.kind != "internet"])
    yield from _rows(one, rows, folder, terminal)
    doubts = {doubt: None for row in rows for link, _ in row.links for doubt in link.unknown}
    for row in one.rows_of([end for end in ends if end.kind == "internet"]):
        yield from _of_internet(one, row, terminal)
        doubts |= {doubt: None for link, _ in row.links for doubt in link.unknown}
    if doubts:
        yield from ("", terminal.paint("bold", "not known:"))
        yield from (f"  {terminal.wrapped(fit(doubt), 4, 2)}" for doubt in doubts)


def _of_internet(one: Listing, row: Row, terminal: Terminal) -> Iterator[str]:
    """Who leaves for the internet, or what policies let it reach: that has to be led there too."""
    into = one.side == "into"
    title = "leave for the internet" if into else "what policies let the internet reach"
    yield from ("", terminal.paint("bold", f"{title}:"))
    if not row.links:
        yield "  nothing"
    folder = Folder.of(end for end in one.others if end.kind != "internet")
    for said, others in _by_ports(row).items():
        yield f"  {said}  {'from' if into else 'to'} {folder.said(others)}"


def _rows(one: Listing, rows: Sequence[Row], folder: Folder, terminal: Terminal) -> Iterator[str]:
    everybody = len(one.others)
    whole = [row for row in rows if _is_whole(row, everybody)]
    some = [row for row in rows if row.links and row not in whole]
    none = [row for row in rows if not row.links]
    names = _Names(one, terminal)
    if whole:
        ends = [end for row in whole for end in row.ends]
        number = counted(len(ends), "workload")
        if one.side == "into":
            title = f"everything reaches these on every port ({number})"
        else:
            title = f"these reach everything on every port ({number})"
        yield from ("", terminal.paint("bold", f"{title}:"))
        yield from names.by_namespace(sorted(ends, key=lambda end: end.name))
    if some:
        title = "reached by some" if one.side == "into" else "reach some"
        yield from ("", terminal.paint("bold", f"{title}:"))
    for row in sorted(some, key=_first):
        yield from names.row(row, folder)
    if none:
        title = "nothing reaches these" if one.side == "into" else "these reach nothing"
        yield from ("", terminal.paint("bold", f"{title}:"))
        yield from names.by_namespace([end for row in none for end in row.ends])


def _by_ports(row: Row) -> dict[str, list[End]]:
    """What is open, in words, and to or from whom, whatever rule admits it."""
    found: dict[str, list[End]] = {}
    for link, others in row.links:
        found.setdefault(ports(link), []).extend(others)
    return found


def _first(row: Row) -> str:
    return row.ends[0].name


def _is_whole(row: Row, everybody: int) -> bool:
    """Whether one link on every port leads to or from everybody there is."""
    if len(row.links) != 1:
        return False
    link, others = row.links[0]
    missing = set(row.ends) - set(others)
    alone = len(row.ends) == 1 and len(others) == everybody - 1 and len(missing) == 1
    return link.ports == PortSet.ALL and (len(others) == everybody or alone) and everybody > 1


@dataclass(frozen=True, slots=True)
class _Names:
    """Writes the names of ends, with what makes them worth a look."""

    one: Listing
    terminal: Terminal

    def by_namespace(self, ends: Iterable[End]) -> Iterator[str]:
        """Each namespace with its workloads on a line."""
        spaces: dict[str, list[str]] = {}
        for end in ends:
            short = marked(end).removeprefix(f"{fit(end.namespace)}/")
            spaces.setdefault(end.namespace if end.workload else "", []).append(
                short + self._through(end)
            )
        width = max((len(fit(space)) for space in spaces), default=0)
        for space, names in sorted(spaces.items()):
            head = fit(space).ljust(width)
            more = len(names) - LIMIT
            shown = [*names[:LIMIT], *([f"and {more} more"] if more > 0 else [])]
            body = self.terminal.wrapped(", ".join(shown), width + 4, width + 4)
            yield f"  {head}  {body}"

    def row(self, row: Row, folder: Folder) -> Iterator[str]:
        """Ends that are alike, and below them what is open."""
        names = [marked(end) + self._through(end) for end in row.ends[:LIMIT]]
        if len(row.ends) > LIMIT:
            names.append(f"and {len(row.ends) - LIMIT} more")
        yield f"  {self.terminal.wrapped(', '.join(names), 4, 2)}"
        word = "from" if self.one.side == "into" else "to"
        told_ = _by_ports(row)
        width = min(max(map(len, told_)), 24)
        for said, others in told_.items():
            who = folder.said(others)
            head = said.ljust(width)
            yield f"    {head}  {word} {self.terminal.wrapped(who, width + 11, width + 11)}"

    def _through(self, end: End) -> str:
        """How the internet is led there."""
        if self.one.side != "into":
            return ""
        ways = self.one.connections.entrances(end)
        said = dict.fromkeys(way_said(way).partition(" to port")[0] for way in ways)
        return f" (internet through {', '.join(said)})" if said else ""


def document(listings: Sequence[Listing], rejected: list[Any], gaps: list[Any], cni: str) -> Any:
    """For programs: rows of sources and targets that are alike, in each state."""
    from auditor import __version__
    from auditor.reporters.assessed import date

    return {
        "format": "auditor-network-list/1",
        "auditor": __version__,
        "date": date(),
        "cni": cni,
        "states": [_state(one) for one in listings],
        "rejected": rejected,
        "gaps": gaps,
    }


def _state(one: Listing) -> dict[str, Any]:
    workloads = [end for end in one.targets if end.workload]
    count = one.connections.counts([e for e in one.sources if e.workload], workloads)
    ends = {end.name: end for end in (*one.sources, *one.targets)}
    return {
        "name": told(one.name),
        "counts": {
            "workloads": len(one.told),
            "pairs": count.pairs,
            "open": count.whole,
            "someports": count.some,
            "closed": count.closed,
            "unknown": count.unsure,
        },
        "ends": {told(name): end_document(one.connections, end) for name, end in ends.items()},
        "flows": list(_flows(one)),
    }


def end_document(connections: Connections, end: End) -> dict[str, Any]:
    """An end for programs."""
    return {
        "kind": end.kind,
        "object": as_object(end.workload.ref) if end.workload else None,
        "namespace": end.namespace or None,
        "data": list(end.data),
        "entrances": [
            {"object": as_object(way.ref), "kind": way.kind, "port": way.port}
            for way in connections.entrances(end)
        ],
    }


def _flows(one: Listing) -> Iterator[dict[str, Any]]:
    places = one.places or Places(one.connections.network.snapshot)
    for row in one.rows:
        for link, others in row.links:
            sources, targets = (others, row.ends) if one.side == "into" else (row.ends, others)
            yield {
                "from": [told(end.name) for end in sources],
                "to": [told(end.name) for end in targets],
                **link_document(link, places),
            }


def link_document(link: Link, places: Places) -> dict[str, Any]:
    """What is open, and why, for programs."""
    found: dict[str, Any] = {
        "ports": ports_document(link.ports),
        "said": ports(link),
        "reasons": [places.document(reason) for reason in link.reasons],
    }
    if not link.certain:
        found["possible"] = ports_document(link.possible)
    if link.unknown:
        found["unknown"] = list(map(told, link.unknown))
    if link.partly:
        found["partly"] = True
    return found


COLUMNS = ("state", "from", "to", "ports", "possible", "data", "internet", "reasons")


def table(listings: Sequence[Listing]) -> Iterator[str]:
    """As CSV: one row for each pair, no pod with itself. A cell that a spreadsheet would take for a
    formula begins with an apostrophe.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in listings:
        for row in one.rows:
            for link, others in row.links:
                _write_pairs(writer, one, (link, row.ends, others))
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _write_pairs(
    writer: Any, one: Listing, open_: tuple[Link, Sequence[End], Sequence[End]]
) -> None:
    link, ends, others = open_
    said = f"{link.ports}{' (some addresses alone)' if link.partly else ''}"
    possible = "" if link.certain else str(link.possible)
    why = _cell("; ".join(reason.text for reason in link.reasons))
    ways = {end: "; ".join(map(way_said, one.connections.entrances(end))) for end in ends}
    state = _cell(one.name)
    for end in ends:
        for other in others:
            if end is other and (end.workload is None or end.workload.ref.kind == "Pod"):
                continue
            source, target = (other, end) if one.side == "into" else (end, other)
            way = ways.get(target, "") if source.kind == "internet" else ""
            held = " ".join(target.data)
            cells = (_cell(source.name), _cell(target.name), said, possible, held, way, why)
            writer.writerow((state, *cells))


def _cell(text_: str) -> str:
    fitted = fit(text_)
    return f"'{fitted}" if fitted[:1] in ("=", "+", "-", "@") else fitted


def markdown_table(listings: Sequence[Listing]) -> Iterator[str]:
    """As Markdown: a table of ends that are alike."""
    for one in listings:
        if one.name:
            yield f"## {markdown(one.name)}"
            yield ""
        yield from (f"{line}  " for line in _counted(one))
        folder = Folder.of(one.others)
        head = "| to | ports | from |" if one.side == "into" else "| from | ports | to |"
        yield from ("", head, "|---|---|---|")
        for row in one.rows:
            names = ", ".join(markdown(marked(end)) for end in row.ends)
            for said, others in _by_ports(row).items():
                yield f"| {names} | {said} | {markdown(folder.said(others))} |"
            if not row.links:
                yield f"| {names} | none | |"
        yield ""
