"""The command as a fixture."""

from __future__ import annotations

from pathlib import Path

import pytest

from .command import Command


@pytest.fixture
def auditor(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Command:
    """The command."""
    return Command(monkeypatch, capsys, tmp_path_factory.mktemp("cache") / "auditor")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder outside any repository."""
    made = tmp_path / "manifests"
    made.mkdir()
    return made
