"""The traps of Istio against what a real Envoy did: each policy of ``policies/istio`` fires on
recorded cases, and what it claims there is what was recorded.

A finding says what a rule really does. Here it is taken at its word: for every recorded case in
which it stands, the requests whose verdict follows from it are looked up, and have that verdict.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from auditor.audit import audit
from auditor.model import Finding, Settings, Snapshot
from tests.bench import bench
from tests.facts.network.cluster import resource

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("AUDITOR_CONFORMANCE", ROOT / "../shared/conformance")) / "istio"

Query = Mapping[str, Any]
Claim = Callable[["Case", Finding], Iterator[tuple[Query, bool]]]
"""What a finding says of a case: requests, and whether each reaches the application."""

pytestmark = pytest.mark.conformance


@dataclass(frozen=True, slots=True)
class Case:
    """A recorded case with what our policies say of it."""

    id: str
    told: Mapping[str, Any]
    findings: tuple[Finding, ...]

    @property
    def queries(self) -> Iterator[Query]:
        """Those that some policy decided."""
        return (q for q in self.told["queries"] if q["status"] not in (400, 404))

    @property
    def policies(self) -> list[Mapping[str, Any]]:
        """The AuthorizationPolicies."""
        return [o for o in self.told["objects"] if o["kind"] == "AuthorizationPolicy"]

    def applied(self, finding: Finding) -> bool:
        """Whether Istio selected the policy for the workload that was asked."""
        name = f"{finding.ref.namespace}/{finding.ref.name}"
        return any(name in names for names in self.told["applied"].values())

    def rules_alone(self, finding: Finding) -> bool:
        """Whether the policy is the only one, with one rule, and no PeerAuthentication."""
        kinds = [o["kind"] for o in self.told["objects"]]
        if len(self.policies) != 1 or "PeerAuthentication" in kinds:
            return False
        spec = self.policies[0].get("spec", {})
        return len(spec.get("rules") or ()) == 1 and self.applied(finding)


@cache
def cases(name: str) -> tuple[Case, ...]:
    """Every case of a file; none where the data is not here."""
    if not (DATA / name).is_file():
        pytest.skip(f"no recorded cases in {DATA}")
    lines = (DATA / name).read_text("utf-8").splitlines()
    return tuple(_case(json.loads(line)) for line in lines)


def _case(told: Mapping[str, Any]) -> Case:
    objects = told.get("objects") or list(_objects(told))
    snapshot = Snapshot(tuple(map(resource, objects)))
    policies = tuple(p for p in bench().policies if p.id.startswith("istio/"))
    asked = bench(*(policy.id for policy in policies))
    return Case(told["id"], told, audit(snapshot, asked, Settings()).findings)


def _objects(told: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The workload of a case of modes, and its policies."""
    workload = told["workload"]
    ports = [{"containerPort": port} for port in workload["ports"]]
    names = {"name": "w", "namespace": workload["namespace"], "labels": workload["labels"]}
    proxy = {"name": "istio-proxy", "image": "example.com/proxy:1"}
    app = {"name": "app", "image": "example.com/app:1", "ports": ports}
    yield {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": names,
        "spec": {"containers": [proxy, app]},
    }
    yield from told["peerAuthentications"]


# What the findings claim.


def _value(case: Case, finding: Finding) -> tuple[str, bool, bool]:
    """The action, whether the value is negative, and whether it decides alone: it is the only
    value of the only field of the only part of the rule.
    """
    spec = case.policies[0]["spec"]
    (rule,) = spec["rules"]
    parts = [each["source"] for each in rule.get("from") or ()]
    parts += [each["operation"] for each in rule.get("to") or ()]
    parts += [{k: v for k, v in each.items() if k != "key"} for each in rule.get("when") or ()]
    fields = [(field, values) for part in parts for field, values in part.items()]
    negative = str(finding.path[-2]).startswith("not")
    return spec.get("action", "ALLOW"), negative, len(fields) == len(fields[0][1]) == 1


def never_matches(case: Case, finding: Finding) -> Iterator[tuple[Query, bool]]:
    """A value that matches nothing, alone in a policy, makes it one of everybody or of nobody. On
    what is not HTTP another answer holds.
    """
    if case.rules_alone(finding):
        action, negative, alone = _value(case, finding)
        if alone and action in ("ALLOW", "DENY"):
            for query in case.queries:
                if _is_http(query) and not _is_itself(query):
                    yield query, (action == "ALLOW") == negative


def _is_http(query: Query) -> bool:
    """Whether it is HTTP on a port of HTTP."""
    return query["appProtocol"] == "http" and query["port"] in (8080, 9090)


def _is_itself(query: Query) -> bool:
    """Whether it is stopped before any policy is asked, or has the asterisk of a value."""
    return query["status"] == "reset" or "*" in query.get("path", "")


def restricts_nothing(case: Case, finding: Finding) -> Iterator[tuple[Query, bool]]:
    """An empty list, alone in a rule."""
    spec = case.policies[0]["spec"]
    if case.rules_alone(finding) and len(spec["rules"][0]) == 1:
        for query in case.queries:
            yield query, spec.get("action", "ALLOW") == "ALLOW"


def admits_nobody(case: Case, finding: Finding) -> Iterator[tuple[Query, bool]]:
    """An ALLOW without rules, where no other policy admits anybody."""
    if len(case.policies) == 1 and case.applied(finding):
        yield from ((query, False) for query in case.queries)


def nameless_pass(case: Case, finding: Finding) -> Iterator[tuple[Query, bool]]:
    """Callers in plain text, where the rule says nothing but who calls."""
    if case.rules_alone(finding) and _only_names(case):
        for query in case.queries:
            if query["transport"] == "plaintext":
                yield query, True


def _only_names(case: Case) -> bool:
    """Whether the one rule asks about identities alone, and the same of each source."""
    (rule,) = case.policies[0]["spec"]["rules"]
    names = {"principals", "namespaces", "serviceAccounts"}
    names |= {f"not{name[0].upper()}{name[1:]}" for name in names}
    sources = [each["source"] for each in rule.get("from") or ()]
    return rule.keys() == {"from"} and all(source.keys() <= names for source in sources)


def closes(case: Case, finding: Finding) -> Iterator[tuple[Query, bool]]:
    """A TCP port of which it says that nobody is admitted."""
    if "is closed to everybody" in finding.message and case.applied(finding):
        for query in case.queries:
            if query["port"] == int(finding.anchor) and _is_target(query, finding):
                yield query, False


def denies_all(case: Case, finding: Finding) -> Iterator[tuple[Query, bool]]:
    """A TCP port of which it says that everybody is denied."""
    if finding.message.endswith("denies everybody") and case.applied(finding):
        for query in case.queries:
            is_other = (
                query["appProtocol"] != "http" or finding.policy.id == "istio/http_deny_on_tcp"
            )
            if query["port"] == int(finding.anchor) and is_other and _is_target(query, finding):
                yield query, False


def _is_target(query: Query, finding: Finding) -> bool:
    return f"{query['dst']['namespace']}/{query['dst']['pod']}" in finding.message


def has_no_effect(case: Case, finding: Finding) -> Iterator[tuple[Query, bool]]:
    """Every request to a workload with this policy alone reaches it."""
    kinds = [o["kind"] for o in case.told["objects"]]
    if len(case.policies) == 1 and "PeerAuthentication" not in kinds:
        yield from ((query, True) for query in case.queries if query["status"] != "reset")


def open_with_port(case: Case, finding: Finding) -> Iterator[tuple[Query, bool]]:
    """The denied host with a port behind it."""
    if case.rules_alone(finding):
        action, negative, alone = _value(case, finding)
        host = finding.message.split("'")[1]
        for query in case.queries:
            if alone and query.get("host", "").startswith(f"{host}:") and query["port"] != 5432:
                yield query, (action == "DENY") != negative


def leaves_open(case: Case, finding: Finding) -> Iterator[tuple[Query, bool]]:
    """The neighbour of a denied path."""
    if case.rules_alone(finding):
        _, _, alone = _value(case, finding)
        neighbour = finding.message.split("'")[3]
        for query in case.queries:
            if alone and query.get("path") == neighbour and query["port"] in (8080, 9090):
                yield query, True


def begins_so(case: Case, finding: Finding) -> Iterator[tuple[Query, bool]]:
    """Paths that only begin like the prefix."""
    if case.rules_alone(finding):
        action, _, alone = _value(case, finding)
        start = finding.message.split("'")[1].removesuffix("*")
        for query in case.queries:
            path = query.get("path", "")
            more = path.startswith(start) and path.removeprefix(start)[:1] not in (
                "",
                "/",
                "?",
                "#",
            )
            if alone and action == "ALLOW" and more and query["port"] in (8080, 9090):
                yield query, ".." not in path or "%2f" in path.lower()


def other_method(case: Case, finding: Finding) -> Iterator[tuple[Query, bool]]:
    """HEAD, where only GET is spoken of."""
    if case.rules_alone(finding):
        action, negative, alone = _value(case, finding)
        for query in case.queries:
            if alone and query.get("method") == "HEAD" and query["port"] in (8080, 9090):
                yield query, (action == "DENY") != negative


def refuses_matches(case: Case, finding: Finding) -> Iterator[tuple[Query, bool]]:
    """With CUSTOM for TCP port 5432, or by path, that port is closed."""
    yield from ((query, False) for query in case.queries if query["port"] == 5432)


CLAIMS: Mapping[str, tuple[Claim, int]] = {
    "istio/asterisk_inside": (never_matches, 20),
    "istio/decides_nothing": (has_no_effect, 50),
    "istio/denied_path_missed": (leaves_open, 1),
    "istio/deny_by_identity": (nameless_pass, 50),
    "istio/empty_allow": (admits_nobody, 50),
    "istio/empty_list": (restricts_nothing, 30),
    "istio/foreign_trust_domain": (never_matches, 20),
    "istio/get_without_head": (other_method, 3),
    "istio/host_refused_with_port": (open_with_port, 1),
    "istio/host_without_port": (open_with_port, 1),
    "istio/http_allow_on_tcp": (closes, 200),
    "istio/http_deny_on_tcp": (denies_all, 100),
    "istio/identity_without_mtls": (admits_nobody, 5),
    "istio/method_never_matches": (never_matches, 1),
    "istio/negative_source": (nameless_pass, 20),
    "istio/path_never_matches": (never_matches, 30),
    "istio/prefix_admits_more": (begins_so, 1),
    "istio/selects_nothing": (has_no_effect, 100),
    "istio/service_port": (never_matches, 5),
    "istio/sniffed_port": (denies_all, 10),
    "istio/spiffe_prefix": (never_matches, 20),
    "istio/target_of_sidecars": (has_no_effect, 20),
    "istio/undefined_provider": (refuses_matches, 5),
}
"""Policy → what its findings claim, and how many recorded requests show it at least."""


@pytest.mark.parametrize("name", CLAIMS)
def test_what_a_finding_claims_was_recorded(name: str) -> None:
    """On every case of sidecars in which it stands."""
    claim, least = CLAIMS[name]
    shown, wrong = 0, []
    for case in cases("cases.jsonl"):
        for finding in case.findings:
            if finding.policy.id == name:
                for query, allowed in claim(case, finding):
                    shown += 1
                    if (query["verdict"] == "allowed") != allowed:
                        wrong.append(f"{case.id}: {finding.message}: {query}")
    assert wrong == []
    assert shown >= least
