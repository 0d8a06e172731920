"""A saved cluster answers as the cluster does."""

from pathlib import Path
from typing import Any

import pytest

from .cluster import TestCluster
from .product import (
    AS_SPECIFIED,
    FIXED,
    PEAPODS,
    POLICIES,
    Said,
    audit,
    audit_as_found,
    auditor,
)
from .relay import cut, relay

pytestmark = pytest.mark.e2e

WORDS: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {
        "name": "talker",
        "namespace": "shop",
        "annotations": {"example.com/owner": "the shop's people", "auditor/data": "none"},
    },
    "spec": {
        "containers": [
            {
                "name": "app",
                "image": "private.example/secret-project/talker:1.0.0",
                "env": [
                    {"name": "GREETING", "value": "hello to all"},
                    {"name": "DB_PASSWORD", "value": "hunter2"},
                ],
            }
        ]
    },
}


@pytest.fixture(scope="module")
def peapods(cluster: TestCluster) -> TestCluster:
    """The example company, running with its faults, and one pod that talks."""
    cluster.apply(PEAPODS)
    cluster.wait_until_nodes_ready()
    cluster.apply(WORDS)
    cluster.wait_until_bound()
    return cluster


@pytest.fixture(scope="module")
def file(peapods: TestCluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its snapshot."""
    file = tmp_path_factory.mktemp("saved") / "peapods.snapshot"
    _save(peapods.kubeconfig, file)
    return file


def _save(kubeconfig: Path, file: Path, *flags: str) -> Said:
    said = auditor("snapshot", "--cluster", "--kubeconfig", kubeconfig, "-o", file, *flags)
    assert (said.code, said.out) == (0, ""), said.err
    assert "objects in" in said.err
    return said


def _same(live: Said, from_file: Said) -> None:
    """Everything but what is told of the reading itself."""
    assert live.code == from_file.code
    assert _told(live) == _told(from_file)


def _told(said: Said) -> dict[str, Any]:
    evidence = said.report["evidence"] | {"date": "", "paths": []}
    return said.report | {"source": None, "evidence": evidence}


@pytest.mark.parametrize(
    "flags",
    [(), ("--profile", "strict"), ("--framework", "pss-restricted"), ("--no-fixes", "--strict")],
    ids=lambda flags: " ".join(flags) or "as it comes",
)
def test_its_audit_is_that_of_the_cluster(
    peapods: TestCluster, file: Path, flags: tuple[str, ...]
) -> None:
    """Findings, their lines and fingerprints, fixes and their proofs, gaps and exit code."""
    live = audit_as_found(peapods.kubeconfig, *flags)
    assert live.report["findings"]
    _same(live, audit(file, *flags))


@pytest.mark.parametrize("form", ["text", "sarif"])
def test_its_report_is_that_of_the_cluster(peapods: TestCluster, file: Path, form: str) -> None:
    """In every form, but for when and of what it is, and the command that leads on."""
    live = auditor("audit", "--cluster", "--kubeconfig", peapods.kubeconfig, "--format", form)
    saved = auditor("audit", file, "--format", form)
    assert _lines(live) == _lines(saved)


def _lines(said: Said) -> list[str]:
    own = ("evidence: ", "next: ", '"date": ')
    return [line for line in said.out.split("\n") if not line.strip().startswith(own)]


def test_its_gaps_are_those_of_the_cluster(peapods: TestCluster, tmp_path: Path) -> None:
    """A list that was forbidden and one that was cut off: both are said when it is saved, and
    again whenever it is audited.
    """
    blind = peapods.kubeconfig_for("blind", peapods.reading_all_but("secrets", "configmaps"))
    with relay(blind, tmp_path, {"/api/v1/nodes": cut()}) as running:
        access = ("--kubeconfig", running.kubeconfig, "--request-timeout", "3")
        said = auditor("snapshot", "--cluster", *access, "-o", tmp_path / "file")
        live = audit_as_found(running.kubeconfig, "--request-timeout", "3")
    assert said.code == 4
    assert "list of configmaps: forbidden" in said.err
    assert "list of nodes: cut off midway" in said.err
    assert len(live.report["gaps"]) >= 2
    _same(live, audit(tmp_path / "file"))


def test_it_needs_no_cluster(file: Path, peapods: TestCluster) -> None:
    """The same faults as in the company's manifests."""
    assert audit(file).verdicts == audit_as_found(peapods.kubeconfig).verdicts
    assert {policy for policy, _, _ in audit(file).verdicts.values()} >= set(POLICIES)


def test_a_redacted_one_has_the_same_facts(file: Path, tmp_path: Path) -> None:
    """Who reaches whom and who stands where is told as before; what judges names of images is a
    gap, and so is whatever else was taken.
    """
    auditor("snapshot", file, "--redact", "-o", tmp_path / "file")
    whole, redacted = audit(file), audit(tmp_path / "file")
    gaps = {gap["what"] for gap in redacted.report["gaps"]}
    assert {"names of images", "values of variables", "annotations"} <= gaps
    lost = {gap.removeprefix("policy ") for gap in gaps if gap.startswith("policy ")}
    assert lost.isdisjoint(POLICIES)
    assert redacted.verdicts == {
        key: verdict for key, verdict in whole.verdicts.items() if verdict[0] not in lost
    }
    clean = auditor("audit", tmp_path / "file", "--fail-on", "never")
    assert clean.code == 4


def test_a_redacted_one_tells_no_names(peapods: TestCluster, tmp_path: Path) -> None:
    """Neither of registries and images, nor what a variable or an annotation says."""
    import gzip

    _save(peapods.kubeconfig, tmp_path / "file", "--redact")
    text = gzip.decompress((tmp_path / "file").read_bytes()).decode()
    for told in ("private.example", "secret-project", "hello to all", "the shop's people"):
        assert told not in text
    assert '"auditor/data":"none"' in text
    assert ":1.0.0" in text


def test_the_company_put_right_is_clean_from_a_file(
    fresh_cluster: TestCluster, tmp_path: Path
) -> None:
    """No finding, no gap, exit code 0."""
    fresh_cluster.apply(FIXED)
    fresh_cluster.wait_until_nodes_ready()
    fresh_cluster.wait_until_bound()
    _save(fresh_cluster.kubeconfig, tmp_path / "file")
    answer = audit(tmp_path / "file", "--strict", *AS_SPECIFIED)
    assert (answer.code, answer.verdicts, answer.report["gaps"]) == (0, {}, [])
