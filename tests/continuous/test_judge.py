"""One audit after the other says what an audit from scratch says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.audit import audit
from auditor.continuous.judge import Judge
from auditor.model import Audit, Gap, Settings, Snapshot, Unseen
from auditor.terms import Scope
from tests.bench import SETTINGS
from tests.webhook.world import (
    BENCH,
    SERVER,
    Kept,
    guard,
    holding_data,
    live,
    pod,
    privileged,
)

NODES = Gap("list of nodes", "forbidden", Unseen.INCOMPLETE, ("NetworkPolicy",))
STATES: tuple[dict[str, Any], ...] = (
    pod("a"),
    privileged("a"),
    holding_data("a"),
    pod("b"),
    privileged("b"),
    guard("c"),
)


def _told(answer: Audit) -> tuple[object, ...]:
    found = [(f.fingerprint, f.status, f.message) for f in answer.findings]
    return (sorted(found), sorted(g.what for g in answer.gaps), answer.judged, answer.outside)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(STATES) - 1), st.booleans(), st.booleans())))
def test_it_is_the_audit_from_scratch(turns: list[tuple[int, bool, bool]]) -> None:
    """Whatever is written, taken away or not to be seen for a while; within a scope too."""
    limited = replace(SETTINGS, scope=Scope(exclude=("*/b[Pod]",)))
    for told in (SETTINGS, limited):
        judge, kept = _judge(told), Kept(live())
        for number, there, blind in turns:
            (resource,) = live(STATES[number]).resources
            if there:
                kept.remember(resource)
            else:
                kept.forget(resource.ref)
            now = replace(kept.snapshot(), server=SERVER, gaps=(NODES,) if blind else ())
            assert _told(judge.audit(now)) == _told(audit(now, BENCH, told))


def test_it_judges_for_the_version_of_the_server() -> None:
    """Which the watches do not tell."""
    version = [133]
    judge = Judge(BENCH, lambda at: replace(SETTINGS, kubernetes=at), lambda: version[0])
    empty = Snapshot((), server=replace(SERVER, version=0))
    for version[0] in (133, 134):  # an upgrade, while we follow
        found = judge.audit(empty)
        assert found.snapshot.server is not None
        assert (found.snapshot.server.version, found.kubernetes) == (version[0], version[0])


def _judge(told: Settings) -> Judge:
    return Judge(BENCH, lambda _: told, lambda: SERVER.version)
