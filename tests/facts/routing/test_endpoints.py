"""Whom a client reaches, by the rules of kube-proxy: the cases of TestCategorizeEndpoints
(``pkg/proxy/topology_test.go``), told anew.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from auditor.facts.routing import Endpoint, Endpoints, Traffic

State = tuple[bool, bool, bool]
"""Ready, serving, terminating."""
READY: State = (True, True, False)
ENDING: State = (False, True, True)
GONE: State = (False, False, False)


def one(
    name: str, node: str = "", hints: str = "", nodes: str = "", state: State = READY
) -> Endpoint:
    """An instance with hints for these zones and nodes, separated by blanks."""
    zones, for_nodes = frozenset(hints.split()), frozenset(nodes.split())
    ready, serving, terminating = state
    where = node or f"n-{name}"
    return Endpoint(name, where, "", ready, serving, terminating, zones, for_nodes)


@dataclass(frozen=True)
class Case:
    """What there is, and who is reached from node n-x in zone a."""

    told: str
    endpoints: tuple[Endpoint, ...]
    reached: str
    traffic: Traffic = field(default_factory=Traffic)
    node: str = "n-x"
    zone: str = "a"


FOUR = (one("1", hints="a"), one("2", hints="b"), one("3", hints="c"), one("4", hints="a"))
LOCAL = Traffic(internal_local=True)
CASES = (
    Case("hints for the own zone", FOUR, "1 4"),
    Case("no hint for the own zone: all", FOUR, "1 2 3 4", zone="d"),
    Case("no zone of the node: all", FOUR, "1 2 3 4", zone=""),
    Case("one ready instance without a hint: all", (*FOUR, one("5")), "1 2 3 4 5"),
    Case(
        "an instance without a hint that is not ready does not count",
        (*FOUR, one("5", state=GONE)),
        "1 4",
    ),
    Case(
        "none ready in the own zone: all that are ready",
        (one("1", hints="a", state=GONE), one("2", hints="b"), one("3", hints="c")),
        "2 3",
    ),
    Case("several zones in one hint", (one("1", hints="a b"), one("2", hints="b")), "1"),
    Case(
        "a hint for the own node comes first",
        (one("1", hints="a", nodes="n-x"), one("2", hints="a", nodes="n-y")),
        "1",
    ),
    Case(
        "no hint for the own node: those of the zone",
        (one("1", hints="a", nodes="n-y"), one("2", hints="b", nodes="n-z")),
        "1",
    ),
    Case(
        "one without a hint for a node: those of the zone",
        (one("1", hints="b", nodes="n-x"), one("2", hints="a")),
        "2",
    ),
    Case(
        "none ready anywhere: those that end and still serve",
        (one("1", state=ENDING), one("2", state=GONE), one("3", state=ENDING)),
        "1 3",
    ),
    Case(
        "an older proxy asks none of those",
        (one("1", state=ENDING), one("2", state=GONE)),
        "",
        Traffic(ending=False),
    ),
    Case("one ready: none that end", (one("1", state=ENDING), one("2")), "2"),
    Case("local: those of the own node", (one("1", "n-x"), one("2", "n-y")), "1", LOCAL),
    Case("local: none on the own node", (one("1", "n-y"),), "", LOCAL),
    Case(
        "local: hints do not count",
        (one("1", "n-x", hints="b"), one("2", "n-y", hints="a")),
        "1",
        LOCAL,
    ),
    Case(
        "local: on the own node one that ends, elsewhere one that is ready",
        (one("1", "n-x", state=ENDING), one("2", "n-y")),
        "1",
        LOCAL,
    ),
    Case("nobody at all", (), ""),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.told)
def test_whom_a_client_reaches(case: Case) -> None:
    """By the address of the Service, from inside the cluster."""
    reached = Endpoints(case.endpoints, case.traffic).for_client(case.node, case.zone)
    assert " ".join(each.name for each in reached) == case.reached


def test_traffic_from_outside_has_a_policy_of_its_own() -> None:
    """externalTrafficPolicy: Local leaves what comes from inside as it is."""
    traffic = Traffic(external=True, external_local=True)
    endpoints = Endpoints((one("1", "n-x"), one("2", "n-y")), traffic)
    assert [e.name for e in endpoints.for_client("n-x", "")] == ["1", "2"]
