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

    What was built counts as old at once. The first collection after it would go through all of
    that, and then through everything, though it is there to stay. What is garbage among it is
    found when the collector next looks at what is old.
    """
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if staying:
            gc.freeze()
        if running:
            _age()
            gc.enable()


def _age() -> None:
    """Move all objects into the oldest generation, without looking at any."""
    if gc.get_freeze_count() == 0:  # nobody else's are let go
        gc.freeze()
        gc.unfreeze()
