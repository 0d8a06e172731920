"""A certificate can be shown again by anybody, from nothing but itself, and believes nobody."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import PEAPODS, Command, Said

FAR = "placement/far_from_database"
EVERY_LEVEL = ["P0", "P1", "P2", "P3", "P4", "P5"]


@pytest.fixture
def auditor(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command."""
    return Command(monkeypatch, capsys)


@pytest.fixture
def file(auditor: Command, tmp_path: Path) -> Path:
    """What was shown of the fix that draws a service to the rack of its database."""
    said = auditor("fix", PEAPODS, "--select", FAR, "--certificates", tmp_path / "shown")
    assert said.code == 0, said.err
    (found,) = (tmp_path / "shown").iterdir()
    return found


def document(file: Path) -> dict[str, Any]:
    """What is in it."""
    found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return found


def levels(said: Said) -> Mapping[str, Any]:
    """What is found now of each level."""
    (answer,) = json.loads(said.out)
    found: Mapping[str, Any] = answer["levels"]
    return found


def changed(file: Path, **fields: Any) -> Path:
    """The file, with some of its fields as others."""
    file.write_text(json.dumps(document(file) | fields), "utf-8")
    return file


def test_every_level_is_shown_and_shown_again(auditor: Command, file: Path) -> None:
    """Two hops a query become one on the mean; nothing else gets worse."""
    told = document(file)
    assert list(told["levels"]) == EVERY_LEVEL
    assert all(level["holds"] is True for level in told["levels"].values())
    hops = told["levels"]["P5"]["details"]["hops"]
    edge = "shop/orders → shop/orders-db"
    assert hops["after"][edge] < hops["before"][edge]
    bound = told["levels"]["P1"]["details"]["bound"]
    assert set(bound) == {"shop/orders-0", "shop/orders-1"}
    assert all(node.startswith("rack2-") for node in bound.values())
    said = auditor("placement", "verify", file, "--format", "json")
    assert said.code == 0, said.out
    assert all(level["agrees"] for level in levels(said).values())


def test_it_holds_nothing_that_programs_read(file: Path) -> None:
    """No variable, no argument: what no scheduler reads may be a credential."""
    text = file.read_text("utf-8")
    assert '"env"' not in text
    assert "postgres://" not in text


def test_a_state_that_somebody_touched_is_not_believed(auditor: Command, file: Path) -> None:
    """One field of one object is enough."""
    state = document(file)["state"]
    state["objects"][0]["metadata"]["labels"] = {"changed": "yes"}
    said = auditor("placement", "verify", changed(file, state=state))
    assert said.code == 1
    assert "nothing in it is believed" in said.out


def test_a_witness_that_breaks_a_rule_is_found_out(auditor: Command, file: Path) -> None:
    """A pod on a node that there is not, and a pod of which nothing is said."""
    told = document(file)["levels"]
    told["P1"]["details"]["bound"]["shop/orders-1"] = "rack9-node9"
    said = auditor("placement", "verify", changed(file, levels=told), "--format", "json")
    assert said.code == 1
    assert levels(said)["P1"]["found"] is False
    del told["P1"]["details"]["bound"]["shop/orders-1"]
    said = auditor("placement", "verify", changed(file, levels=told), "--format", "json")
    assert "nothing is said of shop/orders-1" in levels(said)["P1"]["told"]


def test_a_claim_that_does_not_hold_is_found_out(auditor: Command, file: Path) -> None:
    """The change as it would be with more CPU than any node has: the levels say what is wrong."""
    changes = document(file)["changes"]
    container = changes[0]["spec"]["template"]["spec"]["containers"][0]
    container["resources"] = {"requests": {"cpu": "5000", "memory": "1Mi"}}
    said = auditor("placement", "verify", changed(file, changes=changes), "--format", "json")
    assert said.code == 1
    found = levels(said)
    assert {"P1", "P2"} <= {name for name in EVERY_LEVEL if not found[name]["agrees"]}
    assert "CPU" in found["P1"]["told"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "is no JSON"),
        ("[]", "valid dictionary"),
        ('{"format": "auditor-placement/1"}', "policy: Field required"),
        ("{}", "Field required"),
    ],
)
def test_what_is_none_is_told_with_its_field(
    auditor: Command, tmp_path: Path, text: str, why: str
) -> None:
    """And ends with 2, without a traceback."""
    file = tmp_path / "shown.json"
    file.write_text(text, "utf-8")
    said = auditor("placement", "verify", file)
    assert said.code == 2
    assert why in said.err
    assert str(file) in said.err


def test_a_later_format_is_refused(auditor: Command, file: Path) -> None:
    """Rather than half understood."""
    said = auditor("placement", "verify", changed(file, format="auditor-placement/9"))
    assert said.code == 2
    assert "auditor-placement/9" in said.err
