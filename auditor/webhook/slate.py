"""Tells which policy is being asked, to whoever has to end the process that asks it."""

from __future__ import annotations

import os
from collections.abc import Mapping

from auditor.audit import Bench
from auditor.policies.engine import PolicyEngine, RawFinding
from auditor.policies.ours import is_ours
from auditor.policies.packages import package_of

_MOST = 4096


class Slate:
    """A file in memory that both processes hold open. What is written on it outlives the writer."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, *packages: str) -> None:
        """Say that these are asked now; nothing for none."""
        os.pwrite(self._descriptor, b" ".join(p.encode() for p in packages)[:_MOST] + b"\n", 0)

    def read(self) -> tuple[str, ...]:
        """Who was asked last."""
        line = os.pread(self._descriptor, _MOST, 0).partition(b"\n")[0]
        return tuple(line.decode("utf-8", "replace").split())


class Telling:
    """An engine that says whom it asks. Ours are asked together; those of others, for which nobody
    vouches that they end, one by one.
    """

    def __init__(self, bench: Bench, slate: Slate) -> None:
        self.name, self.version = bench.engine.name, bench.engine.version
        self._engine: PolicyEngine = bench.engine
        self._slate = slate
        self._theirs = {package_of(p.module) for p in bench.policies if not is_ours(p.file)}

    def evaluate(self, package: str, document: bytes) -> list[RawFinding]:
        """See PolicyEngine."""
        self._slate.write(package)
        return self._engine.evaluate(package, document)

    def evaluate_all(
        self, packages: tuple[str, ...], document: bytes
    ) -> Mapping[str, list[RawFinding]]:
        """See PolicyEngine."""
        theirs = [package for package in packages if package in self._theirs]
        ours = packages if not theirs else tuple(p for p in packages if p not in self._theirs)
        said: dict[str, list[RawFinding]] = {p: self.evaluate(p, document) for p in theirs}
        if ours:
            self._slate.write(*ours)
            said.update(self._engine.evaluate_all(ours, document))
        return said
