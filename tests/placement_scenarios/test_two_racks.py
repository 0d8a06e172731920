"""Two racks: a service that uses a database in rack 2 is elsewhere, and another one is there.

On the whole company of the fixtures, where rack 2 has room, the client of the database is drawn in.
Where the rack is contended, the other one leaves it first. Odds and figures of availability are
those of a worked example: node 2e-3, rack 5e-4, zone 1e-4.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor.audit import audit
from auditor.facts import Facts
from auditor.facts.availability import Odds, Places, along_path, availability_of
from auditor.facts.placement import pods_of
from auditor.fixes.offer import with_fixes
from auditor.model import Audit, Finding, Resource, Settings, Snapshot
from auditor.sources.files import FileSource
from tests.bench import bench
from tests.facts.network.cluster import resource, workload

ROOT = Path(__file__).parents[2]
RACK, ZONE = "topology.kubernetes.io/rack", "topology.kubernetes.io/zone"
ODDS = Odds(node=2e-3, rack=5e-4, zone=1e-4, region=0)
SEEDS = range(100)
PLACEMENT = ("placement/far_from_database", "placement/keeps_client_from_database")


def audited(snapshot: Snapshot) -> Audit:
    """What the policies on racks say, with proven fixes."""
    asked = bench(*PLACEMENT)
    return with_fixes(audit(snapshot, asked, Settings()), asked, Settings())


def fixed(answer: Audit, finding: Finding) -> Snapshot:
    """The cluster with the fix of a finding in place."""
    assert finding.fix is not None
    assert finding.fix.proof.holds
    return answer.snapshot.replacing(*(change.resource for change in finding.fix.changes))


def placed(facts: Facts, seed: int) -> Mapping[str, list[str]]:
    """The nodes of the pods of each workload, for one way to break ties."""
    names = {key: w.name for key, w in facts.by_key.items()}
    placed_by = facts.standing.placed(seed)
    return {names[key]: [pod.node for pod in pods] for key, pods in placed_by.items()}


def racks(facts: Facts, nodes: Iterable[str]) -> set[str | None]:
    """The racks of these nodes."""
    return {facts.topology.by_name[node].rack for node in nodes}


def hops(facts: Facts, here: Iterable[str], there: Iterable[str]) -> int:
    """Between the farthest of them."""
    return max(facts.topology.hops(a, b) or 0 for a in here for b in there)


class TestTheWholeCompany:
    """Rack 2 has room for the client of its database."""

    before = audited(FileSource((str(ROOT / "fixtures" / "clusters" / "peapods"),)).snapshot())

    def test_the_verdict(self) -> None:
        """One service is placed away from its database, by up to 4 hops instead of 2."""
        (found,) = self.before.findings
        assert (found.policy.id, str(found.ref)) == (PLACEMENT[0], "shop/orders[Deployment]")
        assert "up to 4 hops away instead of 2" in found.message

    def test_after_the_fix_it_is_in_the_rack_of_its_database_whatever_the_seed(self) -> None:
        """Every pod of the cluster is bound in 100 of 100 seeds, and each query takes 2 hops or
        none, where it took up to 4.
        """
        (found,) = self.before.findings
        was, now = (
            Facts(each, Settings()) for each in (self.before.snapshot, fixed(self.before, found))
        )
        longest = 0
        for seed in SEEDS:
            old, new = placed(was, seed), placed(now, seed)
            longest = max(longest, hops(was, old["shop/orders"], old["shop/orders-db"]))
            assert racks(now, new["shop/orders"]) == {"r2"}
            assert hops(now, new["shop/orders"], new["shop/orders-db"]) in (0, 2)
            for each in now.workloads:
                assert len(new[each.name]) == len(pods_of(each)), (seed, each.name)
        assert longest == 4

    def test_a_query_is_not_answered_less_often(self) -> None:
        """Whoever needs the database fails with its rack anyway: both together are at least as
        available as before.
        """
        (found,) = self.before.findings
        lost = []
        for snapshot in (self.before.snapshot, fixed(self.before, found)):
            facts = Facts(snapshot, Settings())
            nodes, places = placed(facts, 0), Places.of(facts.topology)
            path = [(Counter(nodes[name]), 1) for name in ("shop/orders", "shop/orders-db")]
            answer = along_path(path, places, ODDS)
            assert answer.exact
            lost.append(answer.most)
        # The database alone: 1 − (1−1e-4)(1−5e-4)(1−2e-3) = 2.6e-3.
        assert lost[0] == pytest.approx(2.6e-3, rel=0.01)
        assert lost[1] <= lost[0]


def node(rack: str, name: str, cpu: str) -> Resource:
    """A node of a rack."""
    labels = {RACK: rack, ZONE: "a", "kubernetes.io/hostname": f"{rack}-{name}"}
    return resource(
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": f"{rack}-{name}", "labels": labels},
            "status": {"allocatable": {"cpu": cpu, "memory": "64Gi", "pods": "50"}},
        }
    )


def maker(kind: str, name: str, cpu: str, image: str = "app", **fields: Any) -> Resource:
    """One pod, or as many as are said, that asks for so much CPU."""
    replicas = fields.pop("replicas", 1)
    container: dict[str, Any] = {"name": name, "image": image}
    container |= {"resources": {"requests": {"cpu": cpu}}}
    container |= {"env": [{"name": "URL", "value": fields.pop("url")}]} if "url" in fields else {}
    spec = {"containers": [container], **fields}
    template = {"metadata": {"labels": {"app": name}}, "spec": spec}
    selector = {"matchLabels": {"app": name}}
    return workload(kind, name, replicas=replicas, selector=selector, template=template)


def disk() -> tuple[Resource, ...]:
    """A disk in rack 2 that one node at a time may mount, and its claim."""
    term = {"matchExpressions": [{"key": RACK, "operator": "In", "values": ["r2"]}]}
    spec: dict[str, Any] = {
        "accessModes": ["ReadWriteOnce"],
        "capacity": {"storage": "1Gi"},
        "storageClassName": "disks",
        "claimRef": {"namespace": "default", "name": "data"},
        "nodeAffinity": {"required": {"nodeSelectorTerms": [term]}},
    }
    claim: dict[str, Any] = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "disks",
        "volumeName": "disk",
        "resources": {"requests": {"storage": "1Gi"}},
    }
    volume = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "disk"}}
    asked = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}}
    return resource({**volume, "spec": spec}), resource({**asked, "spec": claim})


def contended(folder: Path, replicas: int = 1) -> Snapshot:
    """Two racks of three nodes; rack 2 has room for the database and one of the two services. In a
    file, since a fix is proven by the text that it writes.
    """
    nodes = [node("r1", name, "4") for name in "abc"]
    nodes += [node("r2", "a", "2"), node("r2", "b", "6"), node("r2", "c", "1")]
    mounted = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    database = maker("StatefulSet", "db", "2", "postgres:17", volumes=mounted)
    service = {"selector": {"app": "db"}, "ports": [{"port": 5432}]}
    named = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "db"}, "spec": service}
    found = (
        *nodes,
        *disk(),
        database,
        resource(named),
        maker("Deployment", "a", "3", replicas=replicas),
        maker("Deployment", "b", "4", url="postgres://db:5432/x"),
    )
    file = folder / "cluster.yaml"
    file.write_text(yaml.safe_dump_all(dict(each.manifest) for each in found), "utf-8")
    return FileSource((str(file),)).snapshot()


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Audit:
    """What is said of the contended rack."""
    return audited(contended(tmp_path_factory.mktemp("contended")))


class TestWhereTheRackIsContended:
    """A stands there without need, and B, which needs the database, does not fit beside it."""

    def test_the_verdict(self, before: Audit) -> None:
        """A keeps B from its database; that B is far is no fault of B."""
        (found,) = before.findings
        assert (found.policy.id, found.ref.name) == (PLACEMENT[1], "a")
        assert "default/b has its database default/db and finds no room" in found.message

    def test_after_the_fix_each_is_where_it_belongs_whatever_the_seed(self, before: Audit) -> None:
        """B in rack 2 at 2 hops or none, not 4; A in rack 1; all bound in 100 of 100 seeds."""
        (found,) = before.findings
        was, now = (Facts(each, Settings()) for each in (before.snapshot, fixed(before, found)))
        for seed in SEEDS:
            old, new = placed(was, seed), placed(now, seed)
            assert hops(was, old["default/b"], old["default/db"]) == 4
            assert racks(was, old["default/a"]) == {"r2"}
            assert hops(now, new["default/b"], new["default/db"]) in (0, 2)
            assert racks(now, new["default/a"]) == {"r1"}
            assert {name: len(nodes) for name, nodes in new.items()} == dict.fromkeys(
                ("default/a", "default/b", "default/db"), 1
            )

    def test_no_availability_is_given_up(self, before: Audit) -> None:
        """Each has one pod on one node before and after: 2.6e-3, as for any single pod."""
        (found,) = before.findings
        for snapshot in (before.snapshot, fixed(before, found)):
            facts = Facts(snapshot, Settings())
            for name, nodes in placed(facts, 0).items():
                answer = availability_of(Counter(nodes), 1, Places.of(facts.topology), ODDS)
                assert answer.unavailability == pytest.approx(2.6e-3, rel=0.01), name

    def test_nothing_is_left_to_say(self, before: Audit) -> None:
        """The proof of the fix, asked again from outside."""
        (found,) = before.findings
        assert audited(fixed(before, found)).findings == ()

    def test_a_service_in_both_racks_is_left_alone(self, tmp_path: Path) -> None:
        """It would be in one rack alone, and the loss of that would take all of it."""
        facts = Facts(contended(tmp_path, 2), Settings())
        assert racks(facts, placed(facts, 0)["default/a"]) == {"r1", "r2"}
        found = audited(facts.snapshot).findings
        assert all(each.policy.id != PLACEMENT[1] for each in found)
