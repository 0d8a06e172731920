"""Says on a terminal what takes time. Reports go to standard output; this never does."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress(what: str, *, quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """Show `what` on standard error while the block runs; the function given says what is next.

    Silent where nobody looks: without a terminal, with CI set, and where `quiet` is asked for.
    """
    if quiet or not is_watched():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True).status(f"{what} …") as status:
        yield lambda now: status.update(f"{now} …")


def is_watched() -> bool:
    """Whether somebody sees what is said on the way."""
    return sys.stderr.isatty() and not os.environ.get("CI")
