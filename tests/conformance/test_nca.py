"""The queries of network-config-analyzer that fall inside NetworkPolicy, and the integer that each
is expected to give. A report: what is not asked, and what differs, is listed with its reason.

Its conventions: an ipBlock never means pods, pods on the network of their node are ordinary pods,
and a pod with itself is compared with nothing.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations, permutations, product
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor.facts.network import SPEC, Direction, Network, PortSet, World
from auditor.facts.network.policies import Block, NetPolicy, Pods, PolicyRule, parse_policy
from auditor.facts.network.reading import by_labels
from auditor.facts.selectors import Truth
from auditor.facts.workloads import Workload, workload_of
from auditor.manifests import at
from auditor.model import Origin, Ref, Resource, Snapshot
from tests.facts.network.cluster import NoLines

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("AUDITOR_CONFORMANCE", ROOT / "../shared/conformance"))
DATA = SHARED / "nca" / "tests"
LISTED: list[dict[str, str]] = yaml.safe_load(Path(__file__).with_name("nca.yaml").read_text())
"""`scheme`, and `query` where it is about one alone: why it is not asked, or why it differs."""
ITS_OWN = replace(
    SPEC,
    name="nca",
    blocks_match_pods=Truth.NO,
    blocks_match_nodes=Truth.NO,
    selectors_match_host_network=Truth.YES,
    selects_host_network=Truth.YES,
    node_reaches_its_pods=Truth.NO,
    reaches_its_node=Truth.NO,
    strict=False,
)
INWARD: Direction = "Ingress"
OUTWARD: Direction = "Egress"
FIELDS: Mapping[Direction, str] = {INWARD: "ingress", OUTWARD: "egress"}
MEANT = ("networking.k8s.io/v1", "extensions/v1beta1")
NEVER = PortSet.NONE

pytestmark = pytest.mark.conformance

Name = tuple[str, str]
"""Of a pod: its namespace and its name. Of an address: ``""`` and the address."""


class UnreadError(Exception):
    """What is asked about is nothing that is judged here: why."""

    def __init__(self, kind: str, why: str) -> None:
        super().__init__(why)
        self.kind = kind


@dataclass(frozen=True)
class Config:
    """One state of a cluster."""

    around: tuple[Resource, ...]
    policies: tuple[Resource, ...]

    @cached_property
    def network(self) -> Network:
        """The engine, which takes every pod for itself."""
        snapshot = Snapshot((*self.around, *self.policies))
        found = (workload_of(one) for one in self.around if one.ref.kind != "Namespace")
        return Network(snapshot, [one for one in found if one], ITS_OWN)

    @cached_property
    def pods(self) -> dict[Name, Workload]:
        """All of them."""
        return {(w.ref.namespace, w.ref.name): w for w in self.network.workloads}

    @cached_property
    def parsed(self) -> tuple[NetPolicy, ...]:
        """The policies as the engine reads them."""
        found = [parse_policy(one) for one in self.policies]
        return tuple(one for one in found if isinstance(one, NetPolicy))

    def without(self, policy: Resource, instead: Sequence[Resource] = ()) -> Config:
        """The same with others in the place of one policy."""
        kept = tuple(one for one in self.policies if one is not policy)
        return Config(self.around, (*kept, *instead))

    def peer(self, name: Name) -> Workload | World:
        """Who has this name."""
        return self.pods[name] if name[0] else World(name[1])

    def captured(self, name: Name, way: Direction) -> bool:
        """Whether a policy isolates the pod."""
        return bool(name[0] and self.network.isolating(self.pods[name], way))

    def way(self, source: Name, target: Name, way: Direction) -> PortSet:
        """What one end allows."""
        return self.network.reach(self.peer(source), self.peer(target), (way,)).ports

    def allowed(self, source: Name, target: Name) -> PortSet:
        """What flows."""
        return self.network.reach(self.peer(source), self.peer(target)).ports

    def explicit(self, source: Name, target: Name) -> PortSet | None:
        """What flows because a policy says so; None where none isolates either end."""
        inward, outward = self.captured(target, INWARD), self.captured(source, OUTWARD)
        return self.allowed(source, target) if inward or outward else None


def names(*configs: Config) -> list[Name]:
    """All pods, and one address for each set of them that somebody tells apart."""
    ends = {str(span.first) for config in configs for span in config.network.externals()}
    pods = dict.fromkeys(name for config in configs for name in config.pods)
    return [*pods, *(("", end) for end in sorted(ends))]


def pairs(*configs: Config) -> Iterator[tuple[Name, Name]]:
    """Every pair of two different ends of which one is a pod."""
    for source, target in product(names(*configs), repeat=2):
        if source != target and (source[0] or target[0]):
            yield source, target


def equivalent(one: Config, other: Config) -> bool:
    """Whether the same flows in both."""
    if one.pods.keys() != other.pods.keys():
        return False
    return all(one.allowed(*pair) == other.allowed(*pair) for pair in pairs(one, other))


def contained(one: Config, other: Config, *, explicit: bool = False) -> bool:
    """Whether what flows in the first flows in the other."""
    if not one.pods.keys() <= other.pods.keys():
        return False
    for pair in pairs(one):
        ports = one.explicit(*pair) if explicit else one.allowed(*pair)
        if ports is not None and ports - other.allowed(*pair):
            return False
    for pair in pairs(one, other):
        if all(name in one.pods or not name[0] for name in pair):
            ports = one.explicit(*pair) if explicit else one.allowed(*pair)
            if ports is not None and ports - other.allowed(*pair):
                return False
    return True


def interferes(one: Config, other: Config) -> bool:
    """Whether the first extends what policies of the other allow."""
    if one.pods.keys() != other.pods.keys():
        return False
    for pair in pairs(one, other):
        theirs, ours = other.explicit(*pair), one.explicit(*pair)
        if theirs is not None and ours is not None and ours - theirs:
            return True
    return False


def intersects(one: Config, other: Config) -> bool:
    """Whether anything that policies of the first allow flows in the other."""
    return any(
        bool((one.explicit(*pair) or NEVER) & other.allowed(*pair)) for pair in pairs(one, other)
    )


def empty_rules(config: Config, policy: NetPolicy) -> list[PolicyRule]:
    """Its rules whose peers are nobody."""
    rules = [rule for some in policy.rules.values() for rule in some if rule.peers]
    return [rule for rule in rules if not any(_means(config, policy, p) for p in rule.peers)]


def _means(config: Config, policy: NetPolicy, peer: Pods | Block) -> bool:
    if isinstance(peer, Block):
        return True
    points = (p for w in config.network.workloads for p in config.network.points_of(w))
    return any(by_labels(peer, policy.ref.namespace, p) is Truth.YES for p in points)


def selects_nobody(config: Config, policy: NetPolicy) -> bool:
    """Whether no pod is selected by it."""
    points = (p for w in config.network.workloads for p in config.network.points_of(w))
    home = policy.ref.namespace
    return not any(p.namespace == home and policy.selector.truth(p.labels) for p in points)


def emptiness(config: Config) -> int:
    """Policies and rules that mean nobody."""
    found = config.parsed
    nobody = sum(selects_nobody(config, policy) for policy in found)
    return nobody + sum(len(empty_rules(config, policy)) for policy in found)


def vacuity(config: Config) -> int:
    """1 where the policies change nothing."""
    return int(equivalent(config, Config(config.around, ())))


def _redundant(config: Config) -> list[NetPolicy]:
    found = config.parsed
    if len(found) < 2:
        return []
    return [one for one in found if equivalent(config, config.without(one.resource))]


def _redundant_rules(config: Config, policy: NetPolicy) -> Iterator[PolicyRule]:
    for way, rules in policy.rules.items():
        for rule in rules:
            left = _without(policy.resource, FIELDS[way], int(str(rule.path[-1])))
            if equivalent(config, config.without(policy.resource, (left,))):
                yield rule


def _without(policy: Resource, field: str, index: int) -> Resource:
    spec = dict(policy.manifest["spec"])
    types = spec.get("policyTypes") or ["Ingress", *(["Egress"] if spec.get("egress") else [])]
    spec |= {field: [*spec[field][:index], *spec[field][index + 1 :]], "policyTypes": types}
    return replace(policy, manifest={**policy.manifest, "spec": spec})


def redundancy(config: Config) -> int:
    """Policies that can be left out, and rules of the others."""
    gone = _redundant(config)
    rest = [one for one in config.parsed if one not in gone]
    return len(gone) + sum(len(list(_redundant_rules(config, one))) for one in rest)


def sanity(config: Config) -> int:
    """All of these; of a state without effect, what means nobody alone."""
    idle = vacuity(config)
    issues, gone = idle, _redundant(config)
    for policy in config.parsed:
        if selects_nobody(config, policy):
            issues += 1
            continue
        nobody = empty_rules(config, policy)
        issues += len(nobody)
        if idle:
            continue
        if policy in gone:
            issues += 1
            continue
        issues += sum(rule not in nobody for rule in _redundant_rules(config, policy))
    return issues


def uncaptured(config: Config) -> int:
    """What is left open on the way in, and on the way out: pods of one controller count once; where
    there is no policy at all, each pod.
    """
    if not config.policies:
        return len(config.pods)
    owners = {name: _owner(pod) for name, pod in config.pods.items()}
    return sum(
        len({owner for name, owner in owners.items() if not config.captured(name, way)})
        for way in FIELDS
    )


def _owner(pod: Workload) -> Name:
    owners = at(pod.resource.manifest, ("metadata", "ownerReferences")) or [{"name": pod.ref.name}]
    return pod.ref.namespace, owners[0]["name"]


def both_ways(one: Config, other: Config) -> int:
    """3: equal, 2: the first within the other, 1: the other within the first, 0: neither."""
    return 2 * contained(one, other) + contained(other, one)


def policy_wise(one: Config, other: Config) -> int:
    """1 unless both have the same policies, each with the same effect."""
    mine, theirs = ({p.ref.key: p for p in config.policies} for config in (one, other))
    if mine.keys() != theirs.keys():
        return 1
    return int(
        not all(
            equivalent(Config(one.around, (mine[key],)), Config(other.around, (theirs[key],)))
            for key in mine
        )
    )


def changes(before: Config, after: Config) -> int:
    """The kinds of change that there are: between whom, and whether something opens or closes."""
    found: set[tuple[object, ...]] = set()
    for source, target in pairs(before, after):
        old = before.allowed(source, target) if _both(before, source, target) else NEVER
        new = after.allowed(source, target) if _both(after, source, target) else NEVER
        between = frozenset(_age(name, before, after) for name in (source, target))
        found |= {(between, "lost")} if old - new else set()
        found |= {(between, "new")} if new - old else set()
    return len(found)


def _both(config: Config, *ends: Name) -> bool:
    return all(not name[0] or name in config.pods for name in ends)


def _age(name: Name, before: Config, after: Config) -> str:
    if not name[0]:
        return "address"
    if name not in after.pods:
        return "removed"
    return "added" if name not in before.pods else "kept"


ALONE: Mapping[str, Callable[[Config], int]] = {
    "emptiness": emptiness,
    "vacuity": vacuity,
    "redundancy": redundancy,
    "sanity": sanity,
    "allCaptured": uncaptured,
    "connectivityMap": lambda config: 0 * len(list(config.network.pairs())),
}
AGAINST_THE_FIRST: Mapping[str, Callable[[Config, Config], int]] = {
    "containment": lambda first, other: int(contained(other, first)),
    "permits": lambda first, other: int(not contained(other, first, explicit=True)),
    "forbids": lambda first, other: int(intersects(other, first)),
    "interferes": lambda first, other: int(interferes(other, first)),
}
EACH_PAIR: Mapping[str, Callable[[Config, Config], int]] = {
    "equivalence": lambda one, other: int(not equivalent(one, other)),
    "strongEquivalence": policy_wise,
    "twoWayContainment": both_ways,
    "semanticDiff": changes,
}


def result(kind: str, configs: Sequence[Config]) -> int:
    """The sum over all that the query compares."""
    if kind in ALONE:
        return sum(map(ALONE[kind], configs))
    if kind in AGAINST_THE_FIRST:
        return sum(AGAINST_THE_FIRST[kind](configs[0], one) for one in configs[1:])
    if kind in EACH_PAIR:
        return sum(EACH_PAIR[kind](*pair) for pair in combinations(configs, 2))
    if kind == "pairwiseInterferes":
        return sum(interferes(*pair) for pair in permutations(configs, 2))
    raise UnreadError("kind", f"{kind} is not asked here")


# What a scheme names.


def _documents(source: str, folder: Path) -> Iterator[dict[str, Any]]:
    if source in ("k8s", "calico", "istio") or source.startswith("http"):
        raise UnreadError("missing", f"{source} is nothing that is here")
    path = folder / source.removesuffix("/**")
    if not path.exists():
        raise UnreadError("missing", f"{source} is not here")
    pattern = "**/*" if source.endswith("/**") else "*"
    files = sorted(f for f in path.glob(pattern) if f.is_file()) if path.is_dir() else [path]
    for file in files:
        if file.suffix in (".yaml", ".yml", ".json"):
            for document in yaml.load_all(file.read_text(), yaml.CSafeLoader):
                yield from _items(document)


def _items(document: Any) -> Iterator[dict[str, Any]]:
    if isinstance(document, list):
        for each in document:
            yield from _items(each)
    elif isinstance(document, dict) and str(document.get("kind", "")).endswith("List"):
        kind = document["kind"].removesuffix("List")
        for each in document.get("items") or ():
            shape = {"apiVersion": document.get("apiVersion", "v1")}
            yield (shape | {"kind": kind} if kind else shape) | each
    elif isinstance(document, dict) and "kind" in document:
        yield document


def _resource(manifest: Mapping[str, Any]) -> Resource:
    metadata, kind = manifest["metadata"], manifest["kind"]
    namespace = "" if kind == "Namespace" else metadata.get("namespace") or "default"
    ref = Ref(manifest["apiVersion"], kind, namespace, metadata["name"])
    return Resource(ref, manifest, Origin("case", NoLines()))


def _config(scheme: Mapping[str, Any], name: str, folder: Path) -> Config:
    name, _, only = name.partition("/")
    told = next(one for one in scheme["networkConfigList"] if one["name"] == name)
    objects: dict[str, list[Resource]] = {"namespaces": [], "pods": [], "policies": []}
    for sources, wanted in _sources(scheme, told):
        for source in sources:
            for resource in map(_resource, _documents(source, folder)):
                part = _part(resource)
                if part in wanted:
                    objects[part].append(resource)
    policies = objects["policies"]
    strange = {str(one.ref.kind) for one in policies if not _judged(one.ref)}
    if strange:
        raise UnreadError("dialect", f"{', '.join(sorted(strange))} of another dialect")
    if only:
        policies = [one for one in policies if only.endswith(f"{one.ref.namespace}/{one.ref.name}")]
        if len(policies) != 1:
            raise UnreadError("missing", f"{len(policies)} policies are called {only}")
    known = {one.ref.name for one in objects["namespaces"]}
    homes = {one.ref.namespace for one in objects["pods"]} - known
    shape = {"apiVersion": "v1", "kind": "Namespace"}
    bare = [_resource(shape | {"metadata": {"name": home}}) for home in sorted(homes)]
    return Config((*objects["namespaces"], *bare, *objects["pods"]), tuple(policies))


def _judged(ref: Ref) -> bool:
    return ref.kind == "NetworkPolicy" and ref.api_version in MEANT


def _sources(
    scheme: Mapping[str, Any], told: Mapping[str, Any]
) -> Iterator[tuple[list[str], tuple[str, ...]]]:
    """Where each part is taken from: what the state says itself goes first."""
    fields = {"namespaceList": "namespaces", "podList": "pods", "networkPolicyList": "policies"}
    for field, part in fields.items():
        for place in (told, scheme):
            if field in place:
                yield _listed(place[field]), (part,)
                break
            if "resourceList" in place:
                yield _listed(place["resourceList"]), (part,)
                break


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())


def _part(resource: Resource) -> str:
    if resource.ref.kind == "Namespace":
        return "namespaces"
    policy = resource.ref.kind.endswith("Policy") or resource.ref.kind in (
        "Ingress", "Gateway", "VirtualService", "Sidecar", "Profile", "PeerAuthentication",
        "NetworkSet", "GlobalNetworkSet", "HostEndpoint",
    )  # fmt: skip
    if policy:
        return "policies"
    return "pods" if workload_of(resource) else "else"


@dataclass(frozen=True, slots=True)
class Query:
    """One query of a scheme."""

    scheme: str
    name: str
    kind: str
    configs: tuple[str, ...]
    expected: int


def _queries() -> Iterator[tuple[Query, Mapping[str, Any], Path]]:
    if not DATA.is_dir():
        why = f"no recorded answers in {DATA}; set AUDITOR_CONFORMANCE"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(why)
    for file in sorted(DATA.glob("**/*.yaml")):
        text = file.read_text()
        if "networkConfigList" not in text:
            continue
        scheme = yaml.safe_load(text)
        for query in scheme.get("queries") or ():
            kind = next(key for key in query if key in KINDS)
            if "expected" in query:
                where = str(file.relative_to(DATA))
                asked = Query(where, query["name"], kind, tuple(query[kind]), query["expected"])
                yield asked, scheme, file.parent


KINDS = frozenset((*ALONE, *AGAINST_THE_FIRST, *EACH_PAIR, "pairwiseInterferes", "disjointness"))


def _check(config: Config) -> None:
    if config.network.invalid:
        raise UnreadError("refused", f"{config.network.invalid[0].ref} is refused")


def _answer(query: Query, scheme: Mapping[str, Any], folder: Path) -> int:
    configs = [_config(scheme, name, folder) for name in query.configs]
    for config in configs:
        _check(config)
    return result(query.kind, configs)


def test_every_query_is_answered_or_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """Integer equality; what is not judged and what differs is listed, and nothing else is."""
    count: Counter[str] = Counter()
    found: dict[tuple[str, str], str] = {}
    for query, scheme, folder in _queries():
        count["queries"] += 1
        try:
            answer = _answer(query, scheme, folder)
        except UnreadError as unread:
            count[f"not asked: {unread.kind}"] += 1
            found[query.scheme, query.name] = str(unread)
            continue
        agrees = answer == query.expected
        count[f"{query.kind}: {'agree' if agrees else 'differ'}"] += 1
        count["agree" if agrees else "differ"] += 1
        if not agrees:
            found[query.scheme, query.name] = f"{query.kind}: {answer} and not {query.expected}"
    assert count["agree"] > 200
    with capsys.disabled():
        print(f"\nnetwork-config-analyzer: {dict(sorted(count.items()))}", end="")  # noqa: T201
    unlisted = {key: why for key, why in found.items() if not _reasons(*key)}
    assert not unlisted, unlisted
    idle = [one for one in LISTED if not any(_is(one, *key) for key in found)]
    assert not idle


def _reasons(scheme: str, name: str) -> Iterable[str]:
    return [one["why"] for one in LISTED if _is(one, scheme, name)]


def _is(one: Mapping[str, str], scheme: str, name: str) -> bool:
    return one["scheme"] == scheme and one.get("query", name) == name
