"""Whatever the cluster: a proven fix closes nothing that is needed, and opens nothing.

What flows is asked of the second, naive reading of the specifications, packet by packet; so is
whether what was found is gone.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.audit import audit
from auditor.fixes.case import Before
from auditor.fixes.offer import with_fixes
from auditor.fixes.proof import prove_together
from auditor.fixes.together import merged
from auditor.model import Finding, Proof, Safety, Snapshot
from auditor.sources.files import FileSource
from tests.bench import SETTINGS, bench
from tests.facts.network.naive import ALLOWED, Cluster, Packet

ISOLATED = "data/personal_data_not_isolated"
LEAVES = "data/personal_data_may_leave"
MONITORED = "network/monitor_beyond_health"

Manifest = Mapping[str, Any]

SPACES = ("shop", "far")
BUSINESS, HEALTH, DATABASE = ("TCP", 8080), ("TCP", 8081), ("TCP", 5432)
PACKETS = (BUSINESS, HEALTH, DATABASE, ("UDP", 53))
LABELS = ({"app": "a"}, {"app": "a", "tier": "x"}, {"app": "b"}, {"tier": "x"})
URLS = {"data": "http://data.shop:8080", "db": "postgres://db.shop:5432/x"}

SLOW = settings(
    max_examples=30, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


@dataclass(frozen=True, slots=True)
class Company:
    """A cluster with personal data, and who is who."""

    objects: tuple[Manifest, ...]
    clients: frozenset[str]
    """Names of workloads that are declared."""
    asking: frozenset[str]
    """Those that name the data in their environment."""
    monitors: frozenset[str]


def deployment(
    name: str, labels: Manifest, asks: list[str], notes: Manifest, ports: list[int]
) -> Manifest:
    """A workload ``namespace/name``."""
    space, _, short = name.partition("/")
    env = [{"name": f"{one.upper()}_URL", "value": URLS[one]} for one in asks]
    listening = [{"containerPort": number} for number in ports]
    container = {"name": "main", "image": "app:1", "env": env, "ports": listening}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": short, "namespace": space, "annotations": dict(notes)},
        "spec": {
            "selector": {"matchLabels": dict(labels)},
            "template": {"metadata": {"labels": dict(labels)}, "spec": {"containers": [container]}},
        },
    }  # fmt: skip


def front(name: str, labels: Manifest, port: int) -> Manifest:
    """A Service of namespace shop."""
    spec = {"selector": dict(labels), "ports": [{"port": port}]}
    metadata = {"name": name, "namespace": "shop"}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def guard(
    name: str, space: str, selector: Manifest, way: str, rules: Sequence[Manifest] = ()
) -> Manifest:
    """A NetworkPolicy that isolates in one direction and admits by these rules."""
    spec: dict[str, Any] = {"podSelector": {"matchLabels": dict(selector)}, "policyTypes": [way]}
    metadata = {"name": name, "namespace": space}
    spec[way.lower()] = list(rules)
    kind = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"}
    return {**kind, "metadata": metadata, "spec": spec}


@st.composite
def companies(draw: st.DrawFn) -> Company:
    """Two to five workloads beside the data and its database, with labels that may be the same."""
    names = draw(st.lists(st.sampled_from(
        [f"{space}/{short}" for space in SPACES for short in ("p", "q", "r")]
    ), min_size=2, max_size=5, unique=True))  # fmt: skip
    clients = draw(st.sets(st.sampled_from(names), max_size=2))
    asking = draw(st.sets(st.sampled_from(names)))
    monitors = draw(st.sets(st.sampled_from(names), max_size=1)) - clients
    data, db = draw(st.sampled_from(LABELS)), draw(st.sampled_from(LABELS))
    notes = {"auditor/data": "pii", "auditor/health": "8081"}
    if clients:
        notes["auditor/clients"] = ", ".join(sorted(clients))
    found: list[Manifest] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": _home(space)} for space in SPACES
    ]
    found.append(deployment("shop/data", data, ["db"], notes, [8080, 8081]))
    found.append(deployment("shop/db", db, [], {}, [5432]))
    found += [front("data", data, 8080), front("db", db, 5432)]
    for name in names:
        told = {"auditor/role": "monitor"} if name in monitors else {}
        asks = ["data"] if name in asking else []
        found.append(deployment(name, draw(st.sampled_from(LABELS)), asks, told, [8080]))
    if draw(st.booleans()):
        space, way = draw(st.sampled_from(SPACES)), draw(st.sampled_from(["Ingress", "Egress"]))
        found.append(guard("guard", space, draw(st.sampled_from(LABELS)), way))
    if draw(st.booleans()):
        admitted = draw(st.lists(st.sampled_from(LABELS), max_size=3))
        found.append(guard("data", "shop", data, "Ingress", [_rule(one) for one in admitted]))
    return Company(tuple(found), frozenset(clients), frozenset(asking), frozenset(monitors))


def _rule(labels: Manifest) -> Manifest:
    """A rule that admits the pods of these labels, from everywhere."""
    return {"from": [{"namespaceSelector": {}, "podSelector": {"matchLabels": dict(labels)}}]}


def _home(name: str) -> Manifest:
    """With the label that the API server adds: the naive reading adds none."""
    return {"name": name, "labels": {"kubernetes.io/metadata.name": name}}


@contextmanager
def written(company: Company) -> Iterator[Snapshot]:
    """The cluster in a file: a fix is proven with the edits of files."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "all.yaml"
        file.write_text(yaml.safe_dump_all(company.objects, sort_keys=False), encoding="utf-8")
        yield FileSource((str(file),)).snapshot()


def findings(company: Company) -> tuple[Snapshot, tuple[Finding, ...]]:
    """What is found, with fixes."""
    asked = bench(ISOLATED, LEAVES, MONITORED)
    with written(company) as snapshot:
        return snapshot, with_fixes(audit(snapshot, asked, SETTINGS), asked, SETTINGS).findings


def pods(objects: tuple[Manifest, ...]) -> dict[str, Manifest]:
    """One pod of each workload, with an address, as the naive reading needs them."""
    found: dict[str, Manifest] = {}
    for index, one in enumerate(o for o in objects if o["kind"] == "Deployment"):
        template, space = one["spec"]["template"], one["metadata"]["namespace"]
        name = f"{space}/{one['metadata']['name']}"
        found[name] = {
            "kind": "Pod",
            "metadata": {
                "name": name,
                "namespace": space,
                "labels": template["metadata"]["labels"],
            },
            "spec": template["spec"],
            "status": {"podIP": f"10.0.0.{index + 1}"},
        }
    return found


Flows = frozenset[tuple[str, str, tuple[str, int]]]


def flows(objects: tuple[Manifest, ...]) -> Flows:
    """Everything that surely flows between two workloads."""
    cluster, there = Cluster(objects), pods(objects)
    return frozenset(
        (source, target, packet)
        for source, target in permutations(there, 2)
        for packet in PACKETS
        if cluster.answers(Packet(there[source], there[target], *packet)) == ALLOWED
    )


def outcomes(company: Company) -> Iterator[tuple[Finding, Flows, Flows]]:
    """Each proven fix with what flows before and after it."""
    snapshot, found = findings(company)
    before = flows(tuple(one.manifest for one in snapshot.resources))
    for finding in found:
        if finding.fix and finding.fix.proof.holds:
            changed = snapshot.replacing(*(c.resource for c in finding.fix.changes))
            yield finding, before, flows(tuple(r.manifest for r in changed.resources))


def needed(company: Company) -> Flows:
    """What has to keep flowing, where it does: declared clients, health, and the database."""
    clients = {(name, "shop/data", BUSINESS) for name in company.clients}
    watching = {(name, "shop/data", HEALTH) for name in company.monitors}
    return frozenset(clients | watching | {("shop/data", "shop/db", DATABASE)})


@given(companies())
@SLOW
def test_a_proven_fix_closes_nothing_needed_and_opens_nothing(company: Company) -> None:
    """Of declared clients, of monitors, of declared dependencies."""
    for finding, before, after in outcomes(company):
        assert after <= before, finding
        assert needed(company) & before <= after, finding


@given(companies())
@SLOW
def test_proven_fixes_go_together(company: Company) -> None:
    """What each of them needs, the others leave: all at once they hold, and nothing needed ends."""
    with written(company) as snapshot:
        asked = bench(ISOLATED, LEAVES, MONITORED)
        answer = with_fixes(audit(snapshot, asked, SETTINGS), asked, SETTINGS)
        found = [one for one in answer.findings if one.fix and one.fix.proof.holds]
        changes = merged(snapshot, [one.fix for one in found if one.fix])
        world = Before(answer, asked, SETTINGS)
        proof = prove_together(world, found, changes, ()) if found else Proof(resolved=True)
    assert proof.holds, proof
    after = snapshot.replacing(*(change.resource for change in changes))
    flowed = flows(tuple(one.manifest for one in snapshot.resources))
    assert needed(company) & flowed <= flows(tuple(one.manifest for one in after.resources))


@given(companies())
@SLOW
def test_a_proven_isolation_leaves_the_data_to_its_clients(company: Company) -> None:
    """Who names the data and is no client comes in by no fix, whatever labels he has."""
    for finding, _, after in outcomes(company):
        if finding.policy.id != ISOLATED:
            continue
        reaching = {(who, packet) for who, target, packet in after if target == "shop/data"}
        assert {who for who, _ in reaching} <= company.clients | company.monitors
        assert {p for who, p in reaching if who in company.monitors} <= {HEALTH}


@given(companies())
@SLOW
def test_who_names_the_data_without_a_right_is_found_and_never_let_in(company: Company) -> None:
    """As long as he gets there he is told, after every fix but the one that keeps him out."""
    snapshot, found = findings(company)
    before = flows(tuple(one.manifest for one in snapshot.resources))
    thieves = company.asking - company.clients - company.monitors
    told = [finding for finding in found if finding.policy.id == ISOLATED]
    inside = {name for name in thieves if (name, "shop/data", BUSINESS) in before}
    assert inside <= {reason.anchor for finding in told for reason in finding.evidence}
    for finding in found:
        assert finding.fix
        if not company.clients and finding.policy.id == ISOLATED:
            assert (finding.fix.safety, finding.fix.changes) == (Safety.MANUAL, ())
        changed = snapshot.replacing(*(c.resource for c in finding.fix.changes))
        after = flows(tuple(one.manifest for one in changed.resources))
        still = {name for name in thieves if (name, "shop/data", BUSINESS) in after}
        assert still <= inside
        again = audit(changed, bench(ISOLATED), SETTINGS).findings
        assert still <= {reason.anchor for one in again for reason in one.evidence}
