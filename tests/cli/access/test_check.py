"""`auditor access check`, whose form is fixed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import Command, Said

READER = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: shop}
rules:
  - {apiGroups: [""], resources: [pods, pods/log], verbs: [get, list]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: readers, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects:
  - {kind: ServiceAccount, name: web}
  - {kind: Group, apiGroup: rbac.authorization.k8s.io, name: ops}
"""
WEB = "system:serviceaccount:shop:web"


def query(user: str, verb: str, resource: str, *groups: str, **more: str) -> dict[str, Any]:
    """A question about the namespace shop."""
    asked = {"user": user, "groups": list(groups), "namespace": "shop", "verb": verb, "group": ""}
    return {**asked, "resource": resource, "subresource": "", "name": "", **more}


def asked(auditor: Command, folder: Path, *lines: Any, manifests: str = READER) -> Said:
    """What the command says of these questions."""
    (folder / "rbac.yaml").write_text(manifests)
    texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
    queries = folder.parent / "queries.jsonl"
    queries.write_text("".join(f"{text}\n" for text in texts))
    return auditor("access", "check", folder, "--queries", queries, "--format", "jsonl")


def answers(said: Said) -> list[dict[str, Any]]:
    """One a line."""
    return [json.loads(line) for line in said.out.splitlines()]


def folder_of(tmp_path: Path) -> Path:
    """An empty folder."""
    folder = tmp_path / "manifests"
    folder.mkdir()
    return folder


def test_each_answer_names_the_binding_and_its_line(auditor: Command, tmp_path: Path) -> None:
    lines = (
        query(WEB, "get", "pods"),
        query("ann", "list", "pods", "ops"),
        query(WEB, "delete", "pods"),
    )
    said = asked(auditor, folder_of(tmp_path), *lines)
    first, second, third = answers(said)
    assert said.code == 0
    assert (first["allowed"], second["allowed"], third["allowed"]) == (True, True, False)
    [by] = first["bindings"]
    assert (by["kind"], by["name"], by["role"]) == ("RoleBinding", "readers", "Role/reader")
    assert by["line"] == 10
    assert second["bindings"][0]["subject"] == "Group/ops"


def test_the_defaults_of_the_server_count_and_are_said_to_be_assumed(
    auditor: Command, tmp_path: Path
) -> None:
    version = {"user": "ann", "groups": ["system:unauthenticated"], "verb": "get"}
    said = asked(auditor, folder_of(tmp_path), {**version, "nonResourceURL": "/version"})
    [answer] = answers(said)
    assert answer["allowed"]
    assert answer["bindings"][0]["assumed"]


def test_a_resource_that_nobody_knows_is_told_once(auditor: Command, tmp_path: Path) -> None:
    """Be it mistyped or of a kind that is not here: the answers are those of the API server."""
    lines = [query(WEB, verb, "podz") for verb in ("get", "list")]
    lines += [query(WEB, "get", f"kind{number}", group="example.com") for number in range(6)]
    said = asked(auditor, folder_of(tmp_path), *lines, query(WEB, "get", "pods"))
    assert said.code == 0
    assert [answer["allowed"] for answer in answers(said)] == [False] * 8 + [True]
    first, second, *_, last = said.err.splitlines()
    assert first == "no role and no known kind is for 'podz'; did you mean 'pods'?"
    assert second == "no role and no known kind is for 'kind0.example.com'"
    assert last == "of further resources it is not told whether they are known"


def test_what_the_server_would_refuse_counts_for_nothing(auditor: Command, tmp_path: Path) -> None:
    broken = READER.replace('apiGroups: [""], ', "")
    said = asked(auditor, folder_of(tmp_path), query(WEB, "get", "pods"), manifests=broken)
    [answer] = answers(said)
    assert not answer["allowed"]
    assert answer["dangling"] == ["shop/readers[RoleBinding]"]
    assert "apiGroups" in said.err


def test_a_line_that_is_no_question_hides_no_answer(auditor: Command, tmp_path: Path) -> None:
    lines = "{", {"verb": 7}, query(WEB, "get", "pods")
    said = asked(auditor, folder_of(tmp_path), *lines)
    broken, wrong, right = answers(said)
    assert said.code == 2
    assert "JSON" in broken["error"]
    assert "verb" in wrong["error"]
    assert right["allowed"]
    assert "2 of the queries not understood; first, line 1: is no JSON" in said.err


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"namespce": "shop"}, "namespce: is no field; did you mean 'namespace'?"),
        ({"nonResourceURL": "/healthz"}, "ask for one"),
    ],
)
def test_a_misspelt_question_is_not_answered_with_no(
    wrong: dict[str, str], complaint: str, auditor: Command, tmp_path: Path
) -> None:
    said = asked(auditor, folder_of(tmp_path), {**query(WEB, "get", "pods"), **wrong})
    [answer] = answers(said)
    assert said.code == 2
    assert complaint in answer["error"]


RING = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: {name}, labels: {{{name}: "yes"}}}}
aggregationRule: {{clusterRoleSelectors: [{{matchLabels: {{{other}: "yes"}}}}]}}
rules: [{{apiGroups: [""], resources: [{name}], verbs: [get]}}]
---
"""
TO_ANN = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: ann}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: %s}
subjects: [{kind: User, name: ann}]
"""


def test_aggregates_that_select_each_other_have_an_end(auditor: Command, tmp_path: Path) -> None:
    """The controller hands their rules around; each may hold those of all."""
    ring = (("pods", "nodes"), ("nodes", "events"), ("events", "pods"))
    roles = "".join(RING.format(name=name, other=other) for name, other in ring)
    lines = (query("ann", "get", name) for name in ("pods", "nodes", "secrets"))
    manifests = roles + TO_ANN % "pods"
    told = answers(asked(auditor, folder_of(tmp_path), *lines, manifests=manifests))
    assert not told[2]["allowed"]
    assert any(each["allowed"] for each in told[:2])


def test_an_aggregate_of_aggregates_holds_their_rules(auditor: Command, tmp_path: Path) -> None:
    """And not its own, as the controller replaces them."""
    chain = (("pods", "nodes"), ("nodes", "events"))
    roles = "".join(RING.format(name=name, other=other) for name, other in chain)
    last = "metadata: {name: events, labels: {events: 'yes'}}"
    roles += f"apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\n{last}\n"
    roles += "rules: [{apiGroups: [''], resources: [events], verbs: [get]}]\n---\n"
    lines = (query("ann", "get", name) for name in ("pods", "nodes", "events"))
    manifests = roles + TO_ANN % "pods"
    told = answers(asked(auditor, folder_of(tmp_path), *lines, manifests=manifests))
    assert [each["allowed"] for each in told] == [False, False, True]


def test_a_binding_that_names_no_role_is_refused(auditor: Command, tmp_path: Path) -> None:
    nameless = READER.replace(", name: reader}", "}")
    said = asked(auditor, folder_of(tmp_path), query(WEB, "get", "pods"), manifests=nameless)
    assert answers(said) == [{"allowed": False, "bindings": []}]
    assert "roleRef.name: is missing" in said.err


def test_a_real_access_review_is_answered(auditor: Command, tmp_path: Path) -> None:
    """As it would be sent to an API server, one a line; a field that is wrong is told."""
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview"}
    attributes = {"namespace": "shop", "verb": "get", "resource": "pods", "subresource": "log"}
    said = asked(
        auditor,
        folder_of(tmp_path),
        {**review, "spec": {"user": "ann", "groups": ["ops"], "resourceAttributes": attributes}},
        {**review, "spec": {"user": "ann", "resourceAttributes": attributes}},
        {**review, "spec": {"user": "ann", "nonResourceAttributes": {"verb": "get", "path": "/x"}}},
        {**review, "spec": {"user": "ann", "groups": "ops", "resourceAttributes": attributes}},
    )
    first, second, third, wrong = answers(said)
    assert [each["allowed"] for each in (first, second, third)] == [True, False, False]
    assert wrong["error"] == "groups: has to be a list of names"
