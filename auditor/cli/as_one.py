"""Several fixes as one: two that hold alone may undo each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auditor.cli.options import Chosen
    from auditor.model import Audit, Change, Finding, TextEdit


def prove_as_one(
    answer: Audit,
    wanted: Sequence[Finding],
    changes: tuple[Change, ...],
    chosen: Chosen,
    edits: tuple[TextEdit, ...] = (),
    measure: Finding | None = None,
) -> None:
    """See to it that all changes at once resolve what is wanted; `measure` is the gravest finding,
    where that is not among `wanted`.

    Raises:
        WriteError: together they do not hold; the text says why.
    """
    from auditor.errors import WriteError
    from auditor.fixes.case import Before
    from auditor.fixes.proof import prove_together
    from auditor.model import Fix, Safety
    from auditor.reporters.words import objections

    before = Before(answer, chosen.bench, chosen.settings)
    proof = prove_together(before, wanted, changes, edits, measure)
    if not proof.holds:
        why = "; ".join(objections(Fix("", Safety.MANUAL, changes, edits, proof)))
        raise WriteError(f"the fixes do not go together: {why}")
