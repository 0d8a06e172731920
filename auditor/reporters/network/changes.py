"""Which flows a change opens and closes, as `auditor network diff` tells it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from auditor.credentials import told
from auditor.facts.connection_changes import Change, Changes
from auditor.facts.connections import End
from auditor.facts.network import Reason
from auditor.model import Audit, Evidence, Finding, Policy, Severity, Snapshot
from auditor.reporters.network.told import Folder, Places, fit, markdown, marked, ports_document
from auditor.reporters.terminal import Terminal
from auditor.reporters.words import counted
from auditor.values import dataclass

SHOWN = 40
"""How many rows of a kind are shown to people, where more are counted."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A change, and from what to what."""

    base: str
    head: str
    changes: Changes
    folder: Folder
    places: Places
    """Of HEAD: reasons are what holds afterwards."""
    new_gaps: tuple[str, ...] = ()
    """What can no longer be seen, in sentences."""
    quiet: bool = False


def _named(ends: Sequence[End]) -> str:
    """The targets, with what they hold."""
    names = [marked(end) if end.kind != "internet" else end.name for end in ends]
    more = len(names) - 8
    return ", ".join([*names[:8], *([f"and {more} more"] if more > 0 else [])])


def _said(change: Change, one: Compared) -> str:
    """``TCP 8080 to customers/customers [pii] from shop/cart``."""
    doubt = "" if change.sure else " (perhaps)"
    sources = one.folder.said(change.sources)
    targets = _named(change.targets)
    if len(change.targets) > 8:
        targets = one.folder.said(change.targets)
    return f"{change.ports}{doubt} to {targets} from {sources}"


def text(one: Compared, terminal: Terminal) -> Iterator[str]:
    """For people."""
    changes = one.changes
    for title, found, look in (
        ("opens", changes.opened, "bad"),
        ("closes", changes.closed, "good"),
    ):
        if not found:
            continue
        yield terminal.paint("bold", f"{title} ({counted(len(found), 'group')} of flows):")
        for change in found[:SHOWN]:
            yield from _row(change, one, terminal, look=look, opening=title == "opens")
        if len(found) > SHOWN:
            yield f"  and {len(found) - SHOWN} more: --format json has all"
        yield ""
    for title, ends in (("new workloads", changes.added), ("gone", changes.removed)):
        if ends:
            names = _named(ends)
            yield f"{terminal.paint('bold', title)} ({len(ends)}): {names}"
    for gap in one.new_gaps:
        yield f"can no longer be seen: {fit(gap)}"
    yield terminal.wrapped(summary(one), 2, 0)


def _row(
    change: Change, one: Compared, terminal: Terminal, *, look: str, opening: bool
) -> Iterator[str]:
    sign = terminal.paint(look, "+" if opening else "-")
    level = f"{change.severity.value}: " if opening and change.severity is not Severity.LOW else ""
    yield f"  {sign} {terminal.wrapped(level + _said(change, one), 6, 4)}"
    if one.quiet:
        return
    for reason in change.reasons[:3]:
        yield f"      {terminal.wrapped(fit(_reasoned(reason, one)), 8, 6)}"


def _reasoned(reason: Reason, one: Compared) -> str:
    """Why, and where that is written."""
    where = one.places.where(reason.ref, reason.path)
    return f"{reason.text} ({where})" if where else reason.text


def summary(one: Compared) -> str:
    """What happened, in a sentence."""
    opened = [change for change in one.changes.opened if change.personal]
    closed = [change for change in one.changes.closed if change.personal]
    parts = []
    for word, found, personal in (
        ("opens", one.changes.opened, opened),
        ("closes", one.changes.closed, closed),
    ):
        data = f", {len(personal)} of them to personal data" if personal else ""
        groups = f"{counted(len(found), 'group')} of flows" if found else "nothing"
        parts.append(f"{word} {groups}{data}")
    return f"{'; '.join(parts)}; from {fit(one.base)} to {fit(one.head)}"


_COLUMNS = ("ports", "to", "from", "why")


def markdown_comment(one: Compared) -> Iterator[str]:
    """For the comment on a pull request."""
    changes = one.changes
    opened = [change for change in changes.opened if change.personal]
    if opened:
        yield "### ⚠ This change opens flows to personal data"
    elif changes.opened or changes.closed:
        yield "### This change opens and closes flows; none is opened to personal data"
    else:
        yield "### This change opens and closes no flow"
    yield ""
    for title, found in (("Opens", changes.opened), ("Closes", changes.closed)):
        if not found:
            continue
        yield f"**{title}**"
        yield ""
        opening = title == "Opens"
        head = ("severity", *_COLUMNS) if opening else _COLUMNS
        yield f"| {' | '.join(head)} |"
        yield f"{'|---' * len(head)}|"
        yield from (_cells(change, one, opening=opening) for change in found[:SHOWN])
        if len(found) > SHOWN:
            yield f"{'| ' * len(head)}and {len(found) - SHOWN} more |"
        yield ""
    for gap in one.new_gaps:
        yield f"- can no longer be seen: {markdown(gap)}"
    yield f"<sub>{markdown(summary(one))}</sub>"


def _cells(change: Change, one: Compared, *, opening: bool) -> str:
    why = "; ".join(markdown(_reasoned(reason, one)) for reason in change.reasons[:2])
    doubt = "" if change.sure else " (perhaps)"
    cells = (
        *((change.severity.value,) if opening else ()),
        f"{change.ports}{doubt}",
        markdown(_named(change.targets)),
        markdown(one.folder.said(change.sources)),
        why,
    )
    return f"| {' | '.join(cells)} |"


def document(one: Compared, rejected: list[Any], gaps: list[Any], cni: str) -> dict[str, Any]:
    """For programs."""
    from auditor import __version__
    from auditor.reporters.assessed import date

    return {
        "format": "auditor-network-diff/1",
        "auditor": __version__,
        "date": date(),
        "cni": cni,
        "base": {"name": told(one.base)},
        "head": {"name": told(one.head)},
        "personalDataOpened": any(
            change.personal and change.severity is not Severity.INFO
            for change in one.changes.opened
        ),
        "opened": [_document(change, one.places) for change in one.changes.opened],
        "closed": [_document(change, one.places) for change in one.changes.closed],
        "added": _names(one.changes.added),
        "removed": _names(one.changes.removed),
        "newGaps": list(map(told, one.new_gaps)),
        "rejected": rejected,
        "gaps": gaps,
    }


def _names(ends: Iterable[End]) -> list[str]:
    return [told(end.name) for end in ends]


def _document(change: Change, places: Places) -> dict[str, Any]:
    return {
        "from": _names(change.sources),
        "to": _names(change.targets),
        "ports": ports_document(change.ports),
        "said": str(change.ports),
        "severity": change.severity.value,
        "data": sorted({name for end in change.targets for name in end.data}),
        "sure": change.sure,
        "reasons": list(map(places.document, change.reasons)),
        "unknown": list(map(told, change.unknown)),
    }


def _policy(name: str, title: str, description: str, severity: Severity) -> Policy:
    return Policy(
        id=f"network/{name}",
        title=title,
        description=description,
        severity=severity,
        profile="essential",
        fix="manual",
        kinds=("*",),
        facts=(),
        controls=(),
        equivalents=(),
        aliases=(),
        links=(),
        file="",
        module="",
    )


_TO_DATA = "opens_personal_data"
_FLOW = "opens_flow"
_TOLD = {
    _TO_DATA: (
        "The change lets somebody reach personal data",
        "After the change a flow to a workload that holds personal data is possible that was not.",
    ),
    _FLOW: (
        "The change opens a flow",
        "A connection is possible after the change that was not before it.",
    ),
}


def findings(one: Compared, snapshot: Snapshot) -> Audit:
    """What opens, as findings at the rules that admit it: for SARIF."""
    found: dict[tuple[object, ...], Finding] = {}
    for change in one.changes.opened:
        for target in change.targets:
            finding = _finding(change, target, one)
            if finding:
                found.setdefault((finding.ref.key, finding.path, finding.message), finding)
    policies = {finding.policy.id: finding.policy for finding in found.values()}
    return Audit(snapshot, tuple(found.values()), (), ("auditor", ""), tuple(policies.values()))


def _finding(change: Change, target: End, one: Compared) -> Finding | None:
    """At the first rule that admits it; where there is none, at the target or the source."""
    inside = [end.workload for end in (target, *change.sources) if end.workload]
    if not inside:
        return None
    place = next((reason for reason in change.reasons if reason.ref), None)
    rule = place or Reason(inside[0].ref, (), "")
    assert rule.ref
    name = _TO_DATA if target.data else _FLOW
    doubt = "" if change.sure else "perhaps "
    sources = one.folder.said(change.sources)
    return Finding(
        policy=_policy(name, *_TOLD[name], change.severity),
        ref=rule.ref,
        path=rule.path,
        anchor=f"{target.name} {change.ports}",
        message=f"{doubt}opens {change.ports} to {marked(target)} from {sources}",
        evidence=tuple(Evidence(why.text, why.ref, why.path) for why in change.reasons),
    )
