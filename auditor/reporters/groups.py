"""Groups findings by their cause, so that a person reads once what is to be done once.

All findings of one object are one block. Objects whose faults are the same (the same policies at
the same fields, with the same fixes) and that come from one place (a chart, a base, a folder; live
the release or the namespace) are one block too: whoever wrote them made one mistake many times.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from posixpath import dirname

from auditor.manifests import mapping, texts
from auditor.model import Audit, Finding, Path, Resource
from auditor.reporters.places import worst_first
from auditor.values import dataclass

Faults = tuple[Finding, ...]
"""What is wrong with one object, the worst first."""
_RELEASE = "meta.helm.sh/release-name"
_OWN = "'{}'"


@dataclass(frozen=True, slots=True)
class Block:
    """What one cause did."""

    first: Faults
    """The faults of the object that is shown."""
    others: tuple[Faults, ...]
    """Those of each object that has the same."""


def blocks(audit: Audit, findings: Iterable[Finding]) -> list[Block]:
    """The findings by cause, the worst block first; each finding is in one block."""
    objects: dict[Hashable, list[Finding]] = {}
    for finding in worst_first(tuple(findings)):
        judged = _judged(audit, finding)
        key = (finding.ref.key, id(judged) if judged else None)
        objects.setdefault(key, []).append(finding)
    causes: dict[Hashable, list[Faults]] = {}
    for number, faults in enumerate(map(tuple, objects.values())):
        cause = _cause(audit, faults) or number
        causes.setdefault(cause, []).append(faults)
    return [Block(first, tuple(others)) for first, *others in causes.values()]


def _cause(audit: Audit, faults: Faults) -> Hashable:
    """What objects have in common that are the same mistake; None where a fault has a story of its
    own: reasons that are about other objects.
    """
    judged = _judged(audit, faults[0])
    if judged is None or any(map(_tells_a_story, faults)):
        return None
    return (_place(judged), tuple(map(_fault, faults)))


def _tells_a_story(fault: Finding) -> bool:
    return any(reason.ref or reason.anchor or reason.path for reason in fault.evidence)


def _judged(audit: Audit, finding: Finding) -> Resource | None:
    return finding.resource or audit.snapshot.find(finding.ref)


def _fault(finding: Finding) -> Hashable:
    fix = finding.fix
    tried = (without_name(finding, fix.title), fix.safety, fix.proof.holds) if fix else None
    reasons = tuple(reason.message for reason in finding.evidence)
    return (finding.policy.id, _anywhere(finding.path), tried, reasons)


def _anywhere(path: Path) -> Path:
    """The path with every index alike: the first and the third container are one mistake."""
    return tuple("*" if isinstance(step, int) else step for step in path)


def without_name(finding: Finding, text: str) -> str:
    """The text without the name of what the finding is about, where it stands in quotes."""
    return text.replace(_OWN.format(finding.anchor), "…") if finding.anchor else text


def _place(resource: Resource) -> Hashable:
    """The folder of the file, which for what is built is that of the template or of the base,
    whichever overlay asked for it; live the release, else the namespace.
    """
    if resource.origin.live:
        meta = mapping(resource.manifest.get("metadata"))
        release = texts(meta.get("annotations")).get(_RELEASE, "")
        return ("live", resource.ref.namespace, release)
    return dirname(resource.origin.uri)
