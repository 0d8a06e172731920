"""What a plain YAML scalar means to Kubernetes. Knows nothing of documents or files.

The oracle is kubectl, which reads YAML 1.1 with the rules of go-yaml v2 and hands it on as JSON:
`yes` is true, `0o14` and `014` are 12, `12:30:45` and `2001-01-01` are texts, `1.0` is 1.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from math import isfinite

Scalar = str | int | float | bool | None

_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(
        ("y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE"), True
    ),
    **dict.fromkeys(
        ("n", "N", "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE"), False
    ),
}
_UNSPEAKABLE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WHOLE = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_LOOSE = re.compile(r"(?<![0-9])_|_(?![0-9])")
"""An underscore that does not part digits. Go forbids it behind a leading point only."""
_NUMERIC_STARTS = frozenset("0123456789+-.")
_LONGEST = 100
"""How many digits are read. Python refuses more than 4,300; zeros may lead."""
_INT64 = range(-(2**63), 2**63)
_UINT64 = range(2**64)


class NotInJsonError(ValueError):
    """A scalar that JSON, and so the API server, cannot hold."""


def plain(text: str) -> Scalar:
    """The value of an unquoted, untagged scalar.

    Raises:
        NotInJsonError: it is infinite or not a number.
    """
    if text[:1] not in _NUMERIC_STARTS:
        return _WORDS.get(text, text)
    if _UNSPEAKABLE.fullmatch(text):
        raise NotInJsonError(f"'{text}' is no number that JSON can hold")
    return _number(text)


@lru_cache(maxsize=8192)
def _number(text: str) -> Scalar:
    if text[0] == "." and _LOOSE.search(text):
        return text
    bare = text.replace("_", "")
    whole = _WHOLE.fullmatch(bare)
    if whole and len(bare) <= _LONGEST:
        number = _whole(whole)
        if number in _INT64:
            return number
        if number in _UINT64:
            return float(number)
    if _FLOAT.fullmatch(bare) and isfinite(float(bare)):
        return as_json(float(bare))
    return text


def _whole(match: re.Match[str]) -> int:
    sign, sixteen, two, eight, ten = match.groups()
    digits, base = next((d, b) for d, b in ((sixteen, 16), (two, 2), (eight, 8), (ten, 10)) if d)
    return int(sign + digits, base)


def as_json(number: float) -> int | float:
    """The number as it comes back from JSON, where Go writes whole ones without a fraction."""
    return int(number) if number.is_integer() and int(number) in _INT64 else number


def key_text(text: str, *, quoted: bool) -> str:
    """A mapping's key as text: `1` and `yes` are "1" and "true" in JSON.

    Raises:
        NotInJsonError: it is null, or too large for a whole number.
    """
    if quoted:
        return text
    if _UNSPEAKABLE.fullmatch(text):
        return text.lower().removeprefix("+")
    value = plain(text)
    if isinstance(value, str):
        return value
    if value is None:
        raise NotInJsonError("a key is null")
    return _number_text(text, value)


def _number_text(text: str, value: int | float) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if _WHOLE.fullmatch(text.replace("_", "")):
        if isinstance(value, float):
            raise NotInJsonError(f"the key {text} is too large a number")
        return str(value)
    return _shortest(float(value))


def _shortest(number: float) -> str:
    """As Go's %g: the fewest digits, with an exponent below -4 and from 21 on, or from 6 on."""
    decimal = Decimal(repr(number)).normalize()
    exponent = decimal.adjusted() if number else 0
    if -4 <= exponent < 6:
        return format(decimal, "f") if number else "0"
    sign, digits, _ = decimal.as_tuple()
    mantissa = "".join(map(str, digits))
    fraction = f".{mantissa[1:]}" if mantissa[1:] else ""
    return f"{'-' if sign else ''}{mantissa[0]}{fraction}e{exponent:+03d}"
