"""Lets Python build large values without looking for cycles that cannot be there."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused(*, staying: bool = False) -> Iterator[None]:
    """Without garbage collection: manifests hold no cycles, and looking for them again and again
    is more than half of the time that reading many takes.

    `staying` says that what is there at the end stays as long as the process: it is not looked at
    later either.
    """
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if staying:
            gc.freeze()
        if running:
            gc.enable()
