"""A process that judges for the one that answers, so that no judgement can crash or stall that.

It is told a plan, then the cluster and its changes, and is asked one review at a time. What it
says is JSON: it has read what attackers wrote, and nothing that it sends is executed. Whoever
started it ends it where it takes too long or grows too large.
"""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from typing import IO, Any

import orjson

from auditor.declared import Mode
from auditor.model import Key, Snapshot
from auditor.policies.wire import EndedError, put, take
from auditor.policies.worker import bounded
from auditor.values import dataclass
from auditor.webhook.confirm import Confirmations, Race
from auditor.webhook.court import Court
from auditor.webhook.decide import CannotJudgeError, decide, undecidable
from auditor.webhook.live import Mirror, News
from auditor.webhook.marks import FEED, JUDGE, MUTATE, READY
from auditor.webhook.plan import Plan
from auditor.webhook.review import (
    Decision,
    RejectedError,
    Review,
    UndecidableError,
    decode,
    encode,
    glance,
)
from auditor.webhook.slate import Slate, Telling

MOST_BYTES = 1024**3
"""How much memory may be taken beyond what the process begins with."""
COLLECT_EVERY = 200
"""Requests, where there is no quiet moment to look for cycles in."""


def main(slate: int) -> None:
    """Answer until nobody asks any more. `slate`: the file to write on which policy is asked."""
    for number in (signal.SIGINT, signal.SIGTERM):  # who asks is told too, and is still answering
        signal.signal(number, signal.SIG_IGN)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever else is printed is no answer
    with contextlib.suppress(EndedError, OSError):
        _serve(sys.stdin.buffer, answers, Slate(slate))
    os._exit(0)


def _serve(questions: IO[bytes], answers: IO[bytes], slate: Slate) -> None:
    plan: Plan = pickle.loads(take(questions))  # noqa: S301 - from the process that started us
    bench = replace(plan.bench, engine=Telling(plan.bench, slate))
    evaluator = Evaluator(replace(plan, bench=bench))
    bounded(MOST_BYTES)
    put(answers, READY)
    housekeeping = _Housekeeping(questions)
    while True:
        mark = take(questions)
        if mark == FEED:
            news: News = pickle.loads(take(questions))  # noqa: S301 - from the same one
            put(answers, orjson.dumps(evaluator.apply(news)))
        elif mark == JUDGE:
            put(answers, *evaluator.answer(take(questions), evaluator.judged))
        elif mark == MUTATE:
            put(answers, *evaluator.answer(take(questions), evaluator.mended))
        housekeeping.after()


class _Housekeeping:
    """Looks for cycles between two requests, and never within one."""

    def __init__(self, questions: IO[bytes]) -> None:
        self._questions = questions
        self._since = 0
        gc.collect()
        gc.freeze()
        gc.disable()

    def after(self) -> None:
        """To be called between two requests."""
        self._since += 1
        if self._since >= COLLECT_EVERY or not select.select([self._questions], [], [], 0)[0]:
            gc.collect(2 if self._since >= COLLECT_EVERY else 0)
            self._since = 0 if self._since >= COLLECT_EVERY else self._since


@dataclass(frozen=True, slots=True)
class _Answered:
    """What is said of one review."""

    head: dict[str, Any]
    body: bytes

    @property
    def parts(self) -> tuple[bytes, bytes]:
        """As they are written."""
        return orjson.dumps(self.head), self.body


class Evaluator:
    """Judges by one plan, on a copy of the cluster."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._notes = (("policy-digest", plan.digest),)
        self._court = Court(plan.bench, plan.settings)
        self._mirror = Mirror()
        self._confirmations = Confirmations(plan.terms, time.monotonic)

    def apply(self, news: News) -> dict[str, Any]:
        """Take over what changed in the cluster and judge it as it is now: why that cannot be done
        or nothing, the races that are found, and whether anything is still to be confirmed.
        """
        before, unable = self._live()
        if news.admitted and not unable:
            audit = self._court.live(before)
            for each in news.admitted:
                self._confirmations.admitted(each.ref, audit, each.added)
        self._mirror.apply(news.feed)
        live, broken = self._live()
        races = () if broken else self._races(live, news.believed)
        told = [race.fields for race in races]
        return {"broken": broken, "races": told, "waiting": self._confirmations.waiting}

    def _races(self, live: Snapshot, believed: frozenset[Key] | None) -> tuple[Race, ...]:
        """What was admitted and is wrong together, once the API server has told of it."""
        if believed is None or not self._confirmations.due(believed):
            return ()
        return self._confirmations.confirm(self._court.live(live), believed)

    def _live(self) -> tuple[Snapshot, str]:
        live = self._mirror.snapshot
        try:
            self._court.prepare(live, mending=self._plan.terms.mutate is not None)
        except Exception as error:  # noqa: BLE001 - whatever broke, it is told
            return live, f"the cluster cannot be judged: {_where(error)}"
        return live, ""

    def answer(
        self, body: bytes, answered: Callable[[Review, Snapshot], _Answered]
    ) -> tuple[bytes, bytes]:
        """What is to be known of the answer (JSON), and the answer itself or why there is none."""
        live, broken = self._live()
        if broken:
            return _failed(500, broken).parts
        try:
            return answered(decode(body), live).parts
        except RejectedError as error:
            return _failed(error.status, str(error)).parts
        except CannotJudgeError as error:
            return _failed(500, str(error)).parts
        except UndecidableError as error:
            return self._denied(body, error, answered).parts
        except Exception as error:  # noqa: BLE001 - the object broke it: without it, all was judged
            why = UndecidableError(f"judging it broke down: {_where(error)}")
            return self._denied(body, why, answered).parts

    def judged(self, review: Review, live: Snapshot) -> _Answered:
        """Whether the request is let through."""
        decision = decide(review, live, self._court, self._plan.terms, self._mirror.stale)
        admitted = decision.allowed and not review.dry_run
        head = {
            "status": 200,
            "what": review.what,
            "operation": review.operation,
            "verdict": _verdict(decision),
            "alone": self._court.stands_alone,
            "admitted": self._admission(review, live, decision) if admitted else None,
        }
        return _Answered(head, self._encoded(review.uid, review.api_version, decision))

    def _admission(
        self, review: Review, live: Snapshot, decision: Decision
    ) -> dict[str, Any] | None:
        """What to note of an admitted request, so that the next one is judged with it."""
        try:
            proposal = self._court.proposal(review, live)
        except UndecidableError:  # admitted all the same, where nothing is denied
            return None
        if proposal is None or not proposal.followed or proposal.ref.name.endswith("*"):
            return None
        ref, after = proposal.ref, proposal.after
        identity = [ref.api_version, ref.kind, ref.namespace, ref.name]
        manifest = after.manifest if after else None
        return {"ref": identity, "manifest": manifest, "added": sorted(decision.added)}

    def mended(self, review: Review, live: Snapshot) -> _Answered:
        """What is added to its object."""
        from auditor.webhook.mutate import mutation

        decision = mutation(review, live, self._court, self._plan.terms).decision
        verdict = "patched" if decision.patch else "unchanged"
        head = {"status": 200, "what": review.what, "operation": review.operation}
        encoded = self._encoded(review.uid, review.api_version, decision)
        return _Answered({**head, "verdict": verdict, "alone": True}, encoded)

    def _denied(self, body: bytes, error: UndecidableError, answered: object) -> _Answered:
        addressee = glance(body)
        if addressee is None:
            return _failed(400, str(error))
        # What nothing can be added to is judged afterwards, and denied there.
        mode = Mode.AUDIT if answered == self.mended else self._plan.terms.strictest()
        decision = undecidable(mode, error)
        head = {"status": 200, "verdict": "undecidable", "alone": True, "why": str(error)}
        return _Answered(head, self._encoded(*addressee, decision))

    def _encoded(self, uid: str, api_version: str, decision: Decision) -> bytes:
        notes = (*decision.annotations, *self._notes)
        return encode(uid, api_version, replace(decision, annotations=notes))


def _failed(status: int, why: str) -> _Answered:
    return _Answered({"status": status}, why.encode())


def _verdict(decision: Decision) -> str:
    if not decision.allowed:
        return "denied"
    return "warned" if decision.warnings else "allowed"


def _where(error: BaseException) -> str:
    """Where it broke; without the values, which are secret."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {frame.name}, line {frame.lineno}"


if __name__ == "__main__":
    main(int(sys.argv[1]))
