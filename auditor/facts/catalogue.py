"""Every fact by its name: who tells it, and which kinds of objects must have been seen for it to be
true. Who tells a fact is loaded when somebody first asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from auditor.facts.kinds import (
    ADMISSION,
    BEFORE_OTHERS,
    BINDINGS,
    ENTERING,
    LEADING,
    MESH,
    MESHED,
    POLICIES,
    POLICING,
    REACHING,
    RIGHTS,
    ROLES,
    ROUTED,
    ROUTES,
    SCALERS,
    SCHEDULING,
    SELECTING,
    STANDING,
    STORAGE,
    WATCHING,
    WEBHOOKS,
)
from auditor.facts.workloads import WORKLOAD_KINDS, Workload
from auditor.model import Key, Resource
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.facts.facts import Facts


def _workload(facts: Facts, resource: Resource) -> Workload | None:
    """The workload that people edit; nothing else."""
    return facts.by_key.get(resource.ref.key)


def _object(facts: Facts, resource: Resource) -> Resource:  # noqa: ARG001 - one of several
    """The object itself, whatever it is."""
    return resource


def _counting(facts: Facts, resource: Resource) -> Resource | None:
    """The object, where it is the one of several of its identity that counts."""
    return resource if facts.snapshot.find(resource.ref) is resource else None


def _namespace(facts: Facts, resource: Resource) -> Resource | None:  # noqa: ARG001
    """A namespace of Kubernetes, not something of a kind of somebody's own of that name."""
    return resource if (resource.ref.group, resource.ref.kind) == ("", "Namespace") else None


def _network_policy(facts: Facts, resource: Resource) -> Resource | None:
    """A NetworkPolicy of Kubernetes, each identity once."""
    named = (resource.ref.group, resource.ref.kind)
    ours = named == ("networking.k8s.io", "NetworkPolicy")
    return _counting(facts, resource) if ours else None


def _of_rights(*kinds: str) -> Callable[[Facts, Resource], Resource | None]:
    """A role or a binding of Kubernetes, of these kinds, each identity once."""

    def counting(facts: Facts, resource: Resource) -> Resource | None:
        group, kind = resource.ref.group, resource.ref.kind
        ours = group == "rbac.authorization.k8s.io" and kind in kinds
        return _counting(facts, resource) if ours else None

    return counting


@dataclass(frozen=True, slots=True)
class Fact:
    """Who tells a fact, and what must have been seen for it."""

    told_by: str
    """``module:function`` in this package. It is given all facts and whom it is asked about, and
    says None where it has nothing to say."""
    needs: tuple[str, ...]
    """The kinds of which every object must have been seen: without a list of one of them, the
    answer about what is left might be another one."""
    rests_on: tuple[str, ...]
    """Those of them of which a single object that is not seen can make a finding wrong. Of any
    other, one that is not seen may be missing from a finding, which still stands."""
    kinds: tuple[str, ...] = WORKLOAD_KINDS
    """The kinds of objects that it is told of."""
    asked_of: Callable[[Facts, Resource], Workload | Resource | None] = _workload
    """Whom it is asked about where it is asked of an object; nobody where this says None."""

    of: Callable[[Facts], Collection[Key]] | None = None
    """The identities of those of which it has anything to say; None where only telling shows."""

    @property
    def is_of_workloads(self) -> bool:
        """Whether it is asked about the workload that has the identity of the object."""
        return self.asked_of is _workload

    def tell(self, facts: Facts, resource: Resource) -> Any:
        """What it says of an object; None where that is nothing."""
        subject = self.asked_of(facts, resource)
        return None if subject is None else teller(self.told_by)(facts, subject)

    def lacks(self, missing: Container[str], *, lists: bool) -> str:
        """The first kind that it cannot do without and of which something is `missing`: with
        `lists` all of them, else single objects; empty where there is none.
        """
        kinds = self.needs if lists else self.rests_on
        return next((kind for kind in kinds if kind in missing), "")


def load(names: Iterable[str]) -> None:
    """Load who tells these, for whoever has no time for it later."""
    for name in names:
        teller(FACTS[name].told_by)


@cache
def teller(told_by: str) -> Callable[[Facts, Any], Any]:
    """The function ``module:function`` of this package."""
    module, _, name = told_by.partition(":")
    function: Callable[[Facts, Any], Any] = getattr(import_module(f"{__package__}.{module}"), name)
    return function


def _holders(facts: Facts) -> Collection[Key]:
    return {workload.ref.key for workload in facts.holders}


FACTS: Mapping[str, Fact] = {
    "exposure": Fact(
        "exposure:exposure",
        (*REACHING, *ENTERING),
        (*POLICING, "Namespace", "Service"),
        of=_holders,
    ),
    "service": Fact("leading:service", WORKLOAD_KINDS, (), ("Service",), _object),
    "backends": Fact(
        "leading:backends",
        ("Service", "ReferenceGrant"),
        ("Service", "ReferenceGrant"),
        LEADING,
        _object,
    ),
    "parents": Fact(
        "leading:parents", ("Gateway", "Namespace"), ("Gateway", "Namespace"), ROUTES, _object
    ),
    "claims": Fact("leading:claims", (), (), ("Ingress",), _object),
    "entrances": Fact("leading:entrances", ("Service", *ENTERING), ("ReferenceGrant",)),
    "identity": Fact(
        "identity:identity", ("ServiceAccount", *BINDINGS), ("ServiceAccount", *BINDINGS)
    ),
    "oversight": Fact(
        "oversight:oversight",
        REACHING,
        (*POLICING, "Namespace"),
        of=lambda facts: facts.monitor_paths,
    ),
    # What enforces is asked of what was seen; where that does not tell, it says so itself.
    "enforcement": Fact("effect:effect", (), (), ("NetworkPolicy",), _object),
    "likeness": Fact(
        "holdings:likeness",
        ("Namespace", "Service", "ConfigMap", *WORKLOAD_KINDS),
        ("Namespace", "Service"),
    ),
    "stores": Fact(
        "holdings:stores", ("Namespace", "Service", "ConfigMap"), ("Namespace",), of=_holders
    ),
    "removed_classes": Fact("holdings:removed", (), (), of=lambda facts: facts.held_before),
    "telemetry": Fact("telemetry:telemetry", ("Service", "Namespace", *WATCHING), ("Namespace",)),
    "blocked_monitors": Fact(
        "telemetry:blocked", (*REACHING, *WATCHING, "Prometheus"), (*POLICING, "Namespace")
    ),
    "distance": Fact(
        "distance:distance",
        ("Node", "Service", "Namespace", "ConfigMap", *STANDING, *STORAGE, *ADMISSION),
        ("Node", "Service"),
        of=lambda facts: facts.needs,
    ),
    "chatter": Fact("chatter:chatter", ROUTED, ("Node", "Service")),
    "crowding": Fact("crowding:crowding", ROUTED, ("Node", "Service")),
    "primary": Fact("primary:primary", ROUTED, ("Node", "Service")),
    "pair": Fact("redundancy:pair", ROUTED, ("Node",)),
    "traffic": Fact("routing.services:traffic", ROUTED, ("Node", "Service"), ("Service",), _object),
    "clientele": Fact(
        "routing.clientele:clientele",
        ("Namespace", "ConfigMap", *WORKLOAD_KINDS),
        ("Namespace",),
        ("Service",),
        _object,
    ),
    "serving": Fact("serving:serving", ("Service",), ()),
    "update": Fact(
        "updating:updating",
        ("Node", "Namespace", "Service", *SCALERS, *STANDING, *STORAGE, *ADMISSION),
        ("Node", *SCALERS),
    ),
    "scale_down": Fact(
        "scaled_down:uneven",
        ("Node", "Namespace", *SCALERS, *STANDING, *STORAGE, *ADMISSION),
        ("Node", *SCALERS),
    ),
    "daemon": Fact("daemons:daemon", ("Node", "Pod"), ("Node",)),
    "unwell": Fact("unwell:unwell", STANDING, ()),
    "overlap": Fact("overlap:overlap", (*SCALERS, *SELECTING), ()),
    "autoscaler": Fact("overlap:scaled_by", SCALERS, ()),
    "governing": Fact("serving:governing", ("Service",), ("Service",), ("StatefulSet",), _object),
    "budget": Fact(
        "disruption:budget",
        ("PodDisruptionBudget", *SCALERS, *STANDING),
        (*SCALERS, *STANDING),
        ("PodDisruptionBudget",),
        _object,
    ),
    # Of pods with volumes it says nothing; those of others stand where their volumes are.
    "evicted": Fact(
        "disruption:evicted",
        (
            "Node",
            "Namespace",
            "PersistentVolumeClaim",
            "PersistentVolume",
            *SCALERS,
            *STANDING,
            *ADMISSION,
        ),
        ("Node", *STANDING),
    ),
    "guarded": Fact(
        "disruption:guarded",
        ("PodDisruptionBudget", "Service", *SCALERS),
        ("PodDisruptionBudget", *SCALERS),
    ),
    "resource_defaults": Fact("limits:resource_defaults", ("LimitRange",), ("LimitRange",)),
    "limit_ranges": Fact(
        "limits:limit_ranges", ("LimitRange",), ("LimitRange",), ("Namespace",), _namespace
    ),
    # Without any policy there is none to tell this of.
    "refusal": Fact("upkeep.rules:refusal", (), (), POLICIES, _counting),
    "policy_rules": Fact("upkeep.rules:policy_rules", (), (), ("NetworkPolicy",), _network_policy),
    "policy_effects": Fact(
        "upkeep.effects:policy_effects",
        ("Namespace", "Service", *WORKLOAD_KINDS),
        ("Namespace", "Service", *WORKLOAD_KINDS),
        ("NetworkPolicy",),
        _network_policy,
    ),
    "cut_off": Fact(
        "cut_off:cut_off",
        (*BEFORE_OTHERS, "Namespace", "Service", "ConfigMap", *WEBHOOKS, *WORKLOAD_KINDS),
        (*BEFORE_OTHERS, "Namespace", "Service"),
    ),
    "isolation": Fact("isolation:isolation", (*POLICIES, "Namespace"), POLICIES),
    "namespace_isolation": Fact(
        "isolation:namespace_isolation",
        (*POLICIES, *WORKLOAD_KINDS),
        POLICIES,
        ("Namespace",),
        _namespace,
    ),
    # What leaves a pod is judged by no sidecar.
    "leaving": Fact("leaving:leaving", (*POLICIES, "Namespace"), (*POLICIES, "Namespace")),
    "pivots": Fact(
        "pivots:pivots",
        (*REACHING, *ENTERING),
        (*POLICING, "Namespace", "Service"),
    ),
    "neighbours": Fact(
        "neighbours:neighbours",
        ("Node", "Namespace", "PersistentVolumeClaim", "PersistentVolume", *STANDING),
        ("Node",),
        of=_holders,
    ),
    "shared": Fact("scheduling.sharing:shared", SCHEDULING, ("Node",)),
    "single": Fact("scheduling.single:single", (*SCHEDULING, *WEBHOOKS), ("Node", "Service")),
    "spreading": Fact("scheduling.spreading:spreading", SCHEDULING, ("Node",)),
    "affinity_terms": Fact("scheduling.terms:affinity_terms", SCHEDULING, ("Namespace",)),
    "choices": Fact("scheduling.choices:choices", SCHEDULING, ("Node",)),
    "ceilings": Fact("scheduling.ceilings:ceilings", (*SCHEDULING, "ResourceQuota"), ("Node",)),
    "losses": Fact("scheduling.outliving:outliving", SCHEDULING, ("Node", *STORAGE)),
    "standings": Fact(
        "scheduling.standings:standings",
        (*SCHEDULING, "PodDisruptionBudget"),
        ("Node", *STORAGE),
    ),
    "autoscaling": Fact(
        "scheduling.autoscaling:autoscaling",
        SCHEDULING,
        ("Node",),
        ("HorizontalPodAutoscaler",),
        _object,
    ),
    "scaled_to_nothing": Fact(
        "scheduling.autoscaling:to_nothing",
        ("Service", "ConfigMap", *WORKLOAD_KINDS),
        ("Service",),
        ("ScaledObject",),
        _object,
    ),
    "usage": Fact("scheduling.usage:usage", ("Node", *STANDING), ()),
    "node_load": Fact(
        "scheduling.usage:node_load", ("Node", *STANDING), ("Node",), ("Node",), _object
    ),
    # A grant that is seen stands, whatever else is there.
    "api_access": Fact(
        "data_access:api_access",
        (*RIGHTS, "Namespace", "Service", "NetworkPolicy"),
        ("Namespace",),
    ),
    # A grant that is seen stands, whatever else is there; that nobody is bound needs all of them.
    "role_powers": Fact(
        "powers:role_powers", ("ClusterRole", *BINDINGS), (), ROLES, _of_rights(*ROLES)
    ),
    "role_use": Fact(
        "powers:role_use",
        ("ClusterRole", *BINDINGS),
        ("ClusterRole", *BINDINGS),
        ROLES,
        _of_rights(*ROLES),
    ),
    "grant": Fact("grants:grant", ROLES, (), BINDINGS, _of_rights(*BINDINGS)),
    "binding_ends": Fact(
        "grants:ends",
        (*ROLES, "ServiceAccount"),
        (*ROLES, "ServiceAccount"),
        BINDINGS,
        _of_rights(*BINDINGS),
    ),
    "takeover": Fact(
        "takeover:takeover",
        (*RIGHTS, "ServiceAccount", "Namespace", *WORKLOAD_KINDS),
        ("ServiceAccount", "Namespace"),
    ),
    "component_config": Fact("component_config:component_config", (), (), ("ConfigMap",), _object),
    "resource_quotas": Fact(
        "limits:resource_quotas", ("ResourceQuota",), ("ResourceQuota",), ("Namespace",), _namespace
    ),
    "routes": Fact(
        "routes:routes",
        ("HTTPRoute", "Gateway", "GatewayClass"),
        ("Gateway",),
        ("HTTPRoute",),
        _object,
    ),
    "mesh": Fact(
        "mesh:mesh", MESHED, ("PeerAuthentication", "Namespace", "ConfigMap"), MESH, _object
    ),
}
