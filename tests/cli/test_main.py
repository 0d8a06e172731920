"""What anybody meets first: help, versions, slips of the finger."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from auditor import __version__
from auditor.cli.main import VERBS, cli

from .command import PEAPODS, Command

HEAVY = (
    "aiohttp",
    "kubernetes",
    "orjson",
    "pydantic",
    "regopy",
    "regorus",
    "rich",
    "yaml",
)


def test_help_lists_every_verb_and_the_exit_codes(auditor: Command) -> None:
    """One screen says what there is."""
    said = auditor("--help")
    assert said.code == 0
    assert all(verb in said.out for verb in VERBS)
    assert "3 nothing to audit" in said.out
    assert len(said.out.splitlines()) <= 30


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(auditor: Command, verb: str) -> None:
    """It says in a sentence what the verb does; the list of verbs says the same."""
    said = auditor(verb, "-h")
    assert said.code == 0
    assert said.out.startswith(f"Usage: auditor {verb}")
    command = cli.get_command(click.Context(cli), verb)
    assert command is not None
    assert command.short_help == VERBS[verb][1]


def test_version(auditor: Command) -> None:
    """For reports of bugs."""
    assert auditor("--version").out == f"auditor {__version__}\n"


@pytest.mark.parametrize(("typo", "meant"), [("audti", "audit"), ("fxi", "fix")])
def test_a_slip_of_the_finger_is_understood(auditor: Command, typo: str, meant: str) -> None:
    """Exit code 2, and the verb that was meant."""
    said = auditor(typo)
    assert said.code == 2
    assert f"Did you mean '{meant}'?" in said.err
    assert said.out == ""


def test_an_unknown_flag_is_named(auditor: Command) -> None:
    """Nothing is passed over."""
    said = auditor("audit", ".", "--fial-on", "high")
    assert said.code == 2
    assert "--fial-on" in said.err


def test_a_full_disk_is_one_sentence_and_no_finding() -> None:
    """Exit code 1 would say that something was found."""
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        done = subprocess.run(
            [Path(sys.executable).with_name("auditor"), "policies", "list"],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("audit", "--fail-on", "never", "--no-fixes", str(PEAPODS)),
        ("policies", "list"),
        ("policies", "list", "--format", "json"),
        ("--help",),
    ],
    ids=" ".join,
)
def test_a_reader_that_has_seen_enough_is_no_finding(arguments: tuple[str, ...]) -> None:
    """`| head` ends it as it ends any program, by the signal SIGPIPE; nothing is said."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    with open(write_end, "w") as gone:  # noqa: PTH123 - a pipe
        done = subprocess.run(
            [Path(sys.executable).with_name("auditor"), *arguments],
            stdout=gone, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (141, "")


def test_a_fault_of_ours_is_called_one(auditor: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a traceback nor the exit code of a finding; and no value, which may be secret."""

    def broken(*_: object) -> None:
        raise LookupError("hunter2")

    monkeypatch.setattr("auditor.policies.loader.load", broken)
    said = auditor("policies", "list")
    assert said.code == 70
    assert "LookupError in broken" in said.err
    assert "hunter2" not in said.err


def test_help_loads_nothing_heavy() -> None:
    """What takes long to import is imported where it is used; that is why help is instant."""
    program = (
        "import sys; sys.argv = ['auditor', '--help']\n"
        "from auditor.cli.main import main\n"
        "try: main()\n"
        f"except SystemExit: print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stderr == "[]\n"
