"""Online Boutique on two racks: what its edges cost where the scheduler spreads it, and where its
services follow what they ask.

The edges are those that np-guard's cluster-topology-analyzer found in its manifests: 16 between
workloads, and one from outside to the front end. Each counts as much as any other. The cost is the
sum of the links of a fat tree between the two ends of each edge.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from statistics import mean

import pytest

from auditor.audit import audit
from auditor.declared import Flow, Flows
from auditor.facts import Facts
from auditor.facts.availability import Odds, Places, along_path
from auditor.facts.workloads import Workload
from auditor.fixes.offer import with_fixes
from auditor.fixes.synthesize.together import draw_together
from auditor.model import Resource, Settings, Snapshot
from auditor.sources.files import FileSource
from tests.bench import bench
from tests.facts.network.cluster import resource

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("AUDITOR_CONFORMANCE", ROOT / "../shared/conformance"))
FILE = SHARED / "cluster-topology-analyzer/tests/onlineboutique/kubernetes-manifests.yaml"
POLICY = "placement/chatty_pair_apart"
ODDS = Odds(node=2e-3, rack=5e-4, zone=1e-4, region=0)
SEEDS = range(100)

pytestmark = pytest.mark.conformance

Pair = tuple[str, str]


def node(rack: str, name: str) -> Resource:
    """A node of a rack; one rack could hold all of the application."""
    labels = {
        "topology.kubernetes.io/rack": rack,
        "topology.kubernetes.io/zone": "a",
        "kubernetes.io/hostname": f"{rack}-{name}",
    }
    return resource(
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": f"{rack}-{name}", "labels": labels},
            "status": {"allocatable": {"cpu": "4", "memory": "16Gi", "pods": "50"}},
        }
    )


@pytest.fixture(scope="module")
def application() -> Snapshot:
    """Its manifests, with two racks of three nodes."""
    if not FILE.exists():
        why = f"no test data in {FILE.parent}; set AUDITOR_CONFORMANCE"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(why)
    nodes = [node(rack, name) for rack in ("r1", "r2") for name in "abc"]
    return Snapshot((*nodes, *FileSource((str(FILE),)).snapshot().resources))


def edges(snapshot: Snapshot) -> list[Pair]:
    """Who asks whom."""
    found = Facts(snapshot, Settings()).graph.edges
    return sorted({(e.source.name, e.target.name) for e in found if isinstance(e.source, Workload)})


def settings(pairs: list[Pair]) -> Settings:
    """As if each edge had been asked a hundred times."""
    flows = tuple(Flow(source, target, count=100) for source, target in pairs)
    return Settings(flows=(Flows("as many of each", flows),))


def placed(facts: Facts, seed: int) -> Mapping[str, str]:
    """The node of each workload, all of which have one pod."""
    names = {key: each.name for key, each in facts.by_key.items()}
    by_key = facts.standing.placed(seed)
    found = {names[key]: [pod.node for pod in pods] for key, pods in by_key.items()}
    assert set(found) == set(names.values()), "a pod found no node"
    return {name: node for name, (node,) in found.items()}


def costs(snapshot: Snapshot, pairs: list[Pair]) -> list[int]:
    """The links of all edges together, for each way to break ties."""
    facts = Facts(snapshot, Settings())
    found = []
    for seed in SEEDS:
        nodes = placed(facts, seed)
        hops = [facts.topology.hops(nodes[a], nodes[b]) for a, b in pairs]
        found.append(sum(each or 0 for each in hops))
    return found


@pytest.fixture(scope="module")
def drawn(application: Snapshot) -> Snapshot:
    """The application after all that the policy proposes, one after the other."""
    snapshot, asked = application, settings(edges(application))
    for _ in range(30):
        found = audit(snapshot, bench(POLICY), asked).findings
        if not found:
            return snapshot
        facts = Facts(snapshot, asked)
        snapshot = snapshot.replacing(*(c.resource for c in draw_together(facts, found[0])))
    pytest.fail("there is always something to propose")


def test_the_edges(application: Snapshot) -> None:
    """16 between workloads, and the one from outside."""
    facts = Facts(application, Settings())
    assert len(edges(application)) == 16
    public = [w.name for w in facts.workloads if any(e.public for e in facts.network.entrances(w))]
    assert public == ["default/frontend"]


def test_a_proposal_that_puts_another_pair_apart_is_not_proven(application: Snapshot) -> None:
    """Each is judged by what it does to all: one is proven, and each of the others says which pair
    it would put apart.
    """
    asked = settings(edges(application))
    found = with_fixes(audit(application, bench(POLICY), asked), bench(POLICY), asked).findings
    proofs = [each.fix.proof for each in found if each.fix]
    assert len(proofs) == len(found)
    assert any(proof.holds for proof in proofs)
    for proof in proofs:
        assert proof.holds or all(each.startswith(POLICY) for each in proof.introduced)
        assert proof.holds != bool(proof.introduced)


def test_what_it_costs_before_and_after(application: Snapshot, drawn: Snapshot) -> None:
    """Spread over two racks, an edge takes about three links; where callers follow what they ask,
    about two. Every pod is bound in 100 of 100 seeds.
    """
    pairs = edges(application)
    before, after = mean(costs(application, pairs)), mean(costs(drawn, pairs))
    assert 2.5 < before / len(pairs) < 3.3
    # Some callers are placed before what they ask, and follow it only when they are made anew.
    assert after <= 0.85 * before


def test_it_is_not_less_available(application: Snapshot, drawn: Snapshot) -> None:
    """A page needs all twelve, each of which has one pod: the more of them share a rack, the fewer
    racks can take the page down.
    """
    lost = []
    for snapshot in (application, drawn):
        facts = Facts(snapshot, Settings())
        needed = [(Counter((node,)), 1) for node in placed(facts, 0).values()]
        answer = along_path(needed, Places.of(facts.topology), ODDS)
        assert answer.exact
        lost.append(answer.most)
    assert lost[1] <= lost[0]
