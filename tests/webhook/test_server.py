"""The webhook over HTTPS, as an API server and an attacker meet it."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import orjson
import pytest
import trustme

from auditor.declared import Admission, Mode
from auditor.errors import ClusterError, ConfigError
from auditor.model import Gap, Snapshot, Unseen
from auditor.webhook.certificates import Certificates, Pair, Trust
from auditor.webhook.evaluators import Staff
from auditor.webhook.plan import Plan
from auditor.webhook.review import MAX_BYTES, MAX_TOKENS
from auditor.webhook.server import Listener, seconds, serve
from tests.bench import SETTINGS

from .conftest import Answer, Running, Starter, pids, until, write_pair
from .disturbance import Breaks, Gate
from .world import (
    BENCH,
    Kept,
    captures,
    disturbed,
    guard,
    holding_data,
    live,
    opens_data,
    pod,
    privileged,
    review,
)

Start = Starter


def _response(answer: Answer) -> dict[str, Any]:
    assert answer.status == 200, answer.body
    found: dict[str, Any] = orjson.loads(answer.body)["response"]
    return found


def test_good_and_bad_pods_get_their_answers(running: Running) -> None:
    """A review goes in and its answer comes back, with the uid that was asked with."""
    digest = Plan(BENCH, SETTINGS, Admission(Mode.DENY)).digest
    assert _response(running.ask(review(pod()))) == {
        "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
        "allowed": True,
        "auditAnnotations": {"policy-digest": digest},
    }
    denied = _response(running.ask(review(privileged())))
    assert denied["allowed"] is False
    assert denied["status"]["message"].endswith("container 'app' runs privileged")


def test_the_old_version_of_the_review_is_answered_as_asked(running: Running) -> None:
    """An API server drops an answer of another version than its question."""
    answer = orjson.loads(running.ask(review(privileged(), version="v1beta1")).body)
    assert answer["apiVersion"] == "admission.k8s.io/v1beta1"
    assert answer["response"]["allowed"] is False


@pytest.mark.parametrize("method", ["GET", "PUT", "OPTIONS", "PATCH", "DELETE"])
def test_only_post_asks(running: Running, method: str) -> None:
    """Any other method gets 405 and is told which one to use."""
    answer = running.ask(method=method)
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")


def test_other_paths_are_not_there(running: Running) -> None:
    """What is not offered is 404, whatever is sent there."""
    for path in ("/", "/mutate", "/validate/", "//validate", "/healthz/../validate"):
        assert running.ask(review(pod()), path=path).status == 404


def test_an_empty_body_is_refused(running: Running) -> None:
    """Nothing is no review."""
    assert running.ask(b"").status == 400


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_other_content_types_are_refused(running: Running, content_type: str) -> None:
    """Only JSON is read."""
    assert running.ask(review(pod()), content_type=content_type).status == 415


def test_parameters_of_the_content_type_do_not_matter(running: Running) -> None:
    """A charset after the type is still JSON."""
    answer = running.ask(review(pod()), content_type="Application/JSON; charset=utf-8")
    assert answer.status == 200


def _head(*lines: str) -> bytes:
    start_line = "POST /validate?timeout=5s HTTP/1.1"
    return "\r\n".join([start_line, "Host: 127.0.0.1", *lines, "", ""]).encode()


JSON = "Content-Type: application/json"
REFUSED_AT_SIGHT = {
    "too long": (_head(JSON, f"Content-Length: {MAX_BYTES + 1}"), b"413"),
    "no JSON, unread": (_head("Content-Type: text/xml", "Content-Length: 9999"), b"415"),
    "compressed": (_head(JSON, "Content-Encoding: gzip", "Content-Length: 99"), b"415"),
    "two lengths": (_head(JSON, "Content-Length: 5", "Content-Length: 6") + b"abcdef", b"400"),
    "length and chunks": (
        _head(JSON, "Content-Length: 5", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
        b"400",
    ),
    "no length": (_head(JSON), b"400"),
    "a negative length": (_head(JSON, "Content-Length: -1"), b"400"),
    "a broken chunk": (_head(JSON, "Transfer-Encoding: chunked") + b"zz\r\nabc\r\n", b"400"),
    "a huge header": (_head(JSON, "X: " + "a" * 9_000), b"431"),
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"400"),
    "a method in lower case": (_head(JSON).replace(b"POST", b"post"), b"400"),
}


@pytest.mark.parametrize(("sent", "status"), REFUSED_AT_SIGHT.values(), ids=REFUSED_AT_SIGHT.keys())
def test_what_is_refused_is_refused_before_it_is_read(
    running: Running, sent: bytes, status: bytes
) -> None:
    """The head of a request is enough to refuse it, and the connection is closed."""
    answer = running.raw(sent)
    assert answer.split(b" ", 2)[1] == status
    assert running.ask(review(pod())).status == 200


def test_chunks_are_counted(running: Running) -> None:
    """A body that does not say its length is cut off where it grows too long."""
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    try:
        answer = running.raw(_head(JSON, "Transfer-Encoding: chunked") + chunk * 8)
    except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
        answer = b"HTTP/1.1 413"  # it hung up on us while we were still sending
    assert answer.split(b" ", 2)[1].startswith(b"413")
    assert running.ask(review(pod())).status == 200


@pytest.mark.parametrize(
    "body",
    [b"null", b"[]", b'"x"', b"{}", b"{", review(pod(), version="v2"), b"\xff" * 100],
)
def test_what_is_no_review_is_a_bad_request(running: Running, body: bytes) -> None:
    """Nobody can be answered, so the call fails."""
    assert running.ask(body).status == 400


BOMBS = {
    "brackets": review(pod() | {"x": [{} for _ in range(MAX_TOKENS)]}),
    "depth": review(pod()).replace(b'"example.org/app:1.0"', b"[" * 5000 + b"]" * 5000),
    "no metadata": review(pod() | {"metadata": []}, name="web"),
    "no object": review(None, name="web"),
    "wrong types that break the judge": review(pod() | {"spec": {"containers": [5]}}),
}


@pytest.mark.parametrize("body", BOMBS.values(), ids=BOMBS.keys())
def test_what_the_caller_makes_undecidable_is_denied(running: Running, body: bytes) -> None:
    """It must not end in the failurePolicy: whoever sends an object would choose it."""
    answer = _response(running.ask(body))
    assert answer["allowed"] is False
    assert answer["uid"] == "705ab4f5-6393-11e8-b7cc-42010a800002"
    assert answer["status"]["code"] in {413, 422}


def test_where_nothing_is_denied_the_undecidable_is_warned_of(start: Start) -> None:
    """In mode warn, what we cannot judge passes like what is wrong, with a word about it."""
    running = start(terms=Admission(Mode.WARN))
    for body in BOMBS.values():
        warned = _response(running.ask(body))
        assert (warned["allowed"], bool(warned["warnings"])) == (True, True)


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    """A closed gate; opened in the end."""
    closed = Gate(tmp_path)
    yield closed
    closed.open()


def _ask_aside(
    running: Running, name: str, timeout: str, answers: list[Answer]
) -> threading.Thread:
    body, path = review(pod(name)), f"/validate?timeout={timeout}"
    thread = threading.Thread(target=lambda: answers.append(running.ask(body, path=path)))
    thread.start()
    return thread


def test_a_slow_judgement_ends_before_the_api_server_gives_up(start: Start, gate: Gate) -> None:
    """An object that takes too long to judge is denied, its evaluator replaced; nobody else waits,
    and who sent it is judged apart.
    """
    running = start(by=disturbed(gate), staff=Staff(workers=1))
    slow: list[Answer] = []
    first = _ask_aside(running, "slow", "2s", slow)
    assert until(lambda: gate.reached)
    assert running.ask(method="GET", path="/readyz").status == 200
    other = review(pod(), userInfo={"username": "bob"})
    assert _response(running.ask(other, path="/validate?timeout=9s"))["allowed"]
    first.join(10)
    assert _response(slow[0])["status"]["code"] == 504
    again = running.ask(review(privileged()), path="/validate?timeout=20s")
    assert not _response(again)["allowed"]
    assert until(lambda: len(pids(running)) == 2)


def test_nobody_is_to_blame_for_the_time_that_the_cluster_takes(start: Start, gate: Gate) -> None:
    """Until the cluster is judged nothing is, and nobody is sent here; a denial would name the
    wrong one.
    """
    state = Kept(live(pod("slow")))
    state.unread = ("list of pods",)
    running = start(state, by=disturbed(gate))
    state.unread = ()
    assert until(lambda: gate.reached)
    assert running.ask(method="GET", path="/healthz").status == 200
    answer = running.ask(review(pod()))
    assert (answer.status, b"not judged yet" in answer.body) == (503, True)
    gate.open()
    assert until(lambda: running.ask(review(pod())).status == 200)


@pytest.mark.parametrize(
    ("asked", "left"), [("3s", 2.7), ("1s", 0.7), ("", 9.7), ("x", 9.7), ("99s", 29.7)]
)
def test_the_time_that_the_api_server_gives_is_kept(asked: str, left: float) -> None:
    """It sends whole seconds; a little is left for the way back."""
    assert seconds(asked) == pytest.approx(left)


def test_a_cluster_that_cannot_be_judged_is_nobodys_fault(start: Start) -> None:
    """A judge that breaks without the object as well is our failure: HTTP 500."""
    answer = start(Kept(live(pod("other"))), by=disturbed(Breaks())).ask(review(pod()))
    assert answer.status == 500
    assert b"ZeroDivisionError" in answer.body


def test_an_object_that_breaks_the_judge_is_denied(start: Start) -> None:
    """Where the cluster without it can be judged, it is the object that does it."""
    running = start(Kept(live(pod("other"))), by=disturbed(Breaks("evil")))
    assert _response(running.ask(review(pod("evil"))))["status"]["code"] == 422
    assert _response(running.ask(review(pod())))["allowed"]


def test_a_policy_that_cannot_be_asked_is_nobodys_fault(start: Start) -> None:
    """A forbidden list that a policy needs makes the call fail in mode deny."""
    forbidden = Gap("list of networkpolicies", "forbidden", Unseen.INCOMPLETE, ("NetworkPolicy",))
    answer = start(Kept(Snapshot((), (forbidden,)))).ask(review(pod()))
    assert answer.status == 500
    assert b"policy data/personal_data_not_isolated: not assessed" in answer.body


def test_before_the_cluster_is_read_nothing_is_answered(start: Start) -> None:
    """A webhook that has not seen the cluster yet does not guess."""
    state = Kept(live())
    state.unread = ("list of pods",)
    running = start(state)
    assert running.ask(review(pod())).status == 503
    assert running.ask(method="GET", path="/readyz").status == 503
    assert running.ask(method="GET", path="/healthz").status == 200
    state.unread = ()
    assert until(lambda: running.ask(method="GET", path="/readyz").status == 200)
    assert running.ask(review(pod())).status == 200


def test_two_requests_that_need_each_other_are_not_both_admitted(start: Start) -> None:
    """What was admitted counts for the next request, before any watch could tell of it."""
    running = start(Kept(live(guard("a"), guard("b"))))
    assert _response(running.ask(review(guard("a"), operation="DELETE")))["allowed"]
    assert _response(running.ask(review(holding_data())))["allowed"]
    assert not _response(running.ask(review(guard("b"), operation="DELETE")))["allowed"]


def test_a_dry_run_leaves_no_trace(start: Start) -> None:
    """`kubectl apply --dry-run=server` asks and changes nothing."""
    state = Kept(live(guard()))
    before = state.snapshot()
    running = start(state)
    assert _response(running.ask(review(holding_data(), dryRun=True)))["allowed"]
    assert _response(running.ask(review(guard(), operation="DELETE", dryRun=True)))["allowed"]
    assert state.snapshot() is before


def test_one_connection_carries_many_requests(running: Running) -> None:
    """The API server keeps its connections."""
    connection = HTTPSConnection("127.0.0.1", running.port, context=running.context, timeout=20)
    for _ in range(5):
        connection.request("POST", "/validate", review(pod()), {"Content-Type": "application/json"})
        response = connection.getresponse()
        assert response.status == 200
        assert orjson.loads(response.read())["response"]["allowed"]
    connection.close()


def test_only_tls_1_3_and_http_1_1_are_spoken(start: Start) -> None:
    """The API server speaks both; anything else would only be attack surface."""
    running = start()
    running.context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection(("127.0.0.1", running.port)) as plain,
        running.context.wrap_socket(plain, server_hostname="127.0.0.1") as secured,
    ):
        assert (secured.version(), secured.selected_alpn_protocol()) == ("TLSv1.3", "http/1.1")
    running.context.maximum_version = ssl.TLSVersion.TLSv1_2
    with (
        pytest.raises(ssl.SSLError),
        socket.create_connection(("127.0.0.1", running.port)) as plain,
    ):
        running.context.wrap_socket(plain, server_hostname="127.0.0.1")


def test_a_new_certificate_is_served_without_a_restart(start: Start, tmp_path: Path) -> None:
    """Open connections live on; new ones, with and without a server name, get the new one."""
    running = start()
    old = running.serial()
    connection = HTTPSConnection("127.0.0.1", running.port, context=running.context, timeout=20)
    connection.request("GET", "/healthz")
    connection.getresponse().read()
    write_pair(running.authority, tmp_path)
    assert until(lambda: running.serial() != old)
    assert running.serial(None) == running.serial("another.example.org") != old
    connection.request("GET", "/healthz")
    assert connection.getresponse().read() == b"ok\n"
    connection.close()


def test_a_certificate_that_does_not_fit_its_key_is_left_aside(
    start: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Half of a change must not take the server down."""
    running = start()
    old = running.serial()
    key = running.pair.key.read_bytes()
    write_pair(running.authority, tmp_path)
    new_key = running.pair.key.read_bytes()
    running.pair.key.write_bytes(key)
    assert until(lambda: "keeping the old certificate" in caplog.text)
    assert running.serial() == old
    running.pair.certificate.unlink()
    time.sleep(0.3)
    assert running.serial() == old
    write_pair(running.authority, tmp_path)
    assert running.pair.key.read_bytes() not in {key, new_key}
    assert until(lambda: running.serial() != old)


def test_a_secret_that_turns_its_link_is_noticed(tmp_path: Path) -> None:
    """Kubernetes changes a mounted Secret by turning one link: no file in view is written."""
    authority = trustme.CA()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_pair(authority, tmp_path / name)
    data = tmp_path / "..data"
    data.symlink_to("one")
    for name in ("tls.crt", "tls.key"):
        (tmp_path / name).symlink_to(f"..data/{name}")
    certificates = Certificates(Pair(tmp_path / "tls.crt", tmp_path / "tls.key"))
    assert not certificates.refresh()
    (tmp_path / "..new").symlink_to("two")
    (tmp_path / "..new").rename(data)
    assert certificates.refresh()


def test_a_certificate_that_cannot_be_used_stops_the_start(tmp_path: Path) -> None:
    """The person who starts it reads which files, and why."""
    pair = write_pair(trustme.CA(), tmp_path)
    pair.key.write_text("no key")
    with pytest.raises(ConfigError, match=r"tls\.key"):
        Certificates(pair)
    with pytest.raises(ConfigError, match="missing"):
        Certificates(Pair(tmp_path / "missing", pair.key))


def test_whoever_leaves_says_so_and_serves_on(start: Start) -> None:
    """Not ready any more, but still there while the cluster gets to know; then gone."""
    running = start(drain_seconds=1.0)
    stopping = threading.Thread(target=running.stop)
    stopping.start()
    assert until(lambda: running.ask(method="GET", path="/readyz").status == 503)
    answer = running.ask(review(privileged()))
    assert answer.headers["Connection"] == "close"
    assert not _response(answer)["allowed"]
    stopping.join(10)
    with pytest.raises(ConnectionError):
        running.ask(method="GET", path="/healthz")


_PROGRAM = """
import logging, sys
from pathlib import Path
from tests.webhook.world import BENCH, SETTINGS, Kept, live
from auditor.declared import Admission, Mode
from auditor.webhook.certificates import Pair
from auditor.webhook.evaluators import Staff
from auditor.webhook.plan import Plan
from auditor.webhook.server import Listener, serve
logging.basicConfig(level=logging.INFO, format="%(message)s")
pair = Pair(Path(sys.argv[1]) / "tls.crt", Path(sys.argv[1]) / "tls.key")
cluster = Kept(live())
cluster.unread = tuple(sys.argv[2:])
listener = Listener("127.0.0.1", 0, pair, drain_seconds=0.2)
serve(Plan(BENCH, SETTINGS, Admission(Mode.DENY)), cluster, listener, Staff(workers=1))
"""


@pytest.mark.parametrize("unread", [(), ("list of pods",)])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_process_cleanly(
    tmp_path: Path, number: signal.Signals, unread: tuple[str, ...]
) -> None:
    """SIGTERM is how a kubelet says goodbye: the answer is exit code 0, also while the cluster is
    still being read.
    """
    write_pair(trustme.CA(), tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, str(tmp_path), *unread],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    ) as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        process.send_signal(number)
        assert process.wait(10) == 0, said + process.stderr.read()
    assert said.startswith("serving on port ")


def test_a_cluster_that_cannot_be_read_ends_the_start(tmp_path: Path) -> None:
    """With the names of the lists that are missing; not ready for ever would tell nobody."""
    state = Kept(live())
    state.unread = ("list of pods", "list of networkpolicies.networking.k8s.io")
    pair = write_pair(trustme.CA(), tmp_path)
    listener = Listener("127.0.0.1", 0, pair, first_read_seconds=0.2)
    with pytest.raises(ClusterError, match=r"list of pods, list of networkpolicies") as raised:
        serve(Plan(BENCH, SETTINGS, Admission(Mode.DENY)), state, listener, Staff(workers=1))
    assert raised.value.exit_code == 2


@pytest.mark.conformance
def test_recorded_requests_are_answered_over_the_wire(start: Start) -> None:
    """What a real API server sent, with its path and its headers, gets a whole answer."""
    running = start()
    connection = HTTPSConnection("127.0.0.1", running.port, context=running.context, timeout=20)
    for file in captures():
        recorded = orjson.loads(file.read_bytes())
        headers = {k: v for k, v in recorded["headers"].items() if k != "Content-Length"}
        body = orjson.dumps(recorded["body"])
        connection.request("POST", recorded["path"], body, headers)
        response = connection.getresponse()
        answer = orjson.loads(response.read())
        assert response.status == 200, file
        assert answer["response"]["uid"] == recorded["body"]["request"]["uid"], file
        said = answer["response"].get("status", {}).get("message", "")
        assert answer["response"]["allowed"] is True or opens_data(file, said), file
    connection.close()


def _opened(running: Running) -> ssl.SSLSocket:
    """A connection on which a large body is announced, and does not come."""
    plain = socket.create_connection(("127.0.0.1", running.port), timeout=20)
    secured = running.context.wrap_socket(plain, server_hostname="127.0.0.1")
    head = "POST /validate?timeout=10s HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    secured.sendall(f"{head}Content-Length: {MAX_BYTES}\r\n\r\n".encode())
    return secured


def test_large_bodies_do_not_hold_up_small_ones(start: Starter) -> None:
    """Else a few large objects of one user would leave everybody to the failurePolicy."""
    running = start()
    large = [_opened(running) for _ in range(6)]
    open_now = b"auditor_webhook_connections 7\n"  # with the one that looks
    assert until(lambda: open_now in running.ask(method="GET", path="/metrics").body)
    answer = running.ask(review(pod()), path="/validate?timeout=2s")
    for each in large:
        each.close()
    assert answer.status == 200


def test_whether_requests_are_judged_is_told_on_and_on(start: Starter) -> None:
    """A certificate that the API server does not trust counts, and so does one that cannot even be
    looked at: that ends nothing.
    """
    told: list[bool] = []
    trusts: list[Trust] = []

    def registered() -> tuple[Trust, ...]:
        if told.count(False) == 2:
            trusts.clear()
            raise RuntimeError
        return tuple(trusts)

    start(registered=registered, answers=told.append)
    assert until(lambda: told[-1:] == [True])
    told.clear()
    trusts.append(Trust("127.0.0.1", trustme.CA().cert_pem.bytes()))
    assert until(lambda: told.count(False) >= 2)
    assert until(lambda: told[-1:] == [True])
