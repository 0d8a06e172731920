"""Whether a request may hold a token (RequestAuthentication). What one says, only proxies know."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qsl

from auditor.facts.network.istio.peer_authentication import selects
from auditor.facts.network.istio.policies import GROUP, UnreadableError, selector_labels
from auditor.facts.network.istio.traffic import lines
from auditor.facts.network.points import labels_of
from auditor.facts.network.requests import Request
from auditor.facts.selectors import Truth
from auditor.facts.workloads import Workload
from auditor.manifests import at, mapping, sequence
from auditor.model import Manifest, Resource, Snapshot

KIND = "RequestAuthentication"


Place = tuple[str, str]
"""``header`` or ``query``, and the name there."""


def may_hold(places: frozenset[Place], request: Request) -> bool:
    """Whether the request has anything in one of these places."""
    if not places:
        return False
    query = (request.path or "").partition("?")[2]
    held = {("header", name) for name in lines(request)}
    return not places.isdisjoint(held | {("query", name) for name, _ in parse_qsl(query)})


class Tokens:
    """The RequestAuthentications of a snapshot. Without one nobody reads tokens, and no request
    has what `request.auth` asks for.
    """

    def __init__(self, snapshot: Snapshot, root: str) -> None:
        self._root = root
        self._objects = [r for r in snapshot.of_kind(KIND) if r.ref.group == GROUP]

    def places(self, target: Workload) -> frozenset[Place]:
        """Where the proxy of `target` looks for a token."""
        here = (r for r in self._objects if self._means(r, target))
        return frozenset(place for resource in here for place in _places(resource.manifest))

    def _means(self, resource: Resource, target: Workload) -> bool:
        if resource.ref.namespace not in (self._root, target.ref.namespace):
            return False
        try:
            labels = selector_labels(mapping(resource.manifest.get("spec")))
        except UnreadableError:
            return True
        return selects(labels, labels_of(target)) > Truth.NO


def _places(manifest: Manifest) -> Iterator[Place]:
    """Where its rules look for a token."""
    for rule in map(mapping, sequence(at(manifest, ("spec", "jwtRules")))):
        yield "header", "authorization"
        yield "query", "access_token"
        for header in map(mapping, sequence(rule.get("fromHeaders"))):
            yield "header", str(header.get("name")).lower()
        for name in sequence(rule.get("fromParams")):
            yield "query", str(name)
        if sequence(rule.get("fromCookies")):
            yield "header", "cookie"
