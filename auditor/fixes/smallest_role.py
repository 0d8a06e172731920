"""Roles that keep what somebody was seen to use, and no more, in the place of what they hold.

For each subject that a binding names and that used something: a Role in each namespace where it
did, a ClusterRole for what is of the whole cluster, and their bindings; and the bindings that it
had, without it. What the API server gives by itself stays. Each proposal is proven on the cluster
as it would be: every used request is still allowed, and nobody holds a right that they did not
hold.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from typing import Any

from auditor.facts.access.authorizer import Authorizer, Bound, Grant, defaults
from auditor.facts.access.covering import covered
from auditor.facts.access.holders import Holders, by_default, key_of, said
from auditor.facts.access.requests import Request
from auditor.facts.access.rules import Rule
from auditor.facts.access.smallest import smallest
from auditor.facts.access.subjects import RBAC, Subject, account_named, subjects_of
from auditor.facts.unwritten import unwritten
from auditor.manifests import mapping, sequence
from auditor.model import Key, Manifest, Ref, Resource, Snapshot
from auditor.values import dataclass

VERSION = f"{RBAC}/v1"
WRITTEN = frozenset(("create", "update", "patch"))
RIGHTS = frozenset(("roles", "rolebindings", "clusterroles", "clusterrolebindings"))
SIGNING = frozenset(("certificatesigningrequests/approval", "certificatesigningrequests/status"))
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


@dataclass(frozen=True, slots=True)
class Proposal:
    """What becomes of one subject."""

    subject: Subject
    used: tuple[Request, ...]
    """The requests that its bindings were needed for."""
    kept: Mapping[str | None, tuple[Rule, ...]]
    """By the namespace, None for the whole cluster."""
    given_up: tuple[Bound, ...]
    """The bindings that it is taken out of."""
    made: tuple[Resource, ...]
    """Its roles and their bindings."""
    objections: tuple[str, ...] = ()
    """Why it is not offered; () where it is proven."""


@dataclass(frozen=True, slots=True)
class Minimized:
    """The answer."""

    proposals: tuple[Proposal, ...]
    edited: tuple[Resource, ...] = ()
    """The bindings without those whose proposals are offered."""
    by_default: int = 0
    """Requests that the API server allows by what it makes for itself."""
    denied: tuple[Request, ...] = ()
    """Requests that no role allows."""
    unused: tuple[Subject, ...] = ()
    """Whom a binding names, and who was not seen to use it."""
    idle: tuple[Ref, ...] = ()
    """The bindings in which nobody is left, and the roles that only they bound."""

    @property
    def offered(self) -> tuple[Proposal, ...]:
        """Those that are proven."""
        return tuple(each for each in self.proposals if not each.objections)

    @property
    def objects(self) -> tuple[Resource, ...]:
        """What is to be applied, in this order: first what gives, then what takes."""
        return (*(made for each in self.offered for made in each.made), *self.edited)


def minimized(
    snapshot: Snapshot,
    uses: Iterable[Request],
    *,
    assume_defaults: bool = True,
    any_name: Collection[str] = (),
) -> Minimized:
    """The smallest roles for these requests, in the cluster of `snapshot`. One for an object of a
    resource in `any_name` (``pods``, ``jobs.batch``) is kept for any such object, where that was
    allowed.
    """
    world = _World(snapshot, assume_defaults)
    seen = _Seen()
    for request in dict.fromkeys(world.widened(use, any_name) for use in uses):
        world.attribute(request, seen)
    proposals = [world.proposal(subject, found) for subject, found in seen.by.items()]
    while True:
        offered = [each for each in proposals if not each.objections]
        edited = tuple(world.without(offered))
        failed = dict(world.disproved(offered))
        if not failed:
            break
        proposals = [_refuted(each, failed.get(each.subject, ())) for each in proposals]
    unused = tuple(s for s in world.holders.named if s not in seen.by and world.own(s))
    idle = tuple(_idle(world.authorizer, edited))
    return Minimized(tuple(proposals), edited, seen.by_default, tuple(seen.denied), unused, idle)


def _idle(authorizer: Authorizer, edited: Iterable[Resource]) -> Iterator[Ref]:
    empty = {each.ref.key for each in edited if not each.manifest["subjects"]}
    kept = {each.ref.key for each in defaults()}
    bound = [each for each in authorizer.bound if each.role is not None]
    for one in bound:
        if one.binding.ref.key not in empty and one.subjects and one.role:
            kept.add(one.role.resource.ref.key)
    left = [one for one in bound if one.binding.ref.key in empty]
    yield from (one.binding.ref for one in left)
    roles = dict.fromkeys(one.role.resource.ref for one in left if one.role)
    yield from (ref for ref in roles if ref.key not in kept)


def _refuted(one: Proposal, why: Sequence[str]) -> Proposal:
    return replace(one, objections=(*one.objections, *why))


@dataclass(slots=True)
class _Seen:
    by: dict[Subject, list[Request]] = field(default_factory=dict)
    by_default: int = 0
    denied: list[Request] = field(default_factory=list)


@dataclass(slots=True)
class _World:
    """The cluster as it is."""

    snapshot: Snapshot
    assume_defaults: bool
    authorizer: Authorizer = field(init=False)
    holders: Holders = field(init=False)

    def __post_init__(self) -> None:
        self.authorizer = Authorizer.of(self.snapshot, assume_defaults=self.assume_defaults)
        self.holders = Holders(self.authorizer)

    def own(self, subject: Subject) -> list[Bound]:
        """The bindings that name it, without those that the API server makes for itself."""
        bound = self.holders.by_subject.get(subject, ())
        return [each for each in bound if (each.binding.ref.key, subject) not in by_default()]

    def widened(self, request: Request, any_name: Collection[str]) -> Request:
        """The request for any object, where that is wanted and was allowed."""
        if not request.name or request.kind not in any_name:
            return request
        wide = replace(request, name="")
        return wide if self.authorizer.answer(wide).allowed else request

    def attribute(self, request: Request, seen: _Seen) -> None:
        """Note by whose bindings a request is allowed: the most particular ones, since those of a
        group are for others as well.
        """
        answer = self.authorizer.answer(request)
        if not answer.allowed:
            seen.denied.append(request)
        elif not answer.grants or any(map(_is_default, answer.grants)):
            seen.by_default += 1
        else:
            subjects = sorted({key_of(g.subject) for g in answer.grants}, key=_particular)
            seen.by.setdefault(subjects[0], []).append(request)

    def proposal(self, subject: Subject, used: Sequence[Request]) -> Proposal:
        """What would become of the subject, with what speaks against it from the outset."""
        kept, own = smallest(used), self.own(subject)
        made = tuple(_made(subject, kept))
        taken = {each.ref.key for each in made} & self._foreign(subject)
        objections = [f"{next(iter(taken))[1]} of its name is there already"] if taken else []
        return Proposal(subject, tuple(used), kept, tuple(own), made, (*objections, *_unseen(used)))

    def _foreign(self, subject: Subject) -> set[Key]:
        """The roles and bindings that are there, but for those that were made for it before."""
        keys = {key for key, each in self.snapshot.by_key.items() if each.ref.group == RBAC}
        ours = [each for each in self.own(subject) if _name(subject) == each.binding.ref.name]
        bindings = {each.binding.ref.key for each in ours}
        return keys - bindings - {each.role.resource.ref.key for each in ours if each.role}

    def without(self, offered: Sequence[Proposal]) -> Iterator[Resource]:
        """Each binding that somebody is taken out of, without them."""
        gone: dict[Key, set[Subject]] = {}
        for each in offered:
            for bound in each.given_up:
                gone.setdefault(bound.binding.ref.key, set()).add(each.subject)
        made = {resource.ref.key for each in offered for resource in each.made}
        for bound in self.authorizer.bound:
            if (key := bound.binding.ref.key) in gone and key not in made:
                yield _less(bound.binding, gone[key])

    def _after(self, offered: Sequence[Proposal]) -> Authorizer:
        """The roles and bindings as they would be."""
        new = [*(made for each in offered for made in each.made), *self.without(offered)]
        after = self.snapshot.replacing(*new)
        return Authorizer.of(after, assume_defaults=self.assume_defaults)

    def disproved(self, offered: Sequence[Proposal]) -> Iterator[tuple[Subject, list[str]]]:
        """Whose proposal does not hold in the cluster as it would be, and why."""
        after = self._after(offered)
        for each in offered:
            lost = [r for r in each.used if not after.answer(r).allowed]
            refused = [
                f"the API server refuses {r.ref}" for r in each.made if r.ref in after.refused
            ]
            if lost or refused:
                yield each.subject, [*refused, *(f"{shown(r)} would be denied" for r in lost[:3])]
        if gained := self._gained(after):
            yield from self._to_blame(offered, gained)

    def _to_blame(
        self, offered: Sequence[Proposal], gained: str
    ) -> Iterator[tuple[Subject, list[str]]]:
        """Whose proposal makes somebody gain by itself; where that takes several, all of them."""
        alone = {each.subject: self._gained(self._after([each])) for each in offered}
        together = "" if any(alone.values()) else gained
        for subject, found in alone.items():
            if why := found or together:
                yield subject, [why]

    def _gained(self, authorizer: Authorizer) -> str:
        """Who would hold more than before, in words; empty where nobody would."""
        gained = [said(who) for who in self._gaining(Holders(authorizer))]
        return f"{', '.join(gained[:3])} would hold more than before" if gained else ""

    def _gaining(self, after: Holders) -> Iterator[Subject]:
        for who in after.by_subject:
            was, now = self.holders.of(who, ()), after.of(who, ())
            for space in (None, *now.spaces):
                if not covered(now.rules(space), was.rules(space)):
                    yield who
                    break


def shown(request: Request) -> str:
    """A request in words: ``get configmaps web in shop``."""
    if request.path is not None:
        return f"{request.verb} {request.path}"
    name = f" {request.name}" if request.name else ""
    where = f" in {request.namespace}" if request.namespace else ""
    return f"{request.verb} {request.kind}{name}{where}"


def _is_default(grant: Grant) -> bool:
    return (grant.binding.ref.key, key_of(grant.subject)) in by_default()


def _particular(subject: Subject) -> tuple[bool, str]:
    return subject.kind == "Group", subject.name


def _unseen(used: Iterable[Request]) -> Iterator[str]:
    """Why a log does not tell all that these requests need."""
    for request in used:
        if request.verb not in WRITTEN:
            continue
        if request.group == RBAC and request.resource in RIGHTS:
            yield (
                f"it uses {shown(request)}: whoever hands on rights has to hold them, or bind or"
                " escalate, which no request of its own shows"
            )
            return
        if request.group == "certificates.k8s.io" and request.combined in SIGNING:
            yield (
                f"it uses {shown(request)}: which signers it has to approve or sign for, no"
                " request of its own shows"
            )
            return


def _name(subject: Subject) -> str:
    """The same for the same subject, and no other's."""
    last = re.sub(r"[^a-z0-9]+", "-", subject.name.rpartition(":")[2].lower()).strip("-")[:40]
    digest = hashlib.sha256(f"{subject.kind}\0{subject.name}".encode()).hexdigest()[:6]
    return f"{last or 'subject'}-used-{digest}"


def _made(subject: Subject, kept: Mapping[str | None, tuple[Rule, ...]]) -> Iterator[Resource]:
    name = _name(subject)
    for space, rules in kept.items():
        prefix = "Cluster" if space is None else ""
        metadata = {"name": name} if space is None else {"name": name, "namespace": space}
        reference = {"apiGroup": RBAC, "kind": f"{prefix}Role", "name": name}
        bodies: Mapping[str, dict[str, Any]] = {
            f"{prefix}Role": {"rules": [written(rule) for rule in rules]},
            f"{prefix}RoleBinding": {"roleRef": reference, "subjects": [_entry(subject)]},
        }
        for kind, body in bodies.items():
            manifest = {"apiVersion": VERSION, "kind": kind, "metadata": metadata, **body}
            yield unwritten(Ref(VERSION, kind, space or "", name), manifest)


def written(rule: Rule) -> dict[str, list[str]]:
    """A rule as a manifest has it."""
    if rule.paths:
        return {"nonResourceURLs": sorted(rule.paths), "verbs": sorted(rule.verbs)}
    names = {"resourceNames": sorted(rule.names)} if rule.names else {}
    resources = {"apiGroups": sorted(rule.groups), "resources": sorted(rule.resources)}
    return {**resources, **names, "verbs": sorted(rule.verbs)}


def _entry(subject: Subject) -> dict[str, str]:
    if subject.kind != "Group" and (found := account_named(subject.name)):
        namespace, name = found
        return {"kind": "ServiceAccount", "name": name, "namespace": namespace}
    return {"apiGroup": RBAC, "kind": subject.kind, "name": subject.name}


def _less(binding: Resource, gone: set[Subject]) -> Resource:
    """The binding without these subjects, as it can be applied."""
    manifest = binding.manifest
    entries = zip(sequence(manifest.get("subjects")), subjects_of(binding), strict=True)
    left = [entry for entry, subject in entries if key_of(subject) not in gone]
    kept: Manifest = {
        "apiVersion": VERSION,
        "kind": binding.ref.kind,
        "metadata": _metadata(binding),
        "roleRef": manifest["roleRef"],
        "subjects": left,
    }
    return replace(binding, manifest=kept)


def _metadata(binding: Resource) -> dict[str, Any]:
    """What a person wrote of it."""
    metadata = mapping(binding.manifest.get("metadata"))
    kept = {key: metadata[key] for key in ("name", "namespace", "labels") if key in metadata}
    notes = mapping(metadata.get("annotations"))
    notes = {key: value for key, value in notes.items() if key != _LAST_APPLIED}
    return {**kept, "annotations": notes} if notes else kept
