"""Finds the smallest replacements that turn what a document says into something else.

Works on the difference between the old value and the new one, so that it does not matter by which
steps the new one came about.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from auditor.fixes.compare import Pair, pairs, same
from auditor.fixes.flow_style import Member, flow_members
from auditor.fixes.page import CannotEditError, Cut, Page, runs
from auditor.fixes.writing import block, inline, is_branch, leaf, scalar, spread
from auditor.sources.places import Entry, Node
from auditor.values import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A value and what it stands in."""

    node: Node
    in_flow: bool = False
    entry: Entry | None = None
    """The entry of a block mapping whose value it is."""
    column: int = 0
    """How far lines below it are indented, if it is in a block."""


def cuts(page: Page, place: Place, old: Any, new: Any) -> Iterator[Cut]:
    """The replacements, in the order of the text except that insertions at one place keep theirs.

    Raises:
        CannotEditError: something else would change with it.
    """
    node = place.node
    if same(old, new):
        return
    _check_aliases(page, node, old, new)
    if not is_branch(old) or not is_branch(new):
        yield from _replaced(page, place, new)
    elif isinstance(old, dict) and isinstance(new, dict) and node.kind == "mapping":
        yield from _mapping(page, place, old, new)
    elif isinstance(old, list) and isinstance(new, list) and node.kind == "sequence":
        yield from _sequence(page, place, old, new)
    else:
        yield from _replaced(page, place, new)


def _check_aliases(page: Page, node: Node, old: Any, new: Any) -> None:
    if node.kind == "alias" and (is_branch(old) or is_branch(new)):
        raise CannotEditError(f"it stands for '&{node.anchor}', which other places use")
    if node.kind != "alias" and node.anchor in page.referred:
        raise CannotEditError(f"'*{node.anchor}' refers to it, and would change with it")


def _mapping(page: Page, place: Place, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Cut]:
    node = place.node
    written = {entry.name for entry in node.entries}
    gone = tuple(_is_gone(entry, old, new) for entry in node.entries)
    unwritten = old.keys() - new.keys() - written
    if unwritten:
        raise CannotEditError(f"'{min(unwritten)}' comes from '<<', and cannot be removed here")
    added = {k: v for k, v in new.items() if k not in written and not _kept(k, old, v)}
    if all(gone):
        yield from _replaced(page, place, new)
        return
    for entry in node.entries:
        if entry is node.entry(entry.name) and entry.name in old and entry.name in new:
            yield from cuts(page, _below(page, node, entry), old[entry.name], new[entry.name])
    if node.is_flow:
        members = tuple(Member(e.key.start, max(e.key.end, e.value.end)) for e in node.entries)
        yield from flow_members(page, node, members, gone, _texts(page, node, added))
        return
    yield from _removed(page, [e.key.start for e in node.entries], _ends(page, node), gone)
    if added:
        last = max(index for index, is_gone in enumerate(gone) if not is_gone)
        yield _line_after(page, _ends(page, node)[last], page.column(node.inner), added)


def _kept(key: str, old: dict[str, Any], value: Any) -> bool:
    """Whether a key that is not written has the wanted value by `<<` already."""
    return key in old and same(old[key], value)


def _is_gone(entry: Entry, old: dict[str, Any], new: dict[str, Any]) -> bool:
    is_merge = entry.name == "<<" and "<<" not in old
    return entry.name not in new and not is_merge


def _below(page: Page, node: Node, entry: Entry) -> Place:
    if node.is_flow:
        return Place(entry.value, in_flow=True)
    return Place(entry.value, entry=entry, column=page.column(node.inner))


def _ends(page: Page, node: Node) -> list[int]:
    """Where each member of a block ends."""
    if node.kind == "mapping":
        return [max(page.colon(e), e.value.end) for e in node.entries]
    return [item.end for item in node.items]


def _texts(page: Page, node: Node, added: dict[str, Any]) -> list[str]:
    manner = page.manner
    if manner.is_json and page.text.count("\n", node.start, node.end):
        pad = page.margin(node.entries[-1].key.start)
        return [
            spread({k: v}, manner, pad)[1:-1]
            .strip()
            .replace(manner.newline + pad + manner.step, manner.newline + pad)
            for k, v in added.items()
        ]
    return [inline({k: v}, manner)[1:-1] for k, v in added.items()]


def _line_after(page: Page, offset: int, column: int, value: Any) -> Cut:
    at = page.line_end(offset)
    text = page.manner.newline + " " * column + block(value, page.manner_above(at), column)
    return Cut(at, at, text)


def _removed(
    page: Page, starts: list[int], ends: list[int], gone: tuple[bool, ...]
) -> Iterator[Cut]:
    """Members of a block are cut with their lines and the comments on these.

    The last ones go with the line break before them, so that what is added behind the block goes
    behind what is cut.
    """
    for first, last in runs(gone):
        line = page.line_start(starts[first])
        if not page.is_first(starts[first]):
            yield Cut(starts[first], page.skip_space(page.line_end(ends[last])), "")
        elif last + 1 == len(gone) and line > page.part.start:
            yield Cut(page.line_end(line - 1), page.line_end(ends[last]), "")
        else:
            yield Cut(line, page.next_line(ends[last]), "")


@dataclass(frozen=True, slots=True)
class _Lists:
    """A list as it is and as it should be, with the items that belong together."""

    old: list[Any]
    new: list[Any]
    matched: tuple[Pair, ...]

    @property
    def gone(self) -> tuple[bool, ...]:
        """Which old items have no counterpart."""
        kept = {i for i, j in self.matched if i is not None and j is not None}
        return tuple(index not in kept for index in range(len(self.old)))


def _sequence(page: Page, place: Place, old: list[Any], new: list[Any]) -> Iterator[Cut]:
    lists = _Lists(old, new, tuple(pairs(old, new)))
    if all(lists.gone):
        yield from _replaced(page, place, new)
    elif place.node.is_flow:
        yield from _flow_sequence(page, place.node, lists)
    else:
        yield from _block_sequence(page, place.node, lists)


def _flow_sequence(page: Page, node: Node, lists: _Lists) -> Iterator[Cut]:
    gone = lists.gone
    stay = [index for index, is_gone in enumerate(gone) if not is_gone]
    tail: list[str] = []
    seen = -1
    for i, j in lists.matched:
        if i is not None and j is not None:
            place = Place(node.items[i], in_flow=True)
            yield from cuts(page, place, lists.old[i], lists.new[j])
            seen = i
        elif j is not None and seen == stay[-1]:
            tail.append(_item_text(page, node, lists.new[j]))
        elif j is not None:
            at = node.items[next(index for index in stay if index > seen)].start
            yield Cut(at, at, _item_text(page, node, lists.new[j]) + _comma(page, node, at))
    members = tuple(Member(item.start, item.end) for item in node.items)
    yield from flow_members(page, node, members, gone, tail)


def _comma(page: Page, node: Node, at: int) -> str:
    """What parts a new item from the one at an offset, which it goes before."""
    if page.is_first(at) and "\n" in page.text[node.start : at]:
        return f",{page.manner.newline}{page.before(at)}"
    return "," if page.manner.tight else ", "


def _item_text(page: Page, node: Node, value: Any) -> str:
    if page.manner.is_json and page.text.count("\n", node.start, node.end) and is_branch(value):
        return spread(value, page.manner, page.margin(node.items[-1].start))
    return inline(value, page.manner)


def _block_sequence(page: Page, node: Node, lists: _Lists) -> Iterator[Cut]:
    dashes = _dashes(page, node)
    column = page.column(node.inner)
    ends = [max(item.end, dash + 1) for item, dash in zip(node.items, dashes, strict=True)]
    seen: int | None = None
    for i, j in lists.matched:
        if i is not None and j is not None:
            place = _item_place(page, node.items[i], dashes[i])
            yield from cuts(page, place, lists.old[i], lists.new[j])
        seen = i if i is not None else seen
        if i is None and j is not None and seen is not None:
            yield _line_after(page, ends[seen], column, [lists.new[j]])
        elif i is None and j is not None:
            yield _line_before(page, dashes[0], column, lists.new[j])
    yield from _removed(page, dashes, ends, lists.gone)


def _item_place(page: Page, item: Node, dash: int) -> Place:
    column = page.column(item.inner) if item.end > item.start else page.column(dash) + 2
    return Place(item, column=column)


def _line_before(page: Page, dash: int, column: int, value: Any) -> Cut:
    text = block([value], page.manner, column) + page.manner.newline + " " * column
    return Cut(dash, dash, text)


def _dashes(page: Page, node: Node) -> list[int]:
    """The offset of each item's dash."""
    found = [node.inner]
    dash = re.compile(rf"^ {{{page.column(node.inner)}}}-(?=[ \t\r\n]|\Z)", re.MULTILINE)
    for item in node.items[:-1]:
        match = dash.search(page.text, page.line_end(max(item.end, found[-1] + 1)))
        if not match:
            raise CannotEditError("a list is written in an unusual way")
        found.append(match.end() - 1)
    return found


def _replaced(page: Page, place: Place, new: Any) -> Iterator[Cut]:
    """The whole value anew."""
    node = place.node
    stays_flow = node.is_flow and is_branch(new) and bool(node.entries or node.items)
    if place.in_flow or stays_flow:
        yield Cut(node.start, node.end, _flow_text(page, node, new))
    elif node.style == "block" and node.start != node.inner:
        raise CannotEditError("it has a tag or an anchor")
    elif is_branch(new):
        yield from _replaced_by_block(page, place, new)
    else:
        yield from _replaced_by_leaf(page, place, new)


def _flow_text(page: Page, node: Node, new: Any) -> str:
    if page.manner.is_json:
        many = is_branch(new) and "\n" in page.text[page.part.node.start : page.part.node.end]
        return (
            spread(new, page.manner, page.margin(node.start)) if many else inline(new, page.manner)
        )
    is_text = isinstance(new, str) and node.style in ('"', "'")
    text = scalar(new, node.style, in_flow=True) if is_text else inline(new, page.manner)
    return f" {text}" if node.start == node.end else text


def _replaced_by_leaf(page: Page, place: Place, new: Any) -> Iterator[Cut]:
    """The first line where the value was, before a comment; further lines after that."""
    node, entry = place.node, place.entry
    column = place.column + (len(page.manner.step) if entry else 0)
    text = leaf(new, page.manner_above(node.end), column, node.style)
    first, newline, rest = text.partition(page.manner.newline)
    if entry and node.style == "block":
        colon = page.colon(entry)
        yield Cut(colon, colon, f" {first}")
        yield Cut(page.line_end(colon), page.line_end(node.end), newline + rest)
        return
    yield from _around_comment(page, node, text)


def _around_comment(page: Page, node: Node, text: str) -> Iterator[Cut]:
    """The first line in place of a node, further ones after the comment behind it."""
    first, newline, rest = text.partition(page.manner.newline)
    space = " " if node.start == node.end else ""
    yield Cut(node.start, node.end, space + first)
    at = page.line_end(node.end)
    yield Cut(at, at, newline + rest)


def _replaced_by_block(page: Page, place: Place, new: Any) -> Iterator[Cut]:
    node, entry = place.node, place.entry
    end = page.line_end(node.end)
    if entry is None:
        text = block(new, page.manner_above(end), place.column)
        is_block = node.style == "block"
        yield from [Cut(node.start, end, text)] if is_block else _around_comment(page, node, text)
        return
    depth = page.manner.dash if isinstance(new, list) else len(page.manner.step)
    column = place.column + depth
    if node.style == "block":
        start = page.line_start(node.start)
        yield Cut(start, end, " " * column + block(new, page.manner_above(end), column))
        return
    yield Cut(page.colon(entry), node.end, "")
    yield _line_after(page, node.end, column, new)
