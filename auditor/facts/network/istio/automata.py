"""Texts that patterns tell apart: one of each kind, the shortest or a natural one.

Every pattern is a small automaton; what a text does to all of them at once is followed from one
character to the next, so that each outcome that any text has is found, and none twice.
"""

from __future__ import annotations

import string
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence

from auditor.facts.network.istio.matching import (
    ESCAPED,
    TEMPLATE_CHARS,
    UNRESERVED,
    Glob,
    Kind,
    Normalization,
    Pattern,
    Repeated,
)
from auditor.values import dataclass

STATES = 20_000
"""How many states are visited at most."""

_SLASHED = TEMPLATE_CHARS | {"/"}
_FRESH = "xyzqjkvw" + string.ascii_letters + string.digits
_HEX = frozenset(string.hexdigits)

Vector = tuple[bool, ...]
"""Which of some patterns match a text."""


@dataclass(frozen=True, slots=True)
class _Token:
    """One character of a set (None: any), or any number of them."""

    chars: frozenset[str] | None
    repeated: bool = False


_ANYTHING = _Token(None, repeated=True)


class Automaton:
    """A pattern, read one character at a time. A state is a set of positions as bits."""

    def __init__(self, pattern: Pattern, *, folds: bool = False) -> None:
        self._tokens = tuple(_tokens(pattern))
        self._folds = folds
        """Whether it reads lower case whatever is written."""
        self._steps: dict[tuple[int, str], int] = {}
        self._readers: dict[str, int] = {}
        self._repeated = _bits(token.repeated for token in self._tokens)
        self.start = self._closed(1)

    def step(self, state: int, char: str) -> int:
        """The state after one more character."""
        key = (state, char)
        if key not in self._steps:
            read = char.lower() if self._folds else char
            self._steps[key] = self._closed(self._stepped(state, read))
        return self._steps[key]

    def accepts(self, state: int) -> bool:
        """Whether a text that ends here matches."""
        return bool(state >> len(self._tokens) & 1)

    def _stepped(self, state: int, char: str) -> int:
        # All positions at once: a pattern may have thousands of characters.
        moved = state & self._reading(char)
        return (moved & self._repeated) | ((moved & ~self._repeated) << 1)

    def _closed(self, state: int) -> int:
        while (more := state | ((state & self._repeated) << 1)) != state:
            state = more
        return state

    def _reading(self, char: str) -> int:
        """The positions whose token takes this character."""
        if char not in self._readers:
            takes = (token.chars is None or char in token.chars for token in self._tokens)
            self._readers[char] = _bits(takes)
        return self._readers[char]


def _bits(flags: Iterable[bool]) -> int:
    return int("".join("01"[flag] for flag in reversed(list(flags))) or "0", 2)


def _tokens(pattern: Pattern) -> Iterator[_Token]:
    if pattern.kind is Kind.TEMPLATE:
        for part in pattern.parts:
            yield from _of_part(part)
        return
    if pattern.kind is Kind.SOME:
        yield _Token(None)
    if pattern.kind in (Kind.SUFFIX, Kind.SOME):
        yield _ANYTHING
    yield from _literal(pattern.text)
    if pattern.kind is Kind.PREFIX:
        yield _ANYTHING


def _of_part(part: str | Glob | Repeated) -> Iterator[_Token]:
    if isinstance(part, str):
        yield from _literal(part)
    elif isinstance(part, Repeated):
        yield _Token(frozenset(part.char), repeated=True)
    elif part.spans:
        yield _Token(_SLASHED, repeated=True)
    else:
        yield _Token(TEMPLATE_CHARS)
        yield _Token(TEMPLATE_CHARS, repeated=True)


def _literal(text: str) -> Iterator[_Token]:
    return (_Token(frozenset(char)) for char in text)


@dataclass(frozen=True, slots=True)
class Texts:
    """One text for each outcome."""

    found: dict[Vector, str]
    complete: bool
    """False: some outcome may be missing."""


def vector(patterns: Sequence[Pattern], text: str) -> Vector:
    """Which of them match."""
    return tuple(pattern.matches(text) for pattern in patterns)


def texts(
    patterns: Sequence[Pattern],
    folded: Sequence[Pattern],
    natural: Iterable[str],
    allowed: Callable[[str], bool],
    *,
    limit: int,
) -> Texts:
    """A text of characters that are `allowed`, without space around it, for each outcome that such
    a text has: which of `patterns` match it, then which of `folded` match it in lower case. Of
    several the first of `natural`, else the shortest. At most `limit`.
    """
    found: dict[Vector, str] = {}
    for text in natural:
        if all(map(allowed, text)) and text == text.strip():
            outcome = (*vector(patterns, text), *vector(folded, text.lower()))
            found.setdefault(outcome, text)
    machines = [Automaton(pattern) for pattern in patterns]
    machines += [Automaton(pattern, folds=True) for pattern in folded]
    named = _alphabet((*patterns, *folded))
    cased = [*map(str.upper, named), *map(str.lower, named)] if folded and patterns else []
    letters = [char for char in dict.fromkeys((*named, *cased)) if allowed(char)]
    start = (False, tuple(machine.start for machine in machines))
    queue, seen = deque([("", start)]), {start}
    while queue:
        text, (spaced, states) = queue.popleft()
        if not spaced:
            found.setdefault(_outcome(machines, states), text)
        if len(found) >= limit or len(seen) >= STATES:
            return Texts(dict(list(found.items())[:limit]), complete=False)
        for char in letters if text else [char for char in letters if char.strip()]:
            moved = tuple(m.step(s, char) for m, s in zip(machines, states, strict=True))
            after = (not char.strip(), moved)
            if after not in seen:
                seen.add(after)
                queue.append((text + char, after))
    return Texts(found, complete=True)


def _outcome(machines: Sequence[Automaton], states: Sequence[int]) -> Vector:
    return tuple(m.accepts(s) for m, s in zip(machines, states, strict=True))


def _alphabet(patterns: Sequence[Pattern]) -> tuple[str, ...]:
    """Every character that some pattern names, and one of those that none does."""
    named = {char for pattern in patterns for char in pattern.text}
    fresh = next((char for char in _FRESH if char not in named), "~")
    templates = any(pattern.kind is Kind.TEMPLATE for pattern in patterns)
    return (fresh, *sorted(named - {fresh}), *(("[",) if templates and "[" not in named else ()))


@dataclass(frozen=True, slots=True)
class _Track:
    """How far a path stands, as far as it decides what normalisation does next."""

    segment: str | None = None
    """The segment so far, where it is only dots; None: it is more, or there is no slash yet."""
    escape: str = ""
    """The percent escape so far."""
    query: bool = False
    started: bool = False


def paths(
    wanted: Sequence[Pattern],
    full: Sequence[Pattern],
    natural: Iterable[str],
    how: Normalization,
    *,
    limit: int,
) -> Texts:
    """A path, as sent, for each outcome that a path has which no normalisation changes: which of
    `wanted` match it without its query, then which of `full` match the whole. `natural` are such
    paths as well.
    """
    found: dict[Vector, str] = {}
    for text in natural:
        found.setdefault(_both(wanted, full, text), text)
    machines = [Automaton(pattern) for pattern in (*wanted, *full)]
    letters = dict.fromkeys(("/", *_alphabet((*wanted, *full)), *(("?",) if full else ())))
    start = (_Track(), tuple(machine.start for machine in machines))
    queue, seen = deque([("", start)]), {start}
    while queue:
        text, (track, states) = queue.popleft()
        if track.started and track.segment not in (".", ".."):
            found.setdefault(_outcome(machines, states), text)
        if len(found) >= limit or len(seen) >= STATES:
            return Texts(dict(list(found.items())[:limit]), complete=False)
        for char in letters:
            moved = _moved(track, char, how)
            if moved is None:
                continue
            asked = len(wanted) if moved.query else 0
            # What is asked of the path alone stands still in the query.
            after = (
                *states[:asked],
                *(m.step(s, char) for m, s in list(zip(machines, states, strict=True))[asked:]),
            )
            if (moved, after) not in seen:
                seen.add((moved, after))
                queue.append((text + char, (moved, after)))
    return Texts(found, complete=True)


def _both(wanted: Sequence[Pattern], full: Sequence[Pattern], text: str) -> Vector:
    return (*vector(wanted, text.partition("?")[0]), *vector(full, text))


def _moved(track: _Track, char: str, how: Normalization) -> _Track | None:
    """One character further; None where normalisation would change the path."""
    if not "!" <= char <= "~" or char == "#":
        return None
    if not track.started:
        return _Track("", started=True) if char == "/" else None
    if track.query:
        return track
    if how is Normalization.NONE:
        return _Track(None, query=char == "?", started=True)
    return _within_path(track, char, how)


def _within_path(track: _Track, char: str, how: Normalization) -> _Track | None:
    if char in ESCAPED - {"?"} or (char == ";" and track.segment in (".", "..")):
        return None
    if char in "/?":
        merged = how is not Normalization.BASE and char == "/" and track.segment == ""
        if merged or track.segment in (".", ".."):
            return None
        return _Track("", query=char == "?", started=True)
    escape = _escape(track.escape, char)
    if len(escape) == 3:
        decoded = chr(int(escape[1:], 16))
        slashes = "/\\" if how is Normalization.DECODE_AND_MERGE_SLASHES else ""
        if decoded in UNRESERVED or decoded in f"\0{slashes}":
            return None
        escape = ""
    dots = (track.segment or "") + char if track.segment is not None else "x"
    return _Track(dots if dots in (".", "..") else None, escape, started=True)


def _escape(before: str, char: str) -> str:
    if char == "%":
        return "%"
    return before + char if before and char in _HEX else ""
