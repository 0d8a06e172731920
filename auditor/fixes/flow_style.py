"""Edits what stands in brackets and braces: flow style in YAML, everything in JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditor.fixes.page import Cut, Page, runs
from auditor.sources.places import Node
from auditor.values import dataclass


@dataclass(frozen=True, slots=True)
class Member:
    """An entry or an item: the offsets between which it stands."""

    start: int
    end: int


def flow_members(
    page: Page, node: Node, members: Sequence[Member], gone: tuple[bool, ...], added: list[str]
) -> Iterator[Cut]:
    """Takes members away and adds others at the end. At least one stays."""
    for first, last in runs(gone):
        if last + 1 < len(members):
            yield Cut(members[first].start, members[last + 1].start, "")
        else:
            yield from _without_tail(page, members[first - 1], members[last])
    if added:
        stay = [member for member, is_gone in zip(members, gone, strict=True) if not is_gone]
        yield from _appended(page, node, stay[-1], added, is_last=not gone[-1])


def _without_tail(page: Page, before: Member, last: Member) -> Iterator[Cut]:
    """The last members go; a comment behind the one before them stays."""
    comma = page.text.find(",", before.end)
    end_of_line = page.line_end(before.end)
    if comma < end_of_line < last.start and "#" in page.text[comma:end_of_line]:
        yield Cut(before.end, comma + 1, "")
        yield Cut(end_of_line, last.end, "")
    else:
        yield Cut(before.end, last.end, "")


def _appended(
    page: Page, node: Node, last: Member, added: list[str], *, is_last: bool
) -> Iterator[Cut]:
    space = "" if page.manner.tight else " "
    if not page.is_first(last.start) or "\n" not in page.text[node.start : last.start]:
        yield Cut(last.end, last.end, "".join(f",{space}{text}" for text in added))
        return
    line = page.manner.newline + page.before(last.start)
    rest = page.after(last.end).strip()
    comma, comment = rest.startswith(","), "#" in rest
    if not (is_last and comment and not page.manner.is_json):
        yield Cut(last.end, last.end, "".join(f",{line}{text}" for text in added))
        return
    at = page.line_end(last.end)
    if comma:
        yield Cut(at, at, "".join(f"{line}{text}," for text in added))
    else:
        yield Cut(last.end, last.end, ",")
        yield Cut(at, at, line + f",{line}".join(added))
