"""What is said on the way: to a person at once, to a log only where it takes long."""

from __future__ import annotations

import threading

import pytest

from auditor.cli import progress as module
from auditor.cli.progress import progress


class Log:
    """A standard error that tells when something was written."""

    def __init__(self) -> None:
        self.text = ""
        self.written = threading.Event()

    def write(self, text: str) -> None:
        """Keep it."""
        self.text += text
        self.written.set()

    def flush(self) -> None:
        """Nothing is held back."""


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Log:
    """The standard error of a run without a terminal, with little patience."""
    found = Log()
    monkeypatch.setattr("sys.__stderr__", found)
    monkeypatch.setenv("CI", "true")
    monkeypatch.setattr(module, "PATIENCE", 0.001)
    return found


def test_a_log_shows_that_something_goes_on(log: Log) -> None:
    """Whoever waits for minutes sees what for."""
    with progress("reading manifests") as now:
        now("judging 85,296 objects")
        log.written.clear()
        assert log.written.wait(30)
    assert "judging 85,296 objects … (0 s)\n" in log.text


def test_quiet_means_quiet(log: Log) -> None:
    """Not a thread is started."""
    before = threading.active_count()
    with progress("reading manifests", quiet=True):
        assert threading.active_count() == before
    assert log.text == ""


@pytest.mark.usefixtures("log")
def test_nothing_goes_on_after_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A short run says nothing, and leaves nothing behind."""
    monkeypatch.setattr(module, "PATIENCE", 60.0)
    before = threading.active_count()
    with progress("reading manifests"):
        pass
    assert threading.active_count() == before
