"""With which number a run ends (decision 0005)."""

from __future__ import annotations


def ends_with(found: object, unseen: object) -> int:
    """1 where something was `found` that fails the run, even where something else could not be
    seen; 4 where only something was `unseen`; else 0.
    """
    return 1 if found else 4 if unseen else 0
