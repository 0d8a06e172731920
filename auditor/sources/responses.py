"""What an HTTP response of an API server holds: its body in time, its numbers, its reasons."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import Any


def whole_body(response: Any, deadline: float) -> bytes:
    """The whole body. Who sends it byte by byte is heard until the deadline: a time limit for each
    of them, which is all that a socket has, would never end.
    """
    alarm = threading.Timer(max(deadline - time.monotonic(), 0), hang_up, (response,))
    alarm.daemon = True
    alarm.start()
    try:
        return b"".join(response.stream(1 << 16))
    finally:
        alarm.cancel()


def hang_up(response: Any) -> None:
    """End a response from another thread."""
    with suppress(ValueError, RuntimeError, OSError):  # it has ended already
        response.shutdown()


def retry_seconds(text: str | None) -> float | None:
    """A header like Retry-After; None where it is no number."""
    return float(text) if text and text.isdecimal() else None


def number(text: Any) -> int:
    """The leading digits: managed clusters call their minor version ``36+``."""
    digits = str(text).rstrip("+")
    return int(digits) if digits.isdecimal() else 0


def words(error: BaseException) -> str:
    """The reason alone, on one line, without the objects that urllib3 puts before it."""
    said = " ".join(str(getattr(error, "reason", None) or error).split())
    return said.rpartition("): ")[2] or type(error).__name__
