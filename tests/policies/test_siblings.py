"""Pods of one controller are one question, and the answer is the one that each would get."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from auditor.facts import Facts
from auditor.model import Policy, Resource, Settings, Snapshot
from auditor.policies.engine import compile_policies
from auditor.policies.judge import Hearing, panels
from auditor.policies.loader import load
from auditor.sources.files import FileSource
from tests.facts.network.cluster import pod
from tests.policy_fixtures import settings_of

FIXTURES = Path(__file__).parents[2] / "fixtures" / "policies"
POLICIES, LIBRARY = load()
OWNER = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-1", "controller": True}


def _sibling(one: Resource, number: int, owner: dict[str, object]) -> Resource:
    """The pod as its controller and admission leave it."""
    token = {"name": f"kube-api-access-x2b4{number}", "projected": {"sources": []}}
    was = one.manifest
    metadata = {**was["metadata"], "name": f"web-1-{number}", "uid": f"u{number}"}
    spec = {**was["spec"], "nodeName": f"n{number}", "hostname": f"web-1-{number}"}
    spec["volumes"] = [*(spec.get("volumes") or ()), token]
    manifest = {
        **was,
        "metadata": {**metadata, "ownerReferences": [owner]},
        "spec": spec,
        "status": {"podIP": f"10.0.0.{number}"},
    }
    ref = replace(one.ref, name=f"web-1-{number}")
    return replace(one, ref=ref, manifest=manifest)


def _documents(policy: Policy, one: Resource, settings: Settings) -> Iterator[bytes]:
    facts = Facts(Snapshot((one,)), settings)
    for question in Hearing(one, facts).questions(panels((policy,))):
        assert isinstance(question.document, bytes)
        yield question.document


PRIVILEGED = next(each for each in POLICIES if each.id == "workload/privileged_container")


@pytest.mark.parametrize("owner", [OWNER, {**OWNER, "controller": False}], ids=["owned", "free"])
def test_pods_of_one_controller_are_one_question(owner: dict[str, object]) -> None:
    """Wherever they run, and whatever their token is called; those that have none are several."""
    pods = [_sibling(pod("shop/web"), number, owner) for number in range(2)]
    asked = {d for one in pods for d in _documents(PRIVILEGED, one, Settings())}
    assert len(asked) == (1 if owner["controller"] else 2)


def test_what_differs_in_a_pod_is_another_question() -> None:
    """A sidecar that was put into one of them."""
    one, two = (_sibling(pod("shop/web"), number, OWNER) for number in range(2))
    two.manifest["spec"]["containers"] = [*two.manifest["spec"]["containers"], {"name": "more"}]
    asked = {d for each in (one, two) for d in _documents(PRIVILEGED, each, Settings())}
    assert len(asked) == 2


def test_policies_of_others_see_the_whole_pod(tmp_path: Path) -> None:
    """They may read what tells pods apart."""
    theirs = replace(PRIVILEGED, file=str(tmp_path / "theirs.rego"))
    pods = [_sibling(pod("shop/web"), number, OWNER) for number in range(2)]
    assert len({d for one in pods for d in _documents(theirs, one, Settings())}) == 2


@pytest.mark.parametrize(
    "policy", [p for p in POLICIES if "Pod" in p.kinds], ids=lambda policy: policy.id
)
def test_no_policy_of_ours_reads_what_siblings_differ_in(policy: Policy, tmp_path: Path) -> None:
    """It says the same of a pod of its fixtures that is whole and of one that is one of many."""
    theirs = replace(policy, file=str(tmp_path / "theirs.rego"))
    engine = compile_policies("regorus", {policy.file: policy.module, **LIBRARY})
    package = "policies." + policy.id.replace("/", ".")
    for file in sorted((FIXTURES / policy.id).glob("[!.]*.yaml")):
        settings = settings_of(file)
        for one in FileSource((str(file),)).snapshot().resources:
            if one.ref.kind == "Pod" and isinstance(one.manifest.get("spec"), dict):
                pair = [
                    engine.evaluate(
                        package, next(_documents(each, _sibling(one, 1, OWNER), settings), b"{}")
                    )
                    for each in (policy, theirs)
                ]
                assert pair[0] == pair[1], file.name
