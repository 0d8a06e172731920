"""Every patch of ours that the API server is sent can be applied, and makes nothing unfit."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor.manifests import leaves
from auditor.policies.loader import load
from auditor.sources.files import FileSource
from auditor.webhook.registration import mutating
from tests.webhook.mending import SAFE, UNSAFE

from .cluster import TestCluster
from .test_webhook_mutate import GROUND, SPACE, Manifest, asked, patient, pod, serving

pytestmark = pytest.mark.e2e

FIXTURES = Path(__file__).parents[2] / "fixtures" / "policies"


METADATA = """\
# METADATA
# title: {name}
# description: As ours, and daring.
# custom:
#   severity: medium
#   profile: essential
#   fix: deterministic
#   kinds: [{kinds}]
#   facts: [{facts}]
package policies.daring.{name}
"""


def _daring(folder: Path) -> Path:
    """Our policies whose fixes are steps, each fix called safe, as policies of a user's own."""
    policies, library = load()
    place = folder / "daring"
    for each in (place, folder / "lib"):
        each.mkdir()
    for file, module in library.items():
        (folder / "lib" / Path(file).name).write_text(module.replace(UNSAFE, SAFE), "utf-8")
    for policy in policies:
        area, _, name = policy.id.partition("/")
        if policy.fix == "deterministic" and area == "workload":
            rules = policy.module.partition(f"package policies.workload.{name}\n")[2]
            kinds, facts = ", ".join(policy.kinds), ", ".join(policy.facts)
            text = METADATA.format(name=name, kinds=kinds, facts=facts)
            text += rules.replace(UNSAFE, SAFE)
            (place / f"{name}.rego").write_text(text, "utf-8")
    return folder


def _workloads() -> Iterator[Manifest]:
    """The objects of some failing fixtures of each of these policies, in one namespace."""
    seen = set()
    folders = (FIXTURES / "workload").iterdir()
    for file in (f for each in sorted(folders) for f in sorted(each.glob("fail-*.yaml"))[:2]):
        for resource in FileSource((str(file),)).snapshot().resources:
            manifest = json.loads(json.dumps(dict(resource.manifest)))
            manifest["metadata"] = {**(manifest.get("metadata") or {}), "namespace": SPACE}
            text = json.dumps(manifest, sort_keys=True)
            if text not in seen and manifest["kind"] in ("Pod", "Deployment", "CronJob", "Job"):
                seen.add(text)
                yield manifest


def _tried(cluster: TestCluster, manifest: Manifest) -> tuple[str, Manifest]:
    """Why the server would not create it, and what it would create; the volume for the token of the
    account has another name each time.
    """
    words = ("create", "--dry-run=server", "-o", "json", "-f", "-")
    done = cluster.kubectl(*words, input=json.dumps(manifest))
    text = re.sub(r"kube-api-access-\w{5}", "kube-api-access", done.stdout)
    return (done.stderr, {}) if done.returncode else ("", json.loads(text)["spec"])


MADE_UP = ("controller-uid", "batch.kubernetes.io/controller-uid")
"""What the server labels the pods of a Job with: another one each time that it is asked."""


def test_no_patch_makes_the_server_refuse_an_object(
    cluster: TestCluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With every fix called safe: whatever the server takes without us it takes with us, with all
    that was sent as it was sent. A patch that it can read and not apply would be an error here.
    """
    cluster.apply(*GROUND)
    tried = [(manifest, *_tried(cluster, manifest)) for manifest in _workloads()]
    taken = [(manifest, was) for manifest, refused, was in tried if not refused]
    plain = _tried(cluster, pod("probe"))
    words = ("--no-builtin-policies", "--policies", _daring(tmp_path))
    changed = 0
    with serving(cluster, tmp_path, *words) as url:
        configuration = mutating((tmp_path / "ca.crt").read_bytes(), url=url)
        with asked(cluster, patient(configuration)):
            cluster.wait_until("the webhook is asked", lambda: _unasked(cluster, plain))
            for manifest, was in taken:
                refused, now = _tried(cluster, manifest)
                assert not refused, manifest
                there = dict(leaves(now))
                sent = [each for each in leaves(was) if each[0][-1] not in MADE_UP]
                assert [each for each in sent if each[1] != there.get(each[0])] == []
                changed += now != was
    with capsys.disabled():
        print(f"\n{changed} of {len(taken)} objects were completed", end="")  # noqa: T201
    assert changed > len(taken) / 2


def _unasked(cluster: TestCluster, plain: tuple[str, Manifest]) -> str:
    return "nothing is added" if _tried(cluster, pod("probe")) == plain else ""
