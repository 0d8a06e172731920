"""The frameworks that there are, and how many of their controls are looked at in which way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TextIO

from auditor.errors import UsageError
from auditor.frameworks.catalogue import Framework, catalogue, linked
from auditor.model import Policy
from auditor.reporters.encoded import encoded
from auditor.reporters.terminal import terminal_of

COLUMNS = ("framework", "controls", "by policies", "manual", "not seen", "title")


def listing(form: str, policies: Sequence[Policy], stream: TextIO | None) -> str:
    """A line for each framework.

    Raises:
        UsageError: there is no list of that form.
    """
    if form not in {"text", "json"}:
        raise UsageError(f"frameworks are listed as text or json, not as {form}: name a PATH too")
    rows = [_row(framework, policies) for framework in catalogue().values()]
    if form == "json":
        keys = ("id", "controls", "byPolicies", "manual", "notSeen", "title")
        return encoded([dict(zip(keys, row, strict=True)) for row in rows])
    screen = terminal_of(stream)
    return screen.shown("\n".join(_table(rows)) + "\n")


def _row(framework: Framework, policies: Sequence[Policy]) -> tuple[str, int, int, int, int, str]:
    covered = {c for policy in linked(policies, [framework.id]) for c in policy.controls}
    ways: Counter[str] = Counter()
    for name, control in framework.controls.items():
        if f"{framework.id}/{name}" in covered:
            ways["policies"] += 1
        else:
            ways["manual" if control.manual else "unseen"] += 1
    total = len(framework.controls)
    return (
        framework.id, total, ways["policies"], ways["manual"], ways["unseen"], framework.title,
    )  # fmt: skip


def _table(rows: Sequence[tuple[object, ...]]) -> Iterator[str]:
    told = [COLUMNS, *(tuple(map(str, row)) for row in rows)]
    widths = [max(len(row[column]) for row in told) for column in range(len(COLUMNS))]
    for row in told:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    yield ""
    yield "auditor compliance FRAMEWORK PATH says what is evidence toward each of its controls."
