"""Istio's sidecars against a real Envoy with Istio's own listeners, its modes of mTLS against
Istio's own code, and its rules against the Envoy filters that its own builder makes of them.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from auditor.facts.network import Identity, Peer, Request, Ruling, World
from auditor.facts.network.istio import Mesh
from auditor.facts.network.istio.peer_authentication import compose, parse_peer_authentication
from auditor.facts.selectors import Labels
from auditor.facts.workloads import Workload, workloads_of
from auditor.model import Origin, Ref, Resource, Snapshot, Span
from auditor.model import Path as Place

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("AUDITOR_CONFORMANCE", ROOT / "../shared/conformance"))
DATA = SHARED / "istio"

SCORED = (200, 403, "echo", "reset")
"""Answers that policies, mTLS or identities decide; the others are Envoy's own."""

APART = ("custom", "needs-ext-authz", "envoy-rejected")
"""Tags of cases that are reported apart: what a provider answers, or a proxy that cannot load."""

CLUSTER_WIDE = ("Namespace", "Node")

pytestmark = pytest.mark.conformance


@dataclass(frozen=True, slots=True)
class NoLines:
    """These manifests are not shown to anyone."""

    def span(self, path: Place) -> Span:
        return Span(1, 1, 1, 1)


def _cases(file: str) -> list[dict[str, Any]]:
    found = DATA / file
    if not found.exists():
        why = f"no recorded answers in {DATA}; set AUDITOR_CONFORMANCE"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(why)
    return [json.loads(line) for line in found.read_text().splitlines()]


def _resource(manifest: Mapping[str, Any]) -> Resource:
    metadata, kind = manifest["metadata"], manifest["kind"]
    namespace = "" if kind in CLUSTER_WIDE else metadata.get("namespace", "default")
    ref = Ref(manifest["apiVersion"], kind, namespace, metadata["name"])
    return Resource(ref, manifest, Origin("case.jsonl", NoLines()))


@dataclass(frozen=True, slots=True)
class Judge:
    """The mesh of one case, with its pods by namespace and name."""

    mesh: Mesh
    pods: Mapping[tuple[str, str], Workload]

    @classmethod
    def of(cls, case: Mapping[str, Any]) -> Judge:
        snapshot = Snapshot(tuple(map(_resource, case["objects"])))
        pods = {(w.ref.namespace, w.ref.name): w for w in workloads_of(snapshot)}
        return cls(Mesh(snapshot), pods)

    def end(self, value: Mapping[str, str]) -> Peer | Identity:
        if "pod" in value:
            return self.pods[value["namespace"], value["pod"]]
        if "serviceAccount" in value:
            return Identity(
                value["namespace"],
                value["serviceAccount"],
                value.get("ip", ""),
                value.get("trustDomain", ""),
            )
        return World(value["ip"])

    def ruling(self, query: Mapping[str, Any]) -> Ruling:
        target = self.end(query["dst"])
        assert isinstance(target, Workload)
        return self.mesh.ruling(self.end(query["src"]), target, _request(query))


def _request(query: Mapping[str, Any]) -> Request:
    return Request(
        port=query["port"],
        protocol=query["protocol"],
        method=query.get("method"),
        path=query.get("path"),
        host=query.get("host"),
        headers=tuple(_headers(query.get("headers", {}))),
        sni=query.get("sni"),
        transport=query.get("transport"),
        app_protocol=query.get("appProtocol"),
    )


def _headers(written: Mapping[str, str | list[str]]) -> Iterator[tuple[str, str]]:
    for name, value in written.items():
        for line in value if isinstance(value, list) else [value]:
            yield name, line


def test_every_request_at_a_sidecar_agrees(capsys: pytest.CaptureFixture[str]) -> None:
    """What policies, mTLS or identities decide has our verdict, and never an uncertain one."""
    count: Counter[str] = Counter()
    wrong = []
    for case in _cases("cases.jsonl"):
        judge = Judge.of(case)
        tags = [tag for tag in APART if tag in case["tags"]]
        for query in case["queries"]:
            where = tags[0] if tags else "scored"
            if query["status"] not in SCORED:
                where = f"answered {query['status']} by Envoy itself"
            agrees = judge.ruling(query).verdict == query["verdict"]
            count[f"{where}: queries"] += 1
            count[f"{where}: agree"] += agrees
            if not agrees:
                wrong.append((where, case["id"], case["tags"], query))
    with capsys.disabled():
        for name in sorted({key.partition(": q")[0] for key in count if key.endswith("queries")}):
            agree, queries = count[f"{name}: agree"], count[f"{name}: queries"]
            print(f"\nistio sidecars {name}: {agree} of {queries} agree", end="")  # noqa: T201
    assert not wrong, f"{len(wrong)}: {wrong[:10]}"
    assert count["scored: queries"] > 10_000


def test_every_mode_of_mtls_agrees(capsys: pytest.CaptureFixture[str]) -> None:
    """Which connections each port of a workload takes is what Istio's own code resolves."""
    count: Counter[str] = Counter()
    wrong = []
    for case in _cases("peerauth.jsonl"):
        written = case["peerAuthentications"]
        policies = [parse_peer_authentication(_resource(manifest)) for manifest in written]
        workload = case["workload"]
        labels = Labels(workload["labels"])
        modes = compose(policies, "istio-system", workload["namespace"], labels)
        for port, expected in case["modes"].items():
            setting = modes.default if port == "default" else modes.of(int(port))
            count["modes"] += 1
            count["agree"] += setting.mode == expected
            if setting.mode != expected:
                wrong.append((case["id"], port, expected, setting))
    with capsys.disabled():
        print(f"\nistio mTLS modes: {count['agree']} of {count['modes']} agree", end="")  # noqa: T201
    assert not wrong, wrong[:10]
    assert count["modes"] > 600


def test_what_istio_refuses_is_named() -> None:
    """The policies that the API server or Istio's webhook would refuse are those that we name, and
    those that Envoy cannot load are those that it could not.
    """
    for case in _cases("cases.jsonl"):
        mesh = Judge.of(case).mesh
        named = {_name(r.invalid.ref) for r in mesh.refused if r.by != "envoy"}
        refused = [a for a in case["admission"] if "crd" in a or "webhook" in a]
        assert named == {(a["kind"], a["name"]) for a in refused}, case["id"]
        breaks = any(refusal.by == "envoy" for refusal in mesh.refused)
        assert breaks == ("envoy-rejected" in case["tags"]), case["id"]


def _name(ref: Ref) -> tuple[str, str]:
    return ref.kind, f"{ref.namespace}/{ref.name}"


def test_the_selected_policies_are_istios() -> None:
    """The policies that select the workload, and its modes, are those that Istio applied to it."""
    for case in _cases("cases.jsonl"):
        judge = Judge.of(case)
        for query in case["queries"][:1]:
            target = judge.end(query["dst"])
            assert isinstance(target, Workload)
            found: dict[str, list[str]] = {}
            for policy in judge.mesh.selecting(target):
                found.setdefault(policy.action, []).append(_name(policy.ref)[1])
            applied = {action: sorted(names) for action, names in case["applied"].items()}
            assert {a: sorted(names) for a, names in found.items()} == applied, case["id"]
            modes = judge.mesh.modes(target)
            for port, mode in case["mtlsMode"].items():
                key = port if port == "default" else int(port)
                assert modes.get(key, modes["default"]) == mode, case["id"]


def test_ambient_is_named_and_not_judged(capsys: pytest.CaptureFixture[str]) -> None:
    """No connection at a proxy of a node is answered by the rules of sidecars."""
    count: Counter[str] = Counter()
    for case in _cases("ambient.jsonl"):
        judge = Judge.of(case)
        for query in case["queries"]:
            ruling = judge.ruling(query)
            count["not judged"] += ruling.verdict == "undefined" and "ambient" in ruling.unknown[0]
            count["queries"] += 1
    with capsys.disabled():
        print(f"\nistio ambient: {count['not judged']} of {count['queries']} not judged", end="")  # noqa: T201
    assert count["not judged"] == count["queries"] > 5_000
