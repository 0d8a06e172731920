"""What anybody meets first: help, versions, slips of the finger."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest

from auditor import __version__
from auditor.cli.main import VERBS, cli

from .command import Command

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
    assert len(said.out.splitlines()) <= 25


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
