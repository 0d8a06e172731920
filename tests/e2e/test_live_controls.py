"""Controls of a live cluster: what the manifests say, and nothing passed that could not be seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .cluster import TestCluster
from .product import AS_SPECIFIED, PEAPODS, Said, auditor

pytestmark = pytest.mark.e2e

ASKED = ("--format", "json", *AS_SPECIFIED)


@pytest.fixture(scope="module")
def peapods(cluster: TestCluster) -> TestCluster:
    """The example company, running with its faults."""
    cluster.apply(PEAPODS)
    cluster.wait_until_nodes_ready()
    cluster.wait_until_bound()
    return cluster


def _live(kubeconfig: Path, name: str) -> Said:
    return auditor("compliance", name, "--cluster", "--kubeconfig", kubeconfig, *ASKED)


def _statuses(said: Said) -> dict[str, str]:
    return {one["id"]: one["status"] for one in _controls(said)}


def _controls(said: Said) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = said.report["frameworks"][0]["controls"]
    return found


def test_the_live_cluster_has_the_statuses_of_its_manifests(peapods: TestCluster) -> None:
    """Control by control of the Pod Security Standards."""
    live = _live(peapods.kubeconfig, "pss-restricted")
    written = auditor("compliance", "pss-restricted", PEAPODS, *ASKED)
    assert _statuses(live) == _statuses(written)
    assert _statuses(live)["privileged"] == "failed"
    assert (live.code, written.code) == (1, 1)


def test_a_forbidden_list_passes_no_control_of_its_kind(peapods: TestCluster) -> None:
    """Who may not list CronJobs does not know whether one is privileged."""
    blind = peapods.kubeconfig_for("blind-controls", peapods.reading_all_but("cronjobs.batch"))
    said = _live(blind, "pss-restricted")
    assert said.code == 4
    assert set(_statuses(said).values()) == {"not assessed"}
    assert all("list of cronjobs.batch: forbidden" in one["why"][0] for one in _controls(said))


def test_who_may_read_nothing_passes_nothing(peapods: TestCluster) -> None:
    """Of no framework."""
    said = _live(peapods.kubeconfig_for("stranger-controls"), "cis-2.0.1")
    assert said.code == 4
    assert set(_statuses(said).values()) == {"not assessed", "manual"}
