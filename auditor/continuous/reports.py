"""Keeps the PolicyReports of a cluster as the last audit has them: one for each object with a
finding, in the namespace of the object, and one of what could not be seen.

Names, a label and the field manager of their own tell them from reports of others, and from those
that somebody applied out of `auditor audit --format policyreport`: those are never touched.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Protocol
from urllib.parse import quote

import orjson

from auditor.credentials import told
from auditor.manifests import mapping, sequence
from auditor.model import Audit, Ref
from auditor.reporters.policy_report import KYVERNO, name_of, reports
from auditor.sources.changes import LiveChange
from auditor.sources.cluster import RefusedError
from auditor.text import escaped
from auditor.values import dataclass

log = logging.getLogger(__name__)

MANAGER = "auditor-watch"
"""Our field manager, and the value of the label that our reports bear."""
LABEL = "app.kubernetes.io/managed-by"
DIGEST = "auditor/digest"
"""The annotation that says what a report holds, so that one that says the same already is left."""
PAGE = "500"
WRITE_SECONDS = 10.0
TURN_SECONDS = 5.0
"""For how long reports are written in one go."""
RETRY_SECONDS = 30.0
"""How soon to try again what the server did not take."""
RESYNC_SECONDS = 600.0
"""How often to look which reports are there: somebody may have deleted one."""
MOST_LINES = 20
LIST = "list"
"""Stands for the list of our reports among the paths."""
PLURALS = {KYVERNO.kind: "policyreports", KYVERNO.of_cluster: "clusterpolicyreports"}

Manifest = dict[str, Any]


class Server(Protocol):
    """What is needed of `auditor.sources.cluster.Connection`."""

    def read(self, path: str, query: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        """One list."""

    def write(
        self,
        change: LiveChange,
        query: Mapping[str, str] | None = None,
        *,
        seconds: float | None = None,
    ) -> None:
        """Make a change."""


@dataclass(frozen=True, slots=True)
class Report:
    """One that is to be there."""

    manifest: Manifest
    digest: str

    @classmethod
    def of(cls, manifest: Manifest) -> Report:
        """As ours: under our name and label, with what it says in short."""
        digest = _digest(manifest)
        metadata = manifest["metadata"]
        annotations = {**metadata.get("annotations", {}), DIGEST: digest}
        own = {**metadata, "name": own_name(metadata["name"]), "annotations": annotations}
        own["labels"] = {**metadata["labels"], LABEL: MANAGER}
        return cls({**manifest, "metadata": own}, digest)

    @property
    def path(self) -> str:
        """Where the API server keeps it."""
        metadata = self.manifest["metadata"]
        return _path(self.manifest["kind"], metadata.get("namespace", ""), metadata["name"])


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the server did not take, and when (by the clock of `Reports`)."""

    why: str
    at: float


def own_name(name: str) -> str:
    """The name of our report, by that of the reporter's."""
    return f"{MANAGER}-{name.removeprefix('auditor-')}"


def wanted(audit: Audit) -> Iterator[Report]:
    """The reports that are to be there. One that says nothing is none."""
    for manifest in reports(audit, KYVERNO):
        if manifest["results"]:
            yield Report.of(manifest)


class Reports:
    """Writes them. Belongs to one thread."""

    def __init__(
        self, server: Server, clock: Callable[[], float], count: Callable[[], None]
    ) -> None:
        self._server = server
        self._clock = clock
        self._count = count
        self._wanted: dict[str, Report] | None = None
        self._held: frozenset[str] = frozenset()
        self._there: dict[str, str] = {}
        """By the path of each report of ours, its digest."""
        self._looked = float("-inf")
        self._again: float | None = None
        self._refused: dict[str, Refusal] = {}
        self._troubled = False
        """Whether something was refused since all were written."""
        self._lines = 0
        """How many refusals were logged in this turn."""

    @property
    def refused(self) -> int:
        """How many could not be written, deleted or listed when that was tried last."""
        return len(self._refused)

    def want(self, audit: Audit, unknown: Collection[Ref] = ()) -> None:
        """From now on, those of this audit are to be there; and those on objects of which nobody
        knows, as they are.
        """
        self._wanted = {report.path: report for report in wanted(audit)}
        self._held = frozenset(map(_path_of, unknown))
        self._again = self._clock()

    def due(self) -> bool:
        """Whether there is something to write, or to look after."""
        if self._wanted is None:
            return False
        now = self._clock()
        if self._again is not None and now >= self._again:
            return True
        return LIST not in self._refused and now - self._looked >= RESYNC_SECONDS

    def keep(self) -> None:
        """Make those that are there those that are wanted, for `TURN_SECONDS` and one request at
        most: whoever calls has a cluster to audit. What is left is due at once. What the server
        does not take is logged once, and tried again later.
        """
        began = self._clock()
        self._lines, self._again = 0, None
        steps = self._steps() if self._knows_what_is_there() else {}
        self._forget({*steps, LIST})
        for path in [path for path in steps if not self._was_refused_since(began, path)]:
            if self._clock() - began >= TURN_SECONDS:
                self._again = began
                return
            if not self._made(path, steps[path]):
                break
        self._settle()

    def _knows_what_is_there(self) -> bool:
        """Whether that is known; asked for where it was long ago."""
        if self._clock() - self._looked < RESYNC_SECONDS:
            return True
        try:
            self._there = dict(self._found())
        except RefusedError as error:
            self._refuse(LIST, f"the list of PolicyReports: {error}")
            return False
        self._refused.pop(LIST, None)
        self._looked = self._clock()
        return True

    def _steps(self) -> Mapping[str, Callable[[], None]]:
        """By the path of each report that is not as it should be, what makes it so."""
        wanted = self._wanted or {}
        put = {
            path: partial(self._put, report)
            for path, report in wanted.items()
            if self._there.get(path) != report.digest
        }
        gone = [path for path in self._there if path not in wanted and path not in self._held]
        return put | {path: partial(self._delete, path) for path in gone}

    def _made(self, path: str, change: Callable[[], None]) -> bool:
        """Make one change; whether to go on with others."""
        try:
            change()
        except RefusedError as error:
            self._refuse(path, str(error))
            return not error.transient  # the others would have to wait for it as well
        self._refused.pop(path, None)
        return True

    def _was_refused_since(self, now: float, path: str) -> bool:
        refusal = self._refused.get(path)
        return refusal is not None and now - refusal.at < RETRY_SECONDS

    def _forget(self, paths: Collection[str]) -> None:
        """Nobody wants any other any more."""
        self._refused = {path: each for path, each in self._refused.items() if path in paths}

    def _settle(self) -> None:
        """All was tried that there was to try."""
        self._again = self._clock() + RETRY_SECONDS if self._refused else None
        if self._troubled and not self._refused:
            log.info("all reports are written")
        self._troubled = bool(self._refused)

    def _found(self) -> Iterator[tuple[str, str]]:
        """Ours that are there, and the digest that each bears."""
        for kind, plural in PLURALS.items():
            for item in self._listed(f"/apis/{KYVERNO.api_version}/{plural}"):
                metadata = mapping(item.get("metadata"))
                if _is_ours(metadata):
                    path = _path(kind, str(metadata.get("namespace") or ""), str(metadata["name"]))
                    digest = mapping(metadata.get("annotations")).get(DIGEST)
                    yield path, str(digest)

    def _listed(self, path: str) -> Iterator[Mapping[str, Any]]:
        query = {"labelSelector": f"{LABEL}={MANAGER}", "limit": PAGE}
        while True:
            answer = self._server.read(path, query)
            yield from map(mapping, sequence(answer.get("items")))
            more = mapping(answer.get("metadata")).get("continue")
            if not more:
                return
            query = {**query, "continue": str(more)}

    def _put(self, report: Report) -> None:
        # Not json.dumps: its escapes of what is beyond 16 bits are no characters to YAML.
        body = orjson.dumps(report.manifest).decode()
        change = LiveChange("PATCH", report.path, "application/apply-patch+yaml", body)
        query = {"fieldManager": MANAGER, "force": "true", "fieldValidation": "Strict"}
        self._server.write(change, query, seconds=WRITE_SECONDS)
        self._there[report.path] = report.digest
        self._count()

    def _delete(self, path: str) -> None:
        options = {"apiVersion": "v1", "kind": "DeleteOptions"}
        change = LiveChange("DELETE", path, "application/json", options)
        try:
            self._server.write(change, seconds=WRITE_SECONDS)
        except RefusedError as error:
            if error.status != 404:
                raise
        del self._there[path]
        self._count()

    def _refuse(self, path: str, why: str) -> None:
        before = self._refused.get(path)
        self._refused[path], self._troubled = Refusal(why, self._clock()), True
        if before and before.why == why:
            return
        self._lines += 1
        if self._lines <= MOST_LINES:
            fields = {"report": path.rpartition("/")[2], "why": escaped(told(why))}
            log.warning("report not written", extra={"fields": fields})


def _is_ours(metadata: Mapping[str, Any]) -> bool:
    """Whether we wrote it: anybody may give a report our label."""
    managers = (mapping(each) for each in sequence(metadata.get("managedFields")))
    applied = any(m.get("manager") == MANAGER and m.get("operation") == "Apply" for m in managers)
    return applied and str(metadata.get("name")).startswith(f"{MANAGER}-")


def _path_of(ref: Ref) -> str:
    kind = KYVERNO.kind if ref.namespace else KYVERNO.of_cluster
    return _path(kind, ref.namespace, own_name(name_of(ref)))


def _path(kind: str, namespace: str, name: str) -> str:
    within = f"/namespaces/{quote(namespace, safe='')}" if namespace else ""
    return f"/apis/{KYVERNO.api_version}{within}/{PLURALS[kind]}/{quote(name, safe='')}"


def _digest(manifest: Manifest) -> str:
    """Of what it says, whenever that was."""
    results: Iterable[Mapping[str, Any]] = manifest["results"]
    said = [{k: v for k, v in each.items() if k != "timestamp"} for each in results]
    told = {**manifest, "results": said}
    return hashlib.sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]
