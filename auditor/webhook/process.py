"""One evaluator, as the process that answers sees it: started anew, asked, watched and ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import signal
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from auditor.policies.packages import package_for
from auditor.policies.workers import command_of, environment
from auditor.sources.watch.feed import Stale
from auditor.values import dataclass
from auditor.webhook.live import News
from auditor.webhook.marks import FEED, JUDGE
from auditor.webhook.slate import Slate

_LENGTH = struct.Struct("!Q")
MANY = 100
"""Objects from which on a feed is pickled in a thread: a whole cluster takes seconds."""
NEVER = -1
"""The revision of whoever was told nothing yet."""


class EndedError(Exception):
    """The evaluator is not there any more. The text says how it ended."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an evaluator says of a review."""

    status: int
    """The HTTP status to answer with."""
    body: bytes
    """The answer; where the status is not 200, why there is none."""
    told: dict[str, Any]
    """What is to be known of it: see `auditor.webhook.evaluator`."""


class Process:
    """One process that judges. Its methods belong to one event loop, and only one may be under way
    at a time.
    """

    def __init__(self, process: asyncio.subprocess.Process, slate: int) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._questions, self._answers = process.stdin, process.stdout
        self._slate = slate
        self._killed = False
        self._amid = False
        """Whether something was asked whose answer has not come: then what comes next is no answer
        to anything else."""
        self.revision = NEVER
        """Up to which it knows the cluster."""
        self.stale: tuple[Stale, ...] = ()
        """The kinds that it knows to be seen too late."""
        self.broken = ""
        """Why it cannot judge the cluster, where it cannot."""
        self.heard = 0
        """How many of all admissions it was told of."""
        self.confirm_at = float("inf")
        """When it has to confirm what was admitted, by the clock of the loop."""
        self.judging = False
        """Whether a review is being judged, and nothing of ours."""

    @classmethod
    async def start(cls, plan: bytes) -> Process:
        """A new process that has compiled the policies of the pickled `plan`.

        Raises:
            EndedError: it did not start.
        """
        try:
            started = cls(*await _spawned())
        except OSError as error:  # of files and of memory too
            raise EndedError(f"no process could be started: {error.strerror}") from error
        try:
            with started._exchange():
                await started._put(plan)
                await started._take()
        except BaseException:
            await started.end()
            raise
        return started

    async def take_over(self, news: News) -> dict[str, Any]:
        """Tell it what changed in the cluster, and wait until it has judged that; what it says.

        Raises:
            EndedError: it ended over it.
        """
        pickled = await _pickled(news)
        with self._exchange():
            await self._put(FEED, pickled)
            said: dict[str, Any] = orjson.loads(await self._take())
        self.broken = said["broken"]
        self.revision, self.stale = news.feed.revision, news.feed.stale
        return said

    async def judge(self, review: bytes, mark: bytes = JUDGE) -> Outcome:
        """What it says of a review, to what is asked by that mark.

        Raises:
            EndedError: it ended over it.
        """
        self.judging = True
        try:
            with self._exchange():
                await self._put(mark, review)
                told = orjson.loads(await self._take())
                return Outcome(told["status"], await self._take(), told)
        finally:
            self.judging = False

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._runs and not self._amid

    @property
    def _runs(self) -> bool:
        return self._process.returncode is None and not self._killed

    def resident(self) -> int:
        """How many bytes of memory it takes now; 0 where the system does not say."""
        with contextlib.suppress(OSError, ValueError, IndexError):
            pages = Path(f"/proc/{self.pid}/statm").read_text("ascii").split()[1]
            return int(pages) * os.sysconf("SC_PAGE_SIZE")
        return 0

    def asked(self, policies: tuple[str, ...]) -> str:
        """Which of the policies it was asking last, in words; empty where nobody knows."""
        names = {package_for(policy): policy for policy in policies}
        asked = [names[p] for p in Slate(self._slate).read() if p in names]
        return asked[0] if len(asked) == 1 else f"one of {len(asked)} policies" if asked else ""

    def kill(self) -> None:
        """End it at once, whatever it does. Whoever waits for it gets an EndedError."""
        if self._runs:
            self._killed = True
            with contextlib.suppress(ProcessLookupError):
                # Not Popen.kill(): that looks for the exit code, which the loop then misses.
                os.kill(self.pid, signal.SIGKILL)

    async def end(self) -> None:
        """End it, and keep nothing of it."""
        self.kill()
        self._questions.close()
        await self._process.wait()
        if self._slate >= 0:
            os.close(self._slate)
            self._slate = -1

    @contextlib.contextmanager
    def _exchange(self) -> Iterator[None]:
        """A question and its answer. Whoever leaves in between has spoiled the process."""
        self._amid = True
        yield
        self._amid = False

    async def _put(self, *parts: bytes) -> None:
        # At once: each write of its own would wake the other process for a few bytes.
        framed = [piece for part in parts for piece in (_LENGTH.pack(len(part)), part)]
        self._questions.write(b"".join(framed))
        try:
            await self._questions.drain()
        except OSError as error:
            raise await self._ended() from error

    async def _take(self) -> bytes:
        try:
            length = _LENGTH.unpack(await self._answers.readexactly(_LENGTH.size))[0]
            return await self._answers.readexactly(length)
        except (OSError, asyncio.IncompleteReadError) as error:
            raise await self._ended() from error

    async def _ended(self) -> EndedError:
        self.kill()
        code = await self._process.wait()
        return EndedError(f"signal {-code}" if code < 0 else f"exit code {code}")


async def _spawned() -> tuple[asyncio.subprocess.Process, int]:
    """A process, and the file of its slate."""
    with tempfile.TemporaryFile() as slate:
        number = slate.fileno()
        process = await asyncio.create_subprocess_exec(
            *command_of("auditor.webhook.evaluator"), str(number), env=environment(),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL, pass_fds=(number,),
        )  # fmt: skip
        return process, os.dup(number)


async def _pickled(news: News) -> bytes:
    """It can be read by others of us; others are answered while a whole cluster is pickled."""
    if len(news.feed.resources) < MANY:
        return pickle.dumps(news, pickle.HIGHEST_PROTOCOL)
    return await asyncio.to_thread(pickle.dumps, news, pickle.HIGHEST_PROTOCOL)
