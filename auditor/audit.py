"""The core: what is wrong with a snapshot, and what could not be seen.

The command, the webhook and the proof of a fix all ask here, so that they give one answer.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Collection, Container, Iterable, Iterator
from dataclasses import replace
from functools import cached_property, lru_cache

from auditor.facts import FACTS, Facts, facts_of
from auditor.facts.custom import concerns, opened, role_of, unread
from auditor.facts.holdings import held
from auditor.facts.misfits import misfits
from auditor.facts.workloads import controller_of, resources_by_uid
from auditor.memory import collector_paused
from auditor.model import (
    Audit,
    Finding,
    Gap,
    Key,
    Policy,
    Ref,
    Resource,
    Settings,
    Snapshot,
    Status,
)
from auditor.policies.alike import Alike
from auditor.policies.engine import EvaluationError, PolicyEngine
from auditor.policies.judge import Hearing, Panel, Question, answered, panels
from auditor.policies.overrule import overruled
from auditor.policies.waivers import Looked
from auditor.policies.workers import Apart
from auditor.scope.running import gathered
from auditor.scope.territory import Territory, within
from auditor.values import dataclass


@dataclass(frozen=True, slots=True)
class Bench:
    """Who judges: the chosen policies and the engine that they were compiled for."""

    policies: tuple[Policy, ...]
    engine: PolicyEngine
    gaps: tuple[Gap, ...] = ()
    """What this bench cannot answer, whatever the snapshot: controls that no policy covers."""
    known: tuple[Policy, ...] = ()
    """All policies that there are, asked or not; empty where that is not known."""
    sitting: Sitting | None = None
    """What is remembered from one audit to the next; None where each is for itself."""

    def expect(self, objects: int) -> None:
        """So many objects are about to be read and judged: see `auditor.policies.workers`."""
        if isinstance(self.engine, Apart):
            self.engine.expect(objects)


AT_A_TIME = 4096
"""The questions about so many objects are put one after the other, those without facts first."""
AT_A_TIME_BYTES = 1 << 24
"""Or about fewer, where what they are written as takes as much."""


def audit(snapshot: Snapshot, bench: Bench, settings: Settings) -> Audit:
    """Judge every object of `snapshot`."""
    return _audit(snapshot, bench, settings, None)


def changes(before: Snapshot, after: Snapshot) -> tuple[Ref, ...]:
    """The objects that were added, replaced or removed between two snapshots of one watcher,
    which keeps the very same value of whatever did not change.
    """
    old, new = before.by_key, after.by_key
    removed = [resource.ref for key, resource in old.items() if key not in new]
    return (*(r.ref for key, r in new.items() if old.get(key) is not r), *removed)


def audit_changed(
    before: Audit, after: Snapshot, changed: Iterable[Ref], bench: Bench, settings: Settings
) -> Audit:
    """The audit of `after`, which differs from the snapshot of `before` in the objects `changed`.

    Policies that read the object alone are asked only about those; policies on facts are asked
    again about every object of which the facts have something to say.
    """
    return _audit(after, bench, settings, (before, {ref.key for ref in changed}))


@dataclass(frozen=True)
class Docket:
    """Which policies are asked about a snapshot."""

    asked: tuple[Policy, ...]
    unasked: tuple[Gap, ...]
    """A gap for each policy that a missing list takes away."""

    @cached_property
    def _panels(self) -> dict[tuple[str, bool], tuple[Panel, ...]]:
        return {}

    @cached_property
    def alike(self) -> Alike:
        """What its policies have said so far."""
        return Alike()

    def judges(self, roles: Iterable[str]) -> int:
        """How many of the objects of these roles some policy is asked about."""
        return sum(count for role, count in Counter(roles).items() if self.about(role))

    def about(self, role: str) -> tuple[Panel, ...]:
        """Who is asked about an object of this role."""
        return (*self.reading(role, facts=False), *self.reading(role, facts=True))

    def reading(self, role: str, *, facts: bool) -> tuple[Panel, ...]:
        """Those of them who read facts, or those who read the object alone."""
        if (role, facts) not in self._panels:
            concerned = (p for p in self.asked if bool(p.facts) is facts and concerns(p, role))
            self._panels[role, facts] = panels(concerned)
        return self._panels[role, facts]


@dataclass(slots=True)
class Sitting:
    """What one who asks one bench again and again remembers: its docket, with all that the policies
    said. Belongs to one thread.
    """

    last: Docket | None = None


def docket(bench: Bench, snapshot: Snapshot) -> Docket:
    """Which policies of the bench can be asked about the snapshot."""
    asked, unasked = _assessable(bench.policies, snapshot)
    last = bench.sitting and bench.sitting.last
    if last and (last.asked, last.unasked) == (asked, tuple(unasked)):
        return last
    found = Docket(asked, tuple(unasked))
    if bench.sitting:
        bench.sitting.last = found
    return found


def audit_alone(
    resource: Resource, bench: Bench, facts: Facts, asked: Docket | None = None
) -> Audit:
    """The audit of one object that becomes `resource`, while every fact stays as it is in `facts`.

    Costs what its policies cost, whatever the size of the cluster. `asked` is the docket of the
    facts' snapshot, for those who have it already.
    """
    alone = opened(Snapshot((resource,), facts.snapshot.gaps), facts.settings.openings)
    (resource,) = alone.resources
    asked = asked or docket(bench, facts.snapshot)
    about = Hearing(resource, facts).questions(asked.about(role_of(resource)))
    found, failed = _judged(about, bench, asked.alike)
    gaps = [*unread(alone.resources, live=True)]
    if facts.snapshot.server is None:  # as in the audit of the whole
        gaps += misfits(alone.resources, facts.settings.kubernetes)
    return Audit(alone, _ordered(found), (*gaps, *failed))


def _judged(
    asked: Iterable[Question], bench: Bench, known: Alike
) -> tuple[list[Finding], list[Gap]]:
    findings: list[Finding] = []
    failed: list[Gap] = []
    for resource, policy, said in answered(bench.engine, asked, known):
        if isinstance(said, EvaluationError):
            failed.append(_failed(policy, resource, said))
        else:
            findings += said
    return findings, failed


def _questions(
    facts: Facts, asked: Docket, known: tuple[Audit, set[Key]] | None
) -> Iterator[Question]:
    """Every question to ask: about what did not change, only those whose facts may have. Those on
    the object alone come first, of some objects at a time: they can be answered while the facts
    are found.
    """
    waiting: deque[tuple[Hearing, tuple[Panel, ...]]] = deque()
    held = 0
    for hearing, alone, on_facts in _concerned(facts, asked, known):
        yield from hearing.questions(alone)
        if on_facts:
            waiting.append((hearing, on_facts))
            held += hearing.size
        if len(waiting) >= AT_A_TIME or held >= AT_A_TIME_BYTES:
            yield from _on_facts(waiting)
            held = 0
    yield from _on_facts(waiting)


def _on_facts(waiting: deque[tuple[Hearing, tuple[Panel, ...]]]) -> Iterator[Question]:
    """What is asked with facts; nobody waits any more then. What an object was written as goes with
    it.
    """
    while waiting:
        hearing, panels = waiting.popleft()
        yield from hearing.questions(panels)


def _concerned(
    facts: Facts, asked: Docket, known: tuple[Audit, set[Key]] | None
) -> Iterator[tuple[Hearing, tuple[Panel, ...], tuple[Panel, ...]]]:
    """The objects to ask about; who is asked without facts, and who with them."""
    changed = known[1] if known else frozenset(facts.snapshot.by_key)
    spoken_of: dict[str, Collection[Key] | None] = {}
    for resource in facts.snapshot.resources:
        role, key = role_of(resource), resource.ref.key
        alone = asked.reading(role, facts=False) if key in changed else ()
        on_facts = asked.reading(role, facts=True)
        if on_facts and key not in changed:
            if role not in spoken_of:
                spoken_of[role] = facts.spoken_of(n for panel in on_facts for n in panel.facts)
            told = spoken_of[role]
            on_facts = on_facts if told is None or key in told else ()
        if alone or on_facts:
            yield Hearing(resource, facts), alone, on_facts


def _audit(
    snapshot: Snapshot, bench: Bench, settings: Settings, known: tuple[Audit, set[Key]] | None
) -> Audit:
    # Facts are large and hold no cycles until they go: each search for some would cost seconds.
    with collector_paused():
        return _audited(snapshot, bench, settings, known)


def _audited(
    snapshot: Snapshot, bench: Bench, settings: Settings, known: tuple[Audit, set[Key]] | None
) -> Audit:
    before = facts_of(known[0].snapshot, settings) if known else None
    facts = Facts(snapshot, settings, before)
    if before:
        facts.held_before = held(before)
    snapshot = facts.snapshot
    territory = Territory(snapshot, settings.scope)
    asked = docket(bench, snapshot)
    findings, failed = _judged(_questions(facts, asked, known), bench, asked.alike)
    asked.alike.settle()
    if known:
        findings += _carried(*known, snapshot, asked.asked)
        failed += _still_failed(*known, snapshot, asked.asked)
    kept, folded = _folded(findings, snapshot)
    if settings.scope:
        kept, copies = gathered(kept, snapshot)
        folded += copies
    unreadable = _unread(facts, territory)
    gaps = [*snapshot.gaps, *unreadable, *bench.gaps, *asked.unasked]
    if snapshot.server is None:  # what a server holds, it has taken
        gaps += misfits(territory.resources, settings.kubernetes)
    gaps += _untold(facts, asked.asked)
    gaps += sorted(failed, key=lambda gap: (gap.what, gap.why))
    looked = _looked(bench, asked.asked, snapshot, failed, settings)
    facts.audited = True
    told, gaps, added = overruled(snapshot, kept, gaps, looked, settings)
    answer = Audit(
        snapshot=snapshot,
        findings=_ordered(told),
        folded=_ordered(folded),
        gaps=tuple(gaps),
        added=added,
        engine=(bench.engine.name, bench.engine.version),
        policies=bench.policies,
        kubernetes=settings.kubernetes,
        enforcer=facts.enforcement.told,
        workloads=territory.within(facts.workloads),
        unclassified=territory.within(facts.unclassified),
        judged=asked.judges(map(role_of, territory.resources)),
    )
    return within(answer, territory) if settings.scope else answer


def _unread(facts: Facts, territory: Territory) -> Iterator[Gap]:
    """What of the objects cannot be read. Of a live cluster, nothing is told of any other."""
    if facts.snapshot.server is None:
        return unread(territory.resources, live=False)
    return unread(filter(territory.holds, facts.ill_formed), live=True)


def _looked(
    bench: Bench,
    asked: tuple[Policy, ...],
    snapshot: Snapshot,
    failed: list[Gap],
    settings: Settings,
) -> Looked:
    return Looked(
        asked=asked,
        known=bench.known or bench.policies,
        refs=frozenset(resource.ref for resource in snapshot.resources),
        failed=frozenset((gap.policy, gap.ref.key) for gap in failed if gap.ref),
        whole=settings.whole and not any("*" in gap.kinds for gap in snapshot.gaps),
    )


def _assessable(
    policies: tuple[Policy, ...], snapshot: Snapshot
) -> tuple[tuple[Policy, ...], list[Gap]]:
    """The policies whose facts can be known, and a gap for each that a missing list takes away from
    objects that it would be asked about.
    """
    missing = {kind: gap for gap in snapshot.gaps for kind in gap.kinds if kind != "*"}
    asked, unasked = [], []
    for policy in policies:
        if snapshot.server and not snapshot.server.kinds.intersection(policy.kinds):
            why = f"not assessed: no {' or '.join(policy.kinds)} is read from a cluster yet"
            unasked.append(Gap.of_policy(policy.id, why))
            continue
        lists = snapshot.server is not None
        needed = [
            kind for fact in policy.facts if (kind := FACTS[fact].lacks(missing, lists=lists))
        ]
        if not needed or not _has_objects(policy, snapshot, missing):
            asked.append(policy)
            continue
        gap = missing[needed[0]]
        what = f"the {gap.what}" if gap.what.startswith("list of ") else gap.what
        why = f"not assessed: it needs every {needed[0]}, and {what} could not be read"
        unasked.append(Gap.of_policy(policy.id, why, gap.severity))
    return tuple(asked), unasked


def _has_objects(policy: Policy, snapshot: Snapshot, missing: Container[str]) -> bool:
    """Whether there is anything that the policy is asked about, or may be among what is missing."""
    if any(kind in missing for kind in policy.kinds):
        return True
    return any(concerns(policy, role_of(resource)) for resource in snapshot.resources)


def _untold(facts: Facts, asked: tuple[Policy, ...]) -> Iterator[Gap]:
    """What the facts could not tell; nothing where no policy asked for any."""
    if any(policy.facts for policy in asked):
        yield from facts.misread
    yield from facts.gaps.values()


def _failed(policy: Policy, resource: Resource, error: EvaluationError) -> Gap:
    return Gap.of_policy(policy.id, str(error), ref=resource.ref)


def _carried(
    before: Audit, changed: set[Key], after: Snapshot, asked: tuple[Policy, ...]
) -> Iterator[Finding]:
    """The findings on objects that did not change, of policies that read the object alone."""
    ours = {policy.id for policy in asked if not policy.facts}
    for finding in (*before.findings, *before.folded, *before.beyond):
        key = finding.ref.key
        if finding.policy.id in ours and key not in changed and key in after.by_key:
            yield _unanswered(finding)


def _unanswered(finding: Finding) -> Finding:
    """The finding before anybody waived it or mended it: itself, where nobody has."""
    if finding.fix or finding.reason or finding.waiver or finding.status is not Status.OPEN:
        return replace(finding, fix=None, status=Status.OPEN, reason="", waiver=None)
    return finding


def _still_failed(
    before: Audit, changed: set[Key], after: Snapshot, asked: tuple[Policy, ...]
) -> Iterator[Gap]:
    """The objects that did not change and that a policy on the object alone could not judge."""
    ours = {policy.id for policy in asked if not policy.facts}
    for gap in before.gaps:
        if gap.ref is None or gap.ref.key in changed or gap.ref.key not in after.by_key:
            continue
        if gap.policy in ours:
            yield gap


def _folded(findings: list[Finding], snapshot: Snapshot) -> tuple[list[Finding], list[Finding]]:
    """The findings, apart from those that are only the copy of a finding on what made the object.

    A pod is silent only where its real controller has the same finding: what was added to the
    pod afterwards still speaks, and so does a pod that merely claims an owner.
    """
    owners = resources_by_uid(snapshot)
    found = {key: snapshot.by_key.get(key) for key in {finding.ref.key for finding in findings}}
    above = {
        key: owner for key, one in found.items() if one and (owner := controller_of(one, owners))
    }
    if not above:
        return findings, []
    told = {(finding.ref.key, finding.policy.id, finding.anchor) for finding in findings}
    kept: list[Finding] = []
    folded: list[Finding] = []
    for finding in findings:
        owner = above.get(finding.ref.key)
        copied = owner and (owner.ref.key, finding.policy.id, finding.anchor) in told
        (folded if copied else kept).append(finding)
    return kept, folded


def _ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The worst first, then by object and policy. Objects are put in order once, and not by each
    two findings that meet.
    """
    found = list(findings)
    refs = {finding.ref.key: finding.ref for finding in found}
    order = {ref.key: number for number, ref in enumerate(sorted(refs.values(), key=_place))}
    groups: dict[int, list[Finding]] = defaultdict(list)
    for finding in found:
        groups[finding.severity.rank * len(order) + order[finding.ref.key]].append(finding)
    return tuple([one for key in sorted(groups) for one in sorted(groups[key], key=_said)])


def _said(finding: Finding) -> tuple[str, ...]:
    return finding.policy.id, finding.anchor, finding.message, _path_as_text(finding.path)


def _place(ref: Ref) -> tuple[str, ...]:
    return (ref.kind, ref.namespace, ref.name, ref.api_version)


_path_as_text = lru_cache(maxsize=4096)(str)
