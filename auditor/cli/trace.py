"""Notes what a run reads, lists and writes, as Python itself tells it (PEP 578, audit hooks).

Nothing that reads files has to say so, and none can be forgotten. What another program reads, or
what comes from the network, is not seen: that there was such a thing is noted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import field
from typing import Any

from auditor.terms import LOOKED_UP
from auditor.values import dataclass

_CODE = (".py", ".pyc", ".so", ".pth", ".dylib")
_ELSEWHERE = frozenset(
    ("os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system", "pty.spawn",
     "socket.connect", "socket.getaddrinfo", "ctypes.dlopen", LOOKED_UP)
)  # fmt: skip
_WRITING = os.O_WRONLY | os.O_RDWR
_WORKER = "auditor.policies.worker"


@dataclass(slots=True)
class Trace:
    """What a run has done so far. Paths are as they were used: relative ones to its folder."""

    read: dict[str, None] = field(default_factory=dict)
    listed: dict[str, None] = field(default_factory=dict)
    written: dict[str, None] = field(default_factory=dict)
    elsewhere: bool = False
    """Whether it started a program, asked the network, or looked for what may not be there."""

    def note(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take in an event of Python's."""
        if event == "open":
            self._opened(*arguments)
        elif event in {"os.scandir", "os.listdir"}:
            self._listed(event, arguments[0])
        elif event == "os.rename":
            self._renamed(arguments[0], arguments[1])
        elif event in _ELSEWHERE:
            # Without a name it is this program itself, as `import ctypes` opens it.
            self.elsewhere |= event != "ctypes.dlopen" or arguments != (None,)
        elif event == "subprocess.Popen":
            self.elsewhere |= _WORKER not in map(str, arguments[1])

    def _opened(self, path: Any, mode: str | None, flags: int) -> None:
        if isinstance(path, int) or path is None:
            return  # it was opened before
        name = os.fsdecode(path)
        if name.endswith(_CODE) or "__pycache__" in name:
            return  # code of ours and of others counts by itself
        writes = any(sign in mode for sign in "wax+") if mode else bool(flags & _WRITING)
        (self.written if writes else self.read)[name] = None

    def _listed(self, event: str, path: Any) -> None:
        if isinstance(path, int):
            return  # by its descriptor, as what is removed with all below it; it was opened by name
        name = os.fsdecode("." if path is None else path)
        # What Python looks through for modules, it lists; we scan.
        if event == "os.scandir" or name not in sys.path_importer_cache:
            self.listed[name] = None

    def _renamed(self, old: Any, new: Any) -> None:
        if self.written.pop(os.fsdecode(old), old) is None:
            self.written[os.fsdecode(new)] = None


_traces: list[Trace] = []
_hooks: list[bool] = []


def _heard(event: str, arguments: tuple[Any, ...]) -> None:
    for trace in _traces:
        trace.note(event, arguments)


@contextmanager
def traced() -> Iterator[Trace]:
    """What is done while the block runs."""
    if not _hooks:
        sys.addaudithook(_heard)  # there is no way to take it away again
        _hooks.append(True)
    trace = Trace()
    _traces.append(trace)
    try:
        yield trace
    finally:
        _traces.remove(trace)
