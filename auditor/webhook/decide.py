"""Decides about a request: what becomes of the faults that it adds, by the declared terms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from auditor.declared import Admission, Mode
from auditor.model import Audit, Finding, Gap, Policy, Ref, Severity, Snapshot
from auditor.sources.watch import Stale
from auditor.text import escaped
from auditor.values import dataclass
from auditor.webhook.court import Court
from auditor.webhook.hints import hints
from auditor.webhook.judgement import Judgement, judge
from auditor.webhook.review import Decision, Review, UndecidableError
from auditor.webhook.staleness import assessed

WARNING_LENGTH = 200
"""Code points of one warning: the API server cuts at 256 once all together pass 4096."""
WARNINGS = 15
FINDINGS = 50
"""So many findings are named in a denial; the rest is counted."""
ANNOTATION_LENGTH = 2000

CONTROLLERS = frozenset(
    (
        "system:kube-controller-manager",
        *(
            f"system:serviceaccount:kube-system:{name}-controller"
            for name in (
                "cronjob",
                "daemon-set",
                "deployment",
                "job",
                "replicaset",
                "replication",
                "statefulset",
            )
        ),
    )
)
"""Who makes pods, ReplicaSets and Jobs from templates, as the API server authenticates them:
https://kubernetes.io/docs/reference/access-authn-authz/rbac/#controller-roles
"""

Notes = tuple[tuple[str, str], ...]
Found = tuple[tuple[Mode, Finding], ...]
"""Findings, each with what becomes of it."""


class CannotJudgeError(Exception):
    """We cannot answer, for no fault of the request: the operator's failurePolicy decides."""


@dataclass(frozen=True, slots=True)
class Considered:
    """A decision, and what it rests on."""

    decision: Decision
    found: Found = ()
    """The findings that count."""
    after: Audit | None = None
    """The audit of the cluster as it would be; None where nobody was asked."""


def decide(
    review: Review,
    live: Snapshot,
    court: Court,
    terms: Admission,
    stale: Sequence[Stale] = (),
) -> Decision:
    """What to answer to `review` when the cluster is `live`, of which some kinds are `stale`, with
    hints how to mend the object.

    Raises:
        CannotJudgeError: policies that may deny lack what they need to see.
    """
    told = considered(review, live, court, terms, stale)
    lines = tuple(map(warning, _fixes(review, told, court)))
    return replace(told.decision, warnings=told.decision.warnings + lines)


def considered(
    review: Review,
    live: Snapshot,
    court: Court,
    terms: Admission,
    stale: Sequence[Stale] = (),
) -> Considered:
    """What to answer, and why.

    Raises:
        CannotJudgeError: policies that may deny lack what they need to see.
    """
    try:
        judgement = judge(review, live, court)
    except UndecidableError as error:
        return Considered(undecidable(terms.strictest(namespace=review.namespace), error))
    if judgement.passed_over:
        return Considered(unjudged(review, judgement.passed_over))
    judgement = assessed(judgement, stale, terms)
    found = modes_of(counted(judgement, terms, review), terms)
    added = frozenset(each.fingerprint for each in (*judgement.added, *judgement.copied))
    decision = replace(decided(judgement, terms, review), added=added)
    return Considered(decision, found, judgement.after)


def decided(judgement: Judgement, terms: Admission, review: Review) -> Decision:
    """What to answer to a request of which so much was found out.

    Raises:
        CannotJudgeError: policies that may deny lack what they need to see.
    """
    if told := _told(gap for gap in judgement.unasked if _may_deny(gap, judgement, terms)):
        raise CannotJudgeError(told)
    modes = [(_mode(gap, judgement, terms, review.namespace), gap) for gap in judgement.undecided]
    if told := _told(gap for mode, gap in modes if mode is Mode.DENY):
        return undecidable(Mode.DENY, UndecidableError(told))
    left = _told((*judgement.unasked, *judgement.unsure, *judgement.undecided))
    notes = (("not-assessed", annotation(left)),) if left else ()
    verdict = _verdict(modes_of(counted(judgement, terms, review), terms), notes)
    # What cannot be judged by one policy is no way around another.
    unable = tuple(warning(_told([gap])) for mode, gap in modes if mode is Mode.WARN)
    return replace(verdict, warnings=verdict.warnings + unable)


def counted(judgement: Judgement, terms: Admission, review: Review) -> tuple[Finding, ...]:
    """The added findings that count against the request. What a pod has in common with the object
    that it names as its controller is told there, if it is the controller that asks; anybody else
    could write the same reference.
    """
    if review.user in CONTROLLERS or review.user in terms.controllers:
        return judgement.added
    return (*judgement.added, *judgement.copied)


def _fixes(review: Review, told: Considered, court: Court) -> Iterator[str]:
    """How the object of the request can be mended, for whoever reads what is wrong with it."""
    wanted = (f for mode, f in told.found if mode is not Mode.AUDIT and _is_of(review, f.ref))
    found = list(wanted)
    if found and told.after:
        yield from hints(found, court.world(told.after))


def _is_of(review: Review, ref: Ref) -> bool:
    """Whether a request is about the object; its name may be still to be made."""
    names = (review.name, "") if ref.name.endswith("*") else (ref.name,)
    return (review.kind, review.namespace) == (ref.kind, ref.namespace) and review.name in names


def modes_of(findings: Iterable[Finding], terms: Admission) -> Found:
    """What becomes of each finding, less those that do not count."""
    found = ((_fate(f.policy, f.severity, terms, place(f.ref)), f) for f in findings)
    return tuple((mode, finding) for mode, finding in found if mode)


def _fate(policy: Policy, severity: Severity, terms: Admission, namespace: str) -> Mode | None:
    mode = terms.mode_of(policy.names, severity, namespace)
    return Mode.WARN if mode is Mode.DENY and policy.grace else mode


def place(ref: Ref) -> str:
    """The namespace that rules know an object by: a Namespace is in itself."""
    return ref.name if ref.kind == "Namespace" and not ref.group else ref.namespace


def _may_deny(gap: Gap, judgement: Judgement, terms: Admission) -> bool:
    """Whether a policy that was not asked could have denied: a change in one namespace may well
    bring a fault in another.
    """
    policy = judgement.policy_of(gap)
    if policy is None or policy.grace:
        return False
    return terms.strictest(policy.names, policy.severity) is Mode.DENY


def _mode(gap: Gap, judgement: Judgement, terms: Admission, namespace: str) -> Mode:
    where = place(gap.ref) if gap.ref else namespace
    policy = judgement.policy_of(gap)
    if policy is None:
        return terms.strictest(namespace=where)
    return _fate(policy, policy.severity, terms, where) or Mode.AUDIT


def unjudged(review: Review, why: str) -> Decision:
    """Allowed, with a word for the audit log where somebody may have expected a judgement."""
    if review.subresource == "status":
        return Decision(allowed=True)
    return Decision(allowed=True, annotations=(("not-judged", annotation(why)),))


def undecidable(mode: Mode, error: UndecidableError) -> Decision:
    """The answer to what the caller's own object makes impossible to judge."""
    text = escaped(f"auditor cannot judge this object: {error}")
    notes = (("undecidable", annotation(str(error))),)
    if mode is Mode.DENY:
        return Decision(allowed=False, message=text, code=error.code, annotations=notes)
    warnings = (warning(text),) if mode is Mode.WARN else ()
    return Decision(allowed=True, warnings=warnings, annotations=notes)


def warning(text: str) -> str:
    """`text` as a warning that the API server passes on: it drops, without a word, any that
    holds a control character.
    """
    clean = escaped(text)
    return clean if len(clean) <= WARNING_LENGTH else clean[: WARNING_LENGTH - 1] + "…"


def annotation(text: str) -> str:
    """`text` as a value for the audit log."""
    return escaped(text)[:ANNOTATION_LENGTH]


def _told(gaps: Iterable[Gap]) -> str:
    return "; ".join(f"{gap.what}: {gap.why}" for gap in gaps)


def _verdict(found: Found, notes: Notes) -> Decision:
    """Only one denial reaches the user: it says all that is denied."""
    if not found:
        return Decision(allowed=True, annotations=notes)
    notes = (*notes, ("findings", annotation("; ".join(_lines(found, *Mode)))))
    warnings = tuple(map(warning, _first(_lines(found, Mode.WARN), WARNINGS)))
    if denied := _lines(found, Mode.DENY):
        text = "\n".join(_first(denied, FINDINGS))
        return Decision(allowed=False, message=text, warnings=warnings, annotations=notes)
    return Decision(allowed=True, warnings=warnings, annotations=notes)


def _lines(found: Found, *modes: Mode) -> list[str]:
    """The findings with these modes as the user reads them, each mode after the other."""
    return [
        escaped(f"{f.policy.id} {f.ref}: {f.message}")
        for mode in modes
        for its, f in found
        if its is mode
    ]


def _first(lines: list[str], most: int) -> list[str]:
    left = len(lines) - most
    return lines if left <= 0 else [*lines[:most], f"and {left} more"]
