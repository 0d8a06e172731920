"""Which entries of the configuration mean an object."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from auditor.declared import Holding
from auditor.model import Ref


def fitting(entries: Sequence[Holding], ref: Ref) -> Iterator[Holding]:
    """The entries whose pattern fits ``namespace/name[Kind]`` or ``namespace/name``, in order."""
    full = str(ref)
    short = full.removesuffix(f"[{ref.kind}]")
    for entry in entries:
        if any(_fits(name, entry.object) for name in (full, short)):
            yield entry


def _fits(name: str, pattern: str) -> bool:
    """Brackets stand for themselves."""
    return fnmatchcase(name, pattern.replace("[", "[[]"))
