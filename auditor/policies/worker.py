"""A process that evaluates policies for another one, and does nothing else.

Each question has a deadline that the kernel enforces: where the time is over, the process is
ended, whatever an engine does. It is told the modules, has no environment, and takes no more
memory than it may.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import orjson

from auditor.policies.answers import answer_of
from auditor.policies.engine import ENGINES, PolicyEngine
from auditor.policies.wire import EndedError, put, put_answer, take, take_questions

SLACK = 20
"""How many times longer than its CPU time a question may take by the clock: the machine may be
busy, and an engine that only waits must end as well."""
TOGETHER = 3
"""How many times less CPU time several policies are given together than each alone: where that is
not enough, each is asked alone."""
MOST_BYTES = 2 * 1024**3
"""How much memory may be taken, as far as the system can keep us to it."""
READY = b"ready"


def main() -> None:
    """Answer until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who asks is interrupted too, and ends us
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever else is printed is no answer
    # What Rust calls a panic is no Exception in Python, and no answer either.
    with contextlib.suppress(EndedError, OSError):
        _serve(sys.stdin.buffer, answers)
    os._exit(0)


def bounded(most: int) -> None:
    """No more than so many bytes of memory from now on: an engine may have reserved more than it
    takes.
    """
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        most += _reserved()
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _reserved() -> int:
    """The bytes that the process has of what the limit counts; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[5])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def _serve(questions: IO[bytes], answers: IO[bytes]) -> None:
    told = orjson.loads(take(questions))
    engine: PolicyEngine = ENGINES[told["engine"]](told["modules"])
    bounded(MOST_BYTES)
    put(answers, READY)
    while True:
        for packages, document in take_questions(questions):
            with _deadline(told["seconds"] if len(packages) == 1 else told["seconds"] / TOGETHER):
                answer = answer_of(engine, packages, document)
            put_answer(answers, answer)


@contextlib.contextmanager
def _deadline(seconds: float) -> Iterator[None]:
    """The process ends with SIGPROF or SIGALRM where the block takes longer, of CPU or by the
    clock.
    """
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, seconds * SLACK)
    yield
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)


if __name__ == "__main__":
    main()
