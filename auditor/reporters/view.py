"""For whom a report is written. Every reporter is given it, and looks at what concerns it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TextIO

from auditor.model import Audit, Settings
from auditor.values import dataclass


def _nobody(_text: str) -> None:
    pass


@dataclass(frozen=True, slots=True)
class State:
    """One of the states that were audited: of files with several variants there are several."""

    name: str
    """What it is built from; empty where there is no other."""
    audit: Audit
    """What was said of it alone."""
    settings: Settings
    """What it was judged with: facts of its snapshot are known by them."""


@dataclass(frozen=True, slots=True)
class View:
    """What a reporter has to know beside the audit."""

    paths: tuple[str, ...] = ()
    """What the user named; empty for a cluster."""
    terminal: TextIO | None = None
    """The stream that the report goes to; None for a file."""
    brief: bool = False
    """One line per finding."""
    sarif: str = "full"
    """Who reads SARIF: a key of `auditor.reporters.sarif_profiles.PROFILES`."""
    flags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Verb → the flags of this run that it has to be given too, to speak of the same."""
    ends: str = ""
    """Why the run ends as it does, where that is not plain."""
    states: tuple[State, ...] = ()
    """What is behind the audit, for a report that draws it."""
    say: Callable[[str], None] = _nobody
    """Told what the report leaves out."""
