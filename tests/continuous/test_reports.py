"""Which PolicyReports are written, left and deleted."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import orjson
import pytest

from auditor.continuous.reports import (
    DIGEST,
    MANAGER,
    RESYNC_SECONDS,
    RETRY_SECONDS,
    TURN_SECONDS,
    Reports,
)
from auditor.model import Gap, Unseen
from auditor.sources.changes import LiveChange
from auditor.sources.cluster import RefusedError
from tests.reporters import world

ROOT = "/apis/wgpolicyk8s.io/v1alpha2"
BAD, OPEN = world.privileged(), world.exposed()
THEIRS = {
    "theirs": {"metadata": {"name": "theirs", "namespace": "shop"}},
    "copied": {
        "metadata": {
            "name": "auditor-watch-copied",
            "namespace": "shop",
            "labels": {"app.kubernetes.io/managed-by": MANAGER},
            "managedFields": [{"manager": "kubectl", "operation": "Apply"}],
        }
    },
}


class Shelf:
    """Reports as an API server keeps them, in two pages; what it refuses is said beforehand."""

    def __init__(self) -> None:
        self.objects: dict[str, Any] = {
            f"{ROOT}/namespaces/shop/policyreports/{name}": each for name, each in THEIRS.items()
        }
        self.writes: list[tuple[str, str]] = []
        self.refusing: RefusedError | None = None
        self.unlisted: RefusedError | None = None
        self.takes: Callable[[], None] = lambda: None
        """What passes while one is written."""

    def read(self, path: str, query: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        if self.unlisted:
            raise self.unlisted
        plural = f"/{path.rpartition('/')[2]}/"
        found = [each for at, each in sorted(self.objects.items()) if plural in at]
        page = int((query or {}).get("continue", "0"))
        more = {"continue": str(page + 1)} if page + 1 < len(found) else {}
        return {"items": found[page : page + 1], "metadata": more}

    def write(
        self,
        change: LiveChange,
        query: Mapping[str, str] | None = None,
        *,
        seconds: float | None = None,
    ) -> None:
        self.takes()
        if self.refusing:
            raise self.refusing
        self.writes.append((change.method, change.path))
        if change.method == "DELETE":
            if change.path not in self.objects:
                raise RefusedError("not found", 404)
            del self.objects[change.path]
            return
        made = orjson.loads(change.body)
        assert query is not None
        manager = {"manager": query["fieldManager"], "operation": "Apply"}
        made["metadata"]["managedFields"] = [manager]
        self.objects[change.path] = made


class World:
    """One that keeps reports on a shelf, at a time of our choosing."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self.now = 0.0
        self.reports = Reports(shelf, lambda: self.now, lambda: None)

    def after(self, *arguments: Any) -> list[tuple[str, str]]:
        """What is written for an audit."""
        self.reports.want(*arguments)
        return self.kept()

    def kept(self) -> list[tuple[str, str]]:
        """What is written where something is due."""
        self.shelf.writes.clear()
        if self.reports.due():
            self.reports.keep()
        return [(method, path.removeprefix(ROOT)) for method, path in self.shelf.writes]

    @property
    def ours(self) -> dict[str, Any]:
        """What is there besides those of others, by the object that each is about."""
        found = [each for each in self.shelf.objects.values() if each not in THEIRS.values()]
        return {each.get("scope", {}).get("name", "gaps"): each for each in found}


@pytest.fixture
def here() -> World:
    return World(Shelf())


def test_one_for_each_object_with_a_finding_and_none_that_says_nothing(here: World) -> None:
    assert [method for method, _ in here.after(world.audit(BAD, OPEN))] == ["PATCH", "PATCH"]
    assert here.ours.keys() == {BAD.ref.name, OPEN.ref.name}
    assert here.after(world.audit(BAD, OPEN)) == []
    assert [method for method, _ in here.after(world.audit())] == ["DELETE", "DELETE"]
    assert here.ours == {}
    assert list(here.shelf.objects.values()) == list(THEIRS.values())


def test_gaps_are_a_report_of_the_cluster(here: World) -> None:
    gap = Gap("list of nodes", "forbidden", Unseen.INCOMPLETE)
    ((method, path),) = here.after(world.audit(gaps=(gap,)))
    assert (method, path) == ("PATCH", "/clusterpolicyreports/auditor-watch-gaps")
    assert here.ours["gaps"]["summary"]["error"] == 1


def test_the_time_alone_is_no_reason_to_write(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is it for another process that comes after this one."""
    here.after(world.audit(BAD))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1999999999")
    assert here.after(world.audit(BAD)) == []
    assert World(here.shelf).after(world.audit(BAD)) == []
    other = replace(BAD, message="says something else")
    assert len(World(here.shelf).after(world.audit(other))) == 1


def test_what_is_left_of_an_earlier_process_is_deleted(here: World) -> None:
    here.after(world.audit(BAD))
    assert [method for method, _ in World(here.shelf).after(world.audit())] == ["DELETE"]


def test_one_that_somebody_deleted_comes_back(here: World) -> None:
    here.after(world.audit(BAD))
    (path,) = [p for p, each in here.shelf.objects.items() if each not in THEIRS.values()]
    del here.shelf.objects[path]
    assert here.kept() == []
    here.now += RESYNC_SECONDS
    assert here.kept() == [("PATCH", path.removeprefix(ROOT))]


def test_what_nobody_can_look_at_stays_reported(here: World) -> None:
    here.after(world.audit(BAD, OPEN))
    assert len(here.after(world.audit(), {BAD.ref})) == 1
    assert here.ours.keys() == {BAD.ref.name}


def test_a_refusal_is_told_once_and_tried_again(
    here: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    here.shelf.refusing = RefusedError("admission denied: password=hunter2Zx81qP", 403)
    assert here.after(world.audit(BAD, OPEN)) == []
    assert here.reports.refused == 2
    here.now += RETRY_SECONDS
    here.kept()
    assert [record.message for record in caplog.records] == ["report not written"] * 2
    assert "hunter2" not in str([vars(record) for record in caplog.records])
    here.shelf.refusing = None
    assert here.kept() == []  # not before its time
    here.now += RETRY_SECONDS
    assert len(here.kept()) == 2
    assert here.reports.refused == 0
    assert caplog.records[-1].message == "all reports are written"


def test_a_server_that_is_busy_is_not_asked_for_each(here: World) -> None:
    here.shelf.refusing = RefusedError("too many requests", 429)
    here.after(world.audit(BAD, OPEN))
    assert here.reports.refused == 1


def test_nothing_is_written_where_nobody_knows_what_is_there(here: World) -> None:
    """A cluster without the definitions, or an account that may not list them."""
    here.shelf.unlisted = RefusedError("the server could not find the requested resource", 404)
    assert here.after(world.audit(BAD)) == []
    assert here.reports.refused == 1
    assert not here.reports.due()  # nor is it asked for again at each look
    here.shelf.unlisted = None
    here.now += RETRY_SECONDS
    assert len(here.kept()) == 1


def test_a_slow_server_keeps_nobody_from_auditing(here: World) -> None:
    """So much is written in one go, and the rest is due at once; what is refused holds up nothing
    that is not.
    """
    pods = [replace(BAD, ref=replace(BAD.ref, name=f"web{number:02}")) for number in range(10)]
    here.shelf.takes = lambda: setattr(here, "now", here.now + TURN_SECONDS / 4)
    assert len(here.after(world.audit(*pods))) == 4
    here.shelf.refusing = RefusedError("denied", 403)
    assert here.kept() == []
    assert here.reports.refused == 4
    here.shelf.refusing = None
    assert len(here.kept()) == 2
    assert not here.reports.due()
    here.now += RETRY_SECONDS
    assert len(here.kept()) == 4
    assert here.reports.refused == 0
    assert len(here.ours) == 10
    assert not here.reports.due()


def test_each_says_by_what_it_is_known(here: World) -> None:
    here.after(world.audit(BAD))
    metadata = here.ours[BAD.ref.name]["metadata"]
    assert metadata["labels"] == {"app.kubernetes.io/managed-by": MANAGER}
    assert len(metadata["annotations"][DIGEST]) == 32
    assert metadata["name"].startswith("auditor-watch-")
