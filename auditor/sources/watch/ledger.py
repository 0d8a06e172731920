"""What was admitted and not yet heard of from the server."""

from __future__ import annotations

import orjson

from auditor.manifests import mapping
from auditor.model import Key, Manifest, Ref, Resource
from auditor.values import dataclass

REMEMBER_SECONDS = 10.0
"""How long an admitted object is believed in before the server has told of it."""
MOST_ENTRIES = 10_000
"""A thousand admissions a second."""
MOST_BYTES = 32 * 1024 * 1024
"""Of all that is believed in, as JSON: whoever may create large objects may create many."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One admission."""

    ref: Ref
    resource: Resource | None
    """The object that was admitted, or None where its deletion was."""
    until: float
    length: int = 0
    """Bytes of the object as JSON."""

    def superseded_by(self, told: Resource, event: str) -> bool:
        """Whether an event tells of a state at least as new as the one that was admitted.

        An event may have been under way already when the request came.
        """
        if self.resource is None:
            return event in {"DELETED", "ADDED"}
        now, then = (mapping(r.manifest.get("metadata")) for r in (told, self.resource))
        if now.get("uid") != then.get("uid"):
            return event != "DELETED"  # another object of that name is there, so this one is not
        if event == "DELETED":
            return True
        return _generation(now) >= _generation(then) and not _is_from_before(now, then)


class Ledger:
    """The latest admission of each object, until the server tells of it or for ten seconds. Holds
    no more than so many entries and bytes: of a flood, the latest. Not safe to share between
    threads.
    """

    def __init__(self, entries: int = MOST_ENTRIES, length: int = MOST_BYTES) -> None:
        self._most = entries
        self._longest = length
        self._entries: dict[Key, Entry] = {}
        self._length = 0
        self.dropped = 0
        """How many were forgotten for want of room: of those, a race may be overlooked."""

    def note(self, ref: Ref, resource: Resource | None, now: float) -> list[Ref]:
        """Believe in an object, or, for None, that it is gone; which others are forgotten."""
        self._drop(ref.key)  # entries stand in the order of time
        entry = Entry(ref, resource, now + REMEMBER_SECONDS, _length(resource))
        self._entries[ref.key] = entry
        self._length += entry.length
        old = []
        while self._is_too_full and len(self._entries) > 1:
            oldest = next(iter(self._entries.values())).ref
            self._drop(oldest.key)
            old.append(oldest)
        self.dropped += len(old)
        return old

    @property
    def _is_too_full(self) -> bool:
        return len(self._entries) > self._most or self._length > self._longest

    def _drop(self, key: Key) -> None:
        if entry := self._entries.pop(key, None):
            self._length -= entry.length

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
        self._drop(told.ref.key)
        return True

    def expire(self, now: float) -> list[Ref]:
        """Forget what is too old; which objects that was."""
        old = []
        for entry in self._entries.values():
            if entry.until > now:
                break
            old.append(entry.ref)
        for ref in old:
            self._drop(ref.key)
        return old


def _is_from_before(told: Manifest, believed: Manifest) -> bool:
    """Whether the server tells of the state that the admitted change started from, or of an older
    one: the object of a request bears the resourceVersion of that state. They are to be compared as
    numbers: https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions
    """
    now, then = (str(each.get("resourceVersion") or "") for each in (told, believed))
    if now.isdecimal() and then.isdecimal():
        return int(now) <= int(then)
    return now == then != ""


def _length(resource: Resource | None) -> int:
    try:
        return len(orjson.dumps(resource.manifest)) if resource else 0
    except orjson.JSONEncodeError:  # too deep, or a number beyond 64 bits
        return MOST_BYTES // 100


def _generation(metadata: Manifest) -> int:
    generation = metadata.get("generation")
    return generation if isinstance(generation, int) else 0
