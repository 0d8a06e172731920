"""Shows what one cause did: the lines, marked as good compilers do, the findings, their fixes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from auditor.fixes.patch import CannotEditError
from auditor.fixes.sourced import SourceFix
from auditor.fixes.together import ClashError, merged, written
from auditor.model import Audit, Evidence, Finding, Fix, Safety, Snapshot
from auditor.reporters.boundaries import keeper_line, mending_line
from auditor.reporters.diff import changes_of
from auditor.reporters.excerpt import Mark, excerpt
from auditor.reporters.groups import Block, Faults, without_name
from auditor.reporters.places import Place, dotted, place_of_evidence, place_of_finding
from auditor.reporters.rendered import rendered_lines
from auditor.reporters.terminal import Terminal
from auditor.reporters.words import EFFECT, counted, listed, objections, shown_by, trials
from auditor.text import escaped
from auditor.values import dataclass

REASONS = 5
"""How many reasons of one finding are shown."""
NAMES = 10
"""How many of the others are named."""


@dataclass(frozen=True, slots=True)
class Page:
    """What every part of a report is written on."""

    audit: Audit
    terminal: Terminal

    def place(self, finding: Finding) -> Place | None:
        """Where the finding stands."""
        return place_of_finding(self.around(finding), finding)

    def around(self, finding: Finding) -> Snapshot:
        """The snapshot that the finding was made in."""
        return self.audit.around(finding)


def shown(block: Block, page: Page) -> Iterator[str]:
    """The block, one line each."""
    if len(block.first) == 1:
        [finding] = block.first
        yield from _head(finding, page, "")
        yield f"  {page.terminal.paint('frame', '-->')} {_where(finding, page)}"
        place = page.place(finding)
        yield from excerpt([Mark(place)] if place else [], page.terminal)
        yield from _reasons(finding, page)
        yield from _told_fix(finding, page)
    else:
        yield from _several(block.first, page)
    yield from _changes(block.first, page)
    yield from _others(block, page)


def brief(finding: Finding, page: Page) -> str:
    """The finding on one line: where, how bad, what."""
    place = page.place(finding)
    where = _spot(place) if place and not place.resource.origin.live else str(finding.ref)
    head = page.terminal.paint(finding.severity, _name(finding))
    about = "" if where == str(finding.ref) else f" ({escaped(str(finding.ref))})"
    return f"{escaped(where)}: {head}: {escaped(finding.message)}{about}"


def _several(faults: Faults, page: Page) -> Iterator[str]:
    """The object, its lines once with all marks, then what is wrong at each mark."""
    alike = _alike(faults)
    found = Counter(finding.severity.value for finding in faults)
    counts = ", ".join(f"{number} {severity}" for severity, number in found.items())
    yield f"{page.terminal.paint('bold', escaped(str(faults[0].ref)))}: {counts}"
    labels = {id(one): f"({n})" for n, same in enumerate(alike, 1) for one in same}
    yield from _excerpts([(finding, labels[id(finding)]) for finding in faults], page)
    for number, (finding, *rest) in enumerate(alike, 1):
        yield from _head(finding, page, f"({number}) ")
        for other in rest:
            yield f"    … {page.terminal.wrapped(escaped(other.message), 6, 6)}"
        for one in (finding, *rest):
            yield from _reasons(one, page)
        yield from _told_fix(finding, page)


def _alike(faults: Faults) -> list[list[Finding]]:
    """Findings of one policy with one way out stand together: each container has its own."""
    found: dict[object, list[Finding]] = {}
    for finding in faults:
        way = finding.fix.title if finding.fix else ""
        against = tuple(objections(finding.fix)) if finding.fix else ()
        key = (finding.policy.id, without_name(finding, way), against)
        found.setdefault(key, []).append(finding)
    return list(found.values())


def _name(finding: Finding) -> str:
    return f"{finding.severity.value}[{escaped(finding.policy.id)}]"


def _head(finding: Finding, page: Page, number: str) -> Iterator[str]:
    name, terminal = _name(finding), page.terminal
    message = terminal.wrapped(escaped(finding.message), 4, len(number) + len(name) + 2)
    colon = ":" if message.startswith("\n") else ": "
    head = terminal.paint(finding.severity, name)
    yield f"{number}{head}{colon}{terminal.paint('bold', message)}"


def _excerpts(labelled: list[tuple[Finding, str]], page: Page) -> Iterator[str]:
    """Each file that has a part in it, and its lines."""
    files: dict[str, list[Mark]] = {}
    for finding, label in labelled:
        place = page.place(finding)
        if place:
            files.setdefault(place.file, []).append(Mark(place, label))
    for marks in files.values():
        first = marks[0].place
        where = first.resource.ref if first.resource.origin.live else ""
        arrow = page.terminal.paint("frame", "-->")
        yield f"  {arrow} {escaped(str(where)) or _spot(first)}"
        yield from excerpt(marks, page.terminal)


def _where(finding: Finding, page: Page) -> str:
    name = escaped(str(finding.ref))
    place = page.place(finding)
    if place is None:
        return name
    if place.resource.origin.live:
        text = f"{name} {escaped(dotted(place.path))}".rstrip()
    else:
        text = f"{_spot(place)}  {name}"
    return page.terminal.wrapped(text, 6, 6)


def _spot(place: Place) -> str:
    return f"{escaped(place.file)}:{place.span.line}:{place.span.column}"


def _reasons(finding: Finding, page: Page) -> Iterator[str]:
    for evidence in finding.evidence[:REASONS]:
        yield note("why", _reason(finding, evidence, page), page.terminal)
    if rest := finding.evidence[REASONS:]:
        yield note("why", f"and {len(rest)} more{_names(rest)}", page.terminal)
    if keeper := keeper_line(finding):
        yield note("managed by", escaped(keeper), page.terminal)


def _names(rest: Sequence[Evidence]) -> str:
    """What the reasons that are not shown are about: the reader counts workloads, not reasons."""
    names = list(dict.fromkeys(reason.anchor for reason in rest if reason.anchor))
    return f": {escaped(listed(names, NAMES))}" if names else ""


def _reason(finding: Finding, evidence: Evidence, page: Page) -> str:
    place = place_of_evidence(page.around(finding), finding, evidence)
    if place is None:
        return escaped(evidence.message)
    where = str(place.resource.ref) if place.resource.origin.live else _spot(place)
    return f"{escaped(evidence.message)} ({escaped(where)})"


def note(title: str, text: str, terminal: Terminal) -> str:
    """One remark below a finding."""
    body = terminal.wrapped(text, 7 + len(title), 7 + len(title))
    return f"   {terminal.paint('frame', '=')} {terminal.paint('bold', title)}: {body}"


def _told_fix(finding: Finding, page: Page) -> Iterator[str]:
    if finding.fix is None:
        yield note("fix", escaped(_untried(finding)), page.terminal)
    else:
        yield from _tried(finding.fix, page.terminal)
    if where := mending_line(finding):
        yield note("mend it in", escaped(where), page.terminal)


def _untried(finding: Finding) -> str:
    if finding.remedy:
        return f"{finding.remedy.title} (not tried)"
    return "needs your decision" if finding.policy.fix == "manual" else "none is known"


def _tried(fix: Fix, terminal: Terminal) -> Iterator[str]:
    yield note("fix", f"{escaped(fix.title)} ({EFFECT[fix.safety]})", terminal)
    against = objections(fix)
    if against:
        yield note("not proven", escaped("; ".join(against)), terminal)
        if isinstance(fix, SourceFix) and fix.changes and not fix.edits:
            yield from changes_of(Snapshot(()), fix, terminal)
        return
    yield note("proven", " · ".join(shown_by(fix.proof)), terminal)
    for title, items in (
        ("keeps", fix.proof.kept),
        ("closes", fix.proof.closed),
        ("schedules", fix.proof.scheduled),
        ("selects", fix.proof.selected),
    ):
        if items:
            yield note(title, escaped(listed(items)), terminal)
    for line in fix.proof.assumes:
        yield note("assumes", escaped(line), terminal)
    for line in trials(fix):
        yield note("try it first", escaped(line), terminal)
    for line in rendered_lines(fix) if isinstance(fix, SourceFix) else ():
        yield note("renders as", escaped(line), terminal)


def _changes(faults: Faults, page: Page) -> Iterator[str]:
    """The proven fixes of an object as diffs, those of one safety as one."""
    proven = [finding.fix for finding in faults if finding.fix and not objections(finding.fix)]
    for safety in Safety:
        fixes = [fix for fix in proven if fix.safety is safety]
        if fixes and len(faults) > 1:
            many = f"{len(fixes)} fixes" if len(fixes) > 1 else "fix"
            yield note("change", f"the {many} ({EFFECT[safety]})", page.terminal)
        for fix in _together(page.around(faults[0]), fixes):
            yield from changes_of(page.around(faults[0]), fix, page.terminal)


def _together(snapshot: Snapshot, fixes: list[Fix]) -> list[Fix]:
    """The fixes as one change, where they go together; `auditor fix` proves it before it writes."""
    if any(isinstance(fix, SourceFix) for fix in fixes):
        return [
            fix for at, fix in enumerate(fixes) if fix.edits not in (f.edits for f in fixes[:at])
        ]
    if len(fixes) < 2 or not all(fix.edits for fix in fixes):
        return fixes
    try:
        changes = merged(snapshot, fixes)
        return [replace(fixes[0], changes=changes, edits=written(snapshot, changes))]
    except (ClashError, CannotEditError):
        return fixes


def _others(block: Block, page: Page) -> Iterator[str]:
    """Every object with the same faults, and what is said of it in other words."""
    if not block.others:
        return
    count = counted(len(block.others), "other object")
    yield note("same", f"in {count}:", page.terminal)
    said = {without_name(finding, finding.message) for finding in block.first}
    for faults in block.others:
        yield f"     {_places(faults, page, _other_names(faults, block.first))}"
        for finding in faults:
            if without_name(finding, finding.message) not in said:
                message = page.terminal.wrapped(
                    f"{_name(finding)}: {escaped(finding.message)}", 9, 7
                )
                yield f"       {message}"


def _other_names(faults: Faults, first: Faults) -> str:
    """The containers, ports … of the object that the one that is shown has none of."""
    told = {finding.anchor for finding in first} | {""}
    names = dict.fromkeys(f.anchor for f in faults if f.anchor not in told)
    return ", ".join(f"'{name}'" for name in names)


def _places(faults: Faults, page: Page, names: str) -> str:
    """Every place of the object once: file, line and column; and `names` of its parts."""
    files: dict[str, dict[str, None]] = {}
    for place in filter(None, map(page.place, faults)):
        if not place.resource.origin.live:
            spot = f"{place.span.line}:{place.span.column}"
            files.setdefault(escaped(place.file), {})[spot] = None
    about = (escaped(str(faults[0].ref)), escaped(names))
    places = [f"{file}:{', '.join(spots)}" for file, spots in files.items()]
    return page.terminal.wrapped("  ".join([*places, " ".join(filter(None, about))]), 7, 5)
