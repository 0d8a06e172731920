"""What `audit`, `fix`, `diff` and others say of what was read: judged alike, whoever asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.cli.answer import Answers
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.cli.options import Access, Chosen
    from auditor.model import Snapshot
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


def read_and_judged(
    paths: tuple[str, ...],
    chosen: Chosen,
    *,
    cluster: bool,
    access: Access,
    now: Callable[[str], None],
) -> tuple[Judged, Snapshot]:
    """What is said of the files, the saved snapshot or the cluster, and the first state of it.
    `now` is told what is done.

    Raises:
        UsageError, NothingToAuditError, ClusterError, SnapshotError: see `read_variants`.
    """
    from auditor.cli.options import count, read_variants
    from auditor.cli.scope import check_scope
    from auditor.memory import collector_paused
    from auditor.reporters.words import counted

    with collector_paused(staying=True):
        found = read_variants(
            paths,
            chosen.building,
            cluster=cluster,
            access=access,
            expecting=chosen.bench.expect,
        )
        check_scope(found, chosen)
        now(f"judging {counted(count(found), 'object')}")
        return judged(found, chosen), found[0].snapshot
