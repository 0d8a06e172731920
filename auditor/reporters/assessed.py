"""Says how far an answer goes: when it was given, by which policies, and what share of the
questions has none. Every reporter may know it.

A question is one policy on one object of its kinds.
"""

from __future__ import annotations

import datetime
import hashlib
import os
from collections import Counter
from collections.abc import Iterable

from auditor.errors import ConfigError
from auditor.model import Audit, Policy
from auditor.values import dataclass


@dataclass(frozen=True, slots=True)
class Assessed:
    """What was asked, and what of it was answered."""

    objects: int
    """How many were read."""
    questions: int
    unanswered: int
    """Questions without an answer: a policy that could not be asked, or failed on an object."""
    unread: int
    """Gaps of another sort. How many objects and questions are behind them, nobody knows."""

    @property
    def share(self) -> float | None:
        """Unanswered questions, from 0 to 1; None where there was no question."""
        return self.unanswered / self.questions if self.questions else None


def assessed(audit: Audit) -> Assessed:
    """What of `audit` is answered, as its gaps tell."""
    kinds = Counter(resource.ref.kind for resource in audit.snapshot.resources)
    asked = {policy.id: sum(kinds[kind] for kind in policy.kinds) for policy in audit.policies}
    unanswered = Counter[str]()
    unread = 0
    for gap in audit.gaps:
        if gap.policy not in asked:
            unread += 1
        else:
            unanswered[gap.policy] += 1 if gap.ref else asked[gap.policy]
    return Assessed(
        objects=sum(kinds.values()),
        questions=sum(asked.values()),
        unanswered=sum(min(unanswered[name], number) for name, number in asked.items()),
        unread=unread,
    )


def digest(policies: Iterable[Policy]) -> str:
    """SHA-256 over names and texts of the policies, in hexadecimal; their order does not matter."""
    found = hashlib.sha256()
    for policy in sorted(policies, key=lambda policy: policy.id):
        for part in (policy.id, policy.module):
            found.update(part.encode() + b"\0")
    return found.hexdigest()


def date() -> str:
    """Now, or what SOURCE_DATE_EPOCH says (https://reproducible-builds.org/specs/source-date-epoch),
    as RFC 3339 in UTC.

    Raises:
        ConfigError: SOURCE_DATE_EPOCH is no number of seconds.
    """
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    try:
        zone = datetime.UTC
        then = datetime.datetime.fromtimestamp(int(given), zone) if given else None
        now = then or datetime.datetime.now(zone)
    except (ValueError, OverflowError, OSError) as error:
        raise ConfigError(f"SOURCE_DATE_EPOCH: '{given}' is no number of seconds") from error
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")
