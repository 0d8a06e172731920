"""More of the vocabulary: how much something matters, and what became of it. Imports nothing of
ours.
"""

from __future__ import annotations

from auditor.values import Word


class Severity(Word):
    """How much a finding matters, worst first when sorted by ``rank``."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for critical, up to 4 for info."""
        return _RANKS[self]

    def at_least(self, other: Severity) -> bool:
        """Whether this is as severe as `other`, or more."""
        return self.rank <= other.rank


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


class Unseen(Word):
    """Why a gap is a gap."""

    INCOMPLETE = "incomplete"
    """It was to be audited and could not be: a broken file, a forbidden list."""
    UNKNOWN = "unknown"
    """Manifests alone cannot tell: a namespace's labels, a pod's address."""


class About(Word):
    """What a gap is about."""

    READING = "reading"
    """What was read, or could not be: a file, an object, what the facts tell of one."""
    LIST = "list"
    """A list of objects that the API server did not give, or not all of."""
    POLICY = "policy"
    """A policy that could not be asked."""
    CONTROL = "control"
    """A control of a framework that no policy looks at."""
    DECLARATION = "declaration"
    """A waiver or an acknowledgement that is of no use. No object is unseen for it."""
    MARK = "mark"
    """The same, of a waiver in the manifests."""


class Safety(Word):
    """What a fix may do to the behaviour of the workload, as its author claims."""

    SAFE = "safe"
    UNSAFE = "unsafe"
    MANUAL = "manual"


class Status(Word):
    """Whether a finding still asks for something."""

    OPEN = "open"
    WAIVED = "waived"
    BASELINE = "baseline"
    UPCOMING = "upcoming"
    """Of a policy that is newer than the pinned set: told, and failing nothing yet."""
    PLATFORM = "platform"
    """What a part of the cluster itself needs or is shipped with: shown folded."""
