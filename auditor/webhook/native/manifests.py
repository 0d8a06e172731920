"""ValidatingAdmissionPolicies and their bindings, as manifests."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from typing import Any

from auditor.declared import Admission
from auditor.model import Manifest, Policy, Settings
from auditor.policies.parameters import given
from auditor.sources.kinds import KINDS, Kind
from auditor.values import dataclass
from auditor.webhook.native.bindings import Binding, PatternError, bindings, selector
from auditor.webhook.native.expressions import Asked, Judgement, judgement
from auditor.webhook.native.forms import Forms
from auditor.webhook.native.waived import condition, fitting, last_day
from auditor.webhook.registration import CONDITIONS, SUBRESOURCES, SYSTEM_NAMESPACES

API_VERSION = "admissionregistration.k8s.io/v1"
STATIC_SUFFIX = ".static.k8s.io"
"""Names of what the API server reads from files: https://kep.k8s.io/5793"""
NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
NAME_LENGTH = 240
"""Of 253, so that there is room for the suffix of a second binding."""


@dataclass(frozen=True, slots=True)
class Left:
    """A policy that is not exported, and why."""

    policy: str
    why: str


@dataclass(frozen=True, slots=True)
class Export:
    """What the API server can judge by itself, and what it cannot."""

    manifests: tuple[Manifest, ...] = ()
    left: tuple[Left, ...] = field(default=())


class _CannotError(Exception):
    """Why a policy cannot be exported."""


@dataclass(frozen=True, slots=True)
class Terms:
    """For whom the policies are exported."""

    settings: Settings
    admission: Admission
    static: bool = False
    """For a server that reads them from files."""
    unasked: tuple[str, ...] = SYSTEM_NAMESPACES
    """Namespaces whose objects are not judged."""


def export(policies: Iterable[Policy], terms: Terms) -> Export:
    """The policies that CEL can express, each with bindings for what the terms say of it.

    Raises:
        PolicyError: a form is wrong.
    """
    asked = tuple(policies)
    forms, manifests, left = Forms(asked), list[Manifest](), list[Left]()
    for policy in sorted(asked, key=lambda policy: policy.id):
        try:
            manifests += _manifests(policy, forms, terms)
        except _CannotError as error:
            left.append(Left(policy.id, str(error)))
    return Export(tuple(manifests), tuple(left))


def name_of(policy: str, suffix: str = "", *, static: bool = False) -> str:
    """The name of the manifests of a policy."""
    name = "auditor." + policy.replace("/", ".").replace("_", "-") + suffix
    return name + (STATIC_SUFFIX if static else "")


def _bindings(policy: Policy, terms: Admission) -> tuple[Binding, ...]:
    try:
        bound = bindings(policy, terms)
    except PatternError as error:
        raise _CannotError(str(error)) from error
    if not bound:
        raise _CannotError(f"faults of severity {policy.severity} do not count")
    return bound


def _manifests(policy: Policy, forms: Forms, terms: Terms) -> Iterator[Manifest]:
    bound = _bindings(policy, terms.admission)
    name, kinds = _name(policy, static=terms.static), _kinds(policy)
    waivers = fitting(policy, terms.settings.waivers)
    judged = _judgement(policy, forms, terms.settings, kinds, condition(waivers))
    spec = {
        "failurePolicy": "Fail",  # of an expression that costs too much; then the binding decides
        "matchConstraints": _constraints(kinds, terms.unasked),
        "matchConditions": [{"name": name, "expression": cel} for name, cel in CONDITIONS.items()],
        "variables": [{"name": name, "expression": cel} for name, cel in judged.variables],
        "validations": [_validation(policy, judged)],
    }
    manifest = _manifest("ValidatingAdmissionPolicy", name, policy, spec)
    if day := last_day(waivers):
        manifest["metadata"]["annotations"]["auditor/waived-until"] = day
    yield manifest
    for number, binding in enumerate(bound):
        suffix = f".{binding.mode}-{number}" if number else ""
        own = name_of(policy.id, suffix, static=terms.static)
        said = {"policyName": name, **binding.spec}
        yield _manifest("ValidatingAdmissionPolicyBinding", own, policy, said)


def _name(policy: Policy, *, static: bool) -> str:
    name = name_of(policy.id, static=static)
    if len(name) > NAME_LENGTH or not NAME.fullmatch(name):
        raise _CannotError(f"'{name}' can be the name of no object")
    return name


def _judgement(
    policy: Policy, forms: Forms, settings: Settings, kinds: Iterable[Kind], waived: str
) -> Judgement:
    if policy.facts:
        facts = ", ".join(policy.facts)
        raise _CannotError(f"an expression sees one object, and it asks of the cluster: {facts}")
    form = forms.of(policy)
    if form is None:
        raise _CannotError("it has no CEL form")
    if form.inexpressible:
        raise _CannotError(" ".join(form.inexpressible.split()))
    told = given(policy, settings)
    if told and not any(told.values()):
        raise _CannotError(f"nothing is declared for it: {', '.join(sorted(told))}")
    pairs = tuple((kind.group, kind.kind) for kind in kinds)
    judged = judgement(form, Asked(pairs, settings.kubernetes, told, waived))
    if judged is None:
        version = f"{settings.kubernetes // 100}.{settings.kubernetes % 100}"
        raise _CannotError(f"it asks nothing of Kubernetes {version}")
    return judged


def _kinds(policy: Policy) -> list[Kind]:
    """The kinds of its objects, as the API server serves them; those of the base API alone where
    others have the same name.
    """
    named = [kind for kind in KINDS if kind.kind in policy.kinds]
    served = {kind.kind for kind in named if not kind.optional}
    found = [kind for kind in named if not kind.optional or kind.kind not in served]
    if unknown := sorted(set(policy.kinds) - {kind.kind for kind in found}):
        raise _CannotError(f"it is not known where the API server serves {', '.join(unknown)}")
    return found


def _constraints(kinds: Iterable[Kind], unasked: tuple[str, ...]) -> dict[str, Any]:
    groups: dict[str, list[str]] = {}
    for kind in kinds:
        groups.setdefault(kind.group, []).append(kind.plural)
        groups[kind.group] += [each for each in SUBRESOURCES if each.startswith(f"{kind.plural}/")]
    return {
        "matchPolicy": "Equivalent",
        "namespaceSelector": selector("NotIn", tuple(dict.fromkeys(unasked))),
        "resourceRules": [
            {
                "apiGroups": [group],
                "apiVersions": ["*"],
                "operations": ["CREATE", "UPDATE"],
                "resources": list(dict.fromkeys(resources)),
            }
            for group, resources in groups.items()
        ],
    }


def _validation(policy: Policy, judged: Judgement) -> dict[str, str]:
    said = {"expression": "variables.added.size() == 0", "message": policy.title}
    if judged.anchored:
        title = json.dumps(f"{policy.title}: ", ensure_ascii=False)
        said["messageExpression"] = f"{title} + variables.added.join(', ')"
    return said


def _manifest(kind: str, name: str, policy: Policy, spec: Mapping[str, Any]) -> Manifest:
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": {
            "name": name,
            "labels": {"app.kubernetes.io/part-of": "auditor"},
            "annotations": {"auditor/policy": policy.id, "auditor/severity": policy.severity.value},
        },
        "spec": dict(spec),
    }
