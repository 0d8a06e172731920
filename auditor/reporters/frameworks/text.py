"""Controls for people: grouped by section, each with its status and the evidence for it."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.frameworks.assessment import Assessed, ControlStatus, answered
from auditor.reporters.assessed import date, digest
from auditor.reporters.frameworks.view import Answer, View, looked, place, where
from auditor.reporters.gaps import gap_lines, sections
from auditor.reporters.terminal import Terminal, terminal_of
from auditor.reporters.words import counted, kubernetes_version, listed
from auditor.text import escaped

LOOKS = {ControlStatus.PASSED: "good", ControlStatus.FAILED: "bad"}
WIDTH = max(map(len, ControlStatus)) + 2
MOST = 3
"""So many findings of a control are shown."""


def render(view: View) -> str:
    """Every framework, then what could not be seen and how far the answer goes."""
    screen = terminal_of(view.terminal)
    return screen.shown("\n".join(_lines(view, screen)) + "\n")


def _lines(view: View, terminal: Terminal) -> Iterator[str]:
    for answer in view.answers:
        yield from _framework(answer, view, terminal)
        yield ""
    yield from _unseen(view, terminal)
    yield from (terminal.wrapped(line, 2, 0) for line in _extent(view))
    yield from (view.ends,) if view.ends else ()


def _framework(answer: Answer, view: View, terminal: Terminal) -> Iterator[str]:
    framework = answer.framework
    version = kubernetes_version(view.audit.kubernetes)
    head = f"{framework.title} ({framework.id}), for Kubernetes {version}"
    yield terminal.wrapped(terminal.paint("bold", escaped(head)), 2, 0)
    for key, title, controls in answer.sections():
        if key:
            yield ""
            yield terminal.paint("bold", f"{key} {title}")
        width = max(len(one.name) for one in controls) + 2
        for one in controls:
            yield from _control(one, width, view, terminal)
    yield ""
    yield terminal.wrapped(f"{framework.id}: evidence: {answer.summary}", 2, 0)


def _control(one: Assessed, width: int, view: View, terminal: Terminal) -> Iterator[str]:
    status = one.status + " " * (WIDTH - len(one.status))
    look = LOOKS.get(one.status)
    painted = terminal.paint(look, status) if look else status
    indent = 2 + WIDTH + width
    name = one.name + " " * (width - len(one.name))
    yield f"  {painted}{name}{terminal.wrapped(one.control.title, indent, indent)}"
    if not view.brief:
        for line in _evidence(one, view):
            yield " " * indent + terminal.wrapped(escaped(line), indent + 2, indent)


def _evidence(one: Assessed, view: View) -> Iterator[str]:
    label = "not all was seen" if one.status is ControlStatus.FAILED else "because"
    yield from (f"{label}: {line}" for line in one.why)
    yield from (f"see {resource.ref} ({place(resource)})" for resource in one.places)
    if one.partly and one.status is not ControlStatus.NOT_ASSESSED:
        yield f"partly: {'; '.join(one.partly)}"
    if one.looks and one.status is not ControlStatus.NOT_ASSESSED:
        yield f"looked at by {listed([looked(look) for look in one.looks], 4)}"
    told = [view.told(finding) for finding in one.findings]
    told.sort(key=lambda each: (answered(each.finding), each.finding.severity.rank))
    for each in told[:MOST]:
        status = f"{each.finding.status}: " if answered(each.finding) else ""
        head = f"{where(each)}  " if each.file else ""
        yield f"{head}{each.finding.ref}: {status}{each.finding.message}"
    if len(told) > MOST:
        yield f"and {counted(len(told) - MOST, 'more finding')}"


def _unseen(view: View, terminal: Terminal) -> Iterator[str]:
    for title, found in sections(view.audit.gaps):
        yield f"{terminal.paint('bold', title)} ({counted(len(found), 'gap')}):"
        for line in gap_lines(found):
            yield "  " + terminal.wrapped(escaped(line), 4, 2)
        yield ""


def _extent(view: View) -> Iterator[str]:
    audit = view.audit
    what = ", ".join(map(escaped, view.paths)) or "the cluster"
    yield (
        f"evidence: {what} on {date()[:10]}, {counted(len(audit.snapshot.resources), 'object')}, "
        f"{counted(len(audit.policies), 'policy')} (sha256:{digest(audit.policies)[:12]})"
    )
    if audit.enforcer:
        yield escaped(audit.enforcer.words)
