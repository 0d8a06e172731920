"""What the user says of builds, and what comes of one. Knows no program."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import Any

from auditor.model import Gap, Resource, Unseen
from auditor.sources.objects import objects_of
from auditor.sources.yaml import Broken, Document, documents
from auditor.terms import KUBERNETES
from auditor.values import dataclass


@dataclass(frozen=True, slots=True)
class Rendering:
    """One way in which a chart is to be rendered."""

    values: tuple[str, ...] = ()
    """Files on top of the chart's own values.yaml, the last one first asked."""
    sets: tuple[str, ...] = ()
    """Values on top of those, as ``--set`` takes them."""
    inline: tuple[str, ...] = ()
    """Values as YAML, between the files and `sets`: those of a GitOps object."""
    release: str = "release-name"
    namespace: str = ""
    """Where the release goes; empty for the one that kubectl would take."""
    kubernetes: str = ""
    """The version to render for, as ``1.36``; empty for the one that the audit judges for."""
    name: str = ""
    """What it is called: empty for the file names."""
    within: str = ""
    """The folder that none of the files may leave; empty where the user named them."""
    by: str = ""
    """Who asks for it, where it is not the user."""


@dataclass(frozen=True, slots=True)
class Building:
    """What the user says of what is built from the files."""

    values: tuple[str, ...] = ()
    """Values files of the command line, for every chart."""
    sets: tuple[str, ...] = ()
    kubernetes: int = KUBERNETES
    """The version that is judged for, as 100 × major + minor."""
    charts: Mapping[str, tuple[Rendering, ...]] = field(default_factory=dict)
    """Real path of a chart's folder → the declared ways to render it."""
    sources: Mapping[str, str] = field(default_factory=dict)
    """Address of a repository or chart → the real path of the folder that has it."""
    within: str = ""
    """The folder that declared sources may not leave."""

    def asking(self, asked: Rendering) -> Building:
        """The same, with the values that the command line asks for."""
        return replace(self, values=asked.values, sets=asked.sets)

    @property
    def commanded(self) -> Rendering | None:
        """The one rendering that the command line asks for, if it does."""
        if not self.values and not self.sets:
            return None
        return Rendering(values=self.values, sets=self.sets)


@dataclass(slots=True)
class Build:
    """What came of one build."""

    name: str
    """What it was built from, as the user would name it."""
    label: str
    """What tells it from its alternatives: ``prod`` of ``overlays/prod``."""
    namespace: str = ""
    """Where its objects go that name no namespace; empty for the one that kubectl would take."""
    resources: list[Resource] = field(default_factory=list)


@dataclass(slots=True)
class Builds:
    """What came of all builds."""

    made: list[Build] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    """The real paths of all files that a build uses, or would use if it could be done."""

    def refuse(self, what: str, why: str, severity: Unseen = Unseen.INCOMPLETE) -> None:
        """Say that something is not there to be judged."""
        self.gaps.append(Gap(what, why, severity, ("*",)))


def built_objects(document: Document | Broken, named: str) -> Iterator[Resource | Gap]:
    """The objects of a document that a build wrote, and a gap for whatever is none."""
    if isinstance(document, Broken):
        why = f"what is built of it is no YAML: {document.problem.why}"
        yield Gap(named, why, Unseen.INCOMPLETE, ("*",))
        return
    for found in objects_of(document):
        if isinstance(found, Resource):
            yield found
        else:
            yield replace(found.gap, what=named, why=f"what is built of it: {found.gap.why}")


def text_in(file: str | Path) -> str:
    """The text of a file that a build reads, its line breaks as they are; nothing where it cannot
    be read.
    """
    try:
        return Path(file).read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError, ValueError):
        return ""


def first_value(file: str | Path) -> Any:
    """What the first document of a file says; None where there is none."""
    found = next(iter(documents(str(file), text_in(file))), None)
    return found.value if isinstance(found, Document) else None
