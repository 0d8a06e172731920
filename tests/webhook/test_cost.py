"""What a review costs, counted: documents that the engine is asked about, not seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from auditor.audit import Bench
from auditor.declared import Admission, Mode
from auditor.model import Snapshot
from auditor.policies.engine import PolicyEngine, RawFinding
from auditor.webhook.court import Court
from auditor.webhook.decide import decide
from auditor.webhook.review import decode
from tests.bench import SETTINGS, bench

from .world import guard, live, pod, review

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
