"""What the shared flags add up to."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.cli.options import NEWEST, PolicyOptions, choose
from auditor.model import Server, Snapshot


def _options(version: int | None) -> PolicyOptions:
    return PolicyOptions(
        profile="recommended",
        select=("workload/privileged_container",),
        framework=(),
        kubernetes_version=version,
        engine="regorus",
        config=None,
        rack_label=None,
    )


@pytest.mark.parametrize(
    ("asked", "server", "judged"),
    [
        (None, None, 136),
        (None, 133, 133),
        (None, 0, 136),
        (None, 150, 100 + NEWEST),
        (130, 133, 130),
        (130, None, 130),
    ],
)
def test_a_cluster_is_judged_for_its_own_version(
    tmp_path: Path, asked: int | None, server: int | None, judged: int
) -> None:
    """Unless another one was asked for, or it is newer than what the policies know."""
    read_from = None if server is None else Server(server, frozenset())
    chosen = choose(_options(asked), tmp_path)
    assert chosen.judging(Snapshot((), server=read_from)).kubernetes == judged
