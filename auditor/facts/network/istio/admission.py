"""Who would refuse an AuthorizationPolicy: the API server, Istio's webhook, or Envoy.

Sources: the schema of Istio's CRDs with its CEL rules; istio pkg/config/validation
(ValidateAuthorizationPolicy) and pkg/config/security, of Istio 1.31.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from auditor.facts.network.answers import InvalidPolicy
from auditor.facts.network.istio import conditions
from auditor.facts.network.istio.matching import network
from auditor.facts.network.istio.policies import (
    DRY_RUN,
    OPERATION_FIELDS,
    SOURCE_FIELDS,
    AuthorizationPolicy,
    AuthorizationRule,
    Clause,
    Refusal,
    Refuser,
    annotation,
    is_boolean,
    parse_policy,
)
from auditor.facts.wording import said
from auditor.manifests import at, mapping, sequence
from auditor.model import Path, Resource

_Finding = tuple[Refuser, Path, str]

_OF_IDENTITY = ("principals", "requestPrincipals", "namespaces", "serviceAccounts")
_LITERAL = re.compile(r"[a-zA-Z0-9\-._~%!$&'()+,;:@=]*")


def read_policy(resource: Resource) -> AuthorizationPolicy:
    """What an AuthorizationPolicy object says, with everybody who would not take it."""
    policy = parse_policy(resource)
    return replace(policy, refusals=(*policy.refusals, *refusals(policy)))


def refusals(policy: AuthorizationPolicy) -> Iterator[Refusal]:
    """Every reason for which somebody would not take `policy`."""
    for by, path, why in _findings(policy):
        yield Refusal(InvalidPolicy(policy.ref, path, why), by)


def _findings(policy: AuthorizationPolicy) -> Iterator[_Finding]:
    yield from selector_findings(policy.resource.manifest)
    yield from _of_targets(policy)
    yield from _of_action(policy)
    for rule in policy.rules:
        yield from _of_rule(policy, rule)
    for path, why in conditions.unloadable(policy):
        yield "envoy", path, f"{why}: Envoy cannot load the policy"


def selector_findings(manifest: Mapping[str, object]) -> Iterator[_Finding]:
    """What is refused of the selector of a workload, in any of Istio's objects."""
    path: Path = ("spec", "selector", "matchLabels")
    for key, value in mapping(at(manifest, path)).items():
        if key == "":
            yield "crd", path, "has a label without a key"
        if "*" in str(key) or "*" in str(value):
            yield "crd", (*path, str(key)), "has a wildcard, which selectors do not take"
        if isinstance(value, str) and len(value) > 63:
            yield "crd", (*path, str(key)), "is longer than a label value can be"


def _of_targets(policy: AuthorizationPolicy) -> Iterator[_Finding]:
    spec = mapping(policy.resource.manifest.get("spec"))
    named = [key for key in ("selector", "targetRef", "targetRefs") if spec.get(key)]
    if len(named) > 1:
        yield "crd", ("spec",), f"has {' and '.join(named)}, of which only one may be set"
    if len(sequence(spec.get("targetRefs"))) > 16:
        yield "crd", ("spec", "targetRefs"), "has more than 16 entries"
    if "rules" in spec and spec["rules"] is None:
        yield "crd", ("spec", "rules"), "is no list"


def _of_action(policy: AuthorizationPolicy) -> Iterator[_Finding]:
    if policy.action in ("DENY", "CUSTOM") and not policy.rules:
        why = f"{policy.action} without rules never applies; a rule {{}} means every request"
        yield "webhook", ("spec",), why
    spec = mapping(policy.resource.manifest.get("spec"))
    if policy.action == "CUSTOM" and not policy.provider:
        yield "webhook", ("spec", "provider"), "CUSTOM needs a provider"
    if policy.action != "CUSTOM" and spec.get("provider") is not None:
        yield "webhook", ("spec", "provider"), f"must not stand with the action {policy.action}"
    dry_run = annotation(policy.resource)
    if dry_run is not None and not is_boolean(dry_run):
        path: Path = ("metadata", "annotations", DRY_RUN)
        yield "webhook", path, f"{said(dry_run)} is no boolean, so the policy is enforced"


def _of_rule(policy: AuthorizationPolicy, rule: AuthorizationRule) -> Iterator[_Finding]:
    yield from _of_alternatives(policy, rule)
    for source in rule.sources:
        yield from _of_source(source)
    for clause in (clause for clauses in rule.sources for clause in clauses):
        yield from _of_values(clause, SOURCE_FIELDS)
    for clause in (clause for clauses in rule.operations for clause in clauses):
        yield from _of_values(clause, OPERATION_FIELDS)
    for clause in rule.conditions:
        yield from _of_condition(clause)
    if policy.action == "CUSTOM":
        yield from _of_custom(rule)


def _of_alternatives(policy: AuthorizationPolicy, rule: AuthorizationRule) -> Iterator[_Finding]:
    for field, inner, alternatives in (
        ("from", "source", rule.sources),
        ("to", "operation", rule.operations),
    ):
        for index, clauses in enumerate(alternatives):
            path: Path = (*rule.path, field, index, inner)
            written = at(policy.resource.manifest, path)
            if written is None:
                yield "webhook", path[:-1], f"has no {inner}"
            elif not clauses:
                yield "webhook", path, "is empty"


def _of_source(clauses: tuple[Clause, ...]) -> Iterator[_Finding]:
    fields = {clause.field: clause for clause in clauses}
    if "serviceAccounts" in fields and ("namespaces" in fields or "principals" in fields):
        path = fields["serviceAccounts"].path
        yield "crd", path, "has serviceAccounts beside namespaces or principals"


def _of_values(clause: Clause, fields: Mapping[str, str]) -> Iterator[_Finding]:
    for field, values in (
        (clause.field, clause.values),
        (fields[clause.field], clause.unwanted),
    ):
        for index, value in enumerate(values):
            why = _refused_value(clause.field, value)
            if why:
                yield "webhook", (*clause.path, field, index), why


def _refused_value(field: str, value: str) -> str:
    """Why the webhook does not take a value; empty where it does."""
    if not value:
        return "is empty"
    if field in ("ipBlocks", "remoteIpBlocks"):
        return "" if network(value) else f"{said(value)} is neither an IP address nor a CIDR"
    if field == "ports":
        return "" if conditions.port(value) is not None else f"{said(value)} is no port number"
    if field == "serviceAccounts":
        return _refused_account(value)
    if field == "trustDomains":
        inner = value[1:-1] if len(value) > 1 else ""
        return f"{said(value)} has a wildcard in the middle" if "*" in inner else ""
    return _refused_path(value) if field == "paths" else ""


def _refused_account(value: str) -> str:
    if "*" in value:
        return f"{said(value)} has a wildcard, which service accounts do not take"
    parts = value.split("/")
    if len(parts) > 2 or not all(parts):
        return f"{said(value)} is neither an account nor namespace/account"
    return ""


def _refused_path(value: str) -> str:
    template = "{*}" in value or "{**}" in value
    spanned = False
    for segment in value.strip("/").split("/"):
        if segment in ("{*}", "{**}"):
            if spanned:
                return f"{said(value)} has an operator behind {{**}}"
            spanned = segment == "{**}"
        elif "{" in segment or "}" in segment:
            return f"{said(value)} has braces that are no operator"
        elif template and not (segment and _LITERAL.fullmatch(segment)):
            return f"{said(value)} has the segment {said(segment)}, which is no literal"
    return ""


def _of_condition(clause: Clause) -> Iterator[_Finding]:
    if not clause.field:
        yield "webhook", (*clause.path, "key"), "is empty"
    elif not clause.values and not clause.unwanted:
        yield "webhook", clause.path, "has neither values nor notValues"
    elif not conditions.is_attribute(clause.field):
        yield "webhook", (*clause.path, "key"), f"{said(clause.field)} is no attribute"
    else:
        yield from _of_attribute(clause)


def _of_attribute(clause: Clause) -> Iterator[_Finding]:
    named = ("request.headers", "request.auth.claims", "experimental.envoy.filters.")
    if clause.field.startswith(named) and not _has_brackets(clause.field):
        yield "webhook", (*clause.path, "key"), f"{said(clause.field)} has not the form a[b]"
    for field, values in (("values", clause.values), ("notValues", clause.unwanted)):
        for index, value in enumerate(values):
            if why := _refused_attribute(clause.field, value):
                yield "webhook", (*clause.path, field, index), why


def _refused_attribute(key: str, value: str) -> str:
    fields = {
        "source.ip": "ipBlocks",
        "remote.ip": "remoteIpBlocks",
        "destination.ip": "ipBlocks",
        "destination.port": "ports",
        "source.serviceAccount": "serviceAccounts",
        "source.trustDomain": "trustDomains",
    }
    return _refused_value(fields.get(key, ""), value)


def _has_brackets(key: str) -> bool:
    opening = key.find("[")
    return key.endswith("]") and 0 < opening < len(key) - 2


def _of_custom(rule: AuthorizationRule) -> Iterator[_Finding]:
    why = "cannot be asked for with the action CUSTOM"
    for clause in (clause for clauses in rule.sources for clause in clauses):
        if clause.field in _OF_IDENTITY:
            yield "webhook", (*clause.path, clause.field), why
    for clause in rule.conditions:
        identity = ("source.namespace", "source.serviceAccount", "source.principal")
        if clause.field in identity or clause.field.startswith("request.auth."):
            yield "webhook", (*clause.path, "key"), why
