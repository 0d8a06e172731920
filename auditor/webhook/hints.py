"""Says in a line what a fix sets: for people who read a warning after ``kubectl apply``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import orjson

from auditor.fixes.case import Before, Case
from auditor.fixes.operations import CannotApplyError, patched
from auditor.fixes.proof import prove_findings
from auditor.manifests import at, mapping
from auditor.model import Finding, Manifest, Operation, Path, Safety
from auditor.reporters.places import dotted
from auditor.webhook.additions import once

LENGTH = 200
"""Code points of one line, as of every warning."""
MOST = 5
"""So many classes of findings are given a line: each costs a proof, and all have to be read."""
ALIKE = 100
"""With more findings than this in a class, nobody tries how to mend them."""
NAMES = 3
"""So many containers, volumes … are named; the rest is counted."""


def classes(findings: Iterable[Finding]) -> Iterator[tuple[Finding, ...]]:
    """The findings of each policy on each object, in the order in which they came first."""
    order: dict[tuple[str, object], list[Finding]] = {}
    for finding in findings:
        order.setdefault((finding.policy.id, finding.ref), []).append(finding)
    yield from map(tuple, order.values())


def hints(findings: Iterable[Finding], world: Before) -> Iterator[str]:
    """For each class of findings, among those of the audit of `world`, the fix that was proven for
    all of them at once. Nothing is said where none was: a hint that fails is worse than none.
    """
    asked = islice(classes(f for f in findings if f.remedy and f.remedy.patch), MOST)
    return filter(None, (_hint(each, world) for each in asked))


def _hint(findings: Sequence[Finding], world: Before) -> str:
    ref, remedies = findings[0].ref, [f.remedy for f in findings if f.remedy]
    there = world.audit.snapshot.find(ref)
    steps = once(step for remedy in remedies for step in remedy.patch)
    by_hand = any(remedy.safety is Safety.MANUAL for remedy in remedies)
    if there is None or by_hand or len(findings) > ALIKE:
        return ""
    try:
        change = patched(there, *steps)
    except CannotApplyError:
        return ""
    proof = prove_findings(Case(world, findings[0], (change,), (), ""), findings)
    if not proof.holds:
        return ""
    safe = not proof.assumes and all(remedy.safety is Safety.SAFE for remedy in remedies)
    opening = "fix: " if safe else "fix (may change behaviour): "
    line = opening + steps_told(there.manifest, steps)
    return line if len(line) <= LENGTH else f"{opening}{remedies[0].title}"


def steps_told(manifest: Manifest, operations: Iterable[Operation]) -> str:
    """The operations in words: ``set spec.containers[app, log].securityContext.privileged: false``.
    Items of lists go by their names, and what is done to several alike is told once.
    """
    alike: dict[tuple[str, str], dict[str, None]] = {}
    for operation in operations:
        before, name, after = _parts(manifest, operation)
        alike.setdefault((before, after), {})[name] = None
    return ", ".join(
        _joined(before, tuple(names), after) for (before, after), names in alike.items()
    )


def _parts(manifest: Manifest, operation: Operation) -> tuple[str, str, str]:
    """What is said before the name of an item, the name, and what is said after it."""
    path = operation.path[:-1] if operation.path[-1:] == ("-",) else operation.path
    verb = (
        "remove" if operation.op == "remove" else "set" if path == operation.path else "append to"
    )
    value = "" if operation.op == "remove" else f": {orjson.dumps(operation.value).decode()}"
    first = next((i for i, step in enumerate(path) if isinstance(step, int)), None)
    if first is None:
        return f"{verb} {dotted(path)}", "", value
    rest = dotted(path[first + 1 :])
    after = f".{rest}{value}" if rest else value
    return f"{verb} {dotted(path[:first])}", _name(manifest, path[: first + 1]), after


def _name(manifest: Manifest, path: Path) -> str:
    name = mapping(at(manifest, path)).get("name")
    return name if isinstance(name, str) and name else str(path[-1])


def _joined(before: str, names: Sequence[str], after: str) -> str:
    if names == ("",):
        return before + after
    more = f" and {len(names) - NAMES} more" if len(names) > NAMES else ""
    return f"{before}[{', '.join(names[:NAMES])}{more}]{after}"
