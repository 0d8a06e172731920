"""Sets of ports: per protocol, which numbers. The algebra on which verdicts are computed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import field
from functools import lru_cache
from typing import ClassVar

from auditor.facts.workloads import LAST_PORT, PORT_PROTOCOLS
from auditor.values import dataclass

Interval = tuple[int, int]
"""First and last number, both inside."""
Intervals = tuple[Interval, ...]

PROTOCOLS = PORT_PROTOCOLS
"""All that NetworkPolicy speaks of; what it does to other protocols is not defined."""
FIRST, LAST = 1, LAST_PORT
WHOLE: Intervals = ((FIRST, LAST),)

KEPT = 1 << 14
"""How many results of each operation are kept: policies name the same few sets again and again."""


@dataclass(frozen=True, slots=True)
class Numbers(Collection[int]):
    """The port numbers of one protocol, ascending."""

    intervals: Intervals

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int) and any(a <= number <= b for a, b in self.intervals)

    def __iter__(self) -> Iterator[int]:
        for first, last in self.intervals:
            yield from range(first, last + 1)

    def __len__(self) -> int:
        return sum(last - first + 1 for first, last in self.intervals)


@dataclass(frozen=True, slots=True)
class PortSet:
    """A set of (protocol, number) pairs. Equal sets are equal values; an empty one is false.

    Numbers outside 1 to 65535 are left out.
    """

    tcp: Intervals = ()
    udp: Intervals = ()
    sctp: Intervals = ()
    _hash: int = field(init=False, repr=False, compare=False)
    """Kept: what two sets make together is looked up for every rule."""

    ALL: ClassVar[PortSet]
    NONE: ClassVar[PortSet]

    def __post_init__(self) -> None:
        for name in ("tcp", "udp", "sctp"):
            object.__setattr__(self, name, _merged(getattr(self, name)))
        object.__setattr__(self, "_hash", hash((self.tcp, self.udp, self.sctp)))

    def __hash__(self) -> int:
        return self._hash

    @classmethod
    def of(cls, protocol: str, *numbers: int) -> PortSet:
        """These numbers of one protocol.

        Raises:
            KeyError: `protocol` is none of TCP, UDP and SCTP.
        """
        return _of(_FIELDS[protocol], tuple((number, number) for number in numbers))

    @classmethod
    def span(cls, protocol: str, first: int = FIRST, last: int = LAST) -> PortSet:
        """The numbers from `first` to `last`, both inside; by default the whole protocol.

        Raises:
            KeyError: `protocol` is none of TCP, UDP and SCTP.
        """
        return _of(_FIELDS[protocol], ((first, last),))

    @classmethod
    def union_of(cls, sets: Iterable[PortSet]) -> PortSet:
        """What is in any of them."""
        found = PortSet.NONE
        for ports in sets:
            found = found.union(ports)
        return found

    @property
    def empty(self) -> bool:
        """Whether nothing is in it."""
        return not self

    def __bool__(self) -> bool:
        return bool(self.tcp or self.udp or self.sctp)

    def numbers(self, protocol: str) -> Numbers:
        """The numbers of one protocol; none for a protocol that is not TCP, UDP or SCTP."""
        field = _FIELDS.get(protocol)
        return Numbers(getattr(self, field) if field else ())

    def contains(self, protocol: str, number: int) -> bool:
        """Whether this one pair is in it."""
        return number in self.numbers(protocol)

    def covers(self, other: PortSet) -> bool:
        """Whether everything in `other` is in this set too."""
        return not other.subtract(self)

    def union(self, other: PortSet) -> PortSet:
        """What is in either."""
        if self is PortSet.ALL or not other:
            return self
        if other is PortSet.ALL or not self:
            return other
        return self if self is other else _union(self, other)

    def intersection(self, other: PortSet) -> PortSet:
        """What is in both."""
        if self is PortSet.ALL:
            return other
        if other is PortSet.ALL:
            return self
        return self if self is other else _intersection(self, other)

    def overlaps(self, other: PortSet) -> bool:
        """Whether anything is in both."""
        return any(
            a <= d and c <= b
            for mine, theirs in self.beside(other)
            for a, b in mine
            for c, d in theirs
        )

    def subtract(self, other: PortSet) -> PortSet:
        """What is in this set and not in `other`."""
        return self.intersection(other.complement())

    def complement(self) -> PortSet:
        """Every port that is not in it."""
        return _complement(self)

    __or__ = union
    __and__ = intersection
    __sub__ = subtract

    def beside(self, other: PortSet) -> Iterator[tuple[Intervals, Intervals]]:
        """The intervals of both, for each protocol in the order of `PROTOCOLS`."""
        yield self.tcp, other.tcp
        yield self.udp, other.udp
        yield self.sctp, other.sctp

    def __str__(self) -> str:
        """``TCP 80, 443, UDP 53``, or what is missing where that is shorter to say."""
        return _text(self)

    @property
    def pieces(self) -> int:
        """How many unbroken ranges it has."""
        return len(self.tcp) + len(self.udp) + len(self.sctp)


_FIELDS = {protocol: protocol.lower() for protocol in PROTOCOLS}


def _merged(intervals: Intervals) -> Intervals:
    """Sorted, clipped, with what touches joined: one form for each set."""
    if not intervals or (
        len(intervals) == 1 and FIRST <= intervals[0][0] <= intervals[0][1] <= LAST
    ):
        return intervals
    clipped = sorted((max(a, FIRST), min(b, LAST)) for a, b in intervals)
    found: list[Interval] = []
    for first, last in clipped:
        if first > last:
            continue
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return tuple(found)


def _common(ours: Intervals, theirs: Intervals) -> Intervals:
    pairs = ((max(a, c), min(b, d)) for a, b in ours for c, d in theirs)
    return tuple((first, last) for first, last in pairs if first <= last)


def _gaps(intervals: Intervals) -> Intervals:
    starts = (FIRST, *(last + 1 for _, last in intervals))
    ends = (*(first - 1 for first, _ in intervals), LAST)
    return tuple((a, b) for a, b in zip(starts, ends, strict=True) if a <= b)


def _told(protocol: str, intervals: Intervals) -> str:
    if intervals == WHOLE:
        return f"every {protocol} port"
    spans = (str(a) if a == b else f"{a}-{b}" for a, b in intervals)
    return f"{protocol} {', '.join(spans)}"


@lru_cache(KEPT)
def _of(field: str, intervals: Intervals) -> PortSet:
    return PortSet(**{field: intervals})


@lru_cache(KEPT)
def _union(one: PortSet, other: PortSet) -> PortSet:
    return PortSet(*(mine + theirs for mine, theirs in one.beside(other)))


@lru_cache(KEPT)
def _intersection(one: PortSet, other: PortSet) -> PortSet:
    return PortSet(*(_common(mine, theirs) for mine, theirs in one.beside(other)))


@lru_cache(KEPT)
def _complement(ports: PortSet) -> PortSet:
    return PortSet(*(_gaps(numbers) for numbers in (ports.tcp, ports.udp, ports.sctp)))


@lru_cache(KEPT)
def _text(ports: PortSet) -> str:
    if not ports:
        return "no port"
    missing = ports.complement()
    if not missing:
        return "every port"
    told = zip(PROTOCOLS, (ports.tcp, ports.udp, ports.sctp), strict=True)
    plain = ", ".join(_told(protocol, intervals) for protocol, intervals in told if intervals)
    if ports.tcp and ports.udp and ports.sctp and missing.pieces < ports.pieces:
        # A few ports of a protocol that is closed but for them are no exceptions of it.
        cut = [name for name in PROTOCOLS if missing.numbers(name)]
        if sum(len(missing.numbers(name)) for name in cut) < sum(
            len(ports.numbers(name)) for name in cut
        ):
            return f"every port but {missing}"
    return plain


PortSet.ALL = PortSet(WHOLE, WHOLE, WHOLE)
PortSet.NONE = PortSet()
