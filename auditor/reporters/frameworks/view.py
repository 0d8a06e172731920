"""What every form of a report on controls shares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TextIO

from auditor.frameworks.assessment import Assessed, ControlStatus, Look
from auditor.frameworks.catalogue import Framework
from auditor.model import Audit, Finding, Resource
from auditor.reporters.lines import Told, told_of
from auditor.reporters.words import counted
from auditor.values import dataclass

WORDS = (
    "Evidence toward the controls, from what was read; not a verdict on the whole. A control is "
    "passed where its policies judged what was read and found nothing."
)


@dataclass(frozen=True, slots=True)
class Answer:
    """The controls of one framework."""

    framework: Framework
    controls: tuple[Assessed, ...]

    @property
    def counts(self) -> dict[ControlStatus, int]:
        """How many controls have each status."""
        found = Counter(one.status for one in self.controls)
        return {status: found[status] for status in ControlStatus}

    @property
    def summary(self) -> str:
        """``2 passed, 1 failed, …, of 12 controls``."""
        told = ", ".join(f"{number} {status}" for status, number in self.counts.items() if number)
        return f"{told}, of {counted(len(self.controls), 'control')}"

    def sections(self) -> Iterator[tuple[str, str, Sequence[Assessed]]]:
        """Key, title and controls of each section, in their order; one without a key for those
        that are in none.
        """
        groups: dict[str, list[Assessed]] = {key: [] for key in ("", *self.framework.sections)}
        for one in self.controls:
            groups[self.framework.section_of(one.name)].append(one)
        for key, found in groups.items():
            if found:
                yield key, self.framework.sections.get(key, ""), found


@dataclass(frozen=True)
class View:
    """The answers, and for whom they are written."""

    audit: Audit
    answers: tuple[Answer, ...]
    paths: tuple[str, ...]
    """What the user named; empty for a cluster."""
    terminal: TextIO | None
    brief: bool = False
    """One line for each control."""
    ends: str = ""
    """Why the run ends as it does, where that is not plain."""

    @cached_property
    def _told(self) -> dict[int, Told]:
        return {id(told.finding): told for told in told_of(self.audit)}

    def told(self, finding: Finding) -> Told:
        """The finding with its place."""
        return self._told[id(finding)]


def where(told: Told) -> str:
    """``file:line``; empty where it stands nowhere."""
    return f"{told.file}:{told.line}" if told.file else ""


def place(resource: Resource) -> str:
    """``file:line`` of an object."""
    return f"{resource.origin.uri}:{resource.origin.span(()).line}"


def looked(look: Look) -> str:
    """``workload/privileged_container (12 objects, 1 finding)``."""
    if not look.asked:
        return f"{look.policy.id} (not asked)"
    found = f", {counted(len(look.findings), 'finding')}" if look.findings else ""
    return f"{look.policy.id} ({counted(look.objects, 'object')}{found})"
