"""What `audit`, `fix` and `diff` say of what was read: judged alike, whoever asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from auditor.cli.answer import Answers

if TYPE_CHECKING:
    from auditor.cli.options import Chosen
    from auditor.sources.variants import Variant


@dataclass(frozen=True, slots=True)
class Judged:
    """The audit of each variant, and by what it was judged."""

    answers: Answers
    chosen: Chosen
    """The choice as it fits what was read. Whatever is proven afterwards has to ask the same."""


def judged(found: Sequence[Variant], chosen: Chosen) -> Judged:
    """Every variant judged by the policies that can be asked about it, for the version of the
    server that it was read from.
    """
    fitting = fitted(chosen, found)
    return Judged(Answers.of(found, fitting.bench, fitting.settings), fitting)


def fitted(chosen: Chosen, found: Sequence[Variant]) -> Chosen:
    """The choice without policies that would judge pseudonyms, and for the version of the server.
    A cluster, live or saved, is the one variant of what was read.
    """
    from auditor.cli.redacted import able

    snapshot = found[0].snapshot
    bench, settings = able(chosen.bench, snapshot), chosen.judging(snapshot)
    return replace(chosen, bench=bench, settings=settings)
