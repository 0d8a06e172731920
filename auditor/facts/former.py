"""What the facts of a snapshot take over from those of the one before: all that was told of a
workload and that no changed object can have touched.

Taken over is only what is told of one workload from what is named here: the workload itself, the
very same value in both, and objects of the kinds of which none changed. Whatever compares workloads
with each other is told anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any, TypeVar

from auditor.facts.workloads import Workload
from auditor.model import Resource, Snapshot
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.facts.dependencies import Directory
    from auditor.facts.network.succession import Changes

T = TypeVar("T")

Rows = Mapping[int, tuple[Workload, Any]]
"""By the `id` of the workload, which each row keeps from becoming another's."""


@dataclass(frozen=True, slots=True)
class Former:
    """What had been told of the snapshot before, by the end of its audit."""

    snapshot: Snapshot
    changed: Changes
    """In what the snapshot after differs."""
    workloads: tuple[Workload, ...]
    rows: Mapping[str, Rows]
    directory: Directory | None
    """None where nobody asked for it."""
    ill_formed: tuple[Resource, ...] | None
    """The same."""

    def unchanged(self, *kinds: str) -> bool:
        """Whether no object of these kinds is another one than before."""
        return all(change.kind not in kinds for change in self.changed.values())

    @property
    def owned(self) -> bool:
        """Whether it may be others who made some pods."""
        return any(change.owned for change in self.changed.values())


@dataclass(slots=True)
class Tables:
    """What is told of each workload of one snapshot, by the name of what is told. Not frozen: it is
    filled as facts are asked for.
    """

    before: Mapping[str, Rows] = field(default_factory=dict)
    rows: dict[str, Rows] = field(default_factory=dict)
    numbers: list[int] | None = None
    """The `id` of each workload, which are the same in all that is asked."""

    def each(
        self, name: str, workloads: Sequence[Workload], tell: Callable[[Workload], T], *, kept: bool
    ) -> list[T]:
        """What `tell` says of each workload, in their order; where all else that it reads was
        `kept` as it was, it is asked only about those that changed.
        """
        if self.numbers is None:
            self.numbers = list(map(id, workloads))
        old = self.before.get(name, {}) if kept else {}
        rows = list(map(old.get, self.numbers))
        for place, row in enumerate(rows):
            if row is None:
                rows[place] = workloads[place], tell(workloads[place])
        found: list[tuple[Workload, T]] = [row for row in rows if row is not None]
        self.rows[name] = dict(zip(self.numbers, found, strict=True))
        return [told for _, told in found]
