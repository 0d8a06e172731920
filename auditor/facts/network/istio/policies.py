"""Reads AuthorizationPolicy as it is written, and says who would refuse it.

What it means is told in `conditions`. An object that the API server or Istio's webhook would refuse
is read all the same, as istiod would read it were it stored: without its webhook, or from before a
field was checked, it is. What istiod cannot parse at all is `unreadable` and selects nothing.

Source: istio.io/api security/v1beta1 authorization_policy.proto with the schema that is made of it,
and istio pkg/config/validation (ValidateAuthorizationPolicy), of Istio 1.31.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args

from auditor.facts.network.answers import InvalidPolicy
from auditor.facts.wording import said
from auditor.manifests import at, mapping, sequence, texts
from auditor.model import Path, Ref, Resource
from auditor.values import dataclass

GROUP = "security.istio.io"
KIND = "AuthorizationPolicy"

Action = Literal["ALLOW", "DENY", "AUDIT", "CUSTOM"]
ACTIONS: tuple[Action, ...] = get_args(Action)
Refuser = Literal["crd", "webhook", "envoy"]

SOURCE_FIELDS: Mapping[str, str] = {
    "principals": "notPrincipals",
    "requestPrincipals": "notRequestPrincipals",
    "namespaces": "notNamespaces",
    "serviceAccounts": "notServiceAccounts",
    "trustDomains": "notTrustDomains",
    "ipBlocks": "notIpBlocks",
    "remoteIpBlocks": "notRemoteIpBlocks",
}
"""Fields of `from.source`, each with the one that means the opposite."""

OPERATION_FIELDS: Mapping[str, str] = {
    "hosts": "notHosts",
    "ports": "notPorts",
    "methods": "notMethods",
    "paths": "notPaths",
}
"""The same of `to.operation`."""

DRY_RUN = "istio.io/dry-run"
_TRUE = ("1", "t", "T", "TRUE", "true", "True")
_FALSE = ("0", "f", "F", "FALSE", "false", "False")
"""What Go's strconv.ParseBool takes."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One field with its opposite: any of `values` (where there are some), none of `unwanted`."""

    field: str
    """``paths``; of a condition its key: ``request.headers[x-token]``."""
    path: Path
    """Of the source, the operation or the condition that holds it."""
    values: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AuthorizationRule:
    """One of `sources`, one of `operations`, and all of `conditions`."""

    path: Path
    sources: tuple[tuple[Clause, ...], ...] = ()
    """Empty: everybody. A source without clauses is everybody too."""
    operations: tuple[tuple[Clause, ...], ...] = ()
    """Empty: everything."""
    conditions: tuple[Clause, ...] = ()

    @property
    def clauses(self) -> Iterator[Clause]:
        """All of them, in the order written."""
        for alternatives in (self.sources, self.operations):
            for clauses in alternatives:
                yield from clauses
        yield from self.conditions


@dataclass(frozen=True, slots=True)
class Refusal:
    """Who would not take a policy, and why."""

    invalid: InvalidPolicy
    by: Refuser
    """``crd``: the API server by the schema; ``webhook``: istiod, asked by the API server;
    ``envoy``: nobody until a proxy cannot load it."""


@dataclass(frozen=True, slots=True)
class AuthorizationPolicy:
    """An AuthorizationPolicy, whoever would refuse it."""

    resource: Resource
    action: Action
    rules: tuple[AuthorizationRule, ...]
    labels: Mapping[str, str] | None
    """Of the selector; None or empty: every workload."""
    targeted: bool = False
    """Whether it names targets (`targetRefs`), so that sidecars leave it aside."""
    dry_run: bool = False
    provider: str = ""
    """Of CUSTOM: who is asked."""
    unreadable: bool = False
    """Whether istiod cannot parse it, and leaves it aside."""
    refusals: tuple[Refusal, ...] = ()

    @property
    def ref(self) -> Ref:
        """The object's identity."""
        return self.resource.ref


class UnreadableError(Exception):
    """Istio's parser stops here. Never leaves the package."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(why)
        self.path = path
        self.why = why


def parse_policy(resource: Resource) -> AuthorizationPolicy:
    """What an AuthorizationPolicy object says, whatever is written in it. Of the refusals it holds
    only the one of what cannot be parsed; `admission.read_policy` tells them all.
    """
    try:
        return _policy(resource)
    except UnreadableError as stop:
        refused = Refusal(InvalidPolicy(resource.ref, stop.path, stop.why), "crd")
        return AuthorizationPolicy(
            resource, "ALLOW", (), None, unreadable=True, refusals=(refused,)
        )


def _policy(resource: Resource) -> AuthorizationPolicy:
    spec = _object(resource.manifest.get("spec"), ("spec",))
    written = spec.get("action") or "ALLOW"
    action = next((known for known in ACTIONS if known == written), None)
    if action is None:
        raise UnreadableError(("spec", "action"), f"{said(written)} is no action")
    provider = _object(spec.get("provider"), ("spec", "provider")).get("name") or ""
    rules = _list(spec.get("rules"), ("spec", "rules"))
    return AuthorizationPolicy(
        resource=resource,
        action=action,
        rules=tuple(_rule(rule, ("spec", "rules", i)) for i, rule in enumerate(rules)),
        labels=selector_labels(spec),
        targeted=bool(spec.get("targetRef") or sequence(spec.get("targetRefs"))),
        dry_run=annotation(resource) in _TRUE,
        provider=_text(provider, ("spec", "provider", "name")),
    )


def annotation(resource: Resource) -> str | None:
    """The annotation that asks for a dry run; None where there is none."""
    return texts(at(resource.manifest, ("metadata", "annotations"))).get(DRY_RUN)


def is_boolean(text: str) -> bool:
    """Whether Go reads it as a boolean."""
    return text in _TRUE or text in _FALSE


def selector_labels(spec: Mapping[str, Any]) -> Mapping[str, str] | None:
    """The labels that a workload selector asks for; None without a selector.

    Raises:
        UnreadableError: it is none.
    """
    if spec.get("selector") is None:
        return None
    path: Path = ("spec", "selector", "matchLabels")
    labels = _object(_object(spec["selector"], path[:-1]).get("matchLabels"), path)
    return {str(key): _text(value, (*path, str(key))) for key, value in labels.items()}


def _rule(value: Any, path: Path) -> AuthorizationRule:
    if value is None:
        raise UnreadableError(path, "is nothing, and not a rule")
    rule = _object(value, path)
    return AuthorizationRule(
        path=path,
        sources=tuple(_alternatives(rule, path, ("from", "source"), SOURCE_FIELDS)),
        operations=tuple(_alternatives(rule, path, ("to", "operation"), OPERATION_FIELDS)),
        conditions=tuple(_conditions(rule, (*path, "when"))),
    )


def _alternatives(
    rule: Mapping[str, Any], path: Path, names: tuple[str, str], fields: Mapping[str, str]
) -> Iterator[tuple[Clause, ...]]:
    many, one = names
    for index, entry in enumerate(_list(rule.get(many), (*path, many))):
        if entry is None:
            raise UnreadableError((*path, many, index), "is nothing")
        place: Path = (*path, many, index, one)
        body = _object(_object(entry, place[:-1]).get(one), place)
        yield tuple(_clauses(body, place, fields))


def _clauses(body: Mapping[str, Any], path: Path, fields: Mapping[str, str]) -> Iterator[Clause]:
    for field, opposite in fields.items():
        values = _strings(body.get(field), (*path, field))
        unwanted = _strings(body.get(opposite), (*path, opposite))
        if values or unwanted:
            yield Clause(field, path, values, unwanted)


def _conditions(rule: Mapping[str, Any], path: Path) -> Iterator[Clause]:
    for index, entry in enumerate(_list(rule.get("when"), path)):
        place = (*path, index)
        condition = _object(entry, place)
        yield Clause(
            field=_text(condition.get("key") or "", (*place, "key")),
            path=place,
            values=_strings(condition.get("values"), (*place, "values")),
            unwanted=_strings(condition.get("notValues"), (*place, "notValues")),
        )


def _strings(value: Any, path: Path) -> tuple[str, ...]:
    return tuple(_text(item, (*path, i)) for i, item in enumerate(_list(value, path)))


def _text(value: Any, path: Path) -> str:
    if not isinstance(value, str):
        raise UnreadableError(path, f"{said(value)} is no text")
    return value


def _object(value: Any, path: Path) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise UnreadableError(path, "is no mapping")
    return mapping(value)


def _list(value: Any, path: Path) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise UnreadableError(path, "is no list")
    return value
