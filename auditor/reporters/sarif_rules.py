"""Describes policies as the rules of a SARIF log. Known to the SARIF report alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from auditor.model import Policy, Severity
from auditor.reporters.sarif_taxonomies import Controls, relationships
from auditor.reporters.words import particulars

LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}

SCORES = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "3.0",
    Severity.INFO: "0.0",
}
"""Inside the bands of GitHub: over 9.0 critical, from 7.0 high, from 4.0 medium, from 0.1 low."""

TAGS = 10
"""GitHub keeps no more per rule."""
LONGEST = 1024
"""GitHub takes no longer full description."""


def rules(policies: Iterable[Policy], controls: Controls) -> list[dict[str, Any]]:
    """One rule per policy, in the given order, each with its relation to the `controls`."""
    return [_rule(policy) | _related(policy, controls) for policy in policies]


def _related(policy: Policy, controls: Controls) -> dict[str, Any]:
    found = relationships(policy, controls) if controls else []
    return {"relationships": found} if found else {}


def _rule(policy: Policy) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "id": policy.id,
        "name": _name(policy.id),
        "shortDescription": {"text": _stopped(policy.title)},
        "fullDescription": {"text": _cut(" ".join(policy.description.split()) or policy.title)},
        "help": {"text": _help(policy, "{}"), "markdown": _help(policy, "**{}**")},
        "defaultConfiguration": {"level": LEVELS[policy.severity]},
        "properties": _properties(policy),
    }
    return rule | ({"helpUri": policy.links[0]} if policy.links else {})


def _name(identity: str) -> str:
    """``workload/privileged_container`` → PrivilegedContainer, as SARIF's own rules are named."""
    return identity.rpartition("/")[2].title().replace("_", "")


def _stopped(text: str) -> str:
    return text if text.endswith(".") else text + "."


def _cut(text: str) -> str:
    text = _stopped(text)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _help(policy: Policy, heading: str) -> str:
    parts = [_stopped(policy.description.strip() or policy.title)]
    for title, items in particulars(policy):
        parts.append(f"{heading.format(title + ':')} {', '.join(items)}")
    return "\n\n".join(parts)


def _properties(policy: Policy) -> dict[str, Any]:
    category = policy.id.partition("/")[0]
    tags = dict.fromkeys(("security", "kubernetes", category, *policy.controls))
    return {
        "security-severity": SCORES[policy.severity],
        # What rests on facts is reckoned from the whole snapshot, and that may have gaps.
        "precision": "medium" if policy.facts else "high",
        "tags": list(tags)[:TAGS],
        "profile": policy.profile,
    }
