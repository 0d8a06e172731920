"""The resources that a question may name: of which API group they are, whether they are in
namespaces, and what somebody may have meant who names one that is not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING

from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.facts.access.requests import Request
    from auditor.facts.access.roles import Role
    from auditor.model import Snapshot

CLUSTER_SCOPED: Mapping[str, tuple[str, ...]] = {
    "": ("componentstatuses", "users", "groups"),
    "admissionregistration.k8s.io": (
        "mutatingadmissionpolicies",
        "mutatingadmissionpolicybindings",
        "validatingadmissionpolicies",
        "validatingadmissionpolicybindings",
    ),
    "apiextensions.k8s.io": ("customresourcedefinitions",),
    "apiregistration.k8s.io": ("apiservices",),
    "authentication.k8s.io": ("selfsubjectreviews", "tokenreviews", "uids", "userextras"),
    "authorization.k8s.io": (
        "selfsubjectaccessreviews",
        "selfsubjectrulesreviews",
        "subjectaccessreviews",
    ),
    "certificates.k8s.io": ("certificatesigningrequests", "clustertrustbundles", "signers"),
    "flowcontrol.apiserver.k8s.io": ("flowschemas", "prioritylevelconfigurations"),
    "internal.apiserver.k8s.io": ("storageversions",),
    "metrics.k8s.io": ("nodes",),
    "networking.k8s.io": ("ingressclasses", "ipaddresses", "servicecidrs"),
    "resource.k8s.io": ("deviceclasses", "resourceslices"),
    "storage.k8s.io": ("csidrivers", "volumeattachments", "volumeattributesclasses"),
    "storagemigration.k8s.io": ("storageversionmigrations",),
}
"""Beside the kinds that are read: https://kubernetes.io/docs/reference/kubernetes-api/, and what
the API server asks about whoever impersonates, approves or signs. Such a request has no namespace.
"""
VERBS = frozenset(
    (
        *("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"),
        *("use", "bind", "escalate", "impersonate", "approve", "sign", "attest"),
        *("post", "put", "head", "options"),
    )
)
"""Of objects, of special rights (https://kubernetes.io/docs/reference/access-authn-authz/), and of
paths that are no resources.
"""
NEAR = 0.85
"""How alike a subresource has to be to one that is known for it to be taken for mistyped: most of
them stand in no role."""

Name = tuple[str, str]
"""The API group, and the plural as a rule has it: ``("apps", "deployments/scale")``."""


@dataclass(frozen=True, slots=True)
class Resources:
    """Those that somebody knows of."""

    kinds: Mapping[Name, bool]
    """Whether they are in namespaces."""
    named: frozenset[Name]
    """By roles, stars included."""
    verbs: frozenset[str]
    """Those of roles, and those that an API server knows."""

    @classmethod
    def of(cls, snapshot: Snapshot, roles: Iterable[Role]) -> Resources:
        """What an API server has by itself, what the snapshot defines, and what roles name."""
        rules = [rule for role in roles for rule in role.rules]
        named = (
            (group, name) for rule in rules for group in rule.groups for name in rule.resources
        )
        verbs = VERBS.union(*(rule.verbs for rule in rules))
        return cls({**_built_in(), **dict(_custom(snapshot))}, frozenset(named), verbs)

    def group_of(self, resource: str) -> str:
        """The API group of a resource that was written without one: the one by which roles know
        it, or else that of the kind.
        """
        by_roles = {group for group, name in self.named if name.partition("/")[0] == resource}
        by_roles -= {"*", "extensions"}
        known = by_roles or {group for group, name in self.kinds if name == resource}
        return "" if "" in known else min(known, default="")

    def is_namespaced(self, request: Request) -> bool:
        """Whether what is asked about is in a namespace; so is what nobody knows."""
        return self.kinds.get((request.group, request.resource), True)

    def meant(self, request: Request) -> str | None:
        """What was meant, where neither a role nor a known kind names what is asked about: a name,
        or '' where none is near; None where it is known.
        """
        if not self._is_known(request):
            bare = {resource.partition("/")[0] for _, resource in self._all()}
            near = get_close_matches(request.resource.lower(), sorted(bare - {"*"}), n=1)
            return next(iter(near), "")
        if request.subresource:
            return self._near(request)
        return None

    def meant_verb(self, verb: str) -> str | None:
        """The same of a verb."""
        if verb in self.verbs:
            return None
        return next(iter(get_close_matches(verb.lower(), sorted(self.verbs - {"*"}), n=1)), "")

    def _is_known(self, request: Request) -> bool:
        if request.group and (request.group, "*") in self.named:
            return True
        groups = ("*", request.group)
        return any(g in groups and r.partition("/")[0] == request.resource for g, r in self._all())

    def _near(self, request: Request) -> str | None:
        known = [name for _, name in self.named if name.startswith(f"{request.resource}/")]
        if request.combined in known:
            return None
        near = get_close_matches(request.combined, sorted(known), n=1, cutoff=NEAR)
        return next(iter(near), None)

    def _all(self) -> Iterator[Name]:
        yield from self.kinds
        yield from self.named


def doubt(asked: str, meant: str) -> str:
    """What is said of a resource that is not known."""
    return f"no role and no known kind is for '{asked}'{_or(meant)}"


def doubt_verb(asked: str, meant: str) -> str:
    """What is said of a verb that is not known."""
    return f"no role has the verb '{asked}', nor does an API server know it{_or(meant)}"


def _or(meant: str) -> str:
    return f"; did you mean '{meant}'?" if meant else ""


def _built_in() -> Mapping[Name, bool]:
    from auditor.sources.kinds import KINDS

    read = {(kind.group, kind.plural): kind.namespaced for kind in KINDS}
    wide = {(group, name): False for group, names in CLUSTER_SCOPED.items() for name in names}
    return {**read, **wide}


def _custom(snapshot: Snapshot) -> Iterator[tuple[Name, bool]]:
    """What the snapshot defines."""
    from auditor.manifests import at

    for one in snapshot.of_kind("CustomResourceDefinition"):
        group = at(one.manifest, ("spec", "group"))
        plural = at(one.manifest, ("spec", "names", "plural"))
        if isinstance(group, str) and isinstance(plural, str):
            yield (group, plural), at(one.manifest, ("spec", "scope")) != "Cluster"
