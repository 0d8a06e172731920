"""HTTPRoutes at an Istio gateway against recorded answers of its Envoy: every request's backend.

A route that the API server would refuse was given to Istio all the same, and counts here as it was
stored; that it is refused is asked apart.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from auditor.facts.network import Request
from auditor.facts.network.ways.attachments import Gateways
from auditor.facts.network.ways.routing import route
from auditor.model import Origin, Ref, Resource, Snapshot, Span
from auditor.model import Path as Place

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("AUDITOR_CONFORMANCE", ROOT / "../shared/conformance")) / "istio"

REFUSED = "duplicate-header-name"
"""The tag of routes that no API server would store."""

DISAGREEMENTS: dict[str, str] = {}
"""Case → why we answer otherwise there. None so far."""

pytestmark = pytest.mark.conformance


@dataclass(frozen=True, slots=True)
class NoLines:
    """These manifests are not shown to anyone."""

    def span(self, path: Place) -> Span:
        return Span(1, 1, 1, 1)


@pytest.fixture(scope="module")
def cases() -> list[dict[str, Any]]:
    """Every recorded case."""
    file = DATA / "httproute.jsonl"
    if not file.is_file():
        why = f"no recorded answers in {DATA}; set AUDITOR_CONFORMANCE"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(why)
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def _resource(manifest: dict[str, Any]) -> Resource:
    about = manifest["metadata"]
    ref = Ref(manifest["apiVersion"], manifest["kind"], about["namespace"], about["name"])
    return Resource(ref, manifest, Origin("case", NoLines()))


def _gateways(case: dict[str, Any]) -> Gateways:
    return Gateways(Snapshot(tuple(map(_resource, (case["gateway"], *case["httpRoutes"])))))


def _request(query: dict[str, Any]) -> Request:
    lines = [
        (name, value)
        for name, values in query["headers"].items()
        for value in (values if isinstance(values, list) else [values])
    ]
    return Request(
        port=80,
        method=query["method"],
        path=query["path"],
        host=query["host"],
        headers=tuple(lines),
    )


def _answers(case: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Of each request what it is, what was recorded, and what we say: the backend and the rule."""
    gateways = _gateways(case)
    (gateway,) = gateways.gateways.values()
    for query in case["requests"]:
        found = route(gateways, gateway, _request(query))
        ours = found.backends[0].name if found.backends else "no-route"
        ref = found.route.resource.ref if found.route else None
        rule = f"{ref.namespace}.{ref.name}.{found.index}" if ref else None
        told = f"{query['method']} {query['host']}{query['path']} {query['headers']}"
        yield told, f"{query['result']} {query['rule']}", f"{ours} {rule} {found.unknown or ''}"


def test_every_request_goes_where_envoy_sent_it(
    cases: list[dict[str, Any]], record_property: Any
) -> None:
    """Backend and rule, without a doubt; and every case that was to disagree still does."""
    wrong: dict[str, list[str]] = {}
    count = 0
    for case in cases:
        for told, expected, ours in _answers(case):
            count += 1
            if expected != ours.strip():
                wrong.setdefault(case["id"], []).append(f"{told}: {expected}, not {ours}")
    record_property("requests", count)
    assert {key: lines[:3] for key, lines in wrong.items() if key not in DISAGREEMENTS} == {}
    assert set(DISAGREEMENTS) <= set(wrong)


def test_only_what_is_tagged_so_would_be_refused(cases: list[dict[str, Any]]) -> None:
    """By the schemas of the CRDs."""
    refused = {case["id"] for case in cases if _gateways(case).invalid}
    assert refused == {case["id"] for case in cases if REFUSED in case["tags"]}
