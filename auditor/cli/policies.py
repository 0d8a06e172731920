"""`auditor policies`: what is asked, and why."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from auditor.cli.policies_diff import diff

if TYPE_CHECKING:
    from rich.table import Table

    from auditor.model import Policy

F = TypeVar("F", bound=Callable[..., Any])

PIPED_WIDTH = 160
"""Wide enough that no row is folded: `grep` looks at lines."""


@click.group(short_help="List and explain the policies.")
def policies() -> None:
    """List and explain the policies."""


policies.add_command(diff)


def _which(command: F) -> F:
    """--policies and --no-builtin-policies, as `audit` has them."""
    for option in (
        click.option("--no-builtin-policies", is_flag=True, help="Leave out our own policies."),
        click.option(
            "--policies",
            "folders",
            multiple=True,
            type=click.Path(exists=True, file_okay=False, path_type=Path),
            help="The policies of this folder as well.",
        ),
    ):
        command = option(command)
    return command


def _known(folders: tuple[Path, ...], no_builtin_policies: bool) -> tuple[Policy, ...]:
    from auditor.policies.loader import load
    from auditor.policies.ours import bundled

    if no_builtin_policies and not folders:
        raise click.UsageError("--no-builtin-policies leaves no policy: name a folder")
    return load(*(() if no_builtin_policies else (bundled(),)), *folders)[0]


@policies.command("list")
@_which
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def list_policies(form: str, folders: tuple[Path, ...], no_builtin_policies: bool) -> int:
    """Every policy with its severity, profile and title."""
    found = _known(folders, no_builtin_policies)
    if form == "json":
        import orjson

        rows = [
            {
                "id": p.id,
                "title": p.title,
                "severity": p.severity,
                "profile": p.profile,
                "controls": p.controls,
                "equivalents": p.equivalents,
                "since": p.since,
                "preview": p.preview,
            }
            for p in found
        ]
        click.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
        return 0
    from rich.console import Console

    width = None if sys.stdout.isatty() else PIPED_WIDTH
    Console(highlight=False, width=width).print(_table(found))
    return 0


def _table(found: tuple[Policy, ...]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table("policy", "severity", "profile", "what it finds", box=box.SIMPLE_HEAD)
    table.columns[0].no_wrap = True
    for policy in found:
        profile = f"{policy.profile} (preview)" if policy.preview else policy.profile
        table.add_row(policy.id, policy.severity, profile, policy.title)
    return table


@policies.command()
@_which
@click.argument("name", metavar="POLICY")
def explain(name: str, folders: tuple[Path, ...], no_builtin_policies: bool) -> int:
    """What a policy looks for and why, by its own name or by another tool's id of it."""
    from auditor.policies.loader import chosen
    from auditor.reporters.words import particulars

    found = _known(folders, no_builtin_policies)
    wanted = [p for p in found if any(e.partition(":")[2] == name for e in p.equivalents)]
    for policy in wanted or chosen(found, "strict", (name,), frozenset(), preview=True):
        click.echo(f"{policy.id} ({policy.severity}, profile {policy.profile})\n{policy.title}\n")
        click.echo(policy.description)
        for title, items in particulars(policy):
            click.echo(f"\n{title}: {', '.join(items)}")
    return 0
