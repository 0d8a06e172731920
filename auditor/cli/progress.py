"""Says on a terminal what takes time. Reports go to standard output; this never does."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PATIENCE = 10.0
"""Seconds without a word, where nobody watches."""


@contextmanager
def progress(what: str, *, quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """Show `what` on standard error while the block runs; the function given says what is next.

    Without a terminal, and with CI set, a line now and then where it takes long: a log shows that
    something goes on. Nothing where `quiet` is asked for.
    """
    if quiet:
        yield lambda _: None
        return
    if not is_watched():
        with _lines(what) as now:
            yield now
        return
    from rich.console import Console

    with Console(stderr=True).status(f"{what} …") as status:
        yield lambda now: status.update(f"{now} …")


@contextmanager
def _lines(what: str) -> Iterator[Callable[[str], None]]:
    """Every PATIENCE seconds a line that says what is being done, and for how long already."""
    current, done, start = [what], threading.Event(), time.monotonic()

    def write() -> None:
        while not done.wait(PATIENCE):
            took = round(time.monotonic() - start)
            if sys.__stderr__ is None:
                return
            # Past what remembers the answer: a run that is answered from there does not take long.
            print(f"{current[-1]} … ({took} s)", file=sys.__stderr__, flush=True)

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    try:
        yield current.append
    finally:
        done.set()
        writer.join()


def is_watched() -> bool:
    """Whether somebody sees what is said on the way."""
    return sys.stderr.isatty() and not os.environ.get("CI")
