"""NetworkPolicy v1 as Cilium's and Calico's own code decided it, where no policy of theirs is near.

What profiles answer is held against it. Ends that are no pod, no node and no address of the world
(the API server) have no place in NetworkPolicy, and are counted apart.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from auditor.facts.network import Machine, Network, Peer, Request, World
from auditor.facts.network.profiles import PROFILES
from auditor.facts.workloads import workloads_of
from auditor.model import Origin, Ref, Resource, Snapshot
from tests.facts.network.cluster import NoLines

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("AUDITOR_CONFORMANCE", ROOT / "../shared/conformance"))
WORLD = "203.0.113.254"
"""An address that no policy of the cases names."""
CLUSTER_WIDE = ("Namespace", "Node")

pytestmark = pytest.mark.conformance


def cases(name: str) -> Iterator[Mapping[str, Any]]:
    """The cases that have a NetworkPolicy and no other policy."""
    file = DATA / name / "cases.jsonl"
    if not file.is_file():
        why = f"no recorded answers in {DATA / name}; set AUDITOR_CONFORMANCE"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(why)
    for line in file.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        groups = {
            one["apiVersion"].partition("/")[0]
            for one in case["objects"]
            if one["kind"].endswith("Policy")
        }
        if groups == {"networking.k8s.io"}:
            yield case


def network(case: Mapping[str, Any], profile: str) -> Network:
    """The engine over the objects of a case."""
    resources = []
    for one in case["objects"]:
        metadata = one["metadata"]
        namespace = "" if one["kind"] in CLUSTER_WIDE else metadata.get("namespace", "default")
        ref = Ref(one["apiVersion"], one["kind"], namespace, metadata["name"])
        resources.append(Resource(ref, one, Origin("case", NoLines())))
    snapshot = Snapshot(tuple(resources))
    return Network(snapshot, workloads_of(snapshot), PROFILES[profile])


def end(net: Network, told: Mapping[str, str]) -> Peer | None:
    """One end of a question; None for what no NetworkPolicy knows."""
    if "pod" in told:
        name = f"{told['namespace']}/{told['pod']}"
        return next(one for one in net.workloads if one.name == name)
    if told.get("entity") == "world":
        return World(WORLD)
    if told.get("entity") in ("host", "remote-node"):
        return Machine(own=told["entity"] == "host")
    return World(told["ip"]) if "ip" in told else None


@pytest.mark.parametrize("name", ["cilium", "calico"])
def test_a_profile_answers_as_its_engine_does(name: str) -> None:
    """Every question about pods and addresses; none is left undefined."""
    counts: Counter[str] = Counter()
    wrong = []
    for case in cases(name):
        net = network(case, name)
        for query in case["queries"]:
            ends = [end(net, query[side]) for side in ("src", "dst")]
            if None in ends or query["protocol"] not in ("TCP", "UDP", "SCTP"):
                counts["not asked"] += 1
                continue
            source, target = (one for one in ends if one)
            ruling = net.ruling(source, target, Request(query["port"], query["protocol"]))
            counts["agree" if ruling.verdict == query["verdict"] else "differ"] += 1
            if ruling.verdict != query["verdict"]:
                wrong.append((case["id"], query, ruling.verdict.value, ruling.unknown))
    assert wrong == [], counts
    assert counts["agree"] > 200, counts
