"""What a review costs, counted: documents that the engine is asked about, and calls of functions,
not seconds.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import FrameType
from typing import Any

import pytest

from auditor.audit import Bench
from auditor.declared import Admission, Mode
from auditor.model import Snapshot
from auditor.policies.engine import PolicyEngine, RawFinding
from auditor.webhook.court import Court
from auditor.webhook.decide import decide
from auditor.webhook.review import decode
from tests.bench import SETTINGS, bench

from .world import SERVER, guard, holding_data, live, pod, review

DENY = Admission(Mode.DENY)


@dataclass
class Counted:
    """An engine that counts what it is asked about."""

    engine: PolicyEngine
    documents: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.name, self.version = self.engine.name, self.engine.version

    def evaluate(self, package: str, document: bytes) -> list[RawFinding]:
        self.documents.append(document)
        return self.engine.evaluate(package, document)

    def evaluate_all(
        self, packages: tuple[str, ...], document: bytes
    ) -> Mapping[str, list[RawFinding]]:
        self.documents.append(document)
        return self.engine.evaluate_all(packages, document)


def asked(by: Bench, cluster: Snapshot, body: bytes) -> int:
    """About how many documents the engine is asked for one review, the cluster being judged."""
    counted = Counted(by.engine)
    court = Court(replace(by, engine=counted), SETTINGS)
    court.prepare(cluster)
    counted.documents.clear()
    decide(decode(body), cluster, court, DENY)
    return len(counted.documents)


ALONE = bench("workload/privileged_container", "workload/host_network", "workload/host_pid")
CROSS = bench("workload/privileged_container", "data/personal_data_not_isolated")


@pytest.mark.parametrize("size", [0, 50])
def test_policies_on_the_object_alone_cost_one_document(size: int) -> None:
    """However large the cluster is; an update costs two, a deletion none that would be new."""
    cluster = live(*(pod(f"pod-{n}") for n in range(size)))
    assert asked(ALONE, cluster, review(pod())) == 1
    assert asked(ALONE, cluster, review(pod(image="a:2"), "UPDATE", old=pod())) == 2
    assert asked(ALONE, cluster, review(pod(), "DELETE")) <= 1


def test_what_no_policy_reads_costs_nothing() -> None:
    """A subresource that is not judged asks nobody."""
    assert asked(ALONE, live(), review(pod(), "CONNECT", subResource="exec")) == 0


def test_policies_on_the_cluster_cost_what_the_facts_speak_of() -> None:
    """Where none of fifty pods holds data, a new one asks of them nothing, and of itself as much as
    in an empty cluster.
    """
    cluster = live(guard(), *(pod(f"pod-{n}") for n in range(50)))
    assert asked(CROSS, cluster, review(pod())) == asked(CROSS, live(guard()), review(pod()))


def calls(work: Callable[[], object]) -> int:
    """How many functions are called, of Python and of C. The same on every machine, but for the
    order of sets.
    """
    count = 0

    def note(frame: FrameType, event: str, given: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def counted(by: Bench, size: int) -> tuple[int, int]:
    """Calls for a review in a cluster of so many pods beside some that hold data, and to take over
    what another process has admitted.
    """
    pods = (pod(f"pod-{n}", env=[{"name": "HOST", "value": "db"}]) for n in range(size))
    holders = holding_data(), holding_data("orders")
    cluster = Snapshot(live(guard(), *holders, *pods).resources, (), SERVER)
    court = Court(by, SETTINGS)
    for name in ("first", "second"):  # from here on, it goes on as it does for days
        decide(decode(review(pod(name))), cluster, court, DENY)
        cluster = cluster.replacing(*live(pod(name)).resources)
        court.prepare(cluster)
    judged = calls(lambda: decide(decode(review(pod())), cluster, court, DENY))
    cluster = cluster.replacing(*live(pod("elsewhere")).resources)
    return judged, calls(lambda: court.prepare(cluster))


MARGIN = 1.5
"""Of what it was when somebody looked last: beyond that, somebody has to look."""


def test_calls_for_a_review_on_the_object_alone() -> None:
    """Whatever the size of the cluster."""
    few, many = counted(ALONE, 10), counted(ALONE, 100)
    assert few[0] < MARGIN * 900
    assert many[0] < 1.1 * few[0]
    assert many[1] < 10


def test_calls_for_a_review_on_the_whole_cluster() -> None:
    """What is told of a pod is told again only where something may have changed it: a pod more
    costs but some looks at it.
    """
    few, many = counted(CROSS, 10), counted(CROSS, 100)
    for one, other in zip(few, many, strict=True):
        assert one < MARGIN * 3700
        assert (other - one) / 90 < MARGIN * 55


@pytest.mark.parametrize("updates", [1, 5])
def test_what_no_fact_reads_lets_nothing_else_be_told_anew(updates: int) -> None:
    """Of what the kubelet writes, most is such a change, and it comes all the time."""
    pods = [pod(f"pod-{n}") for n in range(50)]
    cluster = Snapshot(live(guard(), holding_data(), *pods).resources, (), SERVER)
    court = Court(CROSS, SETTINGS)
    court.prepare(cluster)

    def judge() -> int:
        return calls(lambda: decide(decode(review(pod())), cluster, court, DENY))

    before = judge()
    for number in range(updates):
        cluster = cluster.replacing(*live(pod(f"pod-{number}", tty=True)).resources)
        court.prepare(cluster)
    assert judge() - before < MARGIN * 1600 * updates
