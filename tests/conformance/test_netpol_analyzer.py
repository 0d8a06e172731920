"""NetworkPolicy and AdminNetworkPolicy against the connectivity lists of np-guard's analyser.

Judged as it judges (profile npguard): its conventions are in the README of the data. A run that is
not comparable, or in which we answer otherwise, is listed with its reason in netpol_analyzer.yaml.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor.facts.network import Network, PortSet, Stranger, World
from auditor.facts.network.profiles import PROFILES
from auditor.facts.workloads import Workload, workloads_of
from auditor.manifests import mapping, sequence
from auditor.model import Ref, Resource, Snapshot
from auditor.sources.files import FileSource

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("AUDITOR_CONFORMANCE", ROOT / "../shared/conformance"))
DATA = SHARED / "netpol-analyzer"
LISTED = Path(__file__).with_name("netpol_analyzer.yaml")

NPGUARD = PROFILES["npguard"]
CONTROLLER = "{ingress-controller}"
Part = tuple[IPv4Address, IPv4Address, PortSet]
"""First and last address, and what flows."""

pytestmark = pytest.mark.conformance


@dataclass(frozen=True, slots=True)
class Flows:
    """A connectivity list in one form: equal lists are equal values."""

    between: Mapping[tuple[str, str], PortSet]
    """Source and target, by their names."""
    outside: Mapping[tuple[str, str], tuple[Part, ...]]
    """Workload and direction, with addresses in order and as few parts as possible."""

    @classmethod
    def of(cls, lines: Iterator[tuple[str, str, PortSet]]) -> Flows:
        """The flows of single lines; a range of addresses is written first-last."""
        between: dict[tuple[str, str], PortSet] = {}
        outside: dict[tuple[str, str], list[Part]] = {}
        for source, target, ports in lines:
            if not ports:
                continue
            if span := _span(source):
                outside.setdefault((target, "in"), []).append((*span, ports))
            elif span := _span(target):
                outside.setdefault((source, "out"), []).append((*span, ports))
            else:
                known = between.get((source, target), PortSet.NONE)
                between[source, target] = known | ports
        return cls(between, {end: _joined(parts) for end, parts in outside.items()})


def _span(name: str) -> tuple[IPv4Address, IPv4Address] | None:
    first, dash, last = name.removesuffix("[External]").partition("-")
    if not dash or not re.fullmatch(r"[\d.]+", first):
        return None
    return IPv4Address(first), IPv4Address(last)


def _joined(parts: list[Part]) -> tuple[Part, ...]:
    found: list[Part] = []
    for first, last, ports in sorted(parts, key=lambda part: part[0]):
        if found and int(found[-1][1]) + 1 == int(first) and found[-1][2] == ports:
            found[-1] = (found[-1][0], last, ports)
        else:
            found.append((first, last, ports))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of theirs: a folder, and what of the answer is asked for."""

    name: str
    folder: str
    focus: tuple[str, ...]
    direction: str
    ports: PortSet
    expected: Path

    def theirs(self) -> Flows:
        """What they list, without the exposure to what is not there."""
        text = self.expected.read_text("utf-8").partition("Exposure Analysis Result:")[0]
        return Flows.of(_lines(text, self.ports))

    def ours(self) -> Flows:
        """What we say of the same."""
        found = ((a, b, ports & self.ports) for a, b, ports in _answers(_network(self.folder)))
        return Flows.of((a, b, ports) for a, b, ports in found if self._is_asked(a, b))

    def _is_asked(self, source: str, target: str) -> bool:
        named = [_is_any(self.focus, end) for end in (source, target)]
        if not self.focus:
            return True
        return named[0] if self.direction == "egress" else any(named)


def _is_any(names: tuple[str, ...], end: str) -> bool:
    full = end.partition("[")[0]
    return full in names or full.partition("/")[2] in names


def _lines(text: str, ports: PortSet) -> Iterator[tuple[str, str, PortSet]]:
    for line in text.splitlines():
        ends, _, told = line.partition(" : ")
        source, arrow, target = ends.strip().partition(" => ")
        if arrow:
            yield source, target, _ports(told) if told else ports


def _ports(text: str) -> PortSet:
    """``SCTP 1-9002,9004-65535,TCP 80``."""
    if text.strip() == "All Connections":
        return PortSet.ALL
    found, protocol = PortSet.NONE, ""
    for token in text.strip().split(","):
        named, space, numbers = token.rpartition(" ")
        protocol = named if space else protocol
        first, _, last = numbers.partition("-")
        found |= PortSet.span(protocol, int(first), int(last or first))
    return found


@cache
def _network(folder: str) -> Network:
    """Their folder, with an object for each namespace that has none: it has no labels."""
    snapshot = FileSource((str(DATA / "tests" / folder),)).snapshot()
    there = {resource.ref.name for resource in snapshot.of_kind("Namespace")}
    used = {r.ref.namespace: r for r in snapshot.resources if r.ref.namespace not in {*there, ""}}
    homes = [
        Resource(
            Ref("v1", "Namespace", "", name),
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}},
            beside.origin,
        )
        for name, beside in used.items()
    ]
    full = Snapshot((*snapshot.resources, *homes))
    return Network(full, workloads_of(full), NPGUARD)


def _answers(network: Network) -> Iterator[tuple[str, str, PortSet]]:
    """Every pair of different workloads, with the world and with the controller of Ingresses."""
    ends = {_name(workload): workload for workload in reversed(network.workloads)}
    spans = [span for span in network.externals() if span.first.version == 4]
    for name, workload in ends.items():
        for other, target in ends.items():
            if other != name:
                yield name, other, _flowing(network, workload, target)
        for span in spans:
            world = World(str(span.first))
            yield str(span), name, _flowing(network, world, workload)
            yield name, str(span), _flowing(network, workload, world)
        ways = [way for way in network.entrances(workload) if way.kind == "Ingress" and way.port]
        led = PortSet.union_of(PortSet.of(way.protocol, way.port) for way in ways if way.port)
        yield CONTROLLER, name, led & _flowing(network, Stranger("", {}), workload)


def _flowing(network: Network, source: Any, target: Any) -> PortSet:
    reach = network.reach(source, target)
    assert reach.ports == reach.possible, (source, target, reach.unknown)
    return reach.ports


def _name(workload: Workload) -> str:
    """As they name it: by the object that controls the pods, though nobody sees that object."""
    metadata = mapping(workload.resource.manifest.get("metadata"))
    for owner in map(mapping, sequence(metadata.get("ownerReferences"))):
        if owner.get("controller") is True:
            kind = owner.get("kind", workload.ref.kind)
            return f"{workload.ref.namespace}/{owner['name']}[{kind}]"
    return f"{workload.name}[{workload.ref.kind}]"


@cache
def _runs() -> tuple[Run, ...]:
    if not (DATA / "index.json").exists():
        return ()
    return tuple(map(_run, json.loads((DATA / "index.json").read_text("utf-8"))))


def _run(entry: dict[str, Any]) -> Run:
    protocol, _, number = entry["focusConn"].partition("-")
    (expected,) = (name for name in entry["expected"] if name.endswith(".txt"))
    return Run(
        name=Path(expected).stem.removesuffix("_output"),
        folder=entry["dir"],
        focus=tuple(entry["focusWorkloads"]),
        direction=entry["focusDirection"],
        ports=PortSet.of(protocol.upper(), int(number)) if number else PortSet.ALL,
        expected=DATA / expected,
    )


def _entries() -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = yaml.safe_load(LISTED.read_text("utf-8"))
    return entries


def _listed(kind: str) -> set[str]:
    return {run for entry in _entries() if entry["is"] == kind for run in entry["runs"]}


def _on_nodes(run: Run) -> bool:
    return any(w.pod.get("hostNetwork") is True for w in _network(run.folder).workloads)


def test_every_run_agrees_or_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """A disagreement that is new is found, and so is one that is listed and happens no more."""
    if not _runs():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(
            f"no recorded answers in {DATA}; set AUDITOR_CONFORMANCE"
        )
    compared = [run for run in _runs() if run.name not in _listed("not comparable")]
    differing = {run.name for run in compared if run.ours() != run.theirs()}
    on_nodes = {run.name for run in compared if _on_nodes(run)}
    with capsys.disabled():
        agreeing = len(compared) - len(differing)
        apart = len(on_nodes - differing)
        print(  # noqa: T201 the score
            f"\nnetpol-analyzer: {agreeing} of {len(compared)} comparable runs agree"
            f" ({apart} of {len(on_nodes)} with pods on the network of their node);"
            f" {len(_runs()) - len(compared)} are not comparable"
        )
    assert differing == _listed("different")
    assert _listed("not comparable") <= {run.name for run in _runs()}


def test_every_entry_has_a_reason() -> None:
    """And no run is listed twice."""
    runs = [run for entry in _entries() for run in entry["runs"]]
    assert len(runs) == len(set(runs))
    assert all(len(entry["why"].split()) > 5 for entry in _entries())
