"""Breaks the glass and mends it again: what `break_glass` reads is written here, by a person with
the right to write webhook configurations.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from auditor.errors import ClusterError, UsageError, WriteError
from auditor.manifests import mapping, sequence, texts
from auditor.sources.changes import LiveChange
from auditor.sources.cluster import Connection, RefusedError
from auditor.sources.kinds import ADMISSION, Kind
from auditor.webhook.break_glass import (
    POLICIES,
    PREFIX,
    REASON_LENGTH,
    BreakGlass,
    broken,
    moment,
    parsed,
    policies_before,
)

Step = Mapping[str, Any]


class Breaking:
    """The webhook configurations of one name.

    Its methods raise UsageError where there is none, ClusterError where they cannot be
    read, and WriteError where the API server refuses the change.
    """

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection = connection
        self._name = name

    def open(self, reason: str, seconds: int) -> Iterator[str]:
        """Let everything in for so long."""
        now = time.time()
        glass = BreakGlass(moment(now), moment(now + seconds), reason[:REASON_LENGTH])
        for kind, live in self._configurations():
            self._patch(kind, live, opening(live, glass))
            yield f"{kind.kind} {self._name}: lets everything in until {glass.until}"

    def end(self) -> Iterator[str]:
        """Judge again."""
        for kind, live in self._configurations():
            glass = broken(live)
            if glass is None:
                yield f"{kind.kind} {self._name}: the glass is whole"
                continue
            self._patch(kind, live, ending(live))
            yield (
                f"{kind.kind} {self._name}: judges again; everything was let in since {glass.since}"
                f" ({glass.reason})"
            )

    def since(self) -> datetime | None:
        """When the glass was broken; None where it is whole, or nobody wrote down when."""
        found = [glass for _, live in self._configurations() if (glass := broken(live))]
        times = [when for glass in found if (when := parsed(glass.since))]
        return min(times, default=None)

    def state(self) -> Iterator[str]:
        """How it stands."""
        for kind, live in self._configurations():
            glass = broken(live)
            if glass is None:
                yield f"{kind.kind} {self._name}: the glass is whole"
            elif glass.holds:
                yield f"{kind.kind} {self._name}: open until {glass.until}: {glass.reason}"
            else:
                yield (
                    f"{kind.kind} {self._name}: over since {glass.until}, and failurePolicy is"
                    " still Ignore: end it with --end"
                )

    def _configurations(self) -> list[tuple[Kind, Mapping[str, Any]]]:
        found = [(kind, self._read(kind)) for kind in ADMISSION]
        there = [(kind, live) for kind, live in found if live]
        if not there:
            raise UsageError(
                f"no webhook configuration is called '{self._name}', so that nothing is held up by"
                " one; --registration names another"
            )
        return there

    def _read(self, kind: Kind) -> Mapping[str, Any]:
        try:
            return self._connection.read(self._path(kind))
        except RefusedError as refused:
            if refused.status == 404:
                return {}
            raise ClusterError(f"{kind.kind} {self._name}: {refused}") from refused

    def _patch(self, kind: Kind, live: Mapping[str, Any], steps: Sequence[Step]) -> None:
        version = mapping(live.get("metadata")).get("resourceVersion")
        unchanged = {"op": "test", "path": "/metadata/resourceVersion", "value": version}
        body = [unchanged, *steps]
        change = LiveChange("PATCH", self._path(kind), "application/json-patch+json", body)
        try:
            self._connection.write(change, {"fieldManager": "auditor-break-glass"})
        except RefusedError as refused:
            raise WriteError(f"{kind.kind} {self._name}: {refused}") from refused

    def _path(self, kind: Kind) -> str:
        return f"{kind.path}/{quote(self._name, safe='')}"


def opening(live: Mapping[str, Any], glass: BreakGlass) -> list[Step]:
    """The steps that break the glass. What failurePolicy was is kept, also by a second call."""
    metadata = mapping(live.get("metadata"))
    notes = texts(metadata.get("annotations"))
    webhooks = [mapping(each) for each in sequence(live.get("webhooks"))]
    were = {str(each.get("name")): str(each.get("failurePolicy", "Fail")) for each in webhooks}
    kept = notes.get(POLICIES) if broken(live) else None
    said = {**notes, **glass.annotations, POLICIES: kept or json.dumps(were)}
    return [
        {"op": "add", "path": "/metadata/annotations", "value": said},
        *(_policy(at, "Ignore") for at in range(len(webhooks))),
    ]


def ending(live: Mapping[str, Any]) -> list[Step]:
    """The steps that mend it. A webhook that nothing is known of stays as it is."""
    notes = texts(mapping(live.get("metadata")).get("annotations"))
    were = policies_before(live)
    rest = {key: value for key, value in notes.items() if not key.startswith(PREFIX)}
    names = [str(mapping(each).get("name")) for each in sequence(live.get("webhooks"))]
    return [
        {"op": "add", "path": "/metadata/annotations", "value": rest},
        *(_policy(at, were[name]) for at, name in enumerate(names) if name in were),
    ]


def _policy(at: int, policy: str) -> Step:
    return {"op": "add", "path": f"/webhooks/{at}/failurePolicy", "value": policy}
