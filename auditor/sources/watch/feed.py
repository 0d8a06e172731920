"""What changed in a watched cluster since somebody last asked: what another process needs to
keep a copy of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from auditor.model import Gap, Key, Ref, Resource, Server
from auditor.values import dataclass

LOG_LENGTH = 20_000
"""So many changes are known one by one; who asks for older ones is told everything."""


@dataclass(frozen=True, slots=True)
class Stale:
    """A kind of which nothing was heard for longer than some bound."""

    kind: str
    seconds: int
    """The longest of its bounds that is exceeded."""

    @property
    def why(self) -> str:
        """In words."""
        return f"nothing was heard of any {self.kind} for {self.seconds} seconds"


@dataclass(frozen=True, slots=True)
class Feed:
    """What a copy lacks to be the cluster at `revision`."""

    revision: int
    """What to ask from the next time."""
    whole: bool
    """Whether it is everything, in place of all that the copy has."""
    resources: tuple[Resource, ...]
    """What is new, or stands in place of the object of the same identity."""
    removed: tuple[Ref, ...]
    """What is gone. The copy may never have had it."""
    gaps: tuple[Gap, ...]
    """All that cannot be seen now, changed or not."""
    server: Server
    stale: tuple[Stale, ...] = ()
    """All kinds that are seen too late for somebody."""


class Log:
    """Which objects changed at which revision, as far back as its length allows. Not safe to share
    between threads.
    """

    def __init__(self, length: int = LOG_LENGTH) -> None:
        self._length = length
        self._entries: deque[tuple[int, Ref]] = deque()
        self._complete_after = 0
        self.revision = 0
        """A number that grows with each change."""

    def note(self, changed: Iterable[Ref] = ()) -> None:
        """Something changed: these objects, all at once, or the gaps alone."""
        self.revision += 1
        self._entries.extend((self.revision, ref) for ref in changed)
        while len(self._entries) > self._length:
            self._complete_after, _ = self._entries.popleft()

    def since(self, revision: int) -> dict[Key, Ref] | None:
        """The objects that changed after `revision`, each once; None where that is not known.

        Costs as much as there are changes to tell of.
        """
        if not self._complete_after <= revision <= self.revision:
            return None
        changed: dict[Key, Ref] = {}
        for at, ref in reversed(self._entries):
            if at <= revision:
                break
            changed.setdefault(ref.key, ref)
        return changed
