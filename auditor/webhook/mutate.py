"""Completes an object before it exists: adds what it lacks where that is safe, and was shown to be.

A validating webhook that errs denies too much; a mutating one that errs fights controllers, or
rejects what it meant to help. So there is a patch only where nothing is left in doubt: fields that
nobody set, of a workload that nobody else keeps, by fixes whose policies call them safe, proven on
this object together, and found to leave nothing more to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from auditor.declared import Admission, Mutating
from auditor.facts.workloads import names_controller, workload_of
from auditor.fixes.case import Before, Case
from auditor.fixes.offer import changes_of
from auditor.fixes.operations import CannotApplyError, once
from auditor.fixes.proof import prove_findings
from auditor.fixes.synthesize.errors import CannotBuildError
from auditor.manifests import mapping
from auditor.model import Change, Finding, Manifest, Operation, Resource, Safety, Snapshot
from auditor.reporters.patches import Step
from auditor.text import escaped
from auditor.values import dataclass
from auditor.webhook.additions import NotAnAdditionError, additions, grown, is_addition
from auditor.webhook.court import Court
from auditor.webhook.decide import WARNING_LENGTH, annotation, warning
from auditor.webhook.fitting import borrowed, misfit
from auditor.webhook.hints import steps_told
from auditor.webhook.judgement import added_findings, sides
from auditor.webhook.proposal import proposal_of
from auditor.webhook.registration import FIXED_TEMPLATES, UNTOUCHED_NAMESPACES
from auditor.webhook.review import Decision, Review, UndecidableError

MOST = 100
"""So many faults of one object are mended at once; no workload of people's has more containers."""
MIRROR = "kubernetes.io/config.mirror"
"""On the image that a kubelet makes of a pod of its own: only the kubelet's file counts."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """What is added to an object, and what is said about it."""

    patch: tuple[Step, ...] = ()
    """A JSON Patch; none where nothing is added."""
    warnings: tuple[str, ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()

    @property
    def decision(self) -> Decision:
        """The answer to the API server: whatever is or is not added, nothing is denied here."""
        return Decision(
            allowed=True, warnings=self.warnings, annotations=self.annotations, patch=self.patch
        )


class DoubtError(Exception):
    """Something about a patch could not be shown. The text says what."""


@dataclass(frozen=True, slots=True)
class _Offer:
    """A fault, and what to add to its object so that it is gone."""

    finding: Finding
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class _Mended:
    """An object with fixes."""

    review: Review
    """The review as it would be of the object after the patch."""
    offers: tuple[_Offer, ...] = ()
    steps: tuple[Step, ...] = ()


def mutation(review: Review, live: Snapshot, court: Court, terms: Admission) -> Mutation:
    """What to add to the object of `review` when the cluster is `live`."""
    wanted = terms.mutate
    if wanted is None or not wanted.is_in(review.namespace) or not _may_touch(review):
        return Mutation()
    try:
        mended = _mended(review, live, court, wanted)
        if not mended.steps:
            return Mutation()
        if _mended(mended.review, live, court, wanted).steps:
            raise DoubtError("there would be more to add to the result")
    except (DoubtError, UndecidableError) as why:
        return Mutation(annotations=(("not-added", annotation(str(why))),))
    return _told(mended)


def _may_touch(review: Review) -> bool:
    """Whether anybody may add anything to the object, whatever it lacks."""
    metadata = mapping(mapping(review.object).get("metadata"))
    if review.operation not in ("CREATE", "UPDATE") or review.subresource:
        return False
    if review.operation == "UPDATE" and review.kind in FIXED_TEMPLATES:
        return False
    if not review.namespace or review.namespace in UNTOUCHED_NAMESPACES:
        return False
    leaving = metadata.get("deletionTimestamp") is not None
    return not (leaving or _is_kept(metadata) or MIRROR in mapping(metadata.get("annotations")))


def _is_kept(metadata: Any) -> bool:
    """Whether a controller keeps the object as it wants it: what it lacks, that lacks too, or its
    template; a field of ours would be removed again, or taken for a change of the template.
    """
    owners = metadata.get("ownerReferences")
    if owners is not None and not isinstance(owners, list):
        return True
    return names_controller(metadata)


def _mended(review: Review, live: Snapshot, court: Court, wanted: Mutating) -> _Mended:
    """The object with the fixes of the faults that the request adds.

    Raises:
        DoubtError: see `_best`; or there are too many. UndecidableError: the object is none.
    """
    proposal = proposal_of(review, live)
    if proposal is None or proposal.after is None or workload_of(proposal.after) is None:
        return _Mended(review)
    before, submitted = sides(proposal, live, court)
    world = court.world(submitted)
    faults = [
        finding
        for finding in added_findings(before, submitted)
        if finding.ref.key == proposal.ref.key and wanted.is_of(finding.policy.names)
    ]
    if len(faults) > MOST:
        raise DoubtError(f"more than {MOST} faults of one object")
    return _best(tuple(_offered(faults, review, world)), review, world)


def _best(offers: Sequence[_Offer], review: Review, world: Before) -> _Mended:
    """The object with all these fixes; where they do not hold, with those of each policy that do.

    Raises:
        DoubtError: those of each policy hold, and not together.
    """
    if not offers:
        return _Mended(review)
    if together := _mended_by(offers, review, world):
        return together
    holding = [each for each in _classes(offers) if _mended_by(each, review, world)]
    if not holding:
        return _Mended(review)
    together = _mended_by([offer for each in holding for offer in each], review, world)
    if together is None:
        raise DoubtError("the fixes do not hold together")
    return together


def _offered(findings: Iterable[Finding], review: Review, world: Before) -> Iterator[_Offer]:
    """The findings whose fix adds something to the object and changes nothing."""
    for finding in findings:
        try:
            operations = _operations(finding, review, world)
        except DoubtError:
            continue
        if all(is_addition(review.object, each) for each in operations):
            yield _Offer(finding, operations)


def _classes(offers: Iterable[_Offer]) -> Iterable[Sequence[_Offer]]:
    """Those of each policy: its fixes of all containers are proven at once."""
    found: dict[str, list[_Offer]] = {}
    for offer in offers:
        found.setdefault(offer.finding.policy.id, []).append(offer)
    return found.values()


def _mended_by(offers: Sequence[_Offer], review: Review, world: Before) -> _Mended | None:
    """The object with all these fixes as one; None where there is a doubt."""
    operations = once(step for offer in offers for step in offer.operations)
    try:
        steps = additions(review.object, operations)
    except NotAnAdditionError:
        return None
    after = replace(review, object=grown(review.object, steps))
    proposal = proposal_of(after, world.audit.snapshot)
    if proposal is None or proposal.after is None:
        return None
    if misfit(proposal.after, operations, world.audit.snapshot):
        return None
    findings = [offer.finding for offer in offers]
    if not _holds(findings, Change(proposal.after, operations), world):
        return None
    return _Mended(after, tuple(offers), steps)


def _operations(finding: Finding, review: Review, world: Before) -> tuple[Operation, ...]:
    """The steps of the finding's remedy, all of them on its own object.

    Raises:
        DoubtError: it has none, its author does not call it safe, or it takes more than that.
    """
    remedy = finding.remedy
    if remedy is None or remedy.safety is not Safety.SAFE:
        raise DoubtError("no safe fix is known")
    try:
        changes = changes_of(world.facts, finding, remedy)
    except (CannotBuildError, CannotApplyError) as error:
        raise DoubtError(str(error)) from error
    if [change.resource.ref.key for change in changes] != [finding.ref.key] or changes[0].beside:
        raise DoubtError("the fix takes more than this object")
    operations = changes[0].operations
    judged = world.audit.snapshot.by_key[finding.ref.key].manifest
    if borrowed(operations, judged, review.object):
        raise DoubtError("the fix repeats what only we say")
    if review.operation == "UPDATE" and not _in_template(changes[0].resource, operations):
        raise DoubtError("the fix sets what may not change once it is there")
    return operations


def _in_template(resource: Resource, operations: Iterable[Operation]) -> bool:
    workload = workload_of(resource)
    if workload is None:
        return False
    depth = len(workload.template_path)
    return all(step.path[:depth] == workload.template_path for step in operations)


def _holds(findings: Sequence[Finding], change: Change, world: Before) -> bool:
    """Whether the change may be made without asking anybody: proven, taking nothing for granted,
    and bringing no fault at all, however slight.
    """
    gravest = min(findings, key=lambda finding: finding.severity.rank)
    case = Case(world, gravest, (change,), (), "")
    proof = prove_findings(case, findings)
    new = [finding for finding in case.after.findings if finding not in world.known]
    return proof.holds and not proof.assumes and not new


def _told(mended: _Mended) -> Mutation:
    """The patch; and what each policy had added, for whoever applied the object and for the audit
    log.
    """
    said = [_said(offers, mended.review.object) for offers in _classes(mended.offers)]
    lines = [f"{steps} ({policy})" for steps, policy in said]
    return Mutation(
        patch=mended.steps,
        warnings=tuple(_warned(steps, policy) for steps, policy in said),
        annotations=(("added", annotation("; ".join(lines))),),
    )


def _said(offers: Sequence[_Offer], manifest: Manifest) -> tuple[str, str]:
    """What was added, in words, and the policy that asks for it."""
    operations = [step for offer in offers for step in offer.operations]
    return escaped(steps_told(manifest, operations)), offers[0].finding.policy.id


def _warned(steps: str, policy: str) -> str:
    """As a warning; where it is too long, the policy stays: it tells the rest."""
    room = WARNING_LENGTH - len(f"auditor added:  ({policy})")
    cut = steps if len(steps) <= room else f"{steps[: max(room - 1, 0)]}…"
    return warning(f"auditor added: {cut} ({policy})")
