"""Asks policies in processes of their own: several at once where there is much to judge, and with a
deadline for each policy on each object.

The workers are started anew and not forked, so that threads of ours, and systems that cannot fork
safely, do not matter. They are told modules and documents, and tell findings: an object, its
facts and its place stay here.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import weakref
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice
from typing import Protocol, TypeVar

import orjson

from auditor.policies.answers import Answer, answer_of
from auditor.policies.engine import EvaluationError, PolicyEngine, RawFinding
from auditor.policies.ours import is_ours
from auditor.policies.wire import Asked, EndedError, put, put_questions, take, take_answer
from auditor.values import dataclass

SECONDS = 3.0
"""How much CPU time one policy may take for one object."""
PATIENCE = 3
"""On how many objects a policy may exceed its time before no more are tried."""
MANY = 300
"""From how many questions on workers are started: most likely there are many more to come, and
what waits until the workers are there the asking thread answers where it has nothing else to do.
"""
BATCH = 32
"""How many questions a worker is given at once."""
DEEP = 48
"""So many batches wait for each worker, or for it to start, before the asking thread answers one
itself: first it asks, since nobody else can do that.
"""
AHEAD = 64
"""So many batches of each worker at most wait for one that has no answer yet."""
BUFFER = 1 << 18
"""Bytes that are read of a worker at once, which wakes the reading thread less often."""
MOST_WORKERS = 4
_LATE = (-signal.SIGPROF, -signal.SIGALRM)
_KEPT = ("PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")


class Posed(Protocol):
    """A question: see `auditor.policies.judge.Question`."""

    @property
    def packages(self) -> tuple[str, ...]:
        """Who is asked."""

    @property
    def document(self) -> bytes | EvaluationError:
        """What is asked about, or why that cannot be asked."""


P = TypeVar("P", bound=Posed)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a worker is told before it is asked anything."""

    engine: str
    modules: Mapping[str, str]
    seconds: float = SECONDS

    @property
    def told(self) -> bytes:
        """In JSON."""
        return orjson.dumps(
            {"engine": self.engine, "modules": dict(self.modules), "seconds": self.seconds}
        )


def apart(engine: str, here: PolicyEngine, modules: Mapping[str, str]) -> Apart:
    """The engine of this name that was compiled `here`, in processes of their own: always where
    somebody else's policies are among the modules.
    """
    return Apart(here, Plan(engine, modules, SECONDS), always=not all(map(is_ours, modules)))


class Apart:
    """An engine that asks its policies in other processes where that pays; or `always`, so that no
    policy can hold up the audit for ever.
    """

    def __init__(self, here: PolicyEngine, plan: Plan, *, always: bool) -> None:
        self.name, self.version = here.name, here.version
        self._here = here
        self._plan = plan
        self._always = always
        self._mine = threading.local()
        self._late: Counter[str] = Counter()
        self._crew: _Crew | None = None

    def expect(self, objects: int) -> None:
        """So many objects are about to be read and asked about: where that is worth workers, they
        start meanwhile.
        """
        if objects >= MANY and _cores() > 1 and not self._crew:
            self._crew = self._started()

    def evaluate(self, package: str, document: bytes) -> list[RawFinding]:
        """See PolicyEngine."""
        return self.evaluate_all((package,), document)[package]

    def evaluate_all(
        self, packages: tuple[str, ...], document: bytes
    ) -> Mapping[str, list[RawFinding]]:
        """See PolicyEngine."""
        if not self._always:
            return self._here.evaluate_all(packages, document)
        answer = self._asked([(packages, document)])[0]
        for said in answer.values():
            if isinstance(said, EvaluationError):
                raise said
        return {package: said for package, said in answer.items() if isinstance(said, list)}

    def answers(self, posed: Iterable[P]) -> Iterator[tuple[P, Answer]]:
        """The answer to each question, in their order: the same as asking here one by one, but for
        a policy that takes longer than it may or breaks its engine, which is then named.
        """
        crew, self._crew = self._crew, None
        ahead, enough = iter(posed), BATCH if self._always or crew else MANY
        try:
            first = list(islice(ahead, enough))
            if len(first) < enough or _cores() < 2:
                yield from self._one_by_one(chain(first, ahead))
            else:
                crew = crew or self._started()
                yield from self._side_by_side(crew, first, ahead)
        finally:
            if crew:
                crew.end()

    def _one_by_one(self, posed: Iterable[P]) -> Iterator[tuple[P, Answer]]:
        """In this thread."""
        for one in posed:
            yield one, self._batch((one,))[0]

    def _started(self) -> _Crew:
        """Workers, each with the thread that talks to it. They start by themselves."""
        helpers = min(_cores() - (not self._always), MOST_WORKERS)
        team, threads = _Team(), ThreadPoolExecutor(helpers)
        return _Crew(team, threads, [threads.submit(self._worker, team) for _ in range(helpers)])

    def _side_by_side(
        self, crew: _Crew, first: list[P], ahead: Iterator[P]
    ) -> Iterator[tuple[P, Answer]]:
        """By several workers. Our own policies are asked by this thread as well, as soon as the
        workers have enough to do.
        """
        waiting: deque[_Given[P]] = deque()
        deep, most = (count * len(crew.started) for count in (DEEP, 2 if self._always else AHEAD))
        for batch in _batches(first, ahead):
            if self._always or _busy(waiting) < deep:
                given = crew.threads.submit(self._batch, batch, crew.team)
            else:
                given = _done(self._batch(batch))
            waiting.append((batch, given))
            while waiting and (waiting[0][1].done() or len(waiting) > most):
                yield from _told(waiting.popleft())
        while waiting:
            if not self._always:
                self._relieve(waiting)
            yield from _told(waiting.popleft())

    def _relieve(self, waiting: deque[_Given[P]]) -> None:
        """Answer here what no worker has begun with, from the end, until the first is answered."""
        for at in reversed(range(len(waiting))):
            batch, given = waiting[at]
            if waiting[0][1].done():
                return
            if given.cancel():
                waiting[at] = (batch, _done(self._batch(batch)))

    def _batch(self, batch: Sequence[Posed], team: _Team | None = None) -> list[Answer]:
        documents = [one.document for one in batch]
        asked = [
            (one.packages, document)
            for one, document in zip(batch, documents, strict=True)
            if not isinstance(document, EvaluationError)
        ]
        apart = team is not None or self._always
        said = iter(
            self._asked(asked, team) if apart else [answer_of(self._here, *a) for a in asked]
        )
        return [
            dict.fromkeys(one.packages, document)
            if isinstance(document, EvaluationError)
            else next(said)
            for one, document in zip(batch, documents, strict=True)
        ]

    def _asked(self, asked: Sequence[Asked], team: _Team | None = None) -> list[Answer]:
        """What a worker says; where it ends, the one question that ended it is asked again, policy
        by policy.
        """
        found: list[Answer] = []
        while len(found) < len(asked):
            rest = asked[len(found) :]
            try:
                for answer in self._worker(team).answers(self._patient(rest)):
                    found.append({**answer, **self._given_up(rest[0][0], answer)})
                    rest = rest[1:]
            except _CannotStartError as error:
                found += [self._without(one, error) for one in rest]
            except _WorkerEndedError:
                found.append(self._one_to_blame(rest[0], team))
        return found

    def _patient(self, asked: Sequence[Asked]) -> list[Asked]:
        """The questions without the policies that are not asked any more."""
        late = {package for package, count in self._late.items() if count >= PATIENCE}
        if not late:
            return list(asked)
        return [(tuple(p for p in packages if p not in late), doc) for packages, doc in asked]

    def _given_up(self, packages: Iterable[str], answer: Answer) -> Answer:
        why = f"not asked: it took longer than it may on {PATIENCE} objects before"
        return {package: EvaluationError(why) for package in packages if package not in answer}

    def _without(self, asked: Asked, error: _CannotStartError) -> Answer:
        """The answer without a worker: ours are asked here, those of others are not."""
        if not self._always:
            return answer_of(self._here, *asked)
        return dict.fromkeys(asked[0], EvaluationError(str(error)))

    def _one_to_blame(self, asked: Asked, team: _Team | None) -> Answer:
        packages, document = asked
        found: dict[str, list[RawFinding] | EvaluationError] = {}
        for package in packages:
            for names, _ in self._patient([((package,), document)]):
                found |= self._alone(names, document, team) if names else {}
        return {**found, **self._given_up(packages, found)}

    def _alone(self, names: tuple[str, ...], document: bytes, team: _Team | None) -> Answer:
        try:
            return next(self._worker(team).answers([(names, document)]))
        except _CannotStartError as error:
            return self._without((names, document), error)
        except _WorkerEndedError as end:
            self._late[names[0]] += end.late
            return {names[0]: EvaluationError(self._why(end))}

    def _why(self, end: _WorkerEndedError) -> str:
        if end.late:
            return f"it exceeded its time of {self._plan.seconds:g} seconds for one object"
        return f"the engine broke down: {end}"

    def _worker(self, team: _Team | None) -> _Worker:
        """The worker of this thread, a new one where the last has ended."""
        worker: _Worker | None = getattr(self._mine, "worker", None)
        if worker is None or not worker.alive:
            if team and team.is_over:
                raise _OverError
            worker = _Worker(self._plan)
            if team:
                team.join(worker)
            worker.begin()
            self._mine.worker = worker
        return worker


def _batches(first: list[P], ahead: Iterator[P]) -> Iterator[Sequence[P]]:
    for start in range(0, len(first), BATCH):
        yield first[start : start + BATCH]
    while batch := list(islice(ahead, BATCH)):
        yield batch


_Given = tuple[Sequence[P], Future[list[Answer]]]
"""Questions, and the answers that somebody is to give to them."""


def _told(given: _Given[P]) -> Iterator[tuple[P, Answer]]:
    yield from zip(given[0], given[1].result(), strict=True)


def _done(answers: list[Answer]) -> Future[list[Answer]]:
    future: Future[list[Answer]] = Future()
    future.set_result(answers)
    return future


def _busy(waiting: Iterable[_Given[P]]) -> int:
    """How many batches workers have to do."""
    return sum(not answers.done() for _, answers in waiting)


class _CannotStartError(Exception):
    """There is no worker. The text says why."""


class _OverError(Exception):
    """Nobody waits for the answer any more."""


class _WorkerEndedError(Exception):
    """A worker ended over a question. The text says how."""

    def __init__(self, code: int) -> None:
        super().__init__(f"signal {-code}" if code < 0 else f"exit code {code}")
        self.late = code in _LATE


def command_of(module: str) -> list[str]:
    """What runs a module of ours as a process of its own."""
    # -P: the current folder, which may be a stranger's, is no place to import from.
    return [sys.executable, "-P", "-m", module]


def environment() -> dict[str, str]:
    """What such a process may know of our environment: where Python is, and no secrets."""
    return {name: os.environ[name] for name in _KEPT if name in os.environ}


class _Worker:
    """One process."""

    def __init__(self, plan: Plan) -> None:
        command = command_of("auditor.policies.worker")
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                command, bufsize=BUFFER, env=environment(), stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        except OSError as error:
            raise _CannotStartError(f"no process to ask it in: {error.strerror}") from error
        self.end = weakref.finalize(self, _end, self._process)
        self._plan = plan

    def begin(self) -> None:
        """Tell it the modules, and wait until it has compiled them.

        Raises:
            _CannotStartError: it does not answer.
        """
        try:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            put(self._process.stdin, self._plan.told)
            take(self._process.stdout)
        except (OSError, ValueError, EndedError) as error:  # ValueError: it was ended meanwhile
            self.end()
            raise _CannotStartError("the process to ask it in did not start") from error

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self.end.alive

    def answers(self, asked: Sequence[Asked]) -> Iterator[Answer]:
        """The answers, one after the other.

        Raises:
            _WorkerEndedError: it ended over the question whose answer is missing.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            put_questions(self._process.stdin, asked)
            for packages, _ in asked:
                yield take_answer(self._process.stdout, packages)
        except (OSError, EndedError) as error:
            code = self._process.wait()
            self.end()
            raise _WorkerEndedError(code) from error


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    for stream in (process.stdin, process.stdout):
        with contextlib.suppress(OSError, ValueError):
            if stream:
                stream.close()
    process.wait()


class _Team:
    """The workers of one audit."""

    def __init__(self) -> None:
        self._workers: list[_Worker] = []
        self.is_over = False

    def join(self, worker: _Worker) -> None:
        """Take it in."""
        self._workers.append(worker)
        if self.is_over:
            worker.end()

    def end(self) -> None:
        """End them all."""
        self.is_over = True
        for worker in self._workers:
            worker.end()


@dataclass(frozen=True, slots=True)
class _Crew:
    """Workers and the threads that talk to them."""

    team: _Team
    threads: ThreadPoolExecutor
    started: Sequence[Future[_Worker]]

    def end(self) -> None:
        """End them all."""
        self.threads.shutdown(wait=False, cancel_futures=True)
        self.team.end()
        self.threads.shutdown()


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
