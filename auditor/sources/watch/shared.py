"""Equal parts of objects as one value in memory: replicas differ in little but their names."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import orjson

from auditor.model import Ref, Resource
from auditor.sources.rendered import Rendered

YOUNG = 20_000
"""So many parts are known of which nobody has seen a second one yet."""
LONGEST = 2_000
"""Texts of more characters are rarely alike, and looking costs what they are long."""
_LOOKING = 3
"""How often the one who looks at a part holds it: in the table, as a name and as an argument."""


class Shared:
    """Gives what is equal to something that was seen before as that very value. May be called from
    any thread. What nobody else holds any more is forgotten.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._young: dict[int, Any] = {}
        self._old: dict[int, Any] = {}
        self._sweep_at = YOUNG

    def resource(self, resource: Resource) -> Resource:
        """An equal object that is made of shared parts. Its values must never be changed."""
        with self._lock:
            manifest = {key: self._part(value) for key, value in resource.manifest.items()}
            ref, origin = resource.ref, resource.origin
            parts = (ref.api_version, ref.kind, ref.namespace, ref.name)
            lines = Rendered(origin.uri, manifest) if origin.live else origin.lines
            authorship = self._same(hash(origin.authorship), origin.authorship)
            return replace(
                resource,
                ref=Ref(*map(self._part, parts)),
                manifest=manifest,
                origin=replace(origin, lines=lines, authorship=authorship),
            )

    def _part(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._same(hash(value), value) if len(value) <= LONGEST else value
        if not isinstance(value, (dict, list)) or not value:
            return value
        try:
            number = hash(orjson.dumps(value))
        except orjson.JSONEncodeError:  # too deep, or a number beyond 64 bits
            return value
        known = self._known(number, value)
        if known is not None:
            return known
        return self._same(number, self._of_parts(value))

    def _of_parts(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._part(inside) for inside in value]
        return {key: self._part(inside) for key, inside in value.items()}

    def _same(self, number: int, value: Any) -> Any:
        known = self._known(number, value)
        if known is not None:
            return known
        if len(self._young) >= YOUNG:
            self._grow_old()
        self._young[number] = value
        return value

    def _known(self, number: int, value: Any) -> Any:
        for parts in (self._young, self._old):
            found = parts.get(number)
            if found is not None and type(found) is type(value) and found == value:
                return found
        return None

    def _grow_old(self) -> None:
        """Keep of the young what two hold already; now and then, drop what nobody holds."""
        self._old.update(_held(self._young, 2))
        self._young.clear()
        if len(self._old) >= self._sweep_at:
            self._old = dict(_held(self._old, 1))
            self._sweep_at = max(YOUNG, 2 * len(self._old))


def _held(parts: dict[int, Any], times: int) -> Iterator[tuple[int, Any]]:
    """The parts that so many others hold."""
    for number in parts:  # noqa: PLC0206
        part = parts[number]  # by `items`, the pair that it makes would hold it as well
        if sys.getrefcount(part) >= _LOOKING + times:
            yield number, part
