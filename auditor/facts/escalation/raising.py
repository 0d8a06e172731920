"""Techniques that raise rights by the API server's own means: bindings, roles, impersonation and
certificates.

The API server lets nobody bind or write what they do not hold, unless they may ``bind`` or
``escalate``: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from auditor.facts.access.authorizer import Bound
from auditor.facts.access.covering import covered
from auditor.facts.access.holders import ANONYMOUS, Holder
from auditor.facts.escalation.positions import Place, Right, Step, anyhow, over, somehow
from auditor.facts.escalation.world import World

RBAC = "rbac.authorization.k8s.io"
WRITE = ("create", "update", "patch")
CHANGE = ("update", "patch")
AUTHENTICATION = "authentication.k8s.io"
CERTIFICATES = "certificates.k8s.io"


def bind(holder: Holder, space: str | None, world: World) -> Iterator[Step]:
    """A binding of one's own, to a role that one may bind."""
    kinds = ["rolebindings"] if space else ["clusterrolebindings", "rolebindings"]
    for resource in kinds:
        # Bindings in each namespace are asked for there; those of all at once are cluster-wide.
        where = space if space or resource == "rolebindings" else None
        if resource == "rolebindings" and space is None and _binds_all(holder):
            return
        if write := anyhow(holder, where, RBAC, resource, *WRITE):
            yield from _bound_by(holder, where, world, write, everywhere=resource != "rolebindings")


def _binds_all(holder: Holder) -> bool:
    return bool(anyhow(holder, None, RBAC, "clusterrolebindings", *WRITE))


def _bound_by(
    holder: Holder, space: str | None, world: World, write: Right, *, everywhere: bool
) -> Iterator[Step]:
    for resource, kind in (("clusterroles", "ClusterRole"), ("roles", "Role")):
        if resource == "roles" and everywhere:
            continue
        for name, allowed in over(holder, space, RBAC, resource, "bind"):
            rights = (write, allowed)
            if kind == "ClusterRole" and not name:
                yield Step("bind", Place("rights", space), "binds it to itself", rights)
            else:
                yield from _bound_role(holder, space, world, (kind, name), rights)


def _bound_role(
    holder: Holder,
    space: str | None,
    world: World,
    role: tuple[str, str],
    rights: tuple[Right, ...],
) -> Iterator[Step]:
    kind, name = role
    found = [
        one
        for (its_kind, its_space, its_name), one in world.roles(kind).items()
        if its_kind == kind and name in ("", its_name)
        if kind != "Role" or space in (None, its_space)
    ]  # fmt: skip
    gained = [one for one in found if not covered(one.rules, holder.rules(space))]
    if found and name and not gained:
        return
    grown = holder.plus((rule for one in gained for rule in one.rules), space)
    told = "binds it to itself" if found else "binds it to itself, once somebody makes it"
    place = Place("role", space, f"{kind}/{name}" if name else "", of=str(holder.subject.name))
    yield Step("bind", place, told, rights, extended=grown, limited=not gained)


def escalate(holder: Holder, space: str | None, world: World) -> Iterator[Step]:  # noqa: ARG001
    """Writes into a role what it does not hold."""
    for resource, kind in (("roles", "Role"), ("clusterroles", "ClusterRole")):
        if space and kind == "ClusterRole":
            continue
        for name, allowed in over(holder, space, RBAC, resource, "escalate"):
            write = somehow(holder, space, RBAC, resource, *(CHANGE if name else WRITE))
            if write is None:
                continue
            mine = _own(holder, kind, space, name)
            by_change = set(write.verbs).intersection(CHANGE) and mine is not None
            if by_change or _may_bind_new(holder, space, resource):
                where = space if kind == "Role" or not mine else mine.space
                told = "writes every right into a role that it is bound to"
                yield Step("escalate", Place("rights", where), told, (write, allowed))
            else:
                place = Place("role", space, f"{kind}/{name}" if name else "")
                told = "writes every right into it, for whoever is bound to it"
                yield Step("escalate", place, told, (write, allowed), limited=True)


def _own(holder: Holder, kind: str, space: str | None, name: str) -> Bound | None:
    """A binding of the holder to such a role; the widest."""
    found = [
        one.bound
        for one in holder.held
        if one.bound and one.bound.role and one.bound.role.resource.ref.kind == kind
        if name in ("", one.bound.role.resource.ref.name)
        and (kind == "ClusterRole" or space in (None, one.space))
    ]
    return min(found, key=lambda bound: bound.space is not None, default=None)


def _may_bind_new(holder: Holder, space: str | None, resource: str) -> bool:
    bindings = "rolebindings" if resource == "roles" else "clusterrolebindings"
    return bool(
        anyhow(holder, space, RBAC, bindings, "create")
        and anyhow(holder, space, RBAC, resource, "bind")
    )


def impersonate(holder: Holder, space: str | None, world: World) -> Iterator[Step]:  # noqa: ARG001
    """Acts as somebody else, in every request."""
    told = "acts as it"
    for name, right in over(holder, space, "", "serviceaccounts", "impersonate"):
        yield Step("impersonate", Place("account", space, name), told, (right,))
    if space is not None:
        return
    for name, right in over(holder, None, "", "users", "impersonate"):
        if name != ANONYMOUS:
            yield Step("impersonate", Place("user", name=name), told, (right,))
    someone = somehow(holder, None, "", "users", "impersonate")
    someone = someone or somehow(holder, None, "", "serviceaccounts", "impersonate")
    for name, right in over(holder, None, "", "groups", "impersonate") if someone else ():
        rights = (someone, right) if someone else (right,)
        yield Step("impersonate", Place("group", name=name), "acts as a member of it", rights)


MODES: tuple[tuple[str, str, Literal["user", "account"]], ...] = (
    ("impersonate:user-info", "users", "user"),
    ("impersonate:serviceaccount", "serviceaccounts", "account"),
    ("impersonate:arbitrary-node", "nodes", "user"),
)


def impersonate_constrained(
    holder: Holder,
    space: str | None,
    world: World,  # noqa: ARG001
) -> Iterator[Step]:
    """Acts as somebody else in few requests (since 1.36). What that opens is not followed."""
    for verb, resource, kind in MODES:
        if space is not None and kind != "account":
            continue
        on = verb.replace("impersonate:", "impersonate-on:", 1) + ":"
        requests = tuple(_requests(holder, space, on))
        for name, right in over(holder, space, AUTHENTICATION, resource, verb) if requests else ():
            named = f"system:node:{name}" if name and resource == "nodes" else name
            mode = verb.partition(":")[2] if kind == "user" else ""
            place = Place(kind, space, named, mode)
            told = f"acts as it to {', '.join(map(str, requests[:2]))}"
            yield Step(
                "impersonate", place, told, (right, requests[0]), requests[1:], limited=True
            )  # fmt: skip


def _requests(holder: Holder, space: str | None, on: str) -> Iterator[Right]:
    """For which requests somebody may act as another."""
    for one in holder.held:
        verbs = tuple(sorted(v.removeprefix(on) for v in one.rule.verbs if v.startswith(on)))
        verbs = ("*",) if "*" in one.rule.verbs else verbs
        if verbs and one.space in (None, space):
            for group in sorted(one.rule.groups):
                for resource in sorted(one.rule.resources):
                    yield Right(verbs, group, resource, one.bound)


def certify(holder: Holder, space: str | None, world: World) -> Iterator[Step]:  # noqa: ARG001
    """A certificate of the API server's own signer is whomever it names, but system:masters."""
    if space is not None:
        return
    requests = "certificatesigningrequests"
    asked = anyhow(holder, None, CERTIFICATES, requests, "create")
    for by, part, verb in (("approve", "approval", "approve"), ("sign", "status", "sign")):
        write = somehow(holder, None, CERTIFICATES, f"{requests}/{part}", *CHANGE)
        for signer, right in over(holder, None, CERTIFICATES, "signers", verb) if write else ():
            told = f"{by}s certificates" + (" that it asks for itself" if asked else "")
            rights = tuple(one for one in (asked, write, right) if one)
            name = "" if signer == "*" else signer
            yield Step(by, Place("certificates", name=name), told, rights, limited=not asked)
    node = anyhow(holder, None, CERTIFICATES, f"{requests}/nodeclient", "create")
    if asked and node:
        place = Place("certificates", name="kubernetes.io/kube-apiserver-client-kubelet")
        told = "is given the certificate of any node"
        yield Step("approve", place, told, (asked, node), limited=True)


TECHNIQUES = (bind, escalate, impersonate, impersonate_constrained, certify)
