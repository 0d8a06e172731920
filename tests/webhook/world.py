"""Small clusters, the real policies and the reviews that ask about them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from auditor.audit import Bench, audit, changes
from auditor.model import Audit, Key, Ref, Resource, Server, Severity, Snapshot
from auditor.policies.engine import compile_policies
from auditor.policies.loader import load
from auditor.sources.cluster import live_resource
from auditor.sources.kinds import KINDS
from auditor.sources.watch import Stale
from auditor.sources.watch.feed import Feed
from auditor.webhook.court import Court
from tests.bench import SETTINGS
from tests.company import BRITTLE, policy

from .disturbance import Disturbed

ROOT = Path(__file__).parents[2]
CONFORMANCE = Path(os.environ.get("AUDITOR_CONFORMANCE", ROOT / "../shared/conformance"))
CAPTURES = CONFORMANCE.parent / "captures" / "admission-1.36"

SERVER = Server(SETTINGS.kubernetes, frozenset(kind.kind for kind in KINDS))
_BY_KIND = {kind.kind: kind for kind in reversed(KINDS)}
READ = frozenset(_BY_KIND)
"""The kinds that are read of a cluster, and so ever judged at admission."""


def captures() -> list[Path]:
    """The recorded reviews; without them the test is skipped, or fails where CI=true."""
    found = sorted(CAPTURES.glob("*.json"))
    if not found:
        why = f"no recorded AdmissionReviews at {CAPTURES} (see AUDITOR_CONFORMANCE)"
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)
    return found


def opens_data(capture: Path, message: str) -> bool:
    """Whether a denial is of personal data: the recorded namespace is labelled as holding some, and
    has no NetworkPolicy that would isolate it.
    """
    asked = orjson.loads(capture.read_bytes())["body"]["request"]
    return asked.get("namespace") == "payments" and "data/personal_data_not_isolated" in message


POLICIES = (
    "workload/privileged_container",
    "data/personal_data_not_isolated",
    "network/monitor_beyond_health",
)
"""Asked of the real ones: an added policy is no reason for these tests to change."""
LATEST = """
package policies.image.latest

deny contains finding if {
	some container in input.object.spec.containers
	endswith(container.image, ":latest")
	finding := {"path": ["spec"], "message": "runs whatever is latest", "anchor": container.name}
}
"""


def _bench() -> Bench:
    policies, library = load()
    own = (
        policy("image/latest", LATEST, kinds=("Pod",)),
        policy("test/brittle", BRITTLE, severity=Severity.HIGH, kinds=("Pod",)),
    )
    asked = (*(each for each in policies if each.id in POLICIES), *own)
    modules = {each.file: each.module for each in asked} | dict(library)
    return Bench(asked, compile_policies("regorus", modules))


BENCH = _bench()
"""Policies of ours, one of a low severity, and one that the label `number: x` breaks."""


def disturbed(disturb: Callable[[bytes], None]) -> Bench:
    """The bench on an engine with something done before each answer: see `disturbance`."""
    return replace(BENCH, engine=Disturbed(BENCH.engine, disturb))


def court(by: Bench = BENCH) -> Court:
    """Who judges."""
    return Court(by, SETTINGS)


def judged(*manifests: dict[str, Any]) -> Audit:
    """What the audit says of a cluster that holds these."""
    return audit(live(*manifests), BENCH, SETTINGS)


def pod(name: str = "web", **changes: Any) -> dict[str, Any]:
    """The smallest Pod, in namespace shop, with changes to its only container."""
    container = {"name": "app", "image": "example.org/app:1.0", **changes}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "uid": f"uid-{name}"},
        "spec": {"containers": [container]},
    }


def privileged(name: str = "web") -> dict[str, Any]:
    """A Pod that runs privileged."""
    return pod(name, securityContext={"privileged": True})


def holding_data(name: str = "customers") -> dict[str, Any]:
    """A Pod that holds personal data."""
    manifest = pod(name)
    manifest["metadata"]["labels"] = {"auditor/data": "pii"}
    return manifest


def guard(name: str = "guard") -> dict[str, Any]:
    """A NetworkPolicy in namespace shop."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"podSelector": {}},
    }


def live(*manifests: dict[str, Any]) -> Snapshot:
    """A cluster that holds these."""
    return Snapshot(tuple(live_resource(_BY_KIND[m["kind"]], m) for m in manifests))


class Kept:
    """A cluster in memory that changes only by what was admitted."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.unread: tuple[str, ...] = ()
        self.stale: tuple[Stale, ...] = ()
        self._states = [snapshot]

    @property
    def ready(self) -> bool:
        return not self.unread

    @property
    def unready(self) -> str:
        return "not read" if self.unread else "; ".join(each.why for each in self.stale)

    @property
    def believed(self) -> frozenset[Key]:
        """None of it: what is admitted is there at once."""
        return frozenset()

    @property
    def ages(self) -> dict[str, float]:
        return {"Pod": 2.5}

    def snapshot(self) -> Snapshot:
        return self._states[-1]

    def feed(self, since: int) -> Feed:
        now, last = self.snapshot(), len(self._states) - 1
        if since < 0:
            return Feed(last, True, now.resources, (), now.gaps, SERVER, self.stale)
        changed = changes(self._states[since], now)
        there = tuple(found for ref in changed if (found := now.find(ref)))
        gone = tuple(ref for ref in changed if not now.find(ref))
        return Feed(last, False, there, gone, now.gaps, SERVER, self.stale)

    def remember(self, resource: Resource) -> None:
        self._states.append(self.snapshot().replacing(resource))

    def forget(self, ref: Ref) -> None:
        self._states.append(self.snapshot().replacing(removing=[ref]))


def request(
    manifest: Any, operation: str = "CREATE", old: Any = None, **changes: Any
) -> dict[str, Any]:
    """The `request` of an AdmissionReview about `manifest`, a Pod if it does not say."""
    shown = manifest if isinstance(manifest, dict) else old if isinstance(old, dict) else {}
    kind = _BY_KIND.get(shown.get("kind", "Pod"), _BY_KIND["Pod"])
    version = kind.api_version.rpartition("/")[2]
    metadata = shown.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    return {
        "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
        "kind": {"group": kind.group, "version": version, "kind": kind.kind},
        "resource": {"group": kind.group, "version": version, "resource": kind.plural},
        "name": metadata.get("name", ""),
        "namespace": "shop",
        "operation": operation,
        "userInfo": {"username": "alice"},
        "object": None if operation == "DELETE" else manifest,
        "oldObject": manifest if operation == "DELETE" else old,
        "dryRun": False,
        **changes,
    }


def review(*args: Any, version: str = "v1", **kwargs: Any) -> bytes:
    """A whole AdmissionReview as the API server sends it."""
    asked = request(*args, **kwargs)
    api_version = f"admission.k8s.io/{version}"
    return orjson.dumps({"kind": "AdmissionReview", "apiVersion": api_version, "request": asked})
