"""Regular expressions of routes, matched in linear time: both the expression and the text are
written by strangers, and Python's own engine may take for ever.

Syntax: https://github.com/google/re2/wiki/Syntax, of which is read what routes are written in;
anything else is told as not read. Classes of letters and digits are those of ASCII, as in RE2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import field
from functools import lru_cache

from auditor.values import dataclass

LONGEST = 1000
"""Bounds of a repetition, as RE2 has it."""
LARGEST = 20_000
"""States of one expression."""
DEEPEST = 100
"""Groups within each other."""

Test = Callable[[str], bool]
_SPACE = "\t\n\f\r "
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v", "a": "\a"}


class UnreadError(ValueError):
    """The expression says something that is not read here, or is none."""


@dataclass(frozen=True, slots=True)
class One:
    """One character."""

    test: Test


@dataclass(frozen=True, slots=True)
class Edge:
    """The beginning or the end of the text."""

    start: bool


@dataclass(frozen=True, slots=True)
class All:
    """One part after the other."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Any:
    """One of several."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Times:
    """A part several times; without an end where `most` is None."""

    part: Node
    least: int
    most: int | None


Node = One | Edge | All | Any | Times


@lru_cache(1024)
def full_match(expression: str, text: str) -> bool:
    """Whether the expression matches the whole text. Costs the length of one times the other.

    Raises:
        UnreadError: it is no expression, or one that is not read.
    """
    return _program(expression).matches(text)


@dataclass(slots=True)
class _Program:
    """An automaton. Not frozen: it is filled while the expression is compiled."""

    tests: list[Test | None] = field(default_factory=list)
    """What leads from a state to the next one; None where nothing does."""
    free: list[list[tuple[int, bool | None]]] = field(default_factory=list)
    """Where a state leads without a character: anywhere, or (True, False) only at the beginning or
    at the end of the text."""
    end: int = 0

    def state(self, test: Test | None = None) -> int:
        if len(self.tests) >= LARGEST:
            raise UnreadError("is too large")
        self.tests.append(test)
        self.free.append([])
        return len(self.tests) - 1

    def add(self, node: Node, at: int) -> int:
        """Append what leads from state `at` over `node`; its last state."""
        match node:
            case One(test):
                before = self.state(test)
                self.free[at].append((before, None))
                return self.state()
            case Edge(start):
                after = self.state()
                self.free[at].append((after, start))
                return after
            case All(()):
                return self._from(at)  # it counts as well, or repeating it would cost no state
            case All(parts):
                for part in parts:
                    at = self.add(part, at)
                return at
            case Any(parts):
                ends = [self.add(part, self._from(at)) for part in parts]
                return self._joined(ends)
            case Times(part, least, most):
                return self._times(part, least, most, at)

    def _from(self, at: int) -> int:
        after = self.state()
        self.free[at].append((after, None))
        return after

    def _joined(self, ends: list[int]) -> int:
        after = self.state()
        for end in ends:
            self.free[end].append((after, None))
        return after

    def _times(self, part: Node, least: int, most: int | None, at: int) -> int:
        for _ in range(least):
            at = self.add(part, at)
        if most is None:
            again = self._from(at)
            self.free[self.add(part, again)].append((again, None))
            return self._from(again)
        exits = [at]
        for _ in range(most - least):
            at = self.add(part, at)
            exits.append(at)
        return self._joined(exits)

    def matches(self, text: str) -> bool:
        states = self._reached({0}, 0, len(text))
        for number, character in enumerate(text):
            after = {at + 1 for at in states if (test := self.tests[at]) and test(character)}
            states = self._reached(after, number + 1, len(text))
        return self.end in states

    def _reached(self, states: set[int], where: int, length: int) -> set[int]:
        """With all that can be reached without a character."""
        todo = list(states)
        while todo:
            for after, edge in self.free[todo.pop()]:
                open_ = edge is None or where == (0 if edge else length)
                if open_ and after not in states:
                    states.add(after)
                    todo.append(after)
        return states


@lru_cache(256)
def _program(expression: str) -> _Program:
    found = _Program()
    found.end = found.add(_Reader(expression).whole(), found.state())
    return found


@dataclass(slots=True)
class _Reader:
    """Reads an expression from left to right."""

    text: str
    at: int = 0
    depth: int = 0

    def whole(self) -> Node:
        found = self._choice()
        if self.at < len(self.text):
            raise UnreadError("closes a group that is not open")
        return found

    def _peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def _takes(self, wanted: str) -> bool:
        found = self.text.startswith(wanted, self.at)
        self.at += len(wanted) if found else 0
        return found

    def _next(self) -> str:
        if self.at >= len(self.text):
            raise UnreadError("ends too early")
        self.at += 1
        return self.text[self.at - 1]

    def _choice(self) -> Node:
        parts = [self._row()]
        while self._takes("|"):
            parts.append(self._row())
        return parts[0] if len(parts) == 1 else Any(tuple(parts))

    def _row(self) -> Node:
        parts: list[Node] = []
        while self._peek() not in ("", "|", ")"):
            parts.append(self._repeated())
        return All(tuple(parts))

    def _repeated(self) -> Node:
        part, before = self._atom(), self.at
        found = self._bounds()
        if found is None:
            return part
        self._takes("?")  # Lazy or not: it is the whole text that matches.
        if self._peek() in ("*", "+", "?") or (self._peek() == "{" and self._bounds()):
            raise UnreadError(f"repeats a repetition at {before}")
        return Times(part, *found)

    def _bounds(self) -> tuple[int, int | None] | None:
        for sign, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._takes(sign):
                return bounds
        return self._braces() if self._peek() == "{" else None

    def _braces(self) -> tuple[int, int | None] | None:
        """The numbers in braces; None where the brace is an ordinary character."""
        inside, closed, _ = self.text[self.at + 1 :].partition("}")
        least, comma, most = inside.partition(",")
        numbers = (least, most) if most else (least,)
        if not closed or not all(each.isascii() and each.isdigit() for each in numbers):
            return None
        if any(len(each) > 4 or int(each) > LONGEST for each in numbers):
            raise UnreadError("repeats too often")
        first = int(least)
        last = int(most) if most else (None if comma else first)
        if last is not None and last < first:
            raise UnreadError("repeats from more to less")
        self.at += len(inside) + 2
        return first, last

    def _atom(self) -> Node:
        character = self._next()
        if character == "(":
            return self._group()
        if character == "[":
            return One(self._class())
        if character == ".":
            return One(lambda each: each != "\n")
        if character in "^$":
            return Edge(character == "^")
        if character in "*+?":
            raise UnreadError("repeats nothing")
        if character == "\\":
            return One(self._escape())
        return One(_is(character))

    def _group(self) -> Node:
        if self._takes("?") and not self._takes(":"):
            raise UnreadError("has flags or a name for a group")
        self.depth += 1
        if self.depth > DEEPEST:
            raise UnreadError("is too deep")
        found = self._choice()
        if not self._takes(")"):
            raise UnreadError("opens a group and does not close it")
        self.depth -= 1
        return found

    def _escape(self) -> Test:
        character = self._next()
        if character in "dDwWsS":
            return _known(character)
        if character in _CONTROLS:
            return _is(_CONTROLS[character])
        if character.isalnum() or not character.isascii():
            raise UnreadError(f"says \\{character}")
        return _is(character)

    def _class(self) -> Test:
        negated = self._takes("^")
        tests: list[Test] = []
        first = True
        while first or self._peek() != "]":
            tests.append(self._range())
            first = False
        self._next()
        return lambda each: any(test(each) for test in tests) is not negated

    def _range(self) -> Test:
        if self.text.startswith("[:", self.at):
            raise UnreadError("names a class")
        character = self._next()
        if character == "\\":
            character = self._next()
            if character in "dDwWsS":
                return _known(character)
            character = self._plain(character)
        if self._peek() != "-" or self.text[self.at + 1 : self.at + 2] in ("]", ""):
            return _is(character)
        self._next()
        last = self._next()
        last = self._plain(self._next()) if last == "\\" else last
        if last < character:
            raise UnreadError("has a range that ends before it begins")
        return _between(character, last)

    def _plain(self, character: str) -> str:
        if character in _CONTROLS:
            return _CONTROLS[character]
        if character.isalnum() or not character.isascii():
            raise UnreadError(f"says \\{character}")
        return character


def _is(character: str) -> Test:
    return lambda each: each == character


def _between(first: str, last: str) -> Test:
    return lambda each: first <= each <= last


def _known(letter: str) -> Test:
    """What a letter after a backslash means; a capital one means all else."""
    wanted = dict(_known_classes())[letter.lower()]
    return wanted if letter.islower() else lambda each: not wanted(each)


def _known_classes() -> Iterator[tuple[str, Test]]:
    yield "d", lambda each: "0" <= each <= "9"
    yield "w", lambda each: each.isascii() and (each.isalnum() or each == "_")
    yield "s", lambda each: each in _SPACE
