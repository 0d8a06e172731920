"""`auditor network explain`: why one connection is allowed or not, with the lines that decide."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from auditor.cli.network.outputs import Forms, network_outputs
from auditor.cli.network.reading import Read, read_all, reading_options, say_unseen
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.cli.network.ends import Directory
    from auditor.cli.network.places import Source, Target
    from auditor.cli.network.reading import Reading, State
    from auditor.facts.network import Peer, Reach, Ruling
    from auditor.reporters.network.explained import Explained
    from auditor.reporters.network.told import Places


@dataclass(frozen=True, slots=True)
class Http:
    """What is sent, where it is HTTP."""

    method: str | None
    path: str | None
    host: str | None
    headers: tuple[tuple[str, str], ...]

    @property
    def said(self) -> str:
        """``GET /healthz``; empty where nothing is told."""
        return " ".join(part for part in (self.method, self.path, self.host) if part)


@click.command(short_help="Say why one connection is allowed or not.")
@reading_options
@click.option("--from", "source", required=True, metavar="NAME", help="Who asks.")
@click.option("--to", "target", required=True, metavar="NAME[:PORT]", help="Who is asked.")
@click.option("--method", help="The HTTP method that is sent.")
@click.option("--path", "url", metavar="PATH", help="The HTTP path that is sent.")
@click.option("--host", help="The Host header that is sent.")
@click.option("--header", "headers", multiple=True, metavar="NAME:VALUE", help="A further one.")
@network_outputs("text", "json")
def explain(
    read: Read,
    source: str,
    target: str,
    method: str | None,
    url: str | None,
    host: str | None,
    headers: tuple[str, ...],
    outputs: Forms,
) -> int:
    """Say whether one connection of PATH is allowed, and what decides, in order.

    NAME is namespace/name of a workload, a pod or (asked) a Service, an IP address, internet, or
    (asking) namespace/* for any pod that is not there yet; with [Kind] one of several. PORT is a
    number or a name, with /UDP or /SCTP where it is not TCP; without it every port is meant.
    """
    reading = read_all(read)
    http = Http(method, url, host, tuple(map(_header, headers)))
    explained = [
        one
        for state in reading.states
        for one in _explained(state, (source, target), http, reading)
    ]
    say_unseen(reading, quiet=outputs.quiet)
    outputs.write(lambda form: _rendered(form, explained, reading, outputs))
    return reading.code


def _header(text: str) -> tuple[str, str]:
    from auditor.errors import UsageError

    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise UsageError(f"--header: '{name[:40]}' has no colon: write NAME:VALUE")
    return name.strip(), value.strip()


def _explained(
    state: State, asked: tuple[str, str], http: Http, reading: Reading
) -> Iterator[Explained]:
    from auditor.cli.network.ends import Directory
    from auditor.cli.network.places import named, source_of, targets_of
    from auditor.reporters.network.told import Places

    directory = Directory(state.network)
    places = Places(state.snapshot)
    port = named(asked[1])
    about = (state, http, places, (reading.missing, reading.unsure))
    for target in targets_of(directory, port):
        source = source_of(directory, asked[0], target.peer)
        yield _one(directory, source, target, about)


def _one(
    directory: Directory,
    source: Source,
    target: Target,
    about: tuple[State, Http, Places, tuple[tuple[str, ...], tuple[str, ...]]],
) -> Explained:
    from auditor.cli.network.asking import doubted
    from auditor.facts.workloads import Workload
    from auditor.reporters.network.explained import Explained

    state, http, places, unseen = about
    ends = [one for one in (*source.peers, target.peer) if isinstance(one, Workload)]
    reach = None
    if target.port is None:
        ruling, reach = _on_every_port(directory, source, target)
        said = ""
    else:
        ruling = _on_port(directory, source, target, http)
        said = " ".join(part for part in (f"{target.protocol} {target.port}", http.said) if part)
    return Explained(
        source=source.name,
        unbound=_unbound(directory, source),
        target=target.name,
        asked=said,
        ruling=doubted(directory.network, ruling, ends, unseen),
        places=places,
        steps=target.steps,
        reach=reach,
        notes=tuple(_notes(directory, source, target, ruling)),
        state=state.name,
    )


def _on_port(directory: Directory, source: Source, target: Target, http: Http) -> Ruling:
    from auditor.facts.network import Request

    assert target.port is not None
    request = Request(
        port=target.port,
        protocol=target.protocol,
        method=http.method or ("GET" if http.path else None),
        path=http.path,
        host=http.host or _usual_host(target, http),
        headers=http.headers,
    )
    network = directory.network
    peers = _pairs(directory, source, target)
    return _somebody([network.ruling(one, other, request) for one, other in peers])


def _usual_host(target: Target, http: Http) -> str | None:
    """What a client sends that asks for the Service of its name; none where it is no HTTP."""
    from auditor.facts.workloads import Workload

    if not (http.method or http.path) or not isinstance(target.peer, Workload):
        return None
    ref = target.peer.ref
    return f"{ref.name}.{ref.namespace}.svc.cluster.local"


def _on_every_port(directory: Directory, source: Source, target: Target) -> tuple[Ruling, Reach]:
    from auditor.facts.network import PortSet, Reach, Ruling, Verdict

    pairs = _pairs(directory, source, target)
    reaches = [directory.network.reach(one, other) for one, other in pairs]
    sure, possible = PortSet.NONE, PortSet.NONE
    for reach in reaches:
        sure = sure | (reach.ports - reach.assumed)
        possible = possible | reach.possible
    opening = [reach for reach in reaches if reach.possible] or reaches
    reasons = tuple(dict.fromkeys(reason for one in opening for reason in one.reasons))
    unknown = tuple(dict.fromkeys(doubt for one in opening for doubt in one.unknown))
    verdict = Verdict.ALLOWED if sure else Verdict.UNDEFINED if possible else Verdict.DENIED
    return Ruling(verdict, reasons, unknown), Reach(sure, possible)


def _pairs(directory: Directory, source: Source, target: Target) -> list[tuple[Peer, Peer]]:
    """Who asks whom; of the internet, somebody of each set of addresses."""
    from auditor.facts.network import World
    from auditor.facts.workloads import Workload

    others: tuple[Peer, ...] = (target.peer,)
    first = source.peers[0]
    if target.name == "the internet" and isinstance(first, Workload):
        others = directory.network.outside(first, "Egress")
    assert others or isinstance(target.peer, World)
    return [(one, other) for one in source.peers for other in others]


def _somebody(rulings: list[Ruling]) -> Ruling:
    """What the worst placed of them may do: allowed where one is."""
    from auditor.facts.network import Verdict

    order = (Verdict.ALLOWED, Verdict.UNDEFINED, Verdict.DENIED)
    return min(rulings, key=lambda ruling: order.index(ruling.verdict))


def _unbound(directory: Directory, source: Source) -> str:
    """That nothing holds the source back, where it is so: reasons do not mention it."""
    from auditor.facts.workloads import Workload

    peer = source.peers[0]
    if not isinstance(peer, Workload):
        return ""
    if directory.network.isolating(peer, "Egress", possibly=True):
        return ""
    return f"no NetworkPolicy isolates {peer.name} on its way out"


def _open_beside(
    directory: Directory, source: Source, target: Target, ruling: Ruling
) -> Iterator[str]:
    """Which other ports are open, where this one is not: a rule that is named may admit those."""
    from auditor.facts.network import Verdict

    if target.port is None or ruling.verdict is not Verdict.DENIED:
        return
    _, reach = _on_every_port(directory, source, target)
    if reach.ports and not reach.ports.contains(target.protocol, target.port):
        yield f"what is open between them: {reach.ports}"


def _notes(directory: Directory, source: Source, target: Target, ruling: Ruling) -> Iterator[str]:
    from auditor.facts.workloads import Workload
    from auditor.reporters.network.told import way_said

    yield from _open_beside(directory, source, target, ruling)
    if not source.internet or not isinstance(target.peer, Workload):
        return
    ways = [way for way in directory.network.entrances(target.peer) if way.public]
    fitting = [way for way in ways if target.port in (None, way.port)]
    if not fitting:
        port = f" to port {target.port}" if target.port else ""
        yield f"this is what policies say: no object that was read leads the internet there{port}"
    for way in fitting:
        yield f"the internet is led there through {way_said(way)}"
        if way.kind == "Ingress":
            yield "behind an Ingress, policies see the pods of its controller, not the internet"


def _rendered(form: str, explained: list[Explained], reading: Reading, outputs: Forms) -> str:
    from auditor.cli.network.outputs import rejection_documents
    from auditor.reporters.encoded import encoded
    from auditor.reporters.gaps import gap_documents
    from auditor.reporters.network import explained as report

    if form == "json":
        rejected, gaps = rejection_documents(reading), gap_documents(reading.gaps)
        return encoded(report.document(explained, rejected, gaps, reading.cni))
    screen = outputs.terminal
    return str(screen.shown("\n".join(report.text(explained, screen)) + "\n"))
