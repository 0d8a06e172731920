"""Remembers answers by the question, so that what is written many times is asked about once.

A policy sees nothing but its document: the same packages, asked about the same bytes, say the same.
"""

from __future__ import annotations

import hashlib
from dataclasses import field

from auditor.policies.drafts import Said
from auditor.policies.engine import EvaluationError
from auditor.values import dataclass

MOST = 4096
"""So many answers are remembered; of more, the oldest are forgotten."""
LONGEST = 50
"""Findings and pieces of evidence of an answer that is remembered beyond its audit."""

_Key = tuple[tuple[str, ...], bytes]


@dataclass(slots=True)
class Cell:
    """The place of one answer, which may still be on its way. Is filled once."""

    said: tuple[Said, ...] | None = None


@dataclass(slots=True)
class Alike:
    """The answers to the questions of one audit, and of the proofs of its fixes."""

    _cells: dict[_Key, Cell] = field(default_factory=dict)
    _new: list[_Key] = field(default_factory=list)

    def settle(self) -> None:
        """Of what was asked since the last time, forget the long answers: those who sit for days
        would be filled up by whoever sends objects with many faults.
        """
        for key in self._new:
            if key in self._cells and _length(self._cells[key]) > LONGEST:
                del self._cells[key]
        self._new.clear()

    def cell(self, packages: tuple[str, ...], document: bytes) -> tuple[Cell, bool]:
        """The place of the answer, and whether it was not asked for before."""
        key = (packages, hashlib.blake2b(document, digest_size=20).digest())
        known = self._cells.get(key)
        if known is not None and not _failed(known):
            return known, False
        if known is None and len(self._cells) >= MOST:
            del self._cells[next(iter(self._cells))]
        new = self._cells[key] = Cell()
        self._new.append(key)
        return new, True


def _length(cell: Cell) -> int:
    """Of how many findings and pieces of evidence it is."""
    said = [drafts for _, drafts in cell.said or () if not isinstance(drafts, EvaluationError)]
    return sum(1 + len(draft.evidence) for drafts in said for draft in drafts)


def _failed(cell: Cell) -> bool:
    """Whether a policy could not tell. It may have been the machine, so that it is asked again."""
    return any(isinstance(said, EvaluationError) for _, said in cell.said or ())
