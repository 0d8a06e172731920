"""The addresses outside the cluster: one for each set of them that rules treat alike.

Public is what the special-purpose address registries of IANA leave (RFC 6890), of IPv6 inside of
2000::/3, which is all that has been given out.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from itertools import pairwise

from auditor.facts.network.policies import Block, PolicyRule
from auditor.values import dataclass

IPNetwork = IPv4Network | IPv6Network
Range = tuple[int, int]
"""The first address as a number, and the first one after it."""

PRIVATE = tuple(
    map(
        ip_network,
        (
            "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8",
            "169.254.0.0/16", "fc00::/7", "fe80::/10", "::1/128",
        ),
    )
)  # fmt: skip
"""Addresses of one's own network or machine: RFC 1918, 6598, 1122, 3927, 4193, 4291."""

_SPECIAL = (
    *PRIVATE,
    *map(
        ip_network,
        (
            "0.0.0.0/8", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24",
            "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
            "::/3", "4000::/2", "8000::/1", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
        ),
    ),
)  # fmt: skip
"""Further ones at which nobody on the internet is: protocols, documentation, tests, multicast."""


_MAPPED = ip_network("::ffff:0:0/96")
"""IPv4 addresses in the dress of IPv6: the same addresses once more."""


@dataclass(frozen=True, slots=True)
class Span:
    """Addresses without a gap, of one family."""

    first: IPv4Address | IPv6Address
    last: IPv4Address | IPv6Address

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"

    def meets(self, after: Span) -> bool:
        """Whether `after` begins where this one ends."""
        same = self.last.version == after.first.version
        return same and int(self.last) + 1 == int(after.first)


def spans(blocks: Iterable[Block], nodes: Iterable[IPv4Address | IPv6Address]) -> Iterator[Span]:
    """All addresses, cut where a block or a hole in one begins or ends, and around each node; IPv4
    first, ascending.
    """
    networks = [net for block in blocks for net in (block.cidr, *block.excluded)]
    networks += [*map(ip_network, nodes), _MAPPED]
    for version, kind in ((4, IPv4Address), (6, IPv6Address)):
        end = 1 << (32 if version == 4 else 128)
        ends = {e for net in networks if net.version == version for e in _range(net)}
        for first, after in pairwise(sorted({0, end, *ends})):
            if version == 4 or kind(first) not in _MAPPED:
                yield Span(kind(first), kind(after - 1))


def ends_of(blocks: Iterable[Block]) -> dict[int, list[int]]:
    """Family → where a block or a hole in one begins, or what follows begins, ascending."""
    networks = [net for block in blocks for net in (block.cidr, *block.excluded)]
    return {
        version: sorted({e for net in networks if net.version == version for e in _range(net)})
        for version in (4, 6)
    }


def is_private(network: IPNetwork) -> bool:
    """Whether all of it is of one's own network or machine."""
    address, bits = network.network_address, network.prefixlen
    return any(address in private and bits >= private.prefixlen for private in PRIVATE)


def representatives(rules: Sequence[PolicyRule]) -> tuple[str, ...]:
    """A public address for each set of them that `rules` do not tell apart; at least one, IPv4
    before IPv6. Costs what sorting the blocks of the rules costs, and one look at each rule for
    each end of a block.
    """
    found: dict[tuple[bool, ...], str] = {}
    for version, kind in ((4, IPv4Address), (6, IPv6Address)):
        named = [_merged(_ranges(rule, version)) for rule in rules]
        special = _merged(_range(net) for net in _SPECIAL if net.version == version)
        ends = {end for ranges in (special, *named) for pair in ranges for end in pair}
        for number in sorted(ends - {1 << (32 if version == 4 else 128)}):
            if not _holds(special, number):
                told_by = tuple(_holds(ranges, number) for ranges in named)
                found.setdefault(told_by, str(kind(number)))
    return tuple(found.values())


def _ranges(rule: PolicyRule, version: int) -> Iterator[Range]:
    for block in rule.peers:
        if isinstance(block, Block) and block.cidr.version == version:
            first, after = _range(block.cidr)
            for start, end in _merged(map(_range, block.excluded)):
                yield first, start
                first = end
            yield first, after


def _range(network: IPNetwork) -> Range:
    return int(network.network_address), int(network.broadcast_address) + 1


def _merged(ranges: Iterable[Range]) -> list[Range]:
    """Sorted, without empty ones, and with what touches joined."""
    found: list[Range] = []
    for first, after in sorted(ranges):
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], after))
        elif first < after:
            found.append((first, after))
    return found


def _holds(ranges: Sequence[Range], number: int) -> bool:
    at = bisect_right(ranges, (number, 1 << 129)) - 1
    return at >= 0 and number < ranges[at][1]
