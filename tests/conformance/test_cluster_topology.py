"""Who needs whom in six applications, as np-guard's cluster-topology-analyzer found it.

Its answer is a list of NetworkPolicies that admit exactly the connections that it saw. Each pair of
workloads that one of their rules names is an expected edge; all of them have to be in our graph.
What we find beyond is listed with its reason in ``cluster_topology.yaml``, and the list is exact.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor.facts import Facts
from auditor.facts.network import matches
from auditor.facts.workloads import Workload
from auditor.model import Settings
from auditor.sources.files import FileSource

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("AUDITOR_CONFORMANCE", ROOT / "../shared/conformance"))
DATA = SHARED / "cluster-topology-analyzer" / "tests"
EXTRA = yaml.safe_load((Path(__file__).parent / "cluster_topology.yaml").read_text())
APPLICATIONS = (
    "bookinfo", "k8s_guestbook", "k8s_wordpress_example", "onlineboutique", "openshift", "sockshop",
)  # fmt: skip

pytestmark = pytest.mark.conformance

Pair = tuple[str, str]


def test_the_data_is_there() -> None:
    """A build without it would show less than it seems to."""
    if not DATA.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"no test data in {DATA}")
        pytest.skip(f"no test data in {DATA}: set AUDITOR_CONFORMANCE")
    assert sorted(p.name for p in DATA.iterdir() if p.is_dir()) == sorted(APPLICATIONS)


def _expected(folder: Path, workloads: Sequence[Workload]) -> set[Pair]:
    """The pairs of workloads that a rule of the expected policies names."""
    (file,) = [f for f in folder.glob("expected_netpol_output.*") if f.suffix == _form(folder)]
    text = file.read_text(encoding="utf-8")
    policies = json.loads(text) if file.suffix == ".json" else yaml.safe_load(text)
    found = set()
    for policy in policies["items"]:
        spec = policy["spec"]
        space = policy["metadata"].get("namespace") or "default"
        for target in _selected(spec["podSelector"], workloads, space):
            for where, peer in _peers(spec.get("ingress"), "from", space):
                found |= {(w.name, target.name) for w in _selected(peer, workloads, where)}
            for where, peer in _peers(spec.get("egress"), "to", space):
                found |= {(target.name, w.name) for w in _selected(peer, workloads, where)}
    return {(source, target) for source, target in found if source != target}


def _form(folder: Path) -> str:
    return ".yaml" if folder.name == "openshift" else ".json"


def _peers(rules: Any, end: str, own: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Namespace and selector of the pods that the rules mean. A peer without a selector of pods is
    for DNS, and a rule without peers for whoever comes in from outside.
    """
    for rule in rules or ():
        for peer in rule.get(end) or ():
            if "podSelector" in peer:
                labels = (peer.get("namespaceSelector") or {}).get("matchLabels") or {}
                yield labels.get("kubernetes.io/metadata.name", own), peer["podSelector"]


def _selected(
    selector: Mapping[str, Any], workloads: Sequence[Workload], namespace: str
) -> Iterator[Workload]:
    """A selector without labels is that of a workload without labels."""
    for workload in workloads:
        meant = matches(selector, workload.labels) if selector else not workload.labels
        if workload.ref.namespace == namespace and meant:
            yield workload


def _facts(name: str) -> Facts:
    files = [f for f in sorted((DATA / name).rglob("*.y*ml")) if "expected" not in f.name]
    return Facts(FileSource(tuple(map(str, files))).snapshot(), Settings())


def _found(facts: Facts) -> set[Pair]:
    return {
        (edge.source.name, edge.target.name)
        for edge in facts.graph.edges
        if isinstance(edge.source, Workload) and edge.source.ref != edge.target.ref
    }


@pytest.mark.parametrize("name", APPLICATIONS)
def test_every_expected_edge_is_found(name: str) -> None:
    """And what is found beyond is listed, each with its reason."""
    if not DATA.is_dir():
        pytest.skip(f"no test data in {DATA}: set AUDITOR_CONFORMANCE")
    facts = _facts(name)
    expected, found = _expected(DATA / name, facts.workloads), _found(facts)
    assert expected, "no expected edge"
    assert expected - found == set()
    listed = {tuple(entry["edge"]) for entry in EXTRA.get(name) or ()}
    assert found - expected == listed
