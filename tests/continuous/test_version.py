"""Which version of the API server is judged for, as long as it is followed."""

from __future__ import annotations

import pytest

from auditor.continuous.version import ASK_SECONDS, Version
from auditor.errors import ClusterError


class _Server:
    """One that is upgraded, falls silent, or will not tell."""

    def __init__(self) -> None:
        self.version = 135
        self.there = True
        self.asked = 0

    def __call__(self) -> int:
        self.asked += 1
        if not self.there:
            raise ClusterError("no cluster answers")
        return self.version


def test_an_upgrade_is_learnt_in_time() -> None:
    server, now = _Server(), [0.0]
    version = Version(server, lambda: now[0])
    server.version = 136
    now[0] += ASK_SECONDS - 1
    assert [version(), version()] == [135, 135]
    now[0] += 1
    assert [version(), version()] == [136, 136]
    assert server.asked == 2


@pytest.mark.parametrize("told", [{"there": False}, {"version": 0}])
def test_what_was_told_last_holds_where_nothing_is_told(told: dict[str, int]) -> None:
    """It is asked again after as long, and not at each look."""
    server, now = _Server(), [0.0]
    version = Version(server, lambda: now[0])
    vars(server).update(told)
    now[0] += ASK_SECONDS
    assert [version(), version()] == [135, 135]
    assert server.asked == 2


def test_without_a_cluster_there_is_nothing_to_follow() -> None:
    server = _Server()
    server.there = False
    with pytest.raises(ClusterError):
        Version(server, lambda: 0.0)
