"""The network policies that have no part in the answer: other dialects, and what is refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from auditor.facts.network.answers import InvalidPolicy
from auditor.facts.network.cluster_policies import GROUP as CLUSTER_WIDE
from auditor.facts.network.cluster_policies import is_cluster_policy
from auditor.facts.network.istio.mesh import READ
from auditor.facts.network.istio.policies import GROUP as MESH
from auditor.facts.network.policies import GROUP, KIND
from auditor.facts.wording import dotted
from auditor.model import Gap, Path, Ref, Resource, Snapshot, Unseen

DIALECTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (CLUSTER_WIDE, ("Policy",)),
    ("cilium.io", ("Policy",)),
    ("projectcalico.org", ("Policy",)),
    ("antrea.io", ("Policy",)),
    ("istio.io", ("Policy",)),
    ("linkerd.io", ("Policy", "Server", "ServerAuthorization")),
    ("kuma.io", ("MeshTrafficPermission",)),
    ("consul.hashicorp.com", ("ServiceIntentions",)),
    ("k8s.ovn.org", ("EgressFirewall",)),
)
"""API group, with those under it, and how the kinds end that allow or stop traffic. Beside these,
a NetworkPolicy of any group is one."""

_ENDINGS = (KIND, *{ending for _, endings in DIALECTS for ending in endings})

_NOT_READ = "its dialect is not read yet: what it allows or stops is not part of the answer"


def unread(snapshot: Snapshot, invalid: Iterable[InvalidPolicy]) -> Iterator[Gap]:
    """A gap for each policy that has no part in the answer."""
    for resource in snapshot.resources:
        if _is_dialect(resource.ref):
            yield Gap(str(resource.ref), _NOT_READ, Unseen.UNKNOWN, ref=resource.ref)
    for refused in invalid:
        resource = snapshot.by_key[refused.ref.key]
        why = f"{refused.why}: the API server refuses this policy, so that it has no effect here"
        what = f"{dotted(refused.path)} of {refused.ref} ({_place(resource, refused.path)})"
        yield Gap(what, why, Unseen.INCOMPLETE, ref=refused.ref)


def _is_dialect(ref: Ref) -> bool:
    if (
        not ref.kind.endswith(_ENDINGS)
        or ref.group in ("", GROUP)
        or is_cluster_policy(ref)
        or _is_of_mesh(ref)
    ):
        return False
    if ref.kind.endswith(KIND):
        return True
    return any(
        (ref.group == group or ref.group.endswith(f".{group}")) and ref.kind.endswith(endings)
        for group, endings in DIALECTS
    )


def _is_of_mesh(ref: Ref) -> bool:
    return ref.group == MESH and ref.kind in READ


def _place(resource: Resource, path: Path) -> str:
    return f"{resource.origin.uri}:{resource.origin.span(path).line}"
