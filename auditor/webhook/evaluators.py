"""The evaluators: as many as are asked for, and one more, which takes the place of any that ends
and in the meantime judges apart those whose objects keep ending them.

Knows time, order and blame. What we cannot do is a CannotJudgeError, which leaves the request to
the failurePolicy; what the object brought about is an UndecidableError, which does not.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import pickle
from collections.abc import Coroutine
from functools import partial
from typing import Any

from auditor.values import dataclass
from auditor.webhook.admissions import admitted_in, note
from auditor.webhook.confirming import Confirming
from auditor.webhook.decide import CannotJudgeError
from auditor.webhook.live import Admitted, Live
from auditor.webhook.marks import JUDGE
from auditor.webhook.metrics import Metrics
from auditor.webhook.plan import Plan
from auditor.webhook.process import NEVER, EndedError, Outcome, Process
from auditor.webhook.review import UndecidableError
from auditor.webhook.waiting import LEAST_SECONDS, SHARE, STRIKES, Ask, Strikes, Waiting

log = logging.getLogger(__name__)

TRIES = 3
"""How often a review is judged because another was admitted meanwhile: the last time, nothing else
is admitted until it is."""
PATIENCE_SECONDS = 0.2
"""How long a review waits for the one that judges before it, where two may interfere: what is
admitted first would make the judgement of the other worthless."""
NEWS_SECONDS = 0.25
"""How often idle evaluators are told what changed, so that the next request need not wait."""
AWAY = 8
"""Every so many times, those are told too that judged nothing of late: all at once costs them
hardly more than each change would.
"""
GRACE_SECONDS = 15.0
"""How long there may be none of them before we say so."""
_BUSY = "busy: the request waited until there was no time left to judge it"
_PAUSES = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Before a new one is started, by how many could not be or had no time to get warm."""


@dataclass(frozen=True, slots=True)
class Staff:
    """How many evaluators there are, and when one is ended."""

    workers: int = 2
    """Besides those that stand by."""
    standing_by: int = 1
    """They take the place of one that ends; 0 where a start may be waited for."""
    most_bytes: int = 512 * 1024 * 1024
    """Of memory, after an answer."""
    stuck_seconds: float = 120.0
    """After so long the judgement of the cluster is taken to have no end. Longer than that of a
    whole large one takes, or a new process would only begin it anew.
    """

    @property
    def all(self) -> int:
        """How many processes that is."""
        return self.workers + self.standing_by


class Evaluators:
    """Judges reviews in processes of their own. Its methods belong to one event loop."""

    def __init__(self, plan: Plan, live: Live, staff: Staff, metrics: Metrics) -> None:
        self._plan = pickle.dumps(plan, pickle.HIGHEST_PROTOCOL)
        self._names = tuple(policy.id for policy in plan.bench.policies)
        self._live = live
        self._staff = staff
        self._metrics = metrics
        self._waiting = Waiting()
        self._loop = asyncio.get_running_loop()
        self._strikes = Strikes(self._loop.time)
        self._confirming = Confirming(live, self._loop.time, metrics.races)
        self._all: list[Process] = []
        self._idle: set[Process] = set()
        self._busy: dict[Process, float] = {}
        """Those that judge, less the one that stands by, and since when."""
        self._last: Process | None = None
        """Who judged last: what was admitted then, it knows."""
        self._again: asyncio.TimerHandle | None = None
        self._interfering = any(policy.facts for policy in plan.bench.policies)
        self._parted: set[Process] = set()
        self._big = 0
        self._admissions = 0
        self._noting = asyncio.Lock()
        self._failures = 0
        self._warm_at: float | None = None
        self._starting = 0
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False

    @property
    def begun(self) -> bool:
        """Whether one of them ever had judged the cluster: from then on, requests wait for one."""
        return self._warm_at is not None

    @property
    def warm(self) -> bool:
        """Whether one of them has judged the cluster, or had a moment ago: the next will soon."""
        now = self._loop.time()
        if any(process.revision != NEVER for process in self._all):
            self._warm_at = now
        return self._warm_at is not None and now - self._warm_at < GRACE_SECONDS

    @property
    def waiting(self) -> int:
        """How many reviews wait for one of them."""
        return len(self._waiting)

    def start(self) -> None:
        """Begin to start them, and to keep them told of the cluster."""
        self._fill()
        self._run(self._tend())

    async def close(self) -> None:
        """End them all."""
        self._closed = True
        if self._again:
            self._again.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(process.end() for process in (*self._all, *self._parted)))
        self._all.clear()

    def figures(self) -> list[int]:
        """How many bytes of memory each takes, the one that stands by last."""
        return [process.resident() for process in self._all]

    async def answer(
        self, body: bytes, deadline: float, mark: bytes = JUDGE, peer: str = ""
    ) -> Outcome:
        """What one of them says of the review in `body`, before the loop's clock shows `deadline`,
        to what is asked by that mark. `peer`: whence it came, where who asks cannot be believed.

        Raises:
            CannotJudgeError: we cannot, whatever the object.
            UndecidableError: the object kept us from it.
        """
        ask = Ask(body, deadline, mark, peer)
        try:
            async with asyncio.timeout_at(deadline):
                return await self._answered(ask)
        except TimeoutError:
            raise self._late(ask) from None
        finally:
            ask.abandoned = True

    def _late(self, ask: Ask) -> CannotJudgeError | UndecidableError:
        """Whose fault it is that there was no time."""
        if self._strikes.out(ask.who):
            why = "earlier objects of the same user took all the time that there is for them"
            return UndecidableError(why, 429)
        return CannotJudgeError(_BUSY)

    async def _answered(self, ask: Ask) -> Outcome:
        for _ in range(TRIES):
            process = await self._free(ask)
            session = self._run(self._session(process, ask))
            try:
                return await asyncio.shield(session)
            except EndedError as ended:
                log.warning("an evaluator ended over a review: %s", ended)
                self._strikes.add(ask.who)
                if self._strikes.out(ask.who):
                    raise UndecidableError(f"judging it ended two processes: {ended}") from ended
            except _LostError as lost:
                log.warning("an evaluator ended before it was asked: %s", lost)
        raise CannotJudgeError("the processes that judge keep ending")

    async def _free(self, ask: Ask) -> Process:
        """A free evaluator, whom the caller has to give back."""
        ask.renew()
        self._waiting.add(ask)
        self._pump()
        try:
            return await ask.process
        except asyncio.CancelledError:
            self._waiting.drop(ask)
            if ask.process.done() and not ask.process.cancelled():
                self._give_back(ask.process.result(), ask)
            raise

    def _pump(self) -> None:
        """Give every free evaluator the next review that may be judged there."""
        free = [each for each in self._all if each in self._idle and each.revision != NEVER]
        for process in sorted(free, key=lambda each: each is not self._last):
            apart = self._all.index(process) >= self._staff.workers
            if not apart and self._is_to_wait():
                continue
            ask = self._waiting.next(partial(self._fits, apart=apart))
            if ask is not None:
                self._idle.discard(process)
                if not apart:
                    self._busy[process], self._last = self._loop.time(), process
                self._big += ask.is_big
                ask.process.set_result(process)

    def _is_to_wait(self) -> bool:
        """Whether one judges that will be through in a moment; else another begins beside it."""
        if not self._interfering or not self._busy or not len(self._waiting):
            return False
        until = max(self._busy.values()) + PATIENCE_SECONDS
        if until <= self._loop.time():
            return False
        if self._again is None:
            self._again = self._loop.call_at(until, self._pump_again)
        return True

    def _pump_again(self) -> None:
        self._again = None
        self._pump()

    def _fits(self, ask: Ask, *, apart: bool) -> bool:
        if ask.is_big and self._big:
            return False
        return not self._staff.standing_by or self._strikes.out(ask.who) is apart

    def _give_back(self, process: Process, ask: Ask | None = None) -> None:
        self._busy.pop(process, None)
        if process.revision != NEVER:
            self._warm_at = self._loop.time()
        if ask:
            self._big -= ask.is_big
        if not process.alive:
            self._part_with(process, "ended")
        elif process.resident() > self._staff.most_bytes:
            self._part_with(process, "too large")
        else:
            self._idle.add(process)
        self._pump()

    def _part_with(self, process: Process, why: str) -> None:
        self._metrics.ended.add(why=why)
        self._last = None if self._last is process else self._last
        self._all.remove(process)
        self._parted.add(process)
        self._run(self._end(process))
        self._fill()

    async def _end(self, process: Process) -> None:
        await process.end()
        self._parted.discard(process)

    async def _session(self, process: Process, ask: Ask) -> Outcome:
        """Judge a review until it is judged with all that was admitted before it."""
        try:
            for tried in range(1, TRIES + 1):
                async with self._noting if tried == TRIES else contextlib.nullcontext():
                    seen = self._admissions
                    await self._tell(process)
                    if process.broken or ask.abandoned:
                        return Outcome(500, process.broken.encode(), {})
                    outcome = await self._judged(process, ask)
                    if await self._noted(outcome, seen, ask, alone=tried == TRIES):
                        return outcome
                    self._metrics.judged_again.add()
            raise AssertionError("the last time, nothing comes between")
        finally:
            self._give_back(process, ask)

    async def _tell(self, process: Process) -> None:
        """Tell it what changed in the cluster, if something did, and have it confirm what is due.

        Raises:
            _LostError: it ended over that, which is not the fault of any review.
        """
        try:
            async with asyncio.timeout(self._staff.stuck_seconds):
                await self._told(process)
        except TimeoutError:
            process.kill()
            raise _LostError("the judgement of the cluster does not end") from None
        except EndedError as ended:
            raise _LostError(f"over the cluster: {ended}") from ended
        except Exception as error:  # whoever knows half of the cluster must not judge
            process.kill()
            raise _LostError(f"telling it broke down ({type(error).__name__})") from error

    async def _told(self, process: Process) -> None:
        feed = self._live.feed(process.revision)
        same = (feed.revision, feed.stale) == (process.revision, process.stale)
        if not same or self._confirming.needs(process):
            said = await process.take_over(self._confirming.news(process, feed))
            self._confirming.heard(process, said)

    async def _judged(self, process: Process, ask: Ask) -> Outcome:
        began = self._loop.time()
        left = ask.deadline - began
        if left < LEAST_SECONDS:
            raise CannotJudgeError(_BUSY)
        with contextlib.suppress(TimeoutError):
            try:
                async with asyncio.timeout(left * SHARE):
                    return await process.judge(ask.body, ask.mark)
            finally:
                ask.spent += self._loop.time() - began
        raise self._slow(process, ask)

    def _slow(self, process: Process, ask: Ask) -> CannotJudgeError | UndecidableError:
        """Whose fault it is that this judgement, which ends here, found no end."""
        slow = process.asked(self._names)
        process.kill()
        if not ask.had_its_time:
            return CannotJudgeError(_BUSY)
        self._strikes.add(ask.who, STRIKES)
        told = f"judging it took longer than {ask.spent:.1f} seconds"
        return UndecidableError(f"{told}, at last by {slow}" if slow else told, 504)

    async def _noted(self, outcome: Outcome, seen: int, ask: Ask, *, alone: bool) -> bool:
        """Whether the outcome holds; where it admits an object, that is then noted.

        It does not hold where another was admitted since it was judged: each of two may be right
        without the other.
        """
        admitted = admitted_in(outcome)
        if admitted is None:
            return True
        async with contextlib.nullcontext() if alone else self._noting:
            if seen != self._admissions and not outcome.told["alone"]:
                return False
            if not ask.abandoned:
                self._note(*admitted, alone=outcome.told["alone"])
            return True

    def _note(self, admitted: Admitted, manifest: Any, *, alone: bool) -> None:
        self._admissions += 1
        note(self._live, admitted.ref, manifest)
        if not alone:
            self._confirming.note(admitted)

    async def _tend(self) -> None:
        """Keep the idle ones told, and start the missing ones."""
        for turn in itertools.count():
            await asyncio.sleep(NEWS_SECONDS)
            if self._live.ready:
                for process in tuple(self._idle):
                    away = self._last not in (None, process) and process.revision != NEVER
                    if not away or turn % AWAY == 0:
                        self._tell_aside(process)

    def _tell_aside(self, process: Process) -> None:
        async def told() -> None:
            try:
                await self._tell(process)
            except _LostError as lost:
                log.warning("an evaluator ended that judged no review: %s", lost)
            self._failures = 0 if process.alive else self._failures + 1
            self._give_back(process)

        self._idle.discard(process)
        self._run(told())

    def _fill(self) -> None:
        """Start as many as are missing."""
        while not self._closed and len(self._all) + self._starting < self._staff.all:
            self._starting += 1
            self._run(self._hire())

    async def _hire(self) -> None:
        """Start one more."""
        await asyncio.sleep(_PAUSES[min(self._failures, len(_PAUSES) - 1)])
        try:
            process = await Process.start(self._plan)
        except Exception as error:  # noqa: BLE001 - or there would be one less for ever
            why = str(error) if isinstance(error, EndedError) else type(error).__name__
            log.warning("an evaluator did not start: %s", why)
            self._failures += 1
            self._starting -= 1
            self._fill()
            return
        self._starting -= 1
        self._all.append(process)
        if self._live.ready:
            self._tell_aside(process)
        else:
            self._idle.add(process)

    def _run(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error and not isinstance(error, _FORESEEN):
            log.error("an evaluator's work broke down (%s)", type(error).__name__)


class _LostError(Exception):
    """An evaluator ended for no fault of the review that it was to judge."""


_FORESEEN = (CannotJudgeError, UndecidableError, EndedError, _LostError)
"""What whoever waits for a task is told of."""
