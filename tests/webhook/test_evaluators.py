"""Processes that judge: they end, and are replaced, and nobody gets a wrong answer or none."""

from __future__ import annotations

import contextlib
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any

import orjson
import pytest
import trustme

from auditor.audit import Bench
from auditor.declared import Admission, Mode
from auditor.model import Severity
from auditor.policies.engine import compile_policies
from auditor.sources.watch.feed import Feed
from auditor.webhook.evaluators import Staff
from auditor.webhook.process import MANY
from tests.company import policy

from .conftest import Answer, Running, Starter, pids, until, write_pair
from .disturbance import Both, Dies, Gate, Grows, Rendezvous
from .world import Kept, disturbed, guard, holding_data, live, pod, privileged, review

ONE = Staff(workers=1, standing_by=1)


def told(answer: Answer) -> dict[str, Any]:
    """The response of a review."""
    assert answer.status == 200, answer.body
    found: dict[str, Any] = orjson.loads(answer.body)["response"]
    return found


def by(user: str, manifest: dict[str, Any], **changes: Any) -> bytes:
    """A review that somebody asked for."""
    return review(manifest, userInfo={"username": user}, **changes)


LONG = "/validate?timeout=29s"


def test_an_object_that_ends_evaluators_is_denied_and_keeps_nobody_out(start: Starter) -> None:
    """It gets a second try, since a process may end by chance. Then it is the object's fault, and
    who sent it is judged apart, so that others go on.
    """
    running = start(by=disturbed(Dies("evil")), staff=ONE)
    denied = told(running.ask(by("mallory", pod("evil")), path=LONG))
    assert (denied["allowed"], denied["status"]["code"]) == (False, 422)
    assert "exit code 7" in denied["status"]["message"]
    assert told(running.ask(by("alice", pod()), path=LONG))["allowed"]
    with ThreadPoolExecutor(4) as threads:
        evil = [threads.submit(running.ask, by("mallory", pod("evil"))) for _ in range(2)]
        others = [threads.submit(running.ask, by("alice", pod()), path=LONG) for _ in range(4)]
        assert all(told(other.result())["allowed"] for other in others)
        assert not any(told(each.result())["allowed"] for each in evil)
    assert not told(running.ask(by("mallory", privileged()), path=LONG))["allowed"]
    assert until(lambda: len(pids(running)) == 2)


def test_one_that_has_grown_too_large_is_replaced_after_its_answer(start: Starter) -> None:
    """No request pays for the memory of an earlier one."""
    staff = Staff(workers=1, standing_by=0, most_bytes=250 * 1024 * 1024)
    running = start(by=disturbed(Grows("large", 200 * 1024 * 1024)), staff=staff)
    before = pids(running)
    assert told(running.ask(review(pod("large"), dryRun=True), path=LONG))["allowed"]
    assert until(lambda: running.evaluators.warm and pids(running) != before)
    assert told(running.ask(review(pod()), path=LONG))["allowed"]
    assert (
        b'evaluators_ended_total{why="too large"} 1'
        in running.ask(method="GET", path="/metrics").body
    )


def test_an_object_that_takes_all_memory_is_denied(start: Starter) -> None:
    """The process may take only so much, and goes on."""
    running = start(by=disturbed(Grows("huge", 2 * 1024**3)))
    answer = told(running.ask(review(pod("huge")), path=LONG))
    assert "MemoryError" in answer["status"]["message"]
    assert told(running.ask(review(pod())))["allowed"]


SLOW = """
package policies.theirs.slow

deny contains finding if {
	input.object.metadata.name == "slow"
	numbers := numbers.range(1, 3000)
	some a in numbers
	some b in numbers
	some c in numbers
	a * b * c == -1
	finding := {"path": ["metadata"], "message": "never", "anchor": ""}
}
"""

_ASKED = tuple(
    policy(f"theirs/{name}", SLOW.replace("slow", name), severity=Severity.HIGH, kinds=("Pod",))
    for name in ("quick", "slow")
)
THEIRS = Bench(_ASKED, compile_policies("regorus", {p.file: p.module for p in _ASKED}))
NOBODY = Bench((), compile_policies("regorus", {}))


def test_the_policy_that_took_too_long_is_named(start: Starter) -> None:
    """Who wrote it has to know."""
    answer = told(start(by=THEIRS).ask(review(pod("slow")), path="/validate?timeout=2s"))
    assert answer["status"]["code"] == 504
    assert "theirs/slow" in answer["status"]["message"]
    assert answer["auditAnnotations"]["policy-digest"]


def test_who_waits_behind_a_slow_object_of_another_is_not_blamed(
    start: Starter, tmp_path: Path
) -> None:
    """The failurePolicy decides about a request that nobody had time for; but not where the same
    user's objects took that time, who would choose it so.
    """
    gate = Gate(tmp_path)
    staff = Staff(workers=1, standing_by=0)
    running = start(by=disturbed(gate), staff=staff)
    with ThreadPoolExecutor(3) as threads:
        slow = threads.submit(running.ask, by("mallory", pod("slow")), path="/validate?timeout=9s")
        assert until(lambda: gate.reached)
        behind = threads.submit(running.ask, by("alice", pod()), path="/validate?timeout=1s")
        assert behind.result().status == 500
        gate.open()
        assert told(slow.result())["allowed"]


def test_who_asks_from_elsewhere_in_the_name_of_others_harms_none_of_them(
    start: Starter, tmp_path: Path
) -> None:
    """Where no client certificate is demanded, anybody may say that she is alice. Her objects that
    end processes, and the slow one that then keeps the process that judges apart busy, keep nobody
    out whose requests come from the API server.
    """
    gate = Gate(tmp_path)
    running = start(by=disturbed(Both(Dies("evil"), gate)), staff=ONE)
    assert until(lambda: len(pids(running)) == ONE.all)
    forged = partial(running.ask, path=LONG, source="127.0.0.2")
    assert not told(forged(by("alice", pod("evil"))))["allowed"]
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(forged, by("alice", pod("slow")))
        assert until(lambda: gate.reached)
        assert told(running.ask(by("alice", pod()), path="/validate?timeout=5s"))["allowed"]
        gate.open()
        assert told(slow.result())["allowed"]


def test_who_waited_until_there_was_no_time_left_is_not_blamed(
    start: Starter, tmp_path: Path
) -> None:
    """An object that takes a second would have had two and a half, and gets half a one since
    another was before it. That is our fault: the failurePolicy decides, and the user is judged
    with all others the next time.
    """
    (tmp_path / "late").mkdir()
    before, late = Gate(tmp_path), Gate(tmp_path / "late", "late")
    running = start(by=disturbed(Both(before, late)), staff=Staff(workers=1, standing_by=0))
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(running.ask, by("bob", pod("slow")), path="/validate?timeout=9s")
        assert until(lambda: before.reached)
        behind = threads.submit(running.ask, by("alice", pod("late")), path="/validate?timeout=4s")
        time.sleep(3.0)
        before.open()
        assert told(first.result())["allowed"]
        answer = behind.result()
        assert late.reached
        assert (answer.status, b"busy" in answer.body) == (500, True)
    assert told(running.ask(by("alice", pod()), path=LONG))["allowed"]


def test_an_object_that_is_slow_from_the_start_is_blamed(start: Starter, tmp_path: Path) -> None:
    """It had all the time that there is."""
    running = start(by=disturbed(Gate(tmp_path)), staff=Staff(workers=1, standing_by=0))
    answer = told(running.ask(by("mallory", pod("slow")), path="/validate?timeout=2s"))
    assert (answer["allowed"], answer["status"]["code"]) == (False, 504)


class Fails(Kept):
    """A cluster that cannot be told of once."""

    failures = 1

    def feed(self, since: int) -> Feed:
        if since >= 0 and self.failures:
            self.failures -= 1
            raise MemoryError
        return super().feed(since)


def test_an_unforeseen_error_loses_no_evaluator(start: Starter) -> None:
    """One that could not be told of the cluster is replaced, and the next request is judged."""
    state = Fails(live())
    running = start(state, staff=Staff(workers=1, standing_by=0))
    assert until(lambda: not state.failures)
    assert told(running.ask(review(privileged()), path=LONG))["allowed"] is False
    assert len(pids(running)) == 1


@dataclass(frozen=True)
class Heavy:
    """Something in a manifest that takes its time to be handed over."""

    begun: threading.Event
    answered: threading.Event

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        self.begun.set()
        self.answered.wait(60)  # longer than anybody waits for an answer
        return str, ("heavy",)


def test_others_are_answered_while_a_whole_cluster_is_handed_over(start: Starter) -> None:
    """Also who asks whether the process is alive."""
    heavy = Heavy(threading.Event(), threading.Event())
    objects = [pod(f"pod-{number}") for number in range(MANY)]
    objects[0]["spec"]["heavy"] = heavy
    state = Kept(live(*objects))
    state.unread = ("Pod",)
    running = start(state)
    state.unread = ()
    assert heavy.begun.wait(20)
    assert running.ask(method="GET", path="/healthz").status == 200
    heavy.answered.set()
    assert until(lambda: running.evaluators.warm)
    assert told(running.ask(review(pod()), path=LONG))["allowed"]


def test_of_two_at_once_that_need_each_other_one_is_denied(start: Starter, tmp_path: Path) -> None:
    """Two policies guard personal data, and either may go, but not both: also where both are asked
    about in the same moment, by two processes.
    """
    state = Kept(live(holding_data(), guard("a"), guard("b")))
    running = start(state, by=disturbed(Rendezvous(tmp_path, "customers")), staff=Staff(workers=2))
    # The cluster itself was judged behind the rendezvous, so both processes are known to it.
    asks = [review(guard(name), operation="DELETE") for name in ("a", "b")]
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(lambda body: told(running.ask(body, path=LONG)), asks))
    assert sorted(answer["allowed"] for answer in answers) == [False, True]


def test_of_many_at_once_each_is_judged_with_those_before(start: Starter) -> None:
    """In every namespace just one of two deletions passes."""
    spaces = [f"shop-{n}" for n in range(6)]
    objects = [placed(made, s) for s in spaces for made in (holding_data(), guard("a"), guard("b"))]
    running = start(Kept(live(*objects)), staff=Staff(workers=2))
    asks = [
        review(placed(guard(name), space), operation="DELETE", namespace=space)
        for space in spaces
        for name in ("a", "b")
    ]
    with ThreadPoolExecutor(12) as threads:
        said = list(threads.map(lambda body: told(running.ask(body, path=LONG))["allowed"], asks))
    assert [sorted(said[i : i + 2]) for i in range(0, 12, 2)] == [[False, True]] * 6


def placed(manifest: dict[str, Any], namespace: str) -> dict[str, Any]:
    """The same in another namespace."""
    return {**manifest, "metadata": {**manifest["metadata"], "namespace": namespace}}


class Client:
    """Asks about good and bad pods in turn, over connections that it keeps, as an API server."""

    def __init__(self, running: Running | Elsewhere, user: str) -> None:
        self._running, self._user = running, user
        self._connection: HTTPSConnection | None = None
        self.right = 0
        self.wrong: list[object] = []

    def ask(self) -> None:
        """One request; a connection that was closed between two is opened anew, as Go does."""
        bad = bool((self.right + len(self.wrong)) % 2)
        # Of many: a user's second object over which a process ends is held responsible for it.
        user = f"{self._user}-{self.right}"
        body = by(user, privileged() if bad else pod(), dryRun=True)
        try:
            answer = self._sent(body)
        except (OSError, HTTPException) as error:
            self.close()
            self._connection = None
            self.wrong.append(error)
            return
        if answer["allowed"] is bad:
            self.wrong.append(answer)
        else:
            self.right += 1

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()

    def _sent(self, body: bytes) -> dict[str, Any]:
        if self._connection is None:
            context, port = self._running.context, self._running.port
            self._connection = HTTPSConnection("127.0.0.1", port, context=context, timeout=30)
        connection = self._connection
        connection.request("POST", LONG, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        said = response.read()
        if response.getheader("Connection") == "close":
            connection.close()
            self._connection = None
        assert response.status == 200, said
        found: dict[str, Any] = orjson.loads(said)["response"]
        return found


def _is_ready(running: Running | Elsewhere) -> bool:
    connection = HTTPSConnection("127.0.0.1", running.port, context=running.context, timeout=30)
    with contextlib.closing(connection):
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200


def has_answered(clients: list[Client], count: int) -> bool:
    """Whether they got so many right answers together."""
    return sum(client.right for client in clients) > count


@contextlib.contextmanager
def load(
    running: Running | Elsewhere, clients: int = 3, *, waiting: bool = False
) -> Iterator[list[Client]]:
    """Within the block, so many clients ask without a pause. With `waiting`, they begin once the
    cluster is judged.
    """
    over = threading.Event()
    assert not waiting or until(lambda: _is_ready(running))
    asking = [Client(running, f"user-{n}") for n in range(clients)]

    def go_on(client: Client) -> None:
        while not over.is_set():
            client.ask()
        client.close()

    with ThreadPoolExecutor(clients) as threads:
        done = [threads.submit(go_on, client) for client in asking]
        try:
            yield asking
        finally:
            over.set()
    for each in done:
        each.result()


def test_an_evaluator_that_is_killed_under_load_costs_no_answer(start: Starter) -> None:
    """What it was judging is judged by another."""
    running = start(staff=Staff(workers=2))
    killed: list[int] = []

    def alive() -> list[int]:
        return [pid for pid in pids(running) if pid not in killed]

    with load(running) as clients:
        for _ in range(3):
            assert until(lambda: len(alive()) == 3)
            killed.append(alive()[0])
            os.kill(killed[-1], signal.SIGKILL)
            enough = sum(client.right for client in clients) + 5
            assert until(partial(has_answered, clients, enough))
    assert [client.wrong for client in clients] == [[], [], []]
    assert min(client.right for client in clients) > 0


def test_who_leaves_under_load_drops_nothing(start: Starter) -> None:
    """SIGTERM begins a time in which everybody is still answered, on connections that close."""
    running = start(drain_seconds=2.0)
    with load(running) as clients:
        assert until(lambda: sum(client.right for client in clients) > 10)
        stopping = threading.Thread(target=running.stop)
        stopping.start()
        time.sleep(1.0)  # by then an API server has heard of it
    stopping.join(30)
    assert [client.wrong for client in clients] == [[], [], []]


_PROGRAM = """
import logging, sys
from pathlib import Path
from tests.webhook.world import BENCH, SETTINGS, Kept, live
from auditor.declared import Admission, Mode
from auditor.webhook.certificates import Pair
from auditor.sources.watch.feed import Feed
from auditor.webhook.evaluators import Staff
from auditor.webhook.process import MANY
from auditor.webhook.plan import Plan
from auditor.webhook.server import Listener, serve
logging.basicConfig(level=logging.INFO, format="%(message)s")
pair = Pair(Path(sys.argv[1]) / "tls.crt", Path(sys.argv[1]) / "tls.key")
listener = Listener("127.0.0.1", 0, pair, drain_seconds=2.0)
serve(Plan(BENCH, SETTINGS, Admission(Mode.DENY)), Kept(live()), listener, Staff(workers=2))
"""


@dataclass(frozen=True)
class Elsewhere:
    """A webhook in a process of its own."""

    port: int
    context: ssl.SSLContext
    process: subprocess.Popen[str]


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Elsewhere]:
    """One that is ended, whatever happens."""
    authority, context = trustme.CA(), ssl.create_default_context()
    authority.configure_trust(context)
    write_pair(authority, tmp_path)
    command = [sys.executable, "-c", _PROGRAM, str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        try:
            yield Elsewhere(int(said.rsplit(maxsplit=1)[-1]), context, process)
        finally:
            process.kill()


def test_the_real_signal_under_load_drops_nothing(elsewhere: Elsewhere) -> None:
    """SIGTERM to the process, as a kubelet sends it: whoever asks until an API server has heard of
    it is answered, and the process ends well.
    """
    with load(elsewhere, waiting=True) as clients:
        assert until(lambda: sum(client.right for client in clients) > 10)
        elsewhere.process.send_signal(signal.SIGTERM)
        seen = sum(client.right for client in clients)
        assert until(partial(has_answered, clients, seen + 5))
    assert [client.wrong for client in clients] == [[], [], []]
    assert elsewhere.process.wait(30) == 0


@pytest.mark.parametrize("mode", [Mode.DENY, Mode.WARN])
def test_no_policies_no_start(mode: Mode, start: Starter) -> None:
    """A webhook that asks nobody would let everything pass in silence."""
    from auditor.errors import ConfigError

    with pytest.raises(ConfigError, match="no policy is chosen"):
        start(by=NOBODY, terms=Admission(mode))
