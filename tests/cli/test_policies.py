"""`auditor policies` and `auditor new`."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from .command import ROOT, Command

NAMES = (
    "data/personal_data_not_isolated",
    "network/monitor_beyond_health",
    "placement/far_from_database",
    "workload/privileged_container",
)


def test_the_list_names_every_policy(auditor: Command) -> None:
    """With severity, profile and title."""
    said = auditor("policies", "list")
    assert said.code == 0
    assert all(name in said.out for name in NAMES)
    assert "Privileged container" in said.out


def test_the_list_says_which_profile_asks_how_many(auditor: Command) -> None:
    """The list has more than a run asks: nobody should have to count which."""
    last = auditor("policies", "list").out.splitlines()[-1]
    rows = json.loads(auditor("policies", "list", "--format", "json").out)
    recommended = [r for r in rows if r["profile"] in {"essential", "recommended"}]
    asked = sum(not row["preview"] for row in recommended)
    assert last.startswith(f"{len(rows)} policies: ")
    assert f"recommended (the default) {asked}, " in last


@pytest.mark.parametrize("verb", [("policies", "list"), ("explain", "workload/host_aliases")])
def test_a_narrow_terminal_shows_every_word(verb: tuple[str, ...]) -> None:
    """Nothing is cut, and no line but an address is longer than the screen."""
    out = _on_a_screen(60, *verb)
    assert not [one for one in out.splitlines() if len(one) > 60 and "https://" not in one]
    assert "…" not in out
    assert "Names of its own in /etc/hosts" in out


def _on_a_screen(width: int, *words: str) -> str:
    """What the command writes on a terminal of that width."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "auditor", *words]
    env = {**os.environ, "COLUMNS": str(width), "NO_COLOR": "1"}
    with subprocess.Popen(command, stdout=theirs, env=env, cwd=ROOT) as running:
        os.close(theirs)
        read = b""
        while chunk := _chunk(ours):
            read += chunk
    os.close(ours)
    assert running.returncode == 0
    return read.decode().replace("\r\n", "\n")


def _chunk(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # the other side is gone
        return b""


def test_the_list_for_programs(auditor: Command) -> None:
    """The same as JSON, with the ids of other tools."""
    rows = json.loads(auditor("policies", "list", "--format", "json").out)
    by_id = {row["id"]: row for row in rows}
    assert "checkov:CKV_K8S_16" in by_id["workload/privileged_container"]["equivalents"]


@pytest.mark.parametrize(
    "name", ["workload/privileged_container", "CKV_K8S_16", "trivy:KSV-0017", "KSV-0017"]
)
def test_a_policy_is_explained_by_any_of_its_names(auditor: Command, name: str) -> None:
    """People who move here know the ids of where they come from."""
    said = auditor("policies", "explain", name)
    assert said.code == 0
    assert "Whoever controls its process controls the node" in said.out


def test_an_unknown_policy_is_guessed(auditor: Command) -> None:
    """With what was probably meant."""
    said = auditor("policies", "explain", "workload/privileged")
    assert said.code == 2
    assert "did you mean 'workload/privileged_container'?" in said.err


@pytest.mark.parametrize("name", ["host_network", "Workload/x", "../x/y", "workload/x-y", "a/b.c"])
def test_a_new_policy_needs_a_folder_and_a_plain_name(
    auditor: Command, tmp_path: Path, name: str
) -> None:
    """Its place becomes its name, and the name of a Rego package."""
    said = auditor("new", name, "--root", tmp_path)
    assert said.code == 2
    assert name in said.err
    assert list(tmp_path.iterdir()) == []


def test_a_policy_that_is_there_is_not_overwritten(auditor: Command, tmp_path: Path) -> None:
    """Not even half of it."""
    (tmp_path / "policies" / "lib").mkdir(parents=True)
    auditor("new", "workload/x", "--root", tmp_path)
    (tmp_path / "policies" / "workload" / "x.rego").write_text("mine", "utf-8")
    said = auditor("new", "workload/x", "--root", tmp_path)
    assert said.code == 2
    assert "x.rego is there already" in said.err
    assert (tmp_path / "policies" / "workload" / "x.rego").read_text("utf-8") == "mine"


def test_outside_a_checkout_nothing_is_written(auditor: Command, tmp_path: Path) -> None:
    """There is nothing that would find the policy."""
    said = auditor("new", "workload/x", "--root", tmp_path)
    assert said.code == 2
    assert "no checkout" in said.err
    assert list(tmp_path.iterdir()) == []


def test_a_policy_says_what_it_can_be_told(auditor: Command) -> None:
    """Whoever reads of it knows what to write into the configuration."""
    said = auditor("policies", "explain", "image/undeclared_registry")
    assert "Parameters: registries: Registries, or parts of them" in said.out


STRANGE = """\
# METADATA
# title: "Odd [/nope] [red]title\\e]0;owned\\a"
# description: "First line\\nsecond \\e]0;owned\\a line"
# custom:
#   severity: high
#   fix: manual
#   kinds: [Pod]
#   controls: ["cis/\\e[2J"]
package policies.team.strange

deny contains {"path": [], "message": "odd"} if input.object.never
"""


def strange(folder: Path) -> Path:
    """A folder with a policy of somebody who wants to act on the terminal."""
    (folder / "team").mkdir(parents=True)
    (folder / "team" / "strange.rego").write_text(STRANGE, "utf-8")
    return folder


def test_what_a_policy_says_of_itself_cannot_act_on_a_terminal(
    auditor: Command, folder: Path
) -> None:
    """It is text of others; its line breaks are kept."""
    said = auditor("explain", "team/strange", "--policies", strange(folder))
    assert said.code == 0
    assert "\x1b" not in said.out
    assert "\x07" not in said.out
    assert "First line\nsecond \\x1b]0;owned\\x07 line\n" in said.out
    assert "cis/\\x1b[2J" in said.out


def test_the_list_shows_a_title_as_it_is_written(auditor: Command, folder: Path) -> None:
    """Brackets are no markup, and escapes are shown."""
    said = auditor("policies", "list", "--policies", strange(folder))
    assert said.code == 0
    assert "Odd [/nope] [red]title\\x1b]0;owned\\x07" in said.out
