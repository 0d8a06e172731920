"""Log lines as JSON or as text, written by a thread of their own: whoever reads them too slowly
loses some, and never holds up an answer.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from logging.handlers import QueueHandler, QueueListener
from typing import TextIO

import orjson

from auditor.credentials import told as without_credentials
from auditor.text import escaped

MOST_WAITING = 10_000
"""Lines that nobody took yet."""


class Lines(logging.Formatter):
    """One JSON object a line. What control characters a message has are escaped by that."""

    def format(self, record: logging.LogRecord) -> str:
        """See logging."""
        told = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[0]:  # its text may hold values, which are secret
            told["error"] = record.exc_info[0].__name__
        return orjson.dumps(told, default=str).decode()


class Prose(logging.Formatter):
    """One line for people: when, how grave, what, and the fields beside it. Nothing in it can act
    on a terminal, or is a credential.
    """

    def format(self, record: logging.LogRecord) -> str:
        """See logging."""
        fields: Mapping[str, object] = getattr(record, "fields", {})
        words = " ".join(str(value) for value in fields.values() if value != "")
        said = f"{record.getMessage()}: {words}" if words else record.getMessage()
        if record.exc_info and record.exc_info[0]:  # its text may hold values, which are secret
            said = f"{said} ({record.exc_info[0].__name__})"
        return f"{_time(record)} {record.levelname.lower()} {escaped(without_credentials(said))}"


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


class _Aside(QueueHandler):
    """Hands every line over, and drops those for which there is no room."""

    def __init__(self, lines: queue.Queue[logging.LogRecord], lost: Callable[[], None]) -> None:
        super().__init__(lines)
        self._lost = lost

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """As it is: it stays in this process."""
        return record

    def enqueue(self, record: logging.LogRecord) -> None:
        """See logging."""
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            self._lost()


class _Out(logging.StreamHandler[TextIO]):
    """Writes lines; one that cannot be written is lost like one for which there is no room."""

    def __init__(self, stream: TextIO, lost: Callable[[], None]) -> None:
        super().__init__(stream)
        self._lost = lost

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 - logging's name
        """Where standard error is gone, a traceback on it would help nobody."""
        self._lost()


@contextlib.contextmanager
def structured(
    lost: Callable[[], None],
    stream: TextIO | None = None,
    form: logging.Formatter | None = None,
) -> Iterator[None]:
    """Within the block, whatever is logged goes to `stream` (standard error) as JSON lines, or in
    another form. `lost` is called for each that could not.
    """
    out = _Out(stream or sys.stderr, lost)
    out.setFormatter(form or Lines())
    lines: queue.Queue[logging.LogRecord] = queue.Queue(MOST_WAITING)
    listener = QueueListener(lines, out)
    aside, root = _Aside(lines, lost), logging.getLogger()
    root.addHandler(aside)
    root.setLevel(logging.INFO)
    listener.start()
    try:
        yield
    finally:
        root.removeHandler(aside)
        _end(listener)


def _end(listener: QueueListener) -> None:
    """Write what is left, unless nobody reads it: that must not keep the process from ending."""
    thread = listener._thread  # noqa: SLF001 - stop() would wait for ever
    with contextlib.suppress(queue.Full):
        listener.enqueue_sentinel()
    if thread is not None:
        thread.join(1.0)
