"""A slip is told from a name that is another one on purpose."""

from __future__ import annotations

import pytest

from auditor.facts.upkeep.likeness import MANY, meant


@pytest.mark.parametrize(
    ("written", "right"),
    [
        ("custommers", "customers"),
        ("front-end", "frontend"),
        ("monitorin", "monitoring"),
        ("payment-servce", "payment-service"),
    ],
)
def test_a_letter_too_many_too_few_or_another_one_is_a_slip(written: str, right: str) -> None:
    """And so is a dash that is left out."""
    assert meant(written, ["web", right, "orders"]) == right


@pytest.mark.parametrize(
    ("written", "other"),
    [
        ("team-a", "team-b"),
        ("worker-1", "worker-2"),
        ("orders-v1", "orders-v2"),
        ("shop-eu", "shop-us"),
        ("web", "wab"),
        ("frontend", "backend"),
        ("customers", "customers"),
    ],
)
def test_what_is_told_apart_by_a_number_or_a_short_part_is_none(written: str, other: str) -> None:
    """Nor is a word of few letters, nor the word itself."""
    assert meant(written, [other]) == ""


def test_among_very_many_words_none_is_looked_for() -> None:
    """Each costs time, and whoever has so many names them by a machine."""
    assert meant("customerz", ["customers", *map(str, range(MANY))]) == ""
