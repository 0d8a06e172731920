"""Judges requests one after the other in a thread of its own, within the time that each has.

Knows threads and blame; what is right or wrong, `decide` knows.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from auditor.model import Ref, Resource, Severity, Snapshot
from auditor.webhook.court import Court
from auditor.webhook.decide import CannotJudgeError, Mode, case_of, decide, undecidable
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


class Live(Protocol):
    """The cluster as it is: `auditor.sources.watch.Watcher`, or anything that keeps a snapshot."""

    @property
    def ready(self) -> bool:
        """Whether everything was seen once."""

    def snapshot(self) -> Snapshot:
        """The cluster now; the same value until something changes."""

    def remember(self, resource: Resource) -> None:
        """Note that an object was admitted."""

    def forget(self, ref: Ref) -> None:
        """Note that the deletion of an object was admitted."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What to do about what is found."""

    mode: Mode = Mode.DENY
    fail_on: Severity = Severity.HIGH


class Bench:
    """Asks the court, in one thread, so that health answers stay prompt."""

    def __init__(self, court: Court, live: Live, rules: Rules) -> None:
        self._court = court
        self._live = live
        self._rules = rules
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="judge")

    def close(self) -> None:
        """Finish what was begun."""
        self._worker.shutdown(wait=True, cancel_futures=True)

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
            return encode(*addressee, undecidable(self._rules.mode, error))
        return encode(review.uid, review.api_version, decision)

    async def _within(self, body: bytes, deadline: float) -> tuple[Review, Decision]:
        left = deadline - asyncio.get_running_loop().time()
        abandoned = threading.Event()
        case = self._worker.submit(self._decided, body, abandoned)
        waiting = asyncio.wrap_future(case)
        await asyncio.wait({waiting}, timeout=max(left, 0))
        if not waiting.done():
            abandoned.set()
            begun = not case.cancel()
            waiting.cancel()
            if begun:
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
        again = asyncio.wrap_future(self._worker.submit(self._without))
        left = deadline - asyncio.get_running_loop().time()
        await asyncio.wait({again}, timeout=max(left, 0))
        if again.done() and again.exception():
            return CannotJudgeError(f"the cluster cannot be judged: {what}")
        return UndecidableError(f"judging it broke down: {what}")

    def _without(self) -> None:
        self._court.live(self._live.snapshot())

    def _decided(self, body: bytes, abandoned: threading.Event) -> tuple[Review, Decision]:
        """What to answer. Admitted objects are noted here, before the next request is judged."""
        review = decode(body)
        live = self._live.snapshot()
        decision = decide(review, live, self._court, self._rules.mode, self._rules.fail_on)
        if decision.allowed and not review.dry_run and not abandoned.is_set():
            self._note(review, live)
        return review, decision

    def _note(self, review: Review, live: Snapshot) -> None:
        case = case_of(review, live)
        if case is None:
            return
        if case.after is None:
            self._live.forget(case.ref)
        elif not case.ref.name.endswith("*"):
            self._live.remember(case.after)
