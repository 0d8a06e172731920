"""Rules of AuthorizationPolicy against the Envoy filters that Istio's own builder makes of them.

A filter is judged by a naive evaluator of Envoy's RBAC, of which each line is one of its fields.
"""

from __future__ import annotations

import json
import os
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor.facts.network.istio.admission import read_policy
from auditor.facts.network.istio.conditions import Compiled, Domains, Seen, compiled
from auditor.facts.selectors import Truth
from auditor.model import Origin, Ref, Resource, Span
from auditor.model import Path as Place

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("AUDITOR_CONFORMANCE", ROOT / "../shared/conformance"))
DATA = SHARED / "istio-authz"

DOMAINS: Mapping[str, Domains] = {
    "simple-policy-td-aliases": Domains(("td1", "cluster.local")),
    "simple-policy-multiple-td-aliases": Domains(("td1", "cluster.local", "some-td")),
    "simple-policy-principal-with-wildcard": Domains(("td1", "foobar")),
}
"""The trust domains of the builder's tests, where they are not Istio's own."""

SAMPLES = 400
_NAME = re.compile(r"ns\[(?P<ns>[^]]+)\]-policy\[(?P<name>[^]]+)\]-rule\[(?P<rule>\d+)\]")

pytestmark = pytest.mark.conformance


@dataclass(frozen=True, slots=True)
class NoLines:
    """These manifests are not shown to anyone."""

    def span(self, path: Place) -> Span:
        return Span(1, 1, 1, 1)


def _pairs() -> Iterator[tuple[Path, Path]]:
    """What goes into the builder beside what comes out, where both are there."""
    for out in sorted(DATA.glob("*/*-out*.yaml")):
        name = re.sub(r"-out\d?\.yaml$", "", out.name).removeprefix("extended-")
        written = out.parent / f"{name}-in.yaml"
        if written.exists():
            yield written, out


# The naive evaluator: three-valued, since nobody knows what a token says.


def _permission(rule: Mapping[str, Any], seen: Seen) -> Truth:  # noqa: PLR0911 - a line a field
    ((kind, value),) = rule.items()
    match kind:
        case "any":
            return Truth.YES
        case "andRules":
            return min(_permission(each, seen) for each in value["rules"])
        case "orRules":
            return max(_permission(each, seen) for each in value["rules"])
        case "notRule":
            return Truth(Truth.YES - _permission(value, seen))
        case "header":
            return _header(value, seen)
        case "urlPath":
            return _sure(_string(value["path"], seen.path))
        case "destinationPort":
            return _sure(value == seen.port)
        case "destinationIp":
            return _inside(value, seen.local)
    raise AssertionError(kind)


def _principal(identifier: Mapping[str, Any], seen: Seen) -> Truth:  # noqa: PLR0911
    ((kind, value),) = identifier.items()
    match kind:
        case "any":
            return Truth.YES
        case "andIds":
            return min(_principal(each, seen) for each in value["ids"])
        case "orIds":
            return max(_principal(each, seen) for each in value["ids"])
        case "notId":
            return Truth(Truth.YES - _principal(value, seen))
        case "authenticated":
            held = bool(seen.identity) and _string(value["principalName"], seen.identity or "")
            return _sure(held)
        case "directRemoteIp":
            return _inside(value, seen.peer)
        case "remoteIp":
            return _inside(value, seen.remote)
        case "header":
            return _header(value, seen)
        case "metadata":
            return Truth.MAYBE if seen.token else Truth.NO
    raise AssertionError(kind)


def _header(value: Mapping[str, Any], seen: Seen) -> Truth:
    own = {":method": (seen.method,), ":authority": (seen.host,)}
    lines = own.get(value["name"], seen.headers.get(value["name"].lower(), ()))
    if value.get("presentMatch"):
        return _sure(bool(lines))
    return _sure(any(_string(value["stringMatch"], line) for line in lines))


def _string(matcher: Mapping[str, Any], text: str) -> bool:
    folds = bool(matcher.get("ignoreCase"))
    tests: Mapping[str, Callable[[str, str], bool]] = {
        "exact": str.__eq__,
        "prefix": str.startswith,
        "suffix": str.endswith,
    }
    for kind, test in tests.items():
        if kind in matcher:
            wanted = matcher[kind]
            return test(text.lower(), wanted.lower()) if folds else test(text, wanted)
    return re.fullmatch(matcher["safeRegex"]["regex"], text) is not None


def _inside(block: Mapping[str, Any], addresses: tuple[Any, ...] | None) -> Truth:
    net = ip_network(f"{block['addressPrefix']}/{block['prefixLen']}", strict=False)
    return _sure(any(address in net for address in addresses or ()))


def _sure(holds: bool) -> Truth:
    return Truth.YES if holds else Truth.NO


def _judged(policy: Mapping[str, Any], seen: Seen) -> Truth:
    permitted = max(_permission(rule, seen) for rule in policy["permissions"])
    return min(permitted, max(_principal(each, seen) for each in policy["principals"]))


def _samples(policy: Mapping[str, Any]) -> Iterator[Seen]:
    """Requests that meet one condition of each kind, and then, mostly, miss one of them."""
    rng = random.Random(json.dumps(policy))  # noqa: S311 - samples, not secrets
    nothing = Seen(
        port=1, identity="", peer=(NOWHERE,), remote=(NOWHERE,), local=(NOWHERE,), method="GET",
        path="/", full_path="/", host="nobody.example",
    )  # fmt: skip
    for _ in range(SAMPLES):
        seen = replace(nothing, token=rng.random() < 0.8)
        leaves = [*_leaves(rng.choice(policy["permissions"]), rng)]
        leaves += _leaves(rng.choice(policy["principals"]), rng)
        missed = rng.randrange(len(leaves) * 2)
        for index, leaf in enumerate(leaves):
            seen = _meeting(seen, leaf, rng) if index != missed else _meeting(seen, MISSED, rng)
        yield seen


MISSED: Mapping[str, Any] = {"any": True}
NOWHERE = ip_address("203.0.113.9")


def _leaves(rule: Mapping[str, Any], rng: random.Random) -> Iterator[Mapping[str, Any]]:
    ((kind, value),) = rule.items()
    if kind in ("andRules", "andIds"):
        for each in next(iter(value.values())):
            yield from _leaves(each, rng)
    elif kind in ("orRules", "orIds"):
        yield from _leaves(rng.choice(next(iter(value.values()))), rng)
    elif kind in ("notRule", "notId"):
        if rng.random() < 0.5:
            yield from _leaves(value, rng)
    else:
        yield rule


def _meeting(  # noqa: PLR0911 - a line a field
    seen: Seen, leaf: Mapping[str, Any], rng: random.Random
) -> Seen:
    ((kind, value),) = leaf.items()
    match kind:
        case "header":
            text = _text(value.get("stringMatch", {"exact": "x"}), rng)
            if value["name"] == ":method":
                return replace(seen, method=text)
            if value["name"] == ":authority":
                return replace(seen, host=rng.choice((text, text.upper(), f"{text}:80")))
            return replace(seen, headers={**seen.headers, value["name"].lower(): (text,)})
        case "urlPath":
            text = _text(value["path"], rng)
            return replace(seen, path=text, full_path=text)
        case "destinationPort":
            return replace(seen, port=value)
        case "destinationIp":
            return replace(seen, local=(_address(value, rng),))
        case "directRemoteIp":
            return replace(seen, peer=(_address(value, rng),))
        case "remoteIp":
            return replace(seen, remote=(_address(value, rng),))
        case "authenticated":
            return replace(seen, identity=_text(value["principalName"], rng))
    return seen


def _text(matcher: Mapping[str, Any], rng: random.Random) -> str:
    """A text that it means, or one beside it."""
    if "safeRegex" in matcher:
        plain = re.sub(r"\\(.)", r"\1", matcher["safeRegex"]["regex"])
        text = plain.replace("[^/]*", "x").replace(".*", "spiffe://td1", 1).replace(".*", "sa/x")
        text = text.replace("spiffe://spiffe://", "spiffe://").replace(".+", "x")
    else:
        kind = next(key for key in ("exact", "prefix", "suffix") if key in matcher)
        ends = {"exact": ("", ""), "prefix": ("", "x"), "suffix": ("x", "")}[kind]
        text = f"{ends[0]}{matcher[kind]}{ends[1]}"
    return rng.choice((text, text, text, text, f"{text}x", f"x{text}", text.upper()))


def _address(block: Mapping[str, Any], rng: random.Random) -> IPv4Address | IPv6Address:
    net = ip_network(f"{block['addressPrefix']}/{block['prefixLen']}", strict=False)
    first, last = net.network_address, net.broadcast_address
    return rng.choice((first, last, first, last, last + 1))


def _resource(manifest: Mapping[str, Any]) -> Resource:
    metadata = manifest["metadata"]
    ref = Ref(manifest["apiVersion"], manifest["kind"], metadata["namespace"], metadata["name"])
    return Resource(ref, manifest, Origin("in.yaml", NoLines()))


def _ours(written: Path, *, http: bool) -> dict[tuple[str, str, int], Compiled]:
    """Every rule that is not dropped, by namespace, name and index."""
    name = written.name.removesuffix("-in.yaml")
    found = {}
    for manifest in filter(None, yaml.safe_load_all(written.read_text())):
        policy = read_policy(_resource(manifest))
        for index, rule in enumerate(policy.rules):
            domains = DOMAINS.get(name, Domains())
            made = compiled(rule, policy.action, policy.ref.namespace, domains, http=http)
            if isinstance(made, Compiled):
                found[policy.ref.namespace, policy.ref.name, index] = made
    return found


def _theirs(out: Path) -> Iterator[tuple[tuple[str, str, int], Mapping[str, Any]]]:
    for document in yaml.safe_load_all(out.read_text()):
        config = document.get("typedConfig", {})
        for part in ("rules", "shadowRules"):
            for name, policy in (config.get(part, {}).get("policies") or {}).items():
                found = _NAME.search(name)
                assert found, name
                yield (found["ns"], found["name"], int(found["rule"])), policy


def test_every_rule_means_what_its_filter_does(capsys: pytest.CaptureFixture[str]) -> None:
    """On requests made of what a rule says, it judges as the filter made of it; on a TCP port the
    rules that are left are the same.
    """
    pairs = list(_pairs())
    if not pairs:
        why = f"no recorded answers in {DATA}; set AUDITOR_CONFORMANCE"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(why)
    count: Counter[str] = Counter()
    wrong = []
    for written, out in pairs:
        ours = _ours(written, http=out.parent.name == "http")
        theirs = dict(_theirs(out))
        # A policy without rules is one rule there that never matches.
        extra = {
            key for key in theirs if key not in ours and theirs[key].get("principals") != NEVER
        }
        assert not extra, (out.name, extra)
        for key, policy in theirs.items():
            if key not in ours:
                continue
            count["rules"] += 1
            for seen in _samples(policy):
                expected, found = _judged(policy, seen), ours[key].truth(seen)
                count["samples"] += 1
                count[expected.name] += 1
                if expected != found:
                    wrong.append((out.name, key, seen, expected, found))
    with capsys.disabled():
        print(f"\nistio filters: {len(pairs)} pairs, {dict(count)}", end="")  # noqa: T201
    assert not wrong, f"{len(wrong)}: {wrong[:3]}"
    assert count["YES"] > 500
    assert count["NO"] > 500


NEVER = [{"notId": {"any": True}}]
