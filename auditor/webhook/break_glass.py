"""Lets everything in for a while, with a reason, and says so of every request.

It is kept where the API server keeps the registration, as annotations: only who may write that can
break the glass, no webhook is ever asked about it, and it works while no replica answers, since
whoever breaks it sets failurePolicy to Ignore as well. Replicas read it with the registration.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson

from auditor.manifests import mapping, texts
from auditor.values import dataclass
from auditor.webhook.decide import warning
from auditor.webhook.review import Decision, encode, glance

PREFIX = "break-glass.auditor.local/"
POLICIES = f"{PREFIX}failure-policies"
"""The annotation that keeps what failurePolicy was, by the name of the webhook."""
LONGEST_SECONDS = 24 * 3600
"""Who needs longer says so again, with a reason."""
REASON_LENGTH = 200


@dataclass(frozen=True, slots=True)
class BreakGlass:
    """That everything is to be let in, and why."""

    since: str
    until: str
    """Moments in UTC, as RFC 3339 has them."""
    reason: str

    @property
    def holds(self) -> bool:
        """Whether it is now. One without an end, or with one too far away, never does."""
        end = parsed(self.until)
        return end is not None and 0 < end.timestamp() - time.time() <= LONGEST_SECONDS

    @property
    def annotations(self) -> dict[str, str]:
        """As it is kept."""
        said = {"since": self.since, "until": self.until, "reason": self.reason}
        return {f"{PREFIX}{key}": value for key, value in said.items()}


def broken(configuration: Mapping[str, Any]) -> BreakGlass | None:
    """The broken glass of a webhook configuration, holding or not; None where it is whole."""
    notes = texts(mapping(configuration.get("metadata")).get("annotations"))
    since, until, reason = (notes.get(f"{PREFIX}{key}", "") for key in ("since", "until", "reason"))
    return BreakGlass(since, until, reason[:REASON_LENGTH]) if until else None


def policies_before(configuration: Mapping[str, Any]) -> Mapping[str, str]:
    """What failurePolicy was before the glass was broken, by the name of the webhook; empty where
    nobody knows.
    """
    notes = texts(mapping(configuration.get("metadata")).get("annotations"))
    try:
        return texts(orjson.loads(notes.get(POLICIES, "{}")))
    except orjson.JSONDecodeError:
        return {}


def let_in(body: bytes, answer: bytes | None, glass: BreakGlass, why: str = "") -> bytes | None:
    """The answer that lets the request in, in the place of the one that was found, or of none for
    the reason `why`; None where nobody can be answered.
    """
    response = mapping(orjson.loads(answer).get("response")) if answer else {}
    addressee = glance(body)
    if addressee is None:
        return answer
    told = mapping(response.get("status")).get("message") if response else f"not judged: {why}"
    denied = not response.get("allowed", False)
    return encode(*addressee, _opened(response, glass, str(told) if denied else ""))


def _opened(response: Mapping[str, Any], glass: BreakGlass, denied: str) -> Decision:
    notes = texts(response.get("auditAnnotations"))
    found = Decision(
        allowed=True,
        warnings=tuple(str(each) for each in response.get("warnings") or ()),
        annotations=(
            *notes.items(),
            ("break-glass", _note(f"until {glass.until}: {glass.reason}")),
        ),
    )
    if not denied:
        return found
    first = warning(f"let in by break-glass until {glass.until} ({glass.reason[:60]}): {denied}")
    notes_on = (*found.annotations, ("break-glass-denied", _note(denied)))
    return replace(found, warnings=(first, *found.warnings), annotations=notes_on)


def _note(text: str) -> str:
    from auditor.text import escaped

    return escaped(text)[:2000]


def parsed(moment: str) -> datetime | None:
    """A moment as RFC 3339 has it; None where it is none."""
    try:
        found = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def moment(seconds: float) -> str:
    """Seconds since the epoch as RFC 3339 in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
