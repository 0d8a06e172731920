"""What was admitted and not yet heard of from the server."""

from __future__ import annotations

from dataclasses import dataclass

from auditor.manifests import mapping
from auditor.model import Key, Manifest, Ref, Resource

REMEMBER_SECONDS = 10.0
"""How long an admitted object is believed in before the server has told of it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One admission."""

    ref: Ref
    resource: Resource | None
    """The object that was admitted, or None where its deletion was."""
    until: float

    def superseded_by(self, told: Resource, event: str) -> bool:
        """Whether an event tells of a state at least as new as the one that was admitted.

        An event may have been under way already when the request came.
        """
        if self.resource is None:
            return event in {"DELETED", "ADDED"}
        now, then = (mapping(r.manifest.get("metadata")) for r in (told, self.resource))
        if now.get("uid") != then.get("uid"):
            return event != "DELETED"  # another object of that name is there, so this one is not
        return event == "DELETED" or _generation(now) >= _generation(then)


class Ledger:
    """The latest admission of each object, until the server tells of it or for ten seconds. Not
    safe to share between threads.
    """

    def __init__(self) -> None:
        self._entries: dict[Key, Entry] = {}

    def note(self, ref: Ref, resource: Resource | None, now: float) -> None:
        """Believe in an object, or, for None, that it is gone."""
        self._entries.pop(ref.key, None)  # entries stand in the order of time
        self._entries[ref.key] = Entry(ref, resource, now + REMEMBER_SECONDS)

    def find(self, key: Key) -> Entry | None:
        """What was admitted of this object."""
        return self._entries.get(key)

    def entries(self) -> tuple[Entry, ...]:
        """All that is believed in, the oldest first."""
        return tuple(self._entries.values())

    def heard(self, told: Resource, event: str) -> bool:
        """Take note of what the server says of an object; whether it ends what was believed."""
        entry = self._entries.get(told.ref.key)
        if entry is None or not entry.superseded_by(told, event):
            return False
        del self._entries[told.ref.key]
        return True

    def expire(self, now: float) -> list[Ref]:
        """Forget what is too old; which objects that was."""
        old = []
        for entry in self._entries.values():
            if entry.until > now:
                break
            old.append(entry.ref)
        for ref in old:
            del self._entries[ref.key]
        return old


def _generation(metadata: Manifest) -> int:
    generation = metadata.get("generation")
    return generation if isinstance(generation, int) else 0
