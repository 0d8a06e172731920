"""The words that reports share: counts, versions, and what a proof showed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from auditor.model import Audit, Fix, Policy, Proof, Reading, Safety, Severity, Status, Unseen

EFFECT = {
    Safety.SAFE: "safe",
    Safety.UNSAFE: "may change behaviour",
    Safety.MANUAL: "needs your decision",
}
"""What the safety of a fix means to the person who would apply it."""


def counted(number: int, thing: str) -> str:
    """A number and what it counts: "1 gap", "2 gaps", "no gaps"."""
    plural = {"policy": "policies", "proven fix": "proven fixes"}.get(thing, thing + "s")
    return f"{number or 'no'} {thing if number == 1 else plural}"


def percent(part: int, whole: int) -> str:
    """A share as people say it. Only all is 100 %, and only nothing is 0 %."""
    if 0 < part < whole:
        return f"{min(max(100 * part / whole, 0.1), 99.9):.1f} %"
    return "100 %" if part else "0 %"


def listed(items: Sequence[str], most: int = 3) -> str:
    """The first items, and how many more there are."""
    more = [f"and {len(items) - most} more"] if len(items) > most else []
    return ", ".join([*items[:most], *more])


def read_in(reading: Reading) -> str:
    """What it took: "read 2,431 objects in 23 requests, 4.1 MB"."""
    size = f"{reading.bytes / 1e6:.1f} MB" if reading.bytes >= 1e5 else f"{reading.bytes:,} bytes"
    objects = f"{reading.objects:,} object{'s' * (reading.objects != 1)}"
    requests = f"{reading.requests:,} request{'s' * (reading.requests != 1)}"
    return f"read {objects} in {requests}, {size}"


def kubernetes_version(number: int) -> str:
    """136 → 1.36."""
    major, minor = divmod(number, 100)
    return f"{major}.{minor}"


def particulars(policy: Policy) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What there is to know of a policy beside its description: a title, and the items."""
    told = {
        "In no profile": (policy.contested,) if policy.contested else (),
        "Waived": () if policy.inline else ("in .auditor.yaml alone",),
        "Preview": ("asked with --preview or by its name",) if policy.preview else (),
        "Since": (f"policy set {policy.since}",) if policy.since > 1 else (),
        "Parameters": tuple(
            f"{parameter.name}: {' '.join(parameter.description.split())}"
            for parameter in policy.parameters
        ),
        "Controls": policy.controls,
        "Known elsewhere as": policy.equivalents,
        "Near, and not the same": policy.near,
        "Read on": policy.links,
    }
    yield from ((title, items) for title, items in told.items() if items)


def by_severity(audit: Audit, status: Status) -> dict[str, int]:
    """How many findings of that status there are of each severity."""
    return by_status(audit)[status.value]


def by_status(audit: Audit) -> dict[str, dict[str, int]]:
    """How many findings of each status there are of each severity."""
    count = Counter([(f.status, f.severity) for f in audit.findings])
    return {
        status.value: {severity.value: count[status, severity] for severity in Severity}
        for status in Status
    }


def by_unseen(audit: Audit) -> dict[str, int]:
    """How many gaps there are of each kind."""
    count = Counter(gap.severity for gap in audit.gaps)
    return {unseen.value: count[unseen] for unseen in Unseen}


def shown_by(proof: Proof) -> list[str]:
    """What a proof that holds showed, each in a few words."""
    points = ["the finding is gone"]
    points += [f"keeps {counted(len(proof.kept), 'flow')}"] if proof.kept else []
    points += [f"closes {counted(len(proof.closed), 'flow')}"] if proof.closed else []
    points += (
        [f"valid for Kubernetes {kubernetes_version(proof.valid_for)}"] if proof.valid_for else []
    )
    points += (
        [f"{counted(len(proof.scheduled), 'pod')} can be scheduled"] if proof.scheduled else []
    )
    return points


TRIALS: Mapping[str, str] = {
    "NetworkPolicy": (
        "a NetworkPolicy has no trial form of its own: Cilium's policy audit mode and Calico's"
        " StagedKubernetesNetworkPolicy tell what it would close, and close nothing"
    ),
    "AuthorizationPolicy": (
        'with the annotation istio.io/dry-run: "true" the sidecar tells what it would deny, and'
        " denies nothing"
    ),
}
"""Kind of what a fix changes → how to try it without harm.

https://docs.cilium.io/en/stable/security/policy-creation/ (audit mode),
https://docs.tigera.io/calico/latest/network-policy/staged-network-policies,
https://istio.io/latest/docs/tasks/security/authorization/authz-dry-run/
"""


def trials(fix: Fix) -> list[str]:
    """How to try a fix that takes something for granted, before it does harm."""
    kinds = dict.fromkeys(change.resource.ref.kind for change in fix.changes)
    return [TRIALS[kind] for kind in kinds if fix.proof.assumes and kind in TRIALS]


def objections(fix: Fix) -> list[str]:
    """Why a fix is not proven, each in a few words; empty where it is."""
    return list(_objections(fix.proof, carried_out=bool(fix.changes)))


def _objections(proof: Proof, *, carried_out: bool) -> Iterator[str]:
    if carried_out and not proof.resolved:
        yield "the finding would stay"
    yield from _harm("would bring", proof.introduced)
    yield from _harm("would cut", proof.cut)
    yield from _harm("would open", proof.opened)
    yield from _harm("would leave without a node", proof.unschedulable)
    yield from _harm("would not be taken by the API server:", proof.invalid)
    if not proof.stable:
        yield "applied twice it changes more"
    if not proof.exact and not proof.unproven:
        yield "the edited text is not the patched object"
    yield from _once(proof.unproven)
    if not carried_out and not proof.unproven:
        yield "it could not be carried out"


def _once(reasons: Iterable[str]) -> Iterator[str]:
    """Each reason once, with whom it is about: "a, b and 7 more could not be seen: forbidden"."""
    alike: dict[tuple[str, str], list[str]] = {}
    for reason in dict.fromkeys(reasons):
        about, colon, why = reason.partition(": ")
        alike.setdefault((colon, why) if colon else ("", reason), []).append(about)
    for (colon, why), subjects in alike.items():
        yield f"{_subjects(subjects)}: {why}" if colon else why


def _subjects(about: Sequence[str]) -> str:
    """Those of several sentences, and then the words in which all of them end."""
    if len(about) < 2:
        return "".join(about)
    words = [each.split(" ") for each in about]
    shared = 0
    while all(len(each) > shared + 1 for each in words) and (
        len({each[-1 - shared] for each in words}) == 1
    ):
        shared += 1
    end = words[0][len(words[0]) - shared :]
    parts = [" ".join(each[: len(each) - shared]) for each in words]
    comma = "," if all(part.endswith(",") for part in parts) else ""
    return " ".join([listed([part.removesuffix(comma) for part in parts]) + comma, *end])


def _harm(what: str, items: Iterable[str]) -> Iterator[str]:
    found = tuple(items)
    if found:
        yield f"{what} {listed(found)}"
