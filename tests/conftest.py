"""What every test has."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache that is not that of the person who runs the tests."""
    folder = tmp_path_factory.mktemp("cache") / "auditor"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "AUDITOR_CACHE_DIR", str(folder))
        yield folder
