"""Resource quantities as apimachinery reads them: "500m", "1.5Gi", "2e3". Knows nothing of pods.

Rules: k8s.io/apimachinery pkg/api/resource/quantity.go (ParseQuantity, Value, MilliValue). An
amount is a whole number of nano units, so that sums stay exact.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from auditor.facts.wording import said

MILLI = 10**6
"""Nano units in a thousandth."""
UNIT = 10**9
"""Nano units in one."""
LARGEST = 2**63 - 1
"""Where upstream caps a value, in units."""

_QUANTITY = re.compile(
    r"(?P<sign>[+-]?)(?P<whole>[0-9]*)(?:\.(?P<part>[0-9]*))?"
    r"(?P<suffix>[numkMGTPE]?|[KMGTPE]i|[eE][+-]?[0-9]+)"
)
_POWERS = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_LONGEST = 256
_FARTHEST = 60
"""Exponents beyond are as good as this one: below a nano unit, or above the cap."""


class QuantityError(Exception):
    """What is written is no quantity. Never leaves the package."""


def parse(value: Any) -> int:
    """The quantity `value`, text or a number, in nano units; what is finer is rounded away from 0.

    Raises:
        QuantityError: the API server would refuse it.
    """
    if value is None:
        return 0
    if isinstance(value, str):
        return _parse(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise QuantityError(f"{said(value)} is no quantity")
    if isinstance(value, int) and value.bit_length() > _LONGEST:
        raise QuantityError("a number of that many digits is no quantity")
    return _parse(repr(value))


@lru_cache(maxsize=4096)
def _parse(text: str) -> int:
    found = _QUANTITY.fullmatch(text) if 0 < len(text) <= _LONGEST else None
    if not found:
        raise QuantityError(f"{said(text)} is no quantity")
    part = found["part"] or ""
    digits = int((found["whole"] + part) or "0")
    nano = _scaled(digits, len(part), found["suffix"])
    return -nano if found["sign"] == "-" else nano


def _scaled(digits: int, places: int, suffix: str) -> int:
    """`digits` with that many decimal places, times what the suffix stands for."""
    if suffix in _BINARY:
        return min(_rounded(digits << _BINARY[suffix], 9 - places), LARGEST * UNIT)
    power = _POWERS.get(suffix)
    if power is None:
        power = max(-_FARTHEST, min(_FARTHEST, int(suffix[1:])))
    return _rounded(digits, 9 + power - places)


def _rounded(number: int, power: int) -> int:
    """`number` times ten to that power, rounded up."""
    factor: int = 10 ** abs(power)
    return number * factor if power >= 0 else -(-number // factor)


def milli(nano: int) -> int:
    """`nano` in thousandths, rounded up: how CPU is counted."""
    return min(-(-nano // MILLI), LARGEST)


def units(nano: int) -> int:
    """`nano` in whole units, rounded up: how everything else is counted."""
    return min(-(-nano // UNIT), LARGEST)


def written_milli(amount: int) -> str:
    """So many thousandths in canonical form: ``"2"``, ``"250m"``."""
    return f"{amount}m" if amount % 1000 else str(amount // 1000)


def written_units(amount: int) -> str:
    """So many units, as of memory, in canonical form: whole, and with the largest suffix that loses
    nothing, a binary one where there is one: ``"64Mi"``, ``"1500M"``, ``"1001"``.
    """
    steps = [(suffix, 1 << power) for suffix, power in _BINARY.items()]
    decimal = [(suffix, 10**power) for suffix, power in _POWERS.items() if power >= 3]
    for suffix, size in (*reversed(steps), *reversed(decimal)):
        if amount and amount % size == 0:
            return f"{amount // size}{suffix}"
    return str(amount)
