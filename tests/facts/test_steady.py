"""The facts about updates and budgets need the lists that they say, and no other."""

from __future__ import annotations

import pytest

from .needs import unmet
from .steady import STEADY, WITH_UNWELL

NAMES = (
    "autoscaler", "budget", "daemon", "evicted", "governing", "guarded", "overlap", "unwell",
    "update",
)  # fmt: skip


@pytest.mark.parametrize("fact", NAMES)
def test_a_fact_needs_every_kind_that_changes_it(fact: str) -> None:
    """Without the objects of one kind, an answer about what is left would be another one exactly
    where the fact says that it needs them.
    """
    assert unmet(fact, WITH_UNWELL if fact in ("daemon", "unwell") else STEADY) == (set(), set())
