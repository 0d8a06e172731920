"""The loop: what it does at each look, and how it ends."""

from __future__ import annotations

import datetime
import os
import re
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from auditor.continuous import keeper as module
from auditor.continuous.judge import Judge
from auditor.continuous.keeper import Keeper
from auditor.continuous.numbers import Numbers
from auditor.declared import Waiver
from auditor.model import Audit, Gap, Settings, Snapshot, Unseen
from auditor.policies import statements, waivers
from tests.bench import SETTINGS
from tests.webhook.world import BENCH, SERVER, live, pod, privileged

EMPTY = replace(live(), server=SERVER)
BAD = "workload/privileged_container"


@dataclass
class Cluster:
    """What a watcher says."""

    now: Snapshot = EMPTY
    ready: bool = True
    unready: str = ""
    revision: int = 0
    ages: dict[str, float] = field(default_factory=lambda: {"Pod": 2.5})

    def snapshot(self) -> Snapshot:
        return self.now

    def becomes(self, now: Snapshot) -> None:
        self.now, self.revision = now, self.revision + 1


def _cluster(*manifests: dict[str, object], gaps: tuple[Gap, ...] = ()) -> Snapshot:
    return replace(live(*manifests), server=SERVER, gaps=gaps)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, which a test moves."""
    now = [1000.0]
    monkeypatch.setattr("auditor.continuous.keeper.time.monotonic", lambda: now[0])
    return now


def _keeping(cluster: Cluster, settings: Settings = SETTINGS) -> tuple[Keeper, Numbers]:
    numbers = Numbers(cluster)
    return Keeper(cluster, _judge(settings), numbers, 30), numbers


def _judge(settings: Settings = SETTINGS) -> Judge:
    return Judge(BENCH, lambda _: settings, lambda: SERVER.version)


def _values(numbers: Numbers) -> dict[str, float]:
    """Each series and its value; every line is one that Prometheus reads, no name is told twice."""
    lines = numbers.text().splitlines()
    heads = [line for line in lines if line.startswith("# TYPE")]
    assert len(heads) == len(set(heads))
    series = [line for line in lines if not line.startswith("#")]
    form = r'[a-z_]+(\{[a-z]+="(?:[^"\\]|\\.)*"(,[a-z]+="(?:[^"\\]|\\.)*")*\})? [-+.e\d]+'
    assert [line for line in series if not re.fullmatch(form, line)] == []
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in series)}


def _found(numbers: Numbers, status: str = "open") -> float:
    told = _values(numbers)
    return sum(v for k, v in told.items() if f'policy="{BAD}"' in k and f'"{status}"' in k)


def test_nothing_is_told_before_the_cluster_was_read(clock: list[float]) -> None:
    cluster = Cluster(ready=False, unready="the cluster is not read yet: no list of pods")
    keeper, numbers = _keeping(cluster)
    keeper.look()
    assert numbers.unready == "the cluster is not read yet: no list of pods"
    assert "auditor_findings" not in numbers.text()
    cluster.ready, cluster.unready = True, ""
    assert numbers.unready == "the cluster is not audited yet"
    keeper.look()
    assert numbers.unready == ""
    assert _values(numbers)["auditor_watch_ready"] == 1


def test_it_audits_when_something_has_changed_and_settled(clock: list[float]) -> None:
    cluster = Cluster()
    keeper, numbers = _keeping(cluster)
    keeper.look()
    clock[0] += 100
    keeper.look()
    assert _values(numbers)["auditor_watch_audits_total"] == 1
    cluster.becomes(_cluster(privileged()))
    keeper.look()
    clock[0] += 1
    keeper.look()
    assert _found(numbers) == 0
    assert _values(numbers)["auditor_watch_unaudited_seconds"] == 1
    clock[0] += 2
    keeper.look()
    assert _found(numbers) == 1
    assert _values(numbers)["auditor_watch_unaudited_seconds"] == 0
    assert abs(_values(numbers)["auditor_watch_last_audit_timestamp_seconds"] - time.time()) < 60


def test_a_kind_that_is_seen_too_late_makes_it_unready(clock: list[float]) -> None:
    cluster = Cluster()
    keeper, numbers = _keeping(cluster)
    keeper.look()
    cluster.unready = "nothing was heard of any Pod for 180 seconds"
    assert numbers.unready == "nothing was heard of any Pod for 180 seconds"
    assert _values(numbers)["auditor_watch_ready"] == 0


def test_an_audit_that_breaks_down_is_told_and_the_next_is_tried(
    clock: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    """Without the values, which may be secret; what was told before is no longer relied on."""
    cluster = Cluster()
    keeper, numbers = _keeping(cluster)
    keeper.look()
    cluster.becomes(_Broken(cluster.now))  # type: ignore[arg-type]
    for _ in range(3):
        clock[0] += 40
        keeper.look()
    assert numbers.unready.startswith("the last audit broke down: ValueError in ")
    assert "hunter2" not in caplog.text + numbers.unready
    assert _values(numbers)["auditor_watch_audit_failures_total"] == 1
    cluster.becomes(_cluster(privileged()))
    for _ in range(2):
        clock[0] += 40
        keeper.look()
    assert (numbers.unready, _found(numbers)) == ("", 1)


def test_an_audit_that_hangs_is_told_while_it_does(clock: list[float]) -> None:
    """By numbers that are read meanwhile: nobody else could say it."""
    cluster = Cluster()
    numbers = Numbers(cluster, patience=600)
    told: list[tuple[float, float, float]] = []
    why: list[str] = []

    def hangs() -> None:
        for _ in range(3):
            clock[0] += 250
            values = _values(numbers)
            names = ("unaudited_seconds", "audit_running_seconds", "ready")
            told.append(tuple(values[f"auditor_watch_{name}"] for name in names))  # type: ignore[arg-type]
            why.append(numbers.unready)

    judge = _Hanging(_judge())
    keeper = Keeper(cluster, judge, numbers, 30)  # type: ignore[arg-type]
    keeper.look()
    judge.meanwhile = hangs
    cluster.becomes(_cluster(privileged()))
    for _ in range(2):
        clock[0] += 40
        keeper.look()
    assert told == [(290, 250, 1), (540, 500, 1), (790, 750, 0)]
    waiting = "a change has been waiting to be audited for 790 seconds"
    assert why == ["", "", f"{waiting}, and the audit has been running for 750"]
    assert numbers.unready == ""
    assert _values(numbers)["auditor_watch_audit_running_seconds"] == 0


class _Hanging:
    """One whose audits last, and in which something happens meanwhile."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self.version = judge.version
        self.meanwhile: Callable[[], None] = lambda: None

    def audit(self, live: Snapshot) -> Audit:
        self.meanwhile()
        return self._judge.audit(live)


class _Broken:
    """A snapshot that cannot be looked at."""

    def __init__(self, like: Snapshot) -> None:
        self.gaps, self.server = like.gaps, None

    def __getattr__(self, name: str) -> object:
        raise ValueError("hunter2")


def test_a_waiver_ends_with_its_day_whatever_happens_in_the_cluster(
    clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing changes, and the fault is open the next morning."""
    day = [datetime.date(2026, 5, 1)]
    for each in (module, waivers, statements):
        monkeypatch.setattr(each, "today", lambda: day[0])
    waiver = Waiver(BAD, "shop/web*", "for now", until="2026-05-01", origin="x:1")
    keeper, numbers = _keeping(
        Cluster(_cluster(privileged())), replace(SETTINGS, waivers=(waiver,))
    )
    keeper.look()
    assert (_found(numbers), _found(numbers, "waived")) == (0, 1)
    day[0] = datetime.date(2026, 5, 2)
    for _ in range(2):
        clock[0] += 40
        keeper.look()
    assert (_found(numbers), _found(numbers, "waived")) == (1, 0)


def test_another_version_of_the_server_is_reason_enough_to_audit(clock: list[float]) -> None:
    """Nothing else changes when a control plane is replaced by the next."""
    version = [135]
    judge = Judge(BENCH, lambda _: SETTINGS, lambda: version[0])
    numbers = Numbers(Cluster())
    keeper = Keeper(Cluster(), judge, numbers, 30)
    for version[0] in (135, 135, 136, 136):
        keeper.look()
        clock[0] += 40
    assert _values(numbers)["auditor_watch_audits_total"] == 2


def test_a_missing_list_is_a_gap_and_no_reason_to_end(
    clock: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    gap = Gap("list of networkpolicies", "forbidden: no", Unseen.INCOMPLETE, ("NetworkPolicy",))
    keeper, numbers = _keeping(Cluster(_cluster(pod(), gaps=(gap,))))
    keeper.look()
    assert _values(numbers)['auditor_gaps{severity="incomplete",acknowledged="false"}'] >= 1
    told = [record.__dict__["fields"]["of"] for record in caplog.records if "gap" in record.message]
    assert "list of networkpolicies" in told
    assert numbers.unready == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_told_to_in_the_midst_of_an_audit(number: int) -> None:
    """At once: whoever told it does not wait for as long as a large cluster takes."""
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    cluster = Cluster()
    numbers = Numbers(cluster)
    keeper = Keeper(cluster, _Long(lambda: os.kill(os.getpid(), number)), numbers, 30)  # type: ignore[arg-type]
    began = time.monotonic()
    keeper.run()
    assert time.monotonic() - began < 30
    assert numbers.unready == "shutting down"
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


class _Long:
    """An audit in which something happens, and that then takes a minute."""

    version = SERVER.version

    def __init__(self, happens: Callable[[], None]) -> None:
        self._happens = happens

    def audit(self, _: Snapshot) -> Audit:
        self._happens()
        time.sleep(60)
        raise AssertionError("nobody ended it")
