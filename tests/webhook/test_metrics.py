"""What an operator reads at /metrics."""

from __future__ import annotations

import re
import time

import orjson

from auditor.declared import Admission, Mode, Mutating
from auditor.serving.metrics import Counter
from auditor.webhook.break_glass import BreakGlass, moment

from .conftest import Running, Starter, until, write_pair
from .world import pod, privileged, review


def _read(running: Running) -> dict[str, float]:
    """Each series and its value; every line is one that Prometheus reads."""
    text = running.ask(method="GET", path="/metrics").body.decode()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r'[a-z_]+(\{([a-z]+="[^"]*",?)+\})? \S+', line) for line in lines)
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_the_certificate_and_what_was_refused_are_told(start: Starter) -> None:
    """When it ends, by the certificate itself; a pair that does not fit counts as refused."""
    from cryptography import x509

    running = start()
    seen = _read(running)
    [first, *_] = x509.load_pem_x509_certificates(running.pair.certificate.read_bytes())
    shown = seen["auditor_webhook_certificate_expiry_seconds"]
    assert abs(shown - first.not_valid_after_utc.timestamp()) < 1
    assert seen["auditor_webhook_certificates_refused_total"] == 0
    key = running.pair.key.read_bytes()
    write_pair(running.authority, running.pair.key.parent)
    running.pair.key.write_bytes(key)
    assert until(lambda: _read(running)["auditor_webhook_certificates_refused_total"] > 0)


def test_what_was_not_heard_of_is_told_by_kind(start: Starter) -> None:
    assert _read(start())['auditor_webhook_unheard_seconds{kind="Pod"}'] == 2.5


def test_a_broken_glass_is_told_and_lets_in(start: Starter) -> None:
    """It is looked at anew for each request."""
    broken: list[BreakGlass] = []
    running = start(glass=lambda: broken[0] if broken else None)
    assert _read(running)["auditor_webhook_break_glass"] == 0
    broken.append(BreakGlass(moment(time.time()), moment(time.time() + 60), "drill"))
    assert _read(running)["auditor_webhook_break_glass"] == 1
    answer = orjson.loads(running.ask(review(privileged())).body)["response"]
    assert answer["allowed"] is True
    assert "runs privileged" in answer["auditAnnotations"]["break-glass-denied"]


def test_a_glass_that_nobody_mended_is_told(start: Starter) -> None:
    """Requests are judged again; that failurePolicy was not restored is a figure to alert on."""
    over = BreakGlass(moment(time.time() - 7200), moment(time.time() - 3600), "drill")
    running = start(unmended=lambda: over)
    figures = _read(running)
    assert figures["auditor_webhook_break_glass_unmended"] == 1
    assert figures["auditor_webhook_break_glass"] == 0
    assert not orjson.loads(running.ask(review(privileged())).body)["response"]["allowed"]


def test_nothing_is_added_while_the_glass_is_broken(start: Starter) -> None:
    """Nor said to be; afterwards it is again."""
    broken: list[BreakGlass] = []
    terms = Admission(Mode.DENY, mutate=Mutating(policies=("workload/*",)))
    running = start(terms=terms, glass=lambda: broken[0] if broken else None)
    broken.append(BreakGlass(moment(time.time()), moment(time.time() + 60), "drill"))
    answer = running.ask(review(pod()), path="/mutate?timeout=5s")
    response = orjson.loads(answer.body)["response"]
    assert response["allowed"] is True
    assert not response.keys() & {"patch", "patchType", "warnings"}
    assert response["auditAnnotations"]["break-glass"].endswith(": drill")
    assert running.ask(b"{}", path="/mutate?timeout=5s").status == 400


def test_faults_after_an_outage_and_races_have_their_names(start: Starter) -> None:
    """Also before there is one: an alert needs a series to look at."""
    seen = _read(start())
    assert seen["auditor_webhook_races_total"] == 0
    assert seen["auditor_webhook_unjudged_total"] == 0


def test_a_counter_is_read_while_others_count() -> None:
    """The thread that looks back after an outage counts too."""
    counter = Counter("x_total", "x")
    counter.add(policy="a")
    lines = counter.lines()
    read = [next(lines) for _ in range(3)]
    counter.add(policy="b")
    assert [*read, *lines][2:] == ['x_total{policy="a"} 1']
