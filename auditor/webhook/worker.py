"""Judges requests one after the other in a thread of its own, within the time that each has.

Knows threads and blame; what is right or wrong, `decide` knows.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, Protocol, TypeVar

from auditor.declared import Admission
from auditor.model import Ref, Resource, Snapshot
from auditor.sources.watch import Stale
from auditor.webhook.court import Court
from auditor.webhook.decide import CannotJudgeError, decide, undecidable
from auditor.webhook.proposal import Proposal, proposal_of
from auditor.webhook.review import (
    Decision,
    RejectedError,
    Review,
    UndecidableError,
    decode,
    encode,
    glance,
)

log = logging.getLogger(__name__)

CLOSE_SECONDS = 2.0
"""How long the end waits for a judgement that was begun; its answer is no longer waited for."""

T = TypeVar("T")


class Live(Protocol):
    """The cluster as it is: `auditor.sources.watch.Watcher`, or anything that keeps a snapshot."""

    @property
    def ready(self) -> bool:
        """Whether everything was seen once."""

    @property
    def unread(self) -> tuple[str, ...]:
        """The lists that are still to be read for it."""

    @property
    def unready(self) -> str:
        """Why nobody should be sent here; empty where there is no reason."""

    @property
    def stale(self) -> tuple[Stale, ...]:
        """The kinds of which nothing was heard for longer than some policy bears."""

    def snapshot(self) -> Snapshot:
        """The cluster now; the same value until something changes."""

    def remember(self, resource: Resource) -> None:
        """Note that an object was admitted."""

    def forget(self, ref: Ref) -> None:
        """Note that the deletion of an object was admitted."""


@dataclass(frozen=True, slots=True)
class _Turn:
    """How far a request has come, as both threads see it."""

    abandoned: threading.Event = field(default_factory=threading.Event)
    """Nobody waits for the answer any more."""
    ours: threading.Event = field(default_factory=threading.Event)
    """What takes time now is the cluster, and not the object of the request."""


class Worker:
    """Asks the court, in one thread, so that health answers come between two judgements.

    The thread does not keep the process from ending: a judgement that never ends must not.
    """

    def __init__(self, court: Court, live: Live, terms: Admission) -> None:
        self._court = court
        self._live = live
        self._terms = terms
        self._tasks: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._began: float | None = None
        self._thread = threading.Thread(target=self._work, name="judge", daemon=True)
        self._thread.start()

    def busy_seconds(self) -> float:
        """For how long one judgement has been going on; 0 between two."""
        began = self._began
        return 0.0 if began is None else time.monotonic() - began

    def close(self) -> None:
        """Finish what was begun, unless it does not end."""
        self._tasks.put(None)
        self._thread.join(CLOSE_SECONDS)

    async def answer(self, body: bytes, deadline: float) -> bytes:
        """The AdmissionReview that answers the one in `body`, before the loop's clock shows
        `deadline`.

        Raises:
            RejectedError: the body is no review. CannotJudgeError: we cannot, whatever the object.
        """
        try:
            review, decision = await self._within(body, deadline)
        except UndecidableError as error:
            addressee = glance(body)
            if addressee is None:
                raise RejectedError(str(error)) from error
            return encode(*addressee, undecidable(self._terms.strictest(), error))
        return encode(review.uid, review.api_version, decision)

    async def _within(self, body: bytes, deadline: float) -> tuple[Review, Decision]:
        turn = _Turn()
        task = self._begin(lambda: self._decided(body, turn))
        waiting = asyncio.wrap_future(task)
        await asyncio.wait({waiting}, timeout=_left(deadline))
        if not waiting.done():
            turn.abandoned.set()
            begun = not task.cancel()
            waiting.cancel()
            if begun and not turn.ours.is_set():
                raise UndecidableError("judging it took longer than the API server waits", 504)
            raise CannotJudgeError("busy: the request waited until its deadline")
        error = waiting.exception()
        if error is None or isinstance(error, (RejectedError, CannotJudgeError, UndecidableError)):
            return waiting.result()
        raise await self._blamed(error, deadline) from error

    async def _blamed(
        self, error: BaseException, deadline: float
    ) -> CannotJudgeError | UndecidableError:
        """Whose fault it is when judging breaks down: ours, if the cluster without the object
        cannot be judged either; otherwise that of the object, and who sent it may have meant it.
        """
        frame = traceback.extract_tb(error.__traceback__)[-1]
        what = f"{type(error).__name__} in {frame.name}, line {frame.lineno}"  # values are secret
        log.error("judging broke down: %s", what)
        again = asyncio.wrap_future(self._begin(lambda: self._court.live(self._live.snapshot())))
        await asyncio.wait({again}, timeout=_left(deadline))
        if again.done() and again.exception():
            return CannotJudgeError(f"the cluster cannot be judged: {what}")
        return UndecidableError(f"judging it broke down: {what}")

    def _begin(self, task: Callable[[], T]) -> Future[T]:
        future: Future[T] = Future()
        self._tasks.put((future, task))
        return future

    def _work(self) -> None:
        while (item := self._tasks.get()) is not None:
            future, task = item
            if not future.set_running_or_notify_cancel():
                continue
            self._began = time.monotonic()
            try:
                future.set_result(task())
            except BaseException as error:  # noqa: BLE001 - whatever broke, the next one is judged
                future.set_exception(error)
            self._began = None

    def _decided(self, body: bytes, turn: _Turn) -> tuple[Review, Decision]:
        """What to answer. Admitted objects are noted here, before the next request is judged."""
        review = decode(body)
        live = self._live.snapshot()
        turn.ours.set()
        self._court.live(live)  # kept by the court
        turn.ours.clear()
        decision = decide(review, live, self._court, self._terms, self._live.stale)
        if decision.allowed and not review.dry_run and not turn.abandoned.is_set():
            self._note(review, live)
        return review, decision

    def _note(self, review: Review, live: Snapshot) -> None:
        with contextlib.suppress(UndecidableError):  # admitted all the same, in mode audit
            self._noted(proposal_of(review, live, self._court.settings.openings))

    def _noted(self, proposal: Proposal | None) -> None:
        if proposal is None or not proposal.followed:
            return
        if proposal.after is None:
            self._live.forget(proposal.ref)
        elif not proposal.ref.name.endswith("*"):
            self._live.remember(proposal.after)


def _left(deadline: float) -> float:
    return max(deadline - asyncio.get_running_loop().time(), 0)
