"""Fixes of what Kustomize and Helm build, made in the files that it is built from.

The patch of the policy says what the built object should be. The edit that should lead there is
looked for (`auditor.fixes.tracing`), everything that reads the edited files is built again
(`auditor.fixes.rebuilt`), and what came out is judged in each variant as any other fix is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from auditor.audit import Bench
from auditor.fixes.case import Case
from auditor.fixes.differences import is_done
from auditor.fixes.drafts import Drafts
from auditor.fixes.operations import CannotApplyError, applied, in_order, settled
from auditor.fixes.page import CannotEditError
from auditor.fixes.proof import prove_findings
from auditor.fixes.rebuilt import Home, Made, NotRebuiltError, Texts, World, home_of
from auditor.fixes.sourced import SourceFix, Wanted
from auditor.fixes.tracing import trace
from auditor.model import (
    Audit,
    Change,
    Finding,
    Fix,
    Operation,
    Origin,
    Proof,
    Ref,
    Resource,
    Safety,
    Settings,
    Span,
    Status,
    TextEdit,
)
from auditor.sources.places import SourceText
from auditor.sources.recipes import recipe_of
from auditor.sources.templates import Templated
from auditor.sources.yaml import Document, documents
from auditor.values import dataclass

_T = TypeVar("_T")

ROUNDS = 3
"""How often the same fault is looked for in further variants, and mended there as well."""


def fixed_at_source(audits: Sequence[Audit], bench: Bench, settings: Settings) -> list[Audit]:
    """The audits of all variants, with fixes. Of an object that is built, the fix becomes one of
    the files that it is built from, with a proof of that; or says why there is none.

    Costs one build for each different edit and each overlay or set of values that reads the edited
    file, and a partial audit of the variant that it is in.
    """
    if not any(
        finding.fix and finding.fix.changes and _is_built(finding, audit)
        for audit in audits
        for finding in audit.findings
    ):
        return list(audits)
    world = World(audits, bench, settings)
    _prepare(world)
    return [
        replace(audit, findings=tuple(_at_source(world, at, one) for one in audit.findings))
        for at, audit in enumerate(audits)
    ]


def _is_built(finding: Finding, audit: Audit) -> bool:
    """Whether its fix would change nothing but objects that are built."""
    changes = finding.fix.changes if finding.fix else ()
    found = [audit.snapshot.find(change.resource.ref) for change in changes]
    return (
        bool(changes)
        and not any(change.beside for change in changes)
        and all(one is not None and recipe_of(one) for one in found)
    )


def _prepare(world: World) -> None:
    """Do the builds that the fixes need, for several fixes at once where that shows each of them:
    where each edits bases of Kustomize that no other one edits.
    """
    alone: list[Texts] = []
    groups: list[list[_First]] = []
    for first in _firsts(world):
        if not first.homes:
            alone.append(first.texts)
            continue
        apart = (g for g in groups if all(one.homes.isdisjoint(first.homes) for one in g))
        group = next(apart, None)
        groups.append([first]) if group is None else group.append(first)
    wholes = [_drafted(world, _once(w for one in g for w in one.wanted)).texts() for g in groups]
    world.prepare((*alone, *wholes))
    for group, whole in zip(groups, wholes, strict=True):
        world.split(whole, [(one.texts, one.homes) for one in group])


@dataclass(frozen=True, slots=True)
class _First:
    """What is tried first for a finding."""

    wanted: list[Wanted]
    texts: Texts
    homes: frozenset[Home]
    """The objects of bases that are edited; none where something else is edited, too."""


def _firsts(world: World) -> Iterator[_First]:
    """One for each different edit."""
    known: set[tuple[TextEdit, ...]] = set()
    for at, audit in enumerate(world.audits):
        for finding in audit.findings:
            if not _is_built(finding, audit):
                continue
            wanted = _wanted(at, finding)
            try:
                drafts = _drafted(world, wanted)
                edits, texts = drafts.edits(), drafts.texts()
            except CannotEditError:
                continue  # said when it is tried
            if edits not in known:
                known.add(edits)
                found = [audit.snapshot.find(one.ref) for one in wanted]
                homes = frozenset(home for one in found if one and (home := home_of(one)))
                in_bases = texts.keys() <= {uri for uri, _ in homes}
                yield _First(wanted, texts, homes if in_bases else frozenset())


def _wanted(variant: int, finding: Finding) -> list[Wanted]:
    changes = finding.fix.changes if finding.fix else ()
    return [Wanted(variant, change.resource.ref, change.operations) for change in changes]


def _at_source(world: World, variant: int, finding: Finding) -> Finding:
    if finding.fix is None or not _is_built(finding, world.audits[variant]):
        return finding
    try:
        fix: Fix = _tried(world, variant, finding, finding.fix)
    except (CannotEditError, NotRebuiltError) as error:
        fix = _unproven(finding.fix, str(error))
    return replace(finding, fix=fix)


def _unproven(fix: Fix, why: str) -> SourceFix:
    proof = Proof(resolved=fix.proof.resolved, valid_for=fix.proof.valid_for, unproven=(why,))
    return SourceFix(fix.title, fix.safety, fix.changes, (), proof)


def _tried(world: World, variant: int, finding: Finding, fix: Fix) -> SourceFix:
    """The fix as edits of the files, with what was shown of it in every variant. What is the same
    fault with the same edit in another variant has the same proof.
    """
    wanted = _wanted(variant, finding)
    key = (finding.fingerprint, _drafted(world, wanted).edits())
    if key not in world.tried:
        world.tried[key] = _whole(world, variant, finding, fix)
    found, made = world.tried[key]
    changes = tuple(world.changes(made, variant)) if found.edits else fix.changes
    return replace(found, changes=changes)


def _whole(world: World, variant: int, finding: Finding, fix: Fix) -> tuple[SourceFix, Made]:
    wanted = _wanted(variant, finding)
    for _ in range(ROUNDS):
        drafts = _drafted(world, wanted)
        texts = drafts.texts()
        made = world.made(texts)
        faults = {at: _same_fault(world, at, variant, finding) for at in world.variants_of(made)}
        proofs = _proofs(world, made, faults, finding, drafts.edits())
        left = [at for at, proof in proofs.items() if not proof.resolved]
        more = _once(one for at in left for fault in faults[at] for one in _wanted(at, fault))
        if all(one in wanted for one in more):
            break
        wanted = _once((*wanted, *more))
    _check_made(world, made, wanted)
    proof = _as_one(list(proofs.values()))
    tried = SourceFix(fix.title, fix.safety, fix.changes, (), proof, tuple(wanted))
    if not proof.holds:
        return tried, made
    safe = fix.safety is not Safety.SAFE or _is_asked_for(world, made, finding)
    whole = replace(
        tried,
        safety=fix.safety if safe else Safety.UNSAFE,
        edits=drafts.edits(),
        rendered=world.rendered(made),
        files=tuple(_files(drafts, texts)),
    )
    return whole, made


def _steps(wanted: Iterable[Wanted]) -> Mapping[tuple[int, Ref], tuple[Operation, ...]]:
    """All that is wanted of each object, in its variant."""
    found: dict[tuple[int, Ref], list[Operation]] = {}
    for one in wanted:
        found.setdefault((one.variant, one.ref), []).extend(one.operations)
    return {place: in_order(steps) for place, steps in found.items()}


def _drafted(world: World, wanted: Iterable[Wanted]) -> Drafts:
    """What is to become of the files, that all these objects be as they are wanted."""
    drafts = Drafts()
    for (variant, ref), mine in _steps(wanted).items():
        resource = world.audits[variant].snapshot.find(ref)
        if resource is None:
            raise CannotEditError(f"{ref} is not there")
        try:
            trace(drafts, resource, applied(resource.manifest, mine))
        except CannotApplyError as error:
            raise CannotEditError(f"the fixes of {ref} exclude each other: {error}") from error
    return drafts


def _same_fault(world: World, at: int, variant: int, finding: Finding) -> list[Finding]:
    """The fault as another variant has it: on the object made of the same place in the files."""
    if at == variant:
        return [finding]
    home = _home(world.audits[variant], finding.ref)
    found = [
        one
        for one in world.audits[at].findings
        if one.status is Status.OPEN
        and (one.policy.id, one.anchor) == (finding.policy.id, finding.anchor)
        and _home(world.audits[at], one.ref) == home
    ]
    named = [one for one in found if one.ref.name == finding.ref.name]
    return named or (found if len(found) == 1 else [])


def _home(audit: Audit, ref: Ref) -> object:
    """Where an object is written that something was made of."""
    resource = audit.snapshot.find(ref)
    lines = resource.origin.lines if resource else None
    if resource and (home := home_of(resource)):
        return home
    if isinstance(lines, Templated):
        return (lines.uri, ref.kind, lines.span(()))
    return ref


def _proofs(
    world: World,
    made: Made,
    faults: dict[int, list[Finding]],
    finding: Finding,
    edits: tuple[TextEdit, ...],
) -> dict[int, Proof]:
    """What can be shown in each variant that takes part."""
    found: dict[int, Proof] = {}
    for at, here in faults.items():
        changes = tuple(world.changes(made, at))
        if changes:
            found[at] = prove_findings(Case(world.befores[at], finding, changes, edits, ""), here)
        elif here:
            found[at] = Proof(resolved=False)
    return found


def _check_made(world: World, made: Made, wanted: Iterable[Wanted]) -> None:
    """Every field that was to be changed is what it should be."""
    for (variant, ref), steps in _steps(wanted).items():
        changed = {change.resource.ref: change for change in world.changes(made, variant)}
        if ref not in changed:
            raise NotRebuiltError(f"the edit would not change {ref} as it is built")
        manifest = changed[ref].resource.manifest
        if not all(is_done(manifest, step) for step in settled(steps)):
            raise NotRebuiltError(f"the edit would make something else of {ref}")


def _is_asked_for(world: World, made: Made, finding: Finding) -> bool:
    """Whether all that changes is what the fixes of this policy want of each object."""
    for at in world.variants_of(made):
        audit = world.audits[at]
        for change in world.changes(made, at):
            before = audit.snapshot.find(change.resource.ref)
            steps = [
                step
                for one in audit.findings
                if one.policy.id == finding.policy.id and one.fix
                for asked in one.fix.changes
                if asked.resource.ref == change.resource.ref
                for step in asked.operations
            ]
            try:
                whole = applied(before.manifest if before else {}, in_order(steps))
            except CannotApplyError:
                return False
            if not all(is_done(whole, step) for step in change.operations):
                return False
    return True


def _once(items: Iterable[_T]) -> list[_T]:
    """Without what is there already. Steps hold values that cannot be hashed."""
    found: list[_T] = []
    for one in items:
        if one not in found:
            found.append(one)
    return found


def _as_one(proofs: Sequence[Proof]) -> Proof:
    """What holds in all variants, and whatever is wrong in one."""

    def all_of(name: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(one for proof in proofs for one in getattr(proof, name)))

    lists = ("introduced", "opened", "closed", "kept", "cut", "scheduled", "unschedulable")
    return Proof(
        resolved=all(proof.resolved for proof in proofs),
        **{name: all_of(name) for name in (*lists, "invalid", "unproven")},
        valid_for=max((proof.valid_for for proof in proofs), default=0),
        stable=all(proof.stable for proof in proofs),
        exact=all(proof.exact for proof in proofs),
    )


def _files(drafts: Drafts, texts: Texts) -> Iterator[Resource]:
    """What stands in the edited files, document by document."""
    for uri, (before, _) in texts.items():
        nobody = Ref("", "", "", uri)
        if uri in drafts.sources:
            yield Resource(nobody, {}, Origin(uri, _Text(drafts.sources[uri])))
            continue
        for one in documents(uri, before):
            if isinstance(one, Document):
                yield Resource(nobody, one.value, Origin(uri, one))


class _Text:
    """A template as a text without fields (`auditor.model.Lines`)."""

    def __init__(self, source: SourceText) -> None:
        self._source = source

    @property
    def text(self) -> str:
        return self._source.text

    def span(self, _path: object) -> Span:
        return self._source.span(0, len(self._source.text))


class Together:
    """Several fixes at the source as one."""

    def __init__(
        self, audits: Sequence[Audit], fixes: Sequence[SourceFix], bench: Bench, settings: Settings
    ) -> None:
        """Raises CannotEditError, NotRebuiltError: they do not go together."""
        self._world = World(audits, bench, settings)
        wanted = _once(one for fix in fixes for one in fix.wanted)
        drafts = _drafted(self._world, wanted)
        self.texts = drafts.texts()
        self.edits = drafts.edits()
        self._made = self._world.made(self.texts)
        _check_made(self._world, self._made, wanted)
        self.files = tuple(_files(drafts, self.texts))

    def changes(self, variant: int) -> tuple[Change, ...]:
        """How the objects of a variant come out otherwise."""
        return tuple(self._world.changes(self._made, variant))
