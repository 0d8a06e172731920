"""Pod Security labels: for each namespace the strictest level of the Pod Security Standards that
nothing which runs there violates.

The API server's own admission enforces them, by https://kubernetes.io/docs/concepts/security/pod-security-admission/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

from auditor.declared import Admission, Mode
from auditor.facts.workloads import WORKLOAD_KINDS, workload_of
from auditor.manifests import mapping
from auditor.model import Audit, Finding, Gap, Manifest, Ref, Snapshot, Unseen
from auditor.values import dataclass

LEVELS = ("restricted", "baseline")
"""The strictest first. Level privileged forbids nothing and needs no label."""
PREFIX = "pod-security.kubernetes.io/"
NAMED = 3
"""So many violations are named; the rest is counted."""

LABELS: Mapping[Mode, tuple[str, ...]] = {
    Mode.DENY: ("enforce", "warn", "audit"),
    Mode.WARN: ("warn", "audit"),
    Mode.AUDIT: ("audit",),
}


@dataclass(frozen=True, slots=True)
class Level:
    """What one namespace can be held to."""

    namespace: str
    level: str
    """restricted, baseline, or empty where no label is written."""
    why: str
    labels: Mapping[str, str]

    @property
    def manifest(self) -> Manifest:
        """The namespace with its labels alone, for server-side apply."""
        metadata = {"name": self.namespace, "labels": dict(self.labels)}
        return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def levels(audits: Sequence[Audit], terms: Admission, unasked: Sequence[str]) -> tuple[Level, ...]:
    """The levels of all namespaces in what was audited by the policies of both levels; of several
    alternatives, what holds in each. Of those that are `unasked`, none.
    """
    names = sorted({name for audit in audits for name in _namespaces(audit.snapshot)})
    return tuple(
        Level(name, "", "it is not judged", {})
        if name in unasked or name.startswith("kube-")
        else _level(name, audits, terms)
        for name in names
    )


def _namespaces(snapshot: Snapshot) -> Iterator[str]:
    for resource in snapshot.resources:
        if resource.ref.kind == "Namespace":
            yield resource.ref.name
        elif resource.ref.namespace and workload_of(resource):
            yield resource.ref.namespace


def _level(namespace: str, audits: Sequence[Audit], terms: Admission) -> Level:
    running = {ref for audit in audits for ref in _workloads(audit.snapshot, namespace)}
    if why := _unsure(namespace, audits, running):
        return Level(namespace, "", why, {})
    found = [f for a in audits for f in (*a.findings, *a.folded) if f.ref.namespace == namespace]
    broken = {level: [f for f in found if _violates(f, level)] for level in LEVELS}
    level = next((level for level in LEVELS if not broken[level]), "")
    why = _why(level, broken, len(running))
    if level and (kept := _kept(namespace, level, audits)):
        return Level(namespace, "", f"{why}; its label says more already: {kept}", {})
    kubernetes = audits[0].kubernetes
    labels = _labels(level, kubernetes, _mode(terms, namespace)) if level else {}
    return Level(namespace, level, why, labels)


def _unsure(namespace: str, audits: Iterable[Audit], running: Set[Ref]) -> str:
    """Why nothing can be promised of a namespace; empty where that is not so."""
    gaps = (gap for audit in audits for gap in audit.gaps)
    if gap := next((gap for gap in gaps if _is_about(gap, namespace)), None):
        return f"not everything there could be judged: {gap.what}: {gap.why}"
    return "" if running else "nothing runs there, and so nothing was judged"


def _workloads(snapshot: Snapshot, namespace: str) -> Iterator[Ref]:
    for resource in snapshot.resources:
        if resource.ref.namespace == namespace and workload_of(resource):
            yield resource.ref


def _is_about(gap: Gap, namespace: str) -> bool:
    if gap.severity is not Unseen.INCOMPLETE:
        return False
    if gap.ref is not None:
        return gap.ref.namespace == namespace
    return bool(gap.policy or {"*", *WORKLOAD_KINDS} & set(gap.kinds))


def _violates(finding: Finding, level: str) -> bool:
    return any(control.startswith(f"pss-{level}/") for control in finding.policy.controls)


def _why(level: str, broken: Mapping[str, Sequence[Finding]], running: int) -> str:
    if level == LEVELS[0]:
        return f"nothing of {running} that runs there violates {level}"
    beyond = LEVELS[LEVELS.index(level) - 1] if level else LEVELS[-1]
    violations = dict.fromkeys(f"{f.ref} ({f.policy.id})" for f in broken[beyond])
    named = ", ".join(list(violations)[:NAMED])
    more = f" and {len(violations) - NAMED} more" if len(violations) > NAMED else ""
    return f"what runs there violates {beyond}: {named}{more}"


def _kept(namespace: str, level: str, audits: Iterable[Audit]) -> str:
    """A label of the namespace that asks for more than the level, as it is written."""
    for audit in audits:
        for resource in audit.snapshot.resources:
            if resource.ref.kind == "Namespace" and resource.ref.name == namespace:
                labels = mapping(mapping(resource.manifest.get("metadata")).get("labels"))
                said = labels.get(f"{PREFIX}enforce")
                if said in LEVELS and LEVELS.index(said) < LEVELS.index(level):
                    return f"{PREFIX}enforce={said}"
    return ""


def _labels(level: str, kubernetes: int, mode: Mode) -> dict[str, str]:
    """Of the version that was judged for: what a later one adds is another question."""
    version = f"v{kubernetes // 100}.{kubernetes % 100}"
    said: dict[str, str] = {}
    for way in LABELS[mode]:
        said |= {f"{PREFIX}{way}": level, f"{PREFIX}{way}-version": version}
    return said


def _mode(terms: Admission, namespace: str) -> Mode:
    """A level is a whole: rules for single policies say nothing of it, and severities neither."""
    rules = (rule for rule in terms.rules if not rule.policies and rule.is_in(namespace))
    return next((rule.mode for rule in rules), terms.mode)
