"""Says whose network policies an answer takes to be enforced: as told, as found, or as supposed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from auditor.facts.network.detection import Detected, detected
from auditor.facts.network.profiles import SPEC, Profile, profile_of
from auditor.facts.selectors import Truth
from auditor.model import Gap, Snapshot, Unseen
from auditor.terms import Enforcer
from auditor.values import dataclass

How = Literal["stated", "assumed", "detected", "unknown"]

LONGEST = 40
"""How much of a setting's value is shown in one line."""
GAP = "what enforces network policies"


@dataclass(frozen=True, slots=True)
class Enforcement:
    """What the judge goes by, and how that is known."""

    profile: Profile
    how: How
    """stated: by --cni or the configuration; assumed: for files; detected: live; unknown: live, and
    the answer is as if every NetworkPolicy held."""
    found: Detected | None = None
    """What the cluster showed, where it was looked at."""
    why: str = ""
    """What is not known, where something is not."""

    @property
    def known(self) -> bool:
        """Whether isolation can be told at all."""
        return self.how != "unknown"

    @property
    def nothing(self) -> bool:
        """Whether it is known that no NetworkPolicy has any effect."""
        return self.known and self.profile.enforces is Truth.NO

    @property
    def gap(self) -> Gap | None:
        """What stands in the place of isolation where it cannot be told."""
        if self.known:
            return None
        said = f"{self.why}: isolation is told as if every policy held; say what does with --cni"
        return Gap(GAP, said, Unseen.INCOMPLETE)

    @property
    def told(self) -> Enforcer:
        """The same as reports tell it."""
        found = self.found
        if found is None:
            return Enforcer(self.profile.name, self.how, self.words)
        return Enforcer(
            self.profile.name,
            self.how,
            self.words,
            found.product,
            found.version,
            tuple(found.settings.items()),
            tuple(one.message for one in found.evidence),
        )

    @property
    def words(self) -> str:
        """One line for a report."""
        return f"network policies: {''.join(self._words())}"

    def _words(self) -> Iterator[str]:
        if self.how == "assumed":
            yield "taken to be enforced as specified (--cni names what enforces)"
            return
        if self.how == "unknown":
            yield f"not known what enforces them ({self.why})"
            return
        yield "enforced by nothing" if self.nothing else f"enforced by {self.profile.name}"
        if self.found is None:
            yield " (as stated)"
            return
        product = self.found.product
        version = f" {self.found.version}" if self.found.version else ""
        yield f" (detected: {product}{version}{''.join(map(_set, self.found.settings.items()))})"


def _set(pair: tuple[str, str]) -> str:
    name, value = pair
    return f", {name}: {value if len(value) <= LONGEST else f'{value[:LONGEST]}…'}"


def enforcement(snapshot: Snapshot, stated: Sequence[str] = ()) -> Enforcement:
    """What enforces the policies of a snapshot: what is `stated` (names of profiles) counts; else
    it is detected in a cluster, and the specification's answers are taken for files.

    Raises:
        UsageError: a name is none, or two contradict each other.
    """
    if stated:
        return Enforcement(profile_of(stated), "stated")
    if snapshot.server is None:
        return Enforcement(SPEC, "assumed")
    missing = next((gap for gap in snapshot.gaps if "DaemonSet" in gap.kinds), None)
    if missing:
        return Enforcement(SPEC, "unknown", why=f"the {missing.what} could not be read")
    found = detected(snapshot)
    if found is None:
        why = "no agent that we know runs in the cluster"
        return Enforcement(SPEC, "unknown", why=why)
    if not found.sure:
        return Enforcement(found.profile, "unknown", found, found.why)
    return Enforcement(found.profile, "detected", found)
