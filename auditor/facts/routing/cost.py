"""What the way of requests costs in milliseconds and money: only from what somebody declared.

A request is one round trip. A month has 30 days, and a gigabyte 10^9 bytes, as bills have it.
"""

from __future__ import annotations

from auditor.declared import Latency
from auditor.facts.routing.load import Load

SECONDS_A_MONTH = 30 * 24 * 3600
GIGABYTE = 10**9


def latency_of(load: Load, trips: Latency) -> float | None:
    """The expected milliseconds of a request on its way; None where labels do not tell the way, or
    nobody is answered.
    """
    answered = sum(load.levels.values())
    if load.untold or not answered:
        return None
    return sum(trips.of(level) * part for level, part in load.levels.items()) / answered


def price_a_month(
    load: Load, requests_a_second: float, bytes_each: float, gigabyte: float
) -> float | None:
    """What traffic between zones costs in 30 days: λ · β · P(cross-zone) · price, where a request
    and its answer are so many bytes together. None where zones are not known.
    """
    if load.cross_zone is None:
        return None
    sent = requests_a_second * SECONDS_A_MONTH * bytes_each * load.cross_zone
    return sent / GIGABYTE * gigabyte
