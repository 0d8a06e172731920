"""Keeps an audit of a cluster current until it is told to end."""

from __future__ import annotations

import contextlib
import logging
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Protocol

from auditor.continuous.judge import Judge
from auditor.continuous.numbers import Followed, Numbers
from auditor.continuous.reports import Reports
from auditor.continuous.rhythm import Rhythm
from auditor.continuous.story import Story
from auditor.model import Audit, Snapshot
from auditor.policies.statements import today

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
"""How often to look whether something has changed."""


class Live(Followed, Protocol):
    """The cluster as it is: see `auditor.sources.watch.Watcher`."""

    @property
    def ready(self) -> bool:
        """Whether everything was seen once, or is known to be a gap."""

    @property
    def revision(self) -> int:
        """A number that grows with each change."""

    def snapshot(self) -> Snapshot:
        """The cluster, the same value until something changes."""


class EndedError(BaseException):
    """We were told to end. Nothing that only fears for its own work catches it."""


class Keeper:
    """Audits, and tells of it. Belongs to the main thread."""

    def __init__(
        self,
        live: Live,
        judge: Judge,
        numbers: Numbers,
        interval: float,
        reports: Reports | None = None,
    ) -> None:
        self._live = live
        self._judge = judge
        self._numbers = numbers
        self._reports = reports
        self._story = Story()
        self._rhythm: Rhythm[tuple[int, str, int]] = Rhythm(interval)

    def run(self) -> None:
        """Go on until SIGTERM or SIGINT, wherever that comes."""
        with contextlib.suppress(EndedError), _ended_by_signals() as is_told:
            while not is_told():
                self.look()
                time.sleep(LOOK_SECONDS)
        self._numbers.leaving = True
        log.info("ended, as it was told to")

    def look(self) -> None:
        """Do what is due."""
        if not self._live.ready:
            return
        # A waiver may end with the day, and the server be another, whatever happens in the cluster.
        state = self._live.revision, today().isoformat(), self._judge.version
        due = self._rhythm.due(state, time.monotonic())
        self._note()  # before the audit, which may last, or hang
        if due:
            self._audit()
            self._rhythm.audited(state, time.monotonic())
        if self._reports and self._reports.due():
            self._reports.keep()
        self._note()

    def _note(self) -> None:
        refused = self._reports.refused if self._reports else 0
        self._numbers.note(self._rhythm.unaudited_since, refused)

    def _audit(self) -> None:
        began = self._numbers.running_since = time.monotonic()
        try:
            audit = self._judge.audit(self._live.snapshot())
            self._tell(audit, began)
        except Exception as error:  # noqa: BLE001 - the next state of the cluster may be judged
            why = f"the last audit broke down: {_where(error)}"
            log.error(why)  # noqa: TRY400 - values may be secret
            self._numbers.failed(why)
        finally:
            self._numbers.running_since = None

    def _tell(self, audit: Audit, began: float) -> None:
        lines = self._story.tell(audit)
        if self._reports:
            self._reports.want(audit, self._story.unknown)
        self._numbers.audited(audit, time.time(), time.monotonic() - began)
        for line in lines:
            level = logging.WARNING if line.grave else logging.INFO
            log.log(level, line.what, extra={"fields": line.fields})


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[Callable[[], bool]]:
    """Within the block, the first SIGTERM or SIGINT raises EndedError in the midst of whatever is
    done: an audit of a large cluster takes longer than anybody waits. Where Python drops an error,
    in a finalizer, what is yielded says that it was told all the same.
    """
    told = False

    def end(_number: int, _frame: FrameType | None) -> None:
        nonlocal told
        told = True
        for number in before:
            signal.signal(number, signal.SIG_IGN)
        raise EndedError

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield lambda: told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _where(error: BaseException) -> str:
    """Where it broke; without the values, which may be secret."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {frame.name} ({Path(frame.filename).name}:{frame.lineno})"
