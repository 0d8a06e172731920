"""What the reports of these tests have in common."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def new_year(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports are of the first of January 2026."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767225600")
