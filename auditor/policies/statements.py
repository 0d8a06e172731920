"""What a waiver in a manifest says: a reason, and behind semicolons its end and its anchor."""

from __future__ import annotations

import datetime
import re

from auditor.values import dataclass

_SETTING = re.compile(r"\s*(until|anchor)\s*=\s*(.*?)\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Statement:
    """Why a fault is waived, and how long. What is wrong with it is in words."""

    reason: str
    until: str = ""
    anchor: str = ""
    wrong: str = ""


def statement(text: str) -> Statement:
    """What is said in ``the reason; until=2027-01-31; anchor=app``, in this order or another."""
    said: list[str] = []
    settings: dict[str, str] = {}
    for part in text.split(";"):
        found = _SETTING.fullmatch(part)
        if found:
            settings[found[1]] = found[2]
        elif part.strip():
            said.append(part.strip())
    until, wrong = settings.get("until", ""), ""
    if "until" in settings and not is_date(until):
        wrong = f"'until={until}' is no date like 2027-01-31"
    return Statement("; ".join(said), until, settings.get("anchor", ""), wrong)


def is_date(text: str) -> bool:
    """Whether it is a day as YYYY-MM-DD."""
    try:
        return datetime.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def today() -> datetime.date:
    """The day of UTC."""
    return datetime.datetime.now(datetime.UTC).date()


def lapsed(until: str, within: int) -> str:
    """What is wrong with an end, in words: it is over, too far away, or missing where waivers
    have to end `within` so many days.
    """
    if until and until < today().isoformat():
        return f"it ended on {until}"
    if not within:
        return ""
    last = (today() + datetime.timedelta(days=within)).isoformat()
    if not until:
        return f"it has no end: waivers have to end within {within} days (until=…)"
    return f"it ends on {until}, and {last} is the last day that is allowed" if until > last else ""
