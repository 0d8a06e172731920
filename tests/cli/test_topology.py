"""The section `topology` of `.auditor.yaml`: nodes of a cluster of which none is given."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from auditor.cli.config import parsed
from auditor.declared import Latency, Prices, Priors
from tests.cli.command import HARMLESS, PEAPODS, Command

FAR = "placement/far_from_database"

POOLS = """\
topology:
  pools:
    - name: rack1-node{n}
      count: 3
      region: north
      zone: north-a
      rack: r1
      allocatable: {cpu: 8, memory: 32Gi, pods: 110}
    - names: [rack2-node1, rack2-node2, rack2-node3]
      region: north
      zone: north-a
      rack: r2
      labels: {peapods.example/disks: nvme}
      allocatable: {cpu: 8, memory: 32Gi, pods: 110}
"""


@pytest.fixture
def peapods(tmp_path: Path) -> Path:
    """The company without its Node objects, which are declared instead."""
    folder = tmp_path / "peapods"
    shutil.copytree(PEAPODS, folder)
    (folder / "nodes.yaml").unlink()
    (folder / ".auditor.yaml").write_text(POOLS)
    return folder


def test_declared_nodes_give_the_verdict_that_node_objects_give(
    peapods: Path, auditor: Command
) -> None:
    """The service far from its database is found, and its fix is proven, on either."""
    found = []
    for folder in (PEAPODS, peapods):
        said = auditor("audit", folder, "--select", FAR, "--format", "json")
        found.append([(f["message"], f["fix"]["proven"]) for f in said.report["findings"]])
    assert found[0] == found[1]
    assert found[0]


def test_reports_say_that_the_nodes_are_declared_and_where(peapods: Path, auditor: Command) -> None:
    said = auditor("audit", peapods, "--select", "placement")
    where = f"{peapods}/.auditor.yaml:3"
    assert f"nodes: 6, as {where} declares them (no Node object was read)" in said.out
    report = auditor("audit", peapods, "--select", "placement", "--format", "json").report
    assert report["nodes"]["declared"] == 6
    assert (report["nodes"]["file"], report["nodes"]["line"]) == (where[:-2], 3)


def test_a_node_that_was_read_counts_before_all_declarations(
    peapods: Path, auditor: Command
) -> None:
    shutil.copy(PEAPODS / "nodes.yaml", peapods)
    (peapods / ".auditor.yaml").write_text(POOLS.replace("cpu: 8", "cpu: 1m"))
    said = auditor("audit", peapods, "--select", FAR, "--format", "json")
    assert "nodes" not in said.report
    assert len(said.report["findings"]) == 1


def test_a_declared_node_runs_linux_unless_it_says_otherwise(
    auditor: Command, tmp_path: Path
) -> None:
    """Every kubelet says so of its node, and most charts ask for it."""
    pod = HARMLESS.replace("spec:\n", "spec:\n  nodeSelector: {kubernetes.io/os: linux}\n")
    (tmp_path / "pod.yaml").write_text(pod)
    config = tmp_path / ".auditor.yaml"
    config.write_text("topology: {pools: [{names: [a]}]}")
    assert "without a node" not in auditor("placement", "show", tmp_path).out
    config.write_text("topology: {pools: [{names: [a], labels: {kubernetes.io/os: windows}}]}")
    assert "without a node" in auditor("placement", "show", tmp_path).out


def test_latency_prices_and_priors_are_read_as_written() -> None:
    text = """\
topology:
  region: example.com/region
  latency: {node: 0.05, rack: 0.1, zone: 0.3, region: 1, beyond: 30}
  prices: {currency: EUR, gigabyteBetweenZones: 0.02}
  priors: {node: 0.002, rack: 0.0005, zone: 0.0001, region: 0}
"""
    settings = parsed(text, "a.yaml", Path()).topology()
    assert settings["latency"] == Latency(0.05, 0.1, 0.3, 1, 30)
    assert settings["prices"] == Prices("EUR", 0.02, None)
    assert settings["priors"] == Priors(0.002, 0.0005, 0.0001, 0)
    assert settings["region_label"] == "example.com/region"


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("pools: [{name: a, count: 2}]", "topology.pools.0: name: 2 nodes need {n}"),
        ("pools: [{name: 'a{n}', count: 0}]", "topology.pools.0.count: "),
        ("pools: [{nam: x}]", "topology.pools.0.nam: there is no such key; did you mean 'name'?"),
        ("pools: [{names: [a], name: b}]", "topology.pools.0: say either 'names', or 'name'"),
        ("pools: [{names: [A B]}]", "topology.pools.0.names.0: "),
        ("pools: [{names: [a, b], count: 3}]", "topology.pools.0: count: 3 nodes, and 2 names"),
        ("pools: [{names: [a], taints: [x]}]", "topology.pools.0.taints.0: "),
        ("pools: [{names: [a], allocatable: {cpu: lots}}]", "topology.pools.0.allocatable.cpu: "),
        ("pools: [{names: [a], allocatable: {cpu: -1}}]", "'-1' is below zero"),
        ("pools: [{names: [a]}, {names: [a]}]", "pools.1: there is another node 'a'"),
        ("pools: [{name: 'a{n}', count: 5000}, {names: [b]}]", "pools: more than 5000 nodes"),
        ("pools: 3", "topology.pools: "),
        ("latency: {node: 3}", "topology.latency.rack: "),
        ("latency: {node: 3, rack: 1, zone: 1, region: 1, beyond: 1}", "takes no less time"),
        ("latency: {node: .nan, rack: 1, zone: 1, region: 1, beyond: 1}", "latency.node: "),
        ("prices: {currency: euro}", "topology.prices.currency: "),
        ("priors: {node: 1, rack: 0, zone: 0, region: 0}", "topology.priors.node: "),
        ("regio: x", "topology.regio: there is no such key; did you mean 'region'?"),
    ],
)
def test_each_fault_names_file_line_and_field(
    line: str, complaint: str, auditor: Command, tmp_path: Path
) -> None:
    (tmp_path / "pod.yaml").write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n")
    file = tmp_path / ".auditor.yaml"
    file.write_text(f"topology:\n  {line}\n")
    said = auditor("audit", tmp_path)
    assert said.code == 2
    assert complaint in said.err
    place = said.err.partition(".auditor.yaml:")[2]
    assert place.startswith(("1: topology", "2: topology"))
