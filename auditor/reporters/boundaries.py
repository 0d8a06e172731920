"""What reports say of the scope, of platform workloads, and of who keeps an object."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from auditor.model import Audit, Finding, Status
from auditor.reporters.words import counted
from auditor.scope.territory import words
from auditor.terms import Authorship, Scope


def scope_lines(audit: Audit) -> Iterator[str]:
    """The limits of the scope, and how many objects are outside of it; nothing without any."""
    limits = words(audit.scope)
    if limits:
        yield limits
        yield f"{counted(audit.outside, 'object')} outside the scope"


def platform_lines(audit: Audit) -> Iterator[str]:
    """What is folded as of the platform, one line for each workload."""
    folded = [finding for finding in audit.findings if finding.status is Status.PLATFORM]
    for (name, reason), number in Counter((str(f.ref), f.reason) for f in folded).items():
        yield f"{name}: {counted(number, 'finding')} folded: {reason}"


def keeper_line(finding: Finding) -> str:
    """Who keeps the object of a live finding, and why that may not be so; empty where not known."""
    by = finding.authorship
    if by is None or not by.name:
        return ""
    return f"{by.name} ({by.doubt})" if by.doubt else by.name


def mending_line(finding: Finding) -> str:
    """Where to make a fix that would not last in the live object; empty where it would."""
    by = finding.authorship
    if by is None or not by.undoes:
        return ""
    return f"{by.mend}; {by.name} may undo a change of the live object"


def scope_document(audit: Audit) -> dict[str, Any]:
    """The scope as JSON: empty lists and an empty selector where nothing is left out."""
    scope = audit.scope or Scope()
    return {
        "words": words(scope),
        "namespaces": list(scope.namespaces),
        "selector": scope.selector,
        "include": list(scope.include),
        "exclude": list(scope.exclude),
        "workloads": scope.workloads if audit.scope else "all",
        "objectsOutside": audit.outside,
    }


def enforcer_document(audit: Audit) -> dict[str, Any] | None:
    """What is taken to enforce network policies, as JSON."""
    by = audit.enforcer
    if by is None:
        return None
    return {
        "profile": by.profile,
        "how": by.how,
        "words": by.words,
        "product": by.product or None,
        "version": by.version or None,
        "settings": dict(by.settings),
        "shown": list(by.shown),
    }


def authorship_document(by: Authorship | None) -> dict[str, Any] | None:
    """Who keeps an object, as JSON."""
    if by is None or not by.tool:
        return None
    return {
        "tool": by.tool,
        "name": by.name,
        "undoesLiveChanges": by.undoes,
        "mendAt": by.mend,
        "doubt": by.doubt,
    }
