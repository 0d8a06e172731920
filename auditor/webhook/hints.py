"""Says in a line what a fix sets: for people who read a warning after ``kubectl apply``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import orjson

from auditor.fixes.case import Before, Case
from auditor.fixes.operations import CannotApplyError, once, patched
from auditor.fixes.proof import prove_findings
from auditor.manifests import at, mapping
from auditor.model import Finding, Manifest, Operation, Path, Proof, Safety
from auditor.reporters.places import dotted
from auditor.values import dataclass

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


@dataclass(frozen=True, slots=True)
class _Hint:
    """A class of findings, and the steps that its remedies come to."""

    findings: tuple[Finding, ...]
    steps: tuple[Operation, ...]
    safe: bool
    title: str


def hints(findings: Iterable[Finding], world: Before) -> Iterator[str]:
    """For each class of findings of one object, among those of the audit of `world`, the fix that
    was proven for all of the class at once. Nothing is said where none was: a hint that fails is
    worse than none.
    """
    asked = islice(classes(f for f in findings if f.remedy and f.remedy.patch), MOST)
    found = [hint for each in asked if (hint := _drafted(each))]
    together = len(found) > 1 and _proof(found, world) is not None  # at the price of one
    for hint in found:
        proof = None if together else _proof([hint], world)
        if together or proof:
            yield _line(hint, world, sure=together or bool(proof and not proof.assumes))


def _drafted(findings: tuple[Finding, ...]) -> _Hint | None:
    remedies = [finding.remedy for finding in findings if finding.remedy]
    by_hand = any(remedy.safety is Safety.MANUAL for remedy in remedies)
    if by_hand or len(findings) > ALIKE:
        return None
    steps = once(step for remedy in remedies for step in remedy.patch)
    safe = all(remedy.safety is Safety.SAFE for remedy in remedies)
    return _Hint(findings, steps, safe, remedies[0].title)


def _proof(found: Sequence[_Hint], world: Before) -> Proof | None:
    """What was shown of these fixes as one; None where they do not hold. Of several, nothing may be
    taken for granted, and nothing new may come: the gravest of them must not hide what a slighter
    one brings.
    """
    findings = [finding for hint in found for finding in hint.findings]
    there = world.audit.snapshot.find(findings[0].ref)
    if there is None:
        return None
    try:
        change = patched(there, *once(step for hint in found for step in hint.steps))
    except CannotApplyError:
        return None
    case = Case(world, findings[0], (change,), (), "")
    proof = prove_findings(case, findings)
    if not proof.holds:
        return None
    new = any(finding not in world.known for finding in case.after.findings)
    return None if len(found) > 1 and (proof.assumes or new) else proof


def _line(hint: _Hint, world: Before, *, sure: bool) -> str:
    there = world.audit.snapshot.by_key[hint.findings[0].ref.key]
    opening = "fix: " if sure and hint.safe else "fix (may change behaviour): "
    line = opening + steps_told(there.manifest, hint.steps)
    return line if len(line) <= LENGTH else f"{opening}{hint.title}"


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
