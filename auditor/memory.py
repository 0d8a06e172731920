"""Lets Python build large values without looking for cycles that cannot be there."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """Without garbage collection: manifests hold no cycles, and looking for them again and again
    is more than half of the time that reading many takes.
    """
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()
