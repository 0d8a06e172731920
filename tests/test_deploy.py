"""What is shipped for a cluster fits what the code asks of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from auditor.cli.main import cli
from auditor.continuous.reports import PLURALS
from auditor.continuous.serving import PATHS
from auditor.sources.kinds import KINDS
from tests.cli.command import Command

ROOT = Path(__file__).parents[1]


def _read(name: str) -> dict[str, dict[str, Any]]:
    """By kind, the objects of a file that is shipped; one of each."""
    documents = yaml.safe_load_all((ROOT / "deploy" / name).read_text("utf-8"))
    return {each["kind"]: each for each in documents}


def _granted(rules: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(group, r) for rule in rules for group in rule["apiGroups"] for r in rule["resources"]}


def test_the_watch_may_read_the_same_and_write_reports() -> None:
    """Nothing else, anywhere."""
    shipped = _read("watch.yaml")
    *reading, writing = shipped["ClusterRole"]["rules"]
    assert _granted(reading) == {(kind.group, kind.plural) for kind in KINDS}
    assert {tuple(rule["verbs"]) for rule in reading} == {("list", "watch")}
    assert _granted([writing]) == {("wgpolicyk8s.io", plural) for plural in PLURALS.values()}
    assert writing["verbs"] == ["list", "create", "patch", "delete"]
    assert shipped["ClusterRoleBinding"]["roleRef"]["name"] == "auditor-watch"


def test_the_watch_is_started_as_the_command_takes_it() -> None:
    """Its flags are flags of the command, its probes ask for what is served, and where."""
    (container,) = _read("watch.yaml")["Deployment"]["spec"]["template"]["spec"]["containers"]
    verb, *flags = container["args"]
    parent = click.Context(cli, **cli.context_settings)
    command = cli.get_command(parent, verb)
    assert command is not None
    told = command.make_context(verb, flags, parent).params
    assert (told["host"], told["port"]) == ("0.0.0.0", container["ports"][0]["containerPort"])  # noqa: S104
    probes = [container[name]["httpGet"] for name in container if name.endswith("Probe")]
    assert {probe["path"] for probe in probes} <= set(PATHS)
    assert {probe["port"] for probe in probes} == {container["ports"][0]["name"]}


def test_what_is_shipped_is_clean(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Under our own policies: no finding, no gap."""
    said = Command(monkeypatch, capsys)(
        "audit", ROOT / "deploy" / "watch.yaml", "--format", "json", "--strict"
    )
    assert (said.code, said.report["findings"], said.report["gaps"]) == (0, [], [])


def test_the_role_grants_what_is_read_and_no_more() -> None:
    """To list every kind that we read; no Secret, no star, nothing that goes on or writes."""
    documents = yaml.safe_load_all((ROOT / "deploy" / "rbac.yaml").read_text("utf-8"))
    (role,) = [each for each in documents if each["kind"] == "ClusterRole"]
    granted = {
        (group, resource)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    assert granted == {(kind.group, kind.plural) for kind in KINDS}
    assert {tuple(rule["verbs"]) for rule in role["rules"]} == {("list",)}
