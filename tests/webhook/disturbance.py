"""An engine that takes its time, breaks or dies over certain objects, in whatever process."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from auditor.policies.engine import PolicyEngine, RawFinding


class Disturbed:
    """An engine, with something done before each answer."""

    def __init__(self, engine: PolicyEngine, disturb: Callable[[bytes], None]) -> None:
        self.name, self.version = engine.name, engine.version
        self._engine, self._disturb = engine, disturb

    def evaluate(self, package: str, document: bytes) -> list[RawFinding]:
        self._disturb(document)
        return self._engine.evaluate(package, document)

    def evaluate_all(
        self, packages: tuple[str, ...], document: bytes
    ) -> Mapping[str, list[RawFinding]]:
        self._disturb(document)
        return self._engine.evaluate_all(packages, document)


def _is_on(name: str, document: bytes) -> bool:
    return f'"name":"{name}'.encode() in document


@dataclass(frozen=True)
class Gate:
    """Keeps whoever asks about the pods named so waiting until it is opened."""

    folder: Path
    name: str = "slow"

    def __call__(self, document: bytes) -> None:
        if _is_on(self.name, document):
            (self.folder / "reached").touch()
            while not (self.folder / "opened").exists():
                time.sleep(0.01)

    @property
    def reached(self) -> bool:
        """Whether somebody waits, or did."""
        return (self.folder / "reached").exists()

    def open(self) -> None:
        """Let everybody through."""
        (self.folder / "opened").touch()


@dataclass(frozen=True)
class Breaks:
    """Raises an error over pods that are named so; over all, where the name is empty."""

    name: str = ""

    def __call__(self, document: bytes) -> None:
        if _is_on(self.name, document):
            raise ZeroDivisionError


@dataclass(frozen=True)
class Dies:
    """Ends its process over pods that are named so."""

    name: str

    def __call__(self, document: bytes) -> None:
        if _is_on(self.name, document):
            os._exit(7)


@dataclass(frozen=True)
class Grows:
    """Takes so many bytes, and keeps them, over pods that are named so."""

    name: str
    count: int
    kept: tuple[list[bytes], ...] = ([],)

    def __call__(self, document: bytes) -> None:
        if _is_on(self.name, document):
            self.kept[0][:] = [b"x" * self.count]


@dataclass(frozen=True)
class Rendezvous:
    """Lets nobody be judged whose name begins so, until two of them are at once."""

    folder: Path
    name: str

    def __call__(self, document: bytes) -> None:
        if _is_on(self.name, document):
            (self.folder / str(os.getpid())).touch()
            until = time.monotonic() + 10
            while len(list(self.folder.iterdir())) < 2 and time.monotonic() < until:
                time.sleep(0.005)


@dataclass(frozen=True)
class Both:
    """One after the other."""

    first: Callable[[bytes], None]
    second: Callable[[bytes], None]

    def __call__(self, document: bytes) -> None:
        self.first(document)
        self.second(document)
