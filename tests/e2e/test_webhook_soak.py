"""Two minutes of load, one request in a hundred hostile: every answer right, and nothing grows."""

from __future__ import annotations

import asyncio

import pytest

from benchmarks.webhook import soak

SECONDS = 120


@pytest.mark.e2e
def test_two_minutes_of_load_leave_nothing_behind() -> None:
    """Memory of all processes, open files and threads are as they were half-way."""
    found = asyncio.run(soak(SECONDS))
    assert found.asked > 1000
    assert found.wrong == 0
    assert found.flat, found.sizes
