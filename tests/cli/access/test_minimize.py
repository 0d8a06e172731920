"""`auditor access minimize`, as a user sees it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.cli.command import Command

RIGHTS = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: all}
rules:
  - {apiGroups: ["*"], resources: ["*"], verbs: ["*"]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: admins}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: all}
subjects:
  - {kind: ServiceAccount, name: web, namespace: shop}
  - {kind: User, apiGroup: rbac.authorization.k8s.io, name: bob}
"""
WEB = "system:serviceaccount:shop:web"


@pytest.fixture
def rights(tmp_path: Path) -> Path:
    """An account and a person that may do everything."""
    file = tmp_path / "rights.yaml"
    file.write_text(RIGHTS)
    return file


def _log(folder: Path, *lines: object) -> Path:
    file = folder / "used.jsonl"
    text = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    file.write_text("\n".join(text) + "\n")
    return file


LISTS = {"user": WEB, "groups": [], "verb": "list", "resource": "pods", "namespace": "shop"}
READS = {**LISTS, "verb": "get", "resource": "secrets", "name": "db"}
ELSE = {**LISTS, "user": "eve"}


def test_people_read_what_is_kept_and_what_is_taken(auditor: Command, rights: Path) -> None:
    said = auditor("access", "minimize", rights, "--used", _log(rights.parent, LISTS, READS, ELSE))
    assert said.code == 0
    lines = [line.strip() for line in said.out.splitlines()]
    assert "ServiceAccount shop/web: 2 requests used (proven)" in lines
    assert lines[lines.index("keeps in shop") + 1 :][:2] == [
        "list  pods",
        "get  secrets, named db",
    ]
    taken = next(line for line in lines if line.startswith("takes away"))
    assert taken.startswith("takes away all else of ClusterRoleBinding admins of ClusterRole/all")
    assert taken.endswith("rights.yaml:10")
    assert "no role allows eve: list pods in shop" in lines
    assert "not seen to use anything, and left as they are: User bob" in lines


def test_what_is_written_is_yaml_that_can_be_applied(auditor: Command, rights: Path) -> None:
    said = auditor(
        "access", "minimize", rights, "--used", _log(rights.parent, LISTS), "--format", "yaml"
    )
    found = list(yaml.safe_load_all(said.out))
    kinds = ["Role", "RoleBinding", "ClusterRoleBinding"]
    assert [each["kind"] for each in found] == kinds
    assert [each["name"] for each in found[-1]["subjects"]] == ["bob"]


def test_programs_are_told_the_same(auditor: Command, rights: Path) -> None:
    said = auditor(
        "access", "minimize", rights, "--used", _log(rights.parent, READS), "--format", "json"
    )
    (one,) = said.report["proposals"]
    assert (one["subject"], one["proven"]) == (f"ServiceAccount/{WEB}", True)
    assert one["keeps"] == [
        {
            "namespace": "shop",
            "rules": [
                {
                    "apiGroups": [""],
                    "resources": ["secrets"],
                    "resourceNames": ["db"],
                    "verbs": ["get"],
                }
            ],
        }
    ]
    assert [each["name"] for each in one["takenOutOf"]] == ["admins"]
    assert [each["kind"] for each in said.report["objects"]][:2] == ["Role", "RoleBinding"]


def test_a_line_that_cannot_be_read_is_named_and_fails_the_run(
    auditor: Command, rights: Path
) -> None:
    """What it tells of may be what would be taken away."""
    log = _log(rights.parent, LISTS, "{not json", "", {**LISTS, "verb": "*"})
    said = auditor("access", "minimize", rights, "--used", log, "--format", "json")
    assert said.code == 4
    assert f"gap: {log}:2: is no JSON" in said.err
    assert f"gap: {log}:4: verb: '*' is no single one" in said.err
    assert [gap["what"] for gap in said.report["gaps"]] == [f"{log}:2", f"{log}:4"]


def test_what_is_wrong_in_a_list_hides_nothing_beside_it(auditor: Command, rights: Path) -> None:
    about = {"resource": "pods", "namespace": "shop"}
    event = {"kind": "Event", "apiVersion": "audit.k8s.io/v1", "verb": "list", "objectRef": about,
             "user": {"username": WEB}}  # fmt: skip
    listed = {"kind": "EventList", "apiVersion": "audit.k8s.io/v1"}
    inner = {**listed, "items": [event]}
    log = _log(rights.parent, {**listed, "items": [7, inner, event]})
    said = auditor("access", "minimize", rights, "--used", log, "--format", "json")
    assert said.code == 4
    assert [proposal["used"] for proposal in said.report["proposals"]] == [["list pods in shop"]]
    assert f"gap: {log}:1: items[0]: has to be a JSON object" in said.err
    assert f"gap: {log}:1: items[1]: kind: an EventList holds events" in said.err


def test_what_is_quoted_of_a_log_holds_no_credential(auditor: Command, rights: Path) -> None:
    event = {"kind": "https://ann:hunter2secret@registry.example", "apiVersion": "audit.k8s.io/v1"}
    log = _log(rights.parent, event)
    said = auditor("access", "minimize", rights, "--used", log, "--format", "json")
    assert "is no event of an audit log" in said.report["gaps"][0]["why"]
    assert "hunter2secret" not in said.out + said.err


def test_a_resource_that_no_request_is_for_is_told(auditor: Command, rights: Path) -> None:
    log = _log(rights.parent, READS)
    said = auditor("access", "minimize", rights, "--used", log, "--any-name", "secret")
    assert "--any-name secret: no request that was read names such an object" in said.err


def test_words_of_a_log_do_not_act_on_a_terminal(auditor: Command, rights: Path) -> None:
    hostile = {**READS, "name": "\x1b[2J\u202edb"}
    for form in ("text", "yaml", "json"):
        log = _log(rights.parent, hostile)
        said = auditor("access", "minimize", rights, "--used", log, "--format", form)
        assert "\x1b" not in said.out
        assert form == "json" or "\u202e" not in said.out
