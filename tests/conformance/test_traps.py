"""The traps of Istio against what a real Envoy did: each policy of ``policies/istio`` fires on
recorded cases, and what it claims there is what was recorded.

A finding says what a rule really does. Here it is taken at its word: for every recorded case in
which it stands, the requests whose verdict follows from it are looked up, and have that verdict.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from itertools import product
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
    """Those of a case of routes; of one of modes the workload, and its policies."""
    if "gateway" in told:
        yield from (told["gateway"], *told["httpRoutes"])
        return
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


def stands_for_all_domains(case: Case, finding: Finding) -> Iterator[tuple[Query, bool]]:
    """Whoever gets a connection by mTLS is meant."""
    if case.rules_alone(finding):
        action, negative, alone = _value(case, finding)
        for query in case.queries:
            if alone and query["transport"] == "mtls" and query["status"] != "reset":
                yield query, (action == "ALLOW") != negative


def is_forged(case: Case, finding: Finding) -> Iterator[tuple[Query, bool]]:
    """Whoever writes an address that is meant, or not, has it."""
    if case.rules_alone(finding):
        spec = case.policies[0]["spec"]
        (rule,) = spec["rules"]
        sources = [each["source"] for each in rule.get("from") or ()]
        if rule.keys() == {"from"} and len(sources) == len(sources[0]) == 1:
            ((field, blocks),) = sources[0].items()
            for query in case.queries:
                sent = _forwarded(query)
                if sent and _is_http(query):
                    inside = any(sent in ip_network(block, strict=False) for block in blocks)
                    meant = inside != field.startswith("not")
                    yield query, meant == (spec.get("action", "ALLOW") == "ALLOW")


def _forwarded(query: Query) -> IPv4Address | IPv6Address | None:
    """The last address that the caller wrote, where that is one."""
    headers = {name.lower(): value for name, value in query.get("headers", {}).items()}
    value = headers.get("x-forwarded-for", "")
    try:
        return ip_address((value[-1] if isinstance(value, list) else value).split(",")[-1].strip())
    except (ValueError, IndexError):
        return None


def meets_without(case: Case, finding: Finding) -> Iterator[tuple[Query, bool]]:
    """A request without the header or the token; none that was sent has a token."""
    if case.rules_alone(finding):
        _, _, alone = _value(case, finding)
        asked = re.search(r"headers\[(.*)\]", finding.message)
        for query in case.queries:
            sent = {name.lower() for name in query.get("headers", {})}
            if alone and _is_http(query) and not (asked and asked[1].lower() in sent):
                yield query, True


def is_enforced(case: Case, finding: Finding) -> Iterator[tuple[Query, bool]]:
    """A DENY of everybody."""
    if case.rules_alone(finding) and case.policies[0]["spec"]["rules"] == [{}]:
        yield from ((query, False) for query in case.queries)


def drops(case: Case, finding: Finding) -> Iterator[tuple[Query, bool]]:
    """Without the rule, or, where only the condition is left out, without that."""
    if case.rules_alone(finding):
        ends = {"admits nobody": False, "denies nothing": True, "than is written": False}
        expected = [allowed for end, allowed in ends.items() if finding.message.endswith(end)]
        yield from ((query, expected[0]) for query in case.queries if expected)


CLAIMS: Mapping[str, tuple[Claim, int]] = {
    "istio/asterisk_inside": (never_matches, 20),
    "istio/decides_nothing": (has_no_effect, 50),
    "istio/denied_path_missed": (leaves_open, 1),
    "istio/deny_by_identity": (nameless_pass, 50),
    "istio/dry_run_not_a_bool": (is_enforced, 5),
    "istio/empty_allow": (admits_nobody, 50),
    "istio/empty_list": (restricts_nothing, 30),
    "istio/foreign_trust_domain": (never_matches, 20),
    "istio/forgeable_address": (is_forged, 10),
    "istio/get_without_head": (other_method, 3),
    "istio/host_refused_with_port": (open_with_port, 1),
    "istio/host_without_port": (open_with_port, 1),
    "istio/http_allow_on_tcp": (closes, 200),
    "istio/http_deny_on_tcp": (denies_all, 100),
    "istio/identity_without_mtls": (admits_nobody, 5),
    "istio/method_never_matches": (never_matches, 1),
    "istio/negative_request": (meets_without, 10),
    "istio/negative_source": (nameless_pass, 20),
    "istio/path_never_matches": (never_matches, 30),
    "istio/prefix_admits_more": (begins_so, 1),
    "istio/selects_nothing": (has_no_effect, 100),
    "istio/service_port": (never_matches, 5),
    "istio/sniffed_port": (denies_all, 10),
    "istio/spiffe_prefix": (never_matches, 20),
    "istio/target_of_sidecars": (has_no_effect, 20),
    "istio/trust_domain_alias": (stands_for_all_domains, 5),
    "istio/undefined_provider": (refuses_matches, 5),
    "istio/unknown_condition": (drops, 10),
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


ELSEWHERE: Mapping[str, str] = {
    "istio/empty_selector": "below, by the policies that Istio applied",
    "istio/hostname_cuts_off": "below, by routes",
    "istio/http_at_ztunnel": "below, by ztunnel's rules",
    "istio/peer_selector_in_root": "below, by modes",
    "istio/port_mtls_without_selector": "below, by modes",
    "istio/refused": "below, by what the schema and the webhook said",
    "istio/regex_route_unreached": "below, by routes",
    "istio/second_peer_authentication": "below, by modes",
    "istio/selects_in_all_namespaces": "below, by the policies that Istio applied",
    "istio/template_without_slash": "below, by the cases that Envoy could not load",
    "istio/unknown_field": "below, by what the API server leaves of the policy",
    "istio/without_proxy": (
        "nothing recorded shows it: of the 16,155 requests of cases.jsonl and ambient.jsonl each"
        " went to a pod with a sidecar or of an ambient namespace, no pod has an annotation, and"
        " peerauth.jsonl and httproute.jsonl hold no requests to pods"
    ),
}
"""Policy → where its claim is tested, or why nothing recorded shows it."""


def test_every_trap_is_shown_or_says_why_not() -> None:
    """A policy that is added here without a recorded case is noticed."""
    names = {policy.id for policy in bench().policies if policy.id.startswith("istio/")}
    assert names == CLAIMS.keys() | ELSEWHERE.keys()


def found(name: str, file: str = "cases.jsonl") -> Iterator[tuple[Case, Finding]]:
    """The findings of a policy."""
    for case in cases(file):
        yield from ((case, finding) for finding in case.findings if finding.policy.id == name)


@pytest.mark.parametrize("name", ["istio/empty_selector", "istio/selects_in_all_namespaces"])
def test_what_selects_more_than_it_seems_was_applied(name: str) -> None:
    """Istio selected the policy for the workload; one in a third namespace has no part in that."""
    shown = [
        case.applied(finding)
        for case, finding in found(name)
        if "scope:selector-empty-map" in case.told["tags"]
        or "scope:root-selector-match" in case.told["tags"]
    ]
    assert len(shown) >= 3
    assert all(shown)


def test_what_breaks_the_proxy_was_not_loaded() -> None:
    """No request was answered, since Envoy did not take the listener."""
    shown = [case for case, _ in found("istio/template_without_slash")]
    assert shown
    assert all("envoy-rejected" in case.told["tags"] for case in shown)


def test_what_is_left_of_a_mistyped_rule_was_recorded() -> None:
    """The API server drops the field and stores ``rules: [{}]``, which was recorded as it is: what
    the finding says of the rest is what became of the requests.
    """
    ends = {"admits everybody": "allowed", "denies everybody": "denied"}
    shown = dict.fromkeys(ends.values(), 0)
    for case in cases("cases.jsonl"):
        if "shape:rules-one-empty" not in case.told["tags"]:
            continue
        for finding in _case(_mistyped(case)).findings:
            if finding.policy.id == "istio/unknown_field" and case.rules_alone(finding):
                told = [ends[end] for end in ends if finding.message.endswith(end)]
                assert told or case.policies[0]["spec"]["action"] in ("AUDIT", "CUSTOM")
                for verdict, query in product(told, case.queries):
                    assert query["verdict"] == verdict, (case.id, query)
                    shown[verdict] += 1
    assert all(number >= 25 for number in shown.values()), shown


def _mistyped(case: Case) -> Mapping[str, Any]:
    """The case as it was before the API server took it, with the field that it drops."""
    told: dict[str, Any] = json.loads(json.dumps(case.told))
    for each in told["objects"]:
        if each["kind"] == "AuthorizationPolicy":
            assert each["spec"]["rules"] == [{}]
            each["spec"]["rules"] = [{"form": [{"source": {"namespaces": ["shop"]}}]}]
    return told


REFUSALS = (
    "istio/dry_run_not_a_bool",
    "istio/refused",
    "istio/unknown_condition",
    "istio/port_mtls_without_selector",
)


@pytest.mark.parametrize("file", ["cases.jsonl", "peerauth.jsonl"])
def test_what_is_refused_is_what_the_schema_and_the_webhook_refused(file: str) -> None:
    """Warnings of the webhook are no refusals."""
    wrong = []
    for case in cases(file):
        told = case.told["admission"]
        theirs = {each["name"] for each in told if each.keys() & {"crd", "webhook", "parse"}}
        ours = {
            f"{finding.ref.namespace}/{finding.ref.name}"
            for finding in case.findings
            if finding.policy.id in REFUSALS
        }
        if theirs != ours:
            wrong.append((case.id, theirs, ours))
    assert wrong == []


def test_what_ztunnel_does_not_know_was_recorded() -> None:
    """Alone in a policy, an ALLOW admits nobody, and a DENY that denies nothing denies nobody."""
    shown = 0
    for case, finding in found("istio/http_at_ztunnel", "ambient.jsonl"):
        rules = case.policies[0].get("spec", {}).get("rules") or ()
        parts = [len(rule.get("to") or ()) + len(rule.get("when") or ()) for rule in rules]
        if len(case.policies) == 1 and parts == [1]:
            ends = {"is dropped": "denied", "denies nothing here": "allowed"}
            for end, verdict in ends.items():
                if finding.message.endswith(end):
                    assert {q["verdict"] for q in case.told["queries"]} <= {verdict}, case.id
                    shown += len(case.told["queries"])
    assert shown >= 500


def test_modes_that_do_not_count_were_left_out() -> None:
    """Alone, a policy that counts for nobody leaves every port as the mesh has it."""
    shown = 0
    for name in ("istio/peer_selector_in_root", "istio/port_mtls_without_selector"):
        for case, finding in found(name, "peerauth.jsonl"):
            (mine,) = (
                p for p in case.told["peerAuthentications"]
                if p["metadata"]["name"] == finding.ref.name
                and p["metadata"]["namespace"] == finding.ref.namespace
            )  # fmt: skip
            if len(case.told["peerAuthentications"]) == 1:
                mode = mine["spec"].get("mtls", {}).get("mode", "UNSET")
                root = name == "istio/peer_selector_in_root"
                expected = "PERMISSIVE" if root or mode == "UNSET" else mode
                assert set(case.told["modes"].values()) == {expected}, case.id
                shown += 1
    assert shown >= 3


def test_of_two_modes_of_one_scope_the_older_counted() -> None:
    """Where these two are all that there is."""
    shown = 0
    for case, finding in found("istio/second_peer_authentication", "peerauth.jsonl"):
        if len(case.told["peerAuthentications"]) == 2 and "is older" in finding.message:
            older = finding.message.split("(")[1].split(")")[0]
            assert case.told["modes"]["default"] == older.replace("UNSET", "PERMISSIVE"), case.id
            shown += 1
    assert shown >= 5


def test_rules_that_are_never_reached_got_no_request() -> None:
    """Where all matches of a rule are said to be unreached."""
    shown = 0
    for case, finding in found("istio/regex_route_unreached", "httproute.jsonl"):
        (route,) = (r for r in case.told["httpRoutes"] if r["metadata"]["name"] == finding.ref.name)
        index = finding.path[2]
        if len(route["spec"]["rules"][index]["matches"]) == 1:
            rule = f"{finding.ref.namespace}.{finding.ref.name}.{index}"
            assert rule not in {request.get("rule") for request in case.told["requests"]}, case.id
            shown += 1
    assert shown >= 3


def test_requests_under_a_specific_hostname_never_reached_the_wider_route() -> None:
    """And those that match nothing there were not found."""
    lost = 0
    for case, finding in found("istio/hostname_cuts_off", "httproute.jsonl"):
        host, wider = finding.message.split("'")[1], finding.message.split(" of ")[1].split()[0]
        for request in case.told["requests"]:
            asked = request["host"].lower().partition(":")[0]
            if asked == host or (host[:1] == "*" and asked.endswith(host[1:])):
                assert f".{wider}." not in (request.get("rule") or ""), (case.id, request)
                lost += request["status"] == 404
    assert lost >= 3
