"""Central waivers as CEL: what somebody answers for is no fault to the API server either."""

from __future__ import annotations

import re
from collections.abc import Sequence

from auditor.declared import Waiver
from auditor.model import Policy
from auditor.policies.statements import today
from auditor.policies.waivers import like

ABOUT = (
    "((has(object.metadata.namespace) ? object.metadata.namespace + '/' : '')"
    " + object.metadata.name)"
)
"""The object as a waiver names it; its kind may stand behind, in brackets. Objects of the cluster
have no namespace; by now the server has seen to it that all others are in that of their request.
"""


def fitting(policy: Policy, waivers: Sequence[Waiver]) -> tuple[Waiver, ...]:
    """The waivers of faults of the policy that hold today. None that an object says of itself."""
    day = today().isoformat()
    return tuple(
        waiver
        for waiver in waivers
        if not waiver.inline and (not waiver.until or waiver.until >= day)
        if any(like(name, waiver.policy) for name in policy.names)
    )


def condition(waivers: Sequence[Waiver]) -> str:
    """CEL: whether one of the waivers fits the fault called `anchor`; empty where none is."""
    return " || ".join(map(_fits, waivers))


def last_day(waivers: Sequence[Waiver]) -> str:
    """The last day on which all of them hold, empty where none ends."""
    return min((waiver.until for waiver in waivers if waiver.until), default="")


def _fits(waiver: Waiver) -> str:
    pattern = _text(_regex(waiver.object))
    names = (ABOUT, f"{ABOUT} + '[' + object.kind + ']'")
    about = " || ".join(f"({name}).matches({pattern})" for name in names)
    if not waiver.anchor:
        return f"({about})"
    return f"(({about}) && anchor.matches({_text(_regex(waiver.anchor))}))"


def _regex(pattern: str) -> str:
    """What `like` does with the pattern."""
    parts = {"*": ".*", "?": "."}
    return "(?s)^" + "".join(parts.get(char) or _literal(char) for char in pattern) + "$"


def _literal(char: str) -> str:
    """Itself alone, to every engine of regular expressions."""
    return char if re.fullmatch(r"[\w/ -]", char) else rf"\x{{{ord(char):x}}}"


def _text(value: str) -> str:
    """A text of CEL. The regular expression has no quotes, and its backslashes are doubled."""
    escaped = value.replace("\\", "\\\\")
    return f"'{escaped}'"
