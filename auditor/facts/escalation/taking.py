"""Techniques that take over what runs: pods, nodes, the accounts of pods and their Secrets.

https://kubernetes.io/docs/concepts/security/rbac-good-practices/ names most of them.
"""

from __future__ import annotations

from collections.abc import Iterator

from auditor.facts.access.holders import Holder
from auditor.facts.escalation.positions import Place, Right, Step, anyhow, over, somehow
from auditor.facts.escalation.world import World

WRITE = ("create", "update", "patch")
CHANGE = ("update", "patch")
CONNECT = ("create", "get")
"""What a connection is asked for: ``create``, and ``get`` besides where it is a WebSocket; before
1.35, of a WebSocket ``get`` alone."""
READ = ("get", "list", "watch")
TEMPLATES = (
    ("apps", "deployments"),
    ("apps", "statefulsets"),
    ("apps", "daemonsets"),
    ("apps", "replicasets"),
    ("batch", "jobs"),
    ("batch", "cronjobs"),
    ("", "replicationcontrollers"),
)


def starting(holder: Holder, space: str | None) -> list[Right]:
    """The rights by which it makes pods of its own there."""
    found = [anyhow(holder, space, "", "pods", "create")]
    found += [somehow(holder, space, *template, *WRITE) for template in TEMPLATES]
    return [right for right in found if right]


def start_pods(holder: Holder, space: str | None, world: World) -> Iterator[Step]:
    """A pod may run as any account of its namespace, and mount any Secret there."""
    rights = starting(holder, space)
    if not rights:
        return
    first, *others = rights
    told = "starts pods that run as it"
    yield Step("start-pods", Place("account", space), told, (first,), tuple(others))
    told = "starts pods that mount them"
    yield Step("start-pods", Place("secrets", space), told, (first,), tuple(others))
    yield from _on_nodes(holder, space, world, rights)


def _on_nodes(
    holder: Holder, space: str | None, world: World, rights: list[Right]
) -> Iterator[Step]:
    told = "starts privileged pods on any node: {} forbids none"
    first, *others = rights
    where = "kube-system" if space is None and "kube-system" not in world.guarded else space
    if where in world.open or (space is None and where):
        told = told.format(where)
        yield Step("start-pods", Place("node"), told, (first,), tuple(others))
    elif lifting := next((right for _, right in _lifting(holder, space)), None):
        told = "lifts Pod Security, and starts privileged pods on any node"
        yield Step("start-pods", Place("node"), told, (lifting, first), tuple(others))
    volumes = anyhow(holder, None, "", "persistentvolumes", "create")
    claims = anyhow(holder, space, "", "persistentvolumeclaims", "create")
    if volumes and claims:
        told = "makes a volume of a folder of the node, and starts pods that mount it"
        yield Step("host-volume", Place("node"), told, (volumes, claims, first), tuple(others))


def _lifting(holder: Holder, space: str | None) -> Iterator[tuple[str, Right]]:
    for resource in ("namespaces", "namespaces/status"):
        yield from over(holder, space, "", resource, *CHANGE)


def lift_pod_security(holder: Holder, space: str | None, world: World) -> Iterator[Step]:
    """The labels of a namespace decide which pods are let in; a RoleBinding in it reaches them."""
    for name, right in _lifting(holder, space):
        where = space or name or None
        if world.guarded if where is None else where in world.guarded:
            told = "changes the label by which Pod Security keeps pods off the node"
            yield Step("pod-security", Place("pod-security", where), told, (right,), limited=True)


def take_pods(holder: Holder, space: str | None, world: World) -> Iterator[Step]:
    """Commands in a pod, or another image for it: with the token that it holds."""
    ways = [
        ("exec", "pods/exec", CONNECT, "runs commands in it"),
        ("exec", "pods/attach", CONNECT, "attaches to its containers"),
        ("debug", "pods/ephemeralcontainers", CHANGE, "puts a container of its own into it"),
        ("change-pods", "pods", CHANGE, "changes the image of its containers"),
    ]
    for by, resource, verbs, told in ways:
        for name, right in over(holder, space, "", resource, *verbs):
            if right.verbs != ("get",) or world.upgrades_by_get:
                yield Step(by, Place("pods", space, name), told, (right,))


def take_nodes(holder: Holder, space: str | None, world: World) -> Iterator[Step]:  # noqa: ARG001
    """The kubelet runs commands for whoever may use its proxy, by whichever verb."""
    verbs = ("get", "create", "update", "patch", "delete")
    for name, right in () if space else over(holder, None, "", "nodes/proxy", *verbs):
        told = "runs commands in every pod of the node, through its kubelet"
        yield Step("node-proxy", Place("node", name=name), told, (right,))


def make_tokens(holder: Holder, space: str | None, world: World) -> Iterator[Step]:  # noqa: ARG001
    """A token of an account is the account."""
    for name, right in over(holder, space, "", "serviceaccounts/token", "create"):
        yield Step("token", Place("account", space, name), "makes a token of it", (right,))


def read_secrets(holder: Holder, space: str | None, world: World) -> Iterator[Step]:  # noqa: ARG001
    """Whoever may make Secrets and read them has the token of any account written into one."""
    for name, right in over(holder, space, "", "secrets", *READ):
        yield Step("secrets", Place("secrets", space, name), "reads it", (right,))
        made = anyhow(holder, space, "", "secrets", "create")
        if made and not name:
            told = "makes a Secret for its token, and reads that"
            yield Step("token-secret", Place("account", space), told, (made, right))


TECHNIQUES = (start_pods, lift_pod_security, take_pods, take_nodes, make_tokens, read_secrets)
