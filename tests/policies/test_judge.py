"""A policy is asked about one object, and its answer is checked."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

import auditor.facts.schema
from auditor.facts import Facts
from auditor.grades import Severity
from auditor.manifests import MAPPINGS
from auditor.model import Evidence, Finding, Operation, Policy, Ref, Safety, Settings, Snapshot
from auditor.policies.engine import EvaluationError, compile_policies
from auditor.policies.judge import Hearing, panels
from auditor.policies.judge import answered as judge
from auditor.policies.loader import load
from tests.facts.network.cluster import pod, workload
from tests.prepared import prepared

TYPES = Path(auditor.facts.schema.__file__).with_name("types.json.gz")
POLICY = next(p for p in load()[0] if p.id == "workload/privileged_container")


def answered(answer: str, severity: Severity = Severity.HIGH) -> list[Finding]:
    """What is made of this answer of a policy of that severity, given as Rego."""
    module = f"package policies.p\n\ndeny contains {answer}\n"
    policy: Policy = replace(
        POLICY, id="p", file="p.rego", module=module, facts=(), severity=severity
    )
    one = pod("shop/web")
    facts = Facts(Snapshot((one,)), Settings())
    engine = compile_policies("both", {"p.rego": module})
    found: list[Finding] = []
    for _, _, said in judge(engine, Hearing(one, facts).questions(panels((policy,)))):
        if isinstance(said, EvaluationError):
            raise said
        found += said
    return found


def test_a_whole_answer_becomes_a_finding() -> None:
    """Place, words, evidence and remedy as the policy gives them."""
    found = answered(
        """{
    "path": ["spec", "containers", 0], "anchor": "main", "message": "it is wrong",
    "evidence": [{"message": "because", "object": {"apiVersion": "v1", "kind": "Service",
        "namespace": "shop", "name": "web"}, "path": ["spec"]},
        {"message": "and so", "anchor": "shop/ads", "within": ["any pod"]}],
    "fix": {"title": "set it right", "safety": "safe",
        "patch": [{"op": "add", "path": ["spec", "x"], "value": null}]}}"""
    )[0]
    assert found.path == ("spec", "containers", 0)
    assert (found.anchor, found.message, str(found.ref)) == ("main", "it is wrong", "shop/web[Pod]")
    assert found.evidence == (
        Evidence("because", Ref("v1", "Service", "shop", "web"), ("spec",)),
        Evidence("and so", anchor="shop/ads", within=("any pod",)),
    )
    assert found.remedy is not None
    assert found.remedy.safety is Safety.SAFE
    assert found.remedy.patch == (Operation("add", ("spec", "x"), None),)


@pytest.mark.parametrize(
    ("answer", "field"),
    [
        ('{"path": []}', "message"),
        ('{"message": "x"}', "path"),
        ('{"path": [], "message": ""}', "message"),
        ('{"path": "spec", "message": "x"}', "path"),
        ('{"path": [null], "message": "x"}', "path"),
        ('{"path": [], "message": "x", "msg": "y"}', "msg"),
        ('{"path": [], "message": "x", "fix": {"title": "t", "safety": "sure"}}', "fix.safety"),
        (
            '{"path": [], "message": "x", "fix": {"title": "t", "safety": "safe", "patch": [1]}}',
            "fix.patch.0",
        ),
    ],
)
def test_an_answer_of_the_wrong_form_names_file_and_field(answer: str, field: str) -> None:
    """It is an error, and never a pass."""
    with pytest.raises(EvaluationError, match=rf"^p\.rego: deny gave a wrong {field}"):
        answered(answer)


def test_a_finding_is_as_grave_as_its_effect() -> None:
    """Where the policy tells that; it is never graver than what METADATA promises."""
    (mild,) = answered('{"path": [], "message": "x", "severity": "low"}')
    (usual,) = answered('{"path": [], "message": "x"}')
    assert (mild.severity, usual.severity) == (Severity.LOW, Severity.HIGH)
    with pytest.raises(EvaluationError, match=r"deny gave severity high, .* at most medium"):
        answered('{"path": [], "message": "x", "severity": "high"}', Severity.MEDIUM)


def seen(one: Any) -> Any:
    """The input that a policy gets of an object."""
    return orjson.loads(prepared(one, {}, 136))


def test_a_policy_sees_all_containers_with_their_places() -> None:
    """Those of a CronJob stand deep; sidecars and debug containers are containers too."""
    spec = {
        "containers": [{"name": "a"}, "junk", {}],
        "initContainers": [{"name": "b"}],
        "ephemeralContainers": [{"name": "c"}],
    }
    document = seen(workload("CronJob", "report", template={"spec": spec}))
    top = ["spec", "jobTemplate", "spec", "template", "spec"]
    assert document["workload"]["path"] == top
    assert [(c["list"], c["path"], c["spec"]) for c in document["workload"]["containers"]] == [
        ("containers", [*top, "containers", 0], {"name": "a"}),
        ("containers", [*top, "containers", 2], {}),
        ("initContainers", [*top, "initContainers", 0], {"name": "b"}),
        ("ephemeralContainers", [*top, "ephemeralContainers", 0], {"name": "c"}),
    ]


def test_a_policy_sees_the_object_as_it_is_written() -> None:
    """With fields that nobody knows, and the version that it is to be judged for."""
    one = pod("shop/web", unheardOf={"a": [1, 1.5, None, True, "é"]})
    document = seen(one)
    assert document["object"] == one.manifest
    assert document["kubernetes"] == 136


def test_each_policy_is_asked_once_whatever_facts_it_reads() -> None:
    """All that read the same facts, and look for the same words, together."""
    policies = load()[0]
    asked = panels(policies)
    assert sorted(p.id for panel in asked for p in panel.policies) == sorted(p.id for p in policies)
    alike = [(panel.facts, panel.mentions) for panel in asked if not panel.policies[0].parameters]
    assert len(set(alike)) == len(alike)


def test_a_policy_is_asked_about_objects_that_mention_what_it_looks_for() -> None:
    """Wherever in the object that stands."""
    (policy,) = (p for p in load()[0] if p.id == "control_plane/weak_ciphers")
    command = ["/usr/local/bin/kube-apiserver", "--tls-cipher-suites=TLS_RSA_WITH_RC4_128_SHA"]
    server, other = (
        pod(f"kube-system/{name}", containers=[{"name": "c", "command": started}])
        for name, started in (("server", command), ("other", ["/bin/cat", command[1]]))
    )
    facts = Facts(Snapshot((server, other)), Settings())
    assert list(Hearing(server, facts).questions(panels((policy,))))
    assert not list(Hearing(other, facts).questions(panels((policy,))))


def test_what_cannot_be_written_down_may_mention_anything() -> None:
    """It stays a gap, and is not taken for an object without the word."""
    (policy,) = (p for p in load()[0] if p.id == "control_plane/weak_ciphers")
    one = pod("kube-system/server", priority=2**70)
    (question,) = Hearing(one, Facts(Snapshot((one,)), Settings())).questions(panels((policy,)))
    assert isinstance(question.document, EvaluationError)


def test_a_field_that_holds_nothing_is_not_there() -> None:
    """As to the API server. What is null in a list has a place, and a key of the user's is one."""
    one = pod("shop/web", restartPolicy=None, dnsConfig={"options": None, "searches": [None, "a"]})
    same = pod("shop/web", dnsConfig={"searches": [None, "a"]})
    assert seen(one) == seen(same)
    assert seen(one)["workload"]["pod"]["dnsConfig"] == {"searches": [None, "a"]}
    kept = pod("shop/web", nodeSelector={"disk": None})
    assert seen(kept)["workload"]["pod"]["nodeSelector"] == {"disk": None}


def test_keys_of_the_users_are_known_from_the_api() -> None:
    """Every field that is a mapping wherever it stands, and of those that are one here and another
    thing there, all but what is mostly the other thing.
    """
    types = json.loads(gzip.decompress(TYPES.read_bytes()))["types"]
    said = [form.get("fields", {}) for forms in types.values() for _, _, form in forms]
    mappings = {name for fields in said for name, kind in fields.items() if kind[0] == "{"}
    assert mappings - {"resources", "selector"} == MAPPINGS
