"""Counts as people read them."""

from __future__ import annotations

import pytest

from auditor.model import Reading
from auditor.reporters.words import read_in


@pytest.mark.parametrize(
    ("objects", "requests", "size", "words"),
    [
        (2431, 23, 4_123_456, "read 2,431 objects in 23 requests, 4.1 MB"),
        (1, 1, 0, "read 1 object in 1 request, 0 bytes"),
        (12, 1024, 99_000, "read 12 objects in 1,024 requests, 99,000 bytes"),
    ],
)
def test_what_reading_took(objects: int, requests: int, size: int, words: str) -> None:
    """In one line, rounded where nobody needs every digit."""
    assert read_in(Reading("2026-03-01T10:00:00Z", objects, requests, size)) == words
