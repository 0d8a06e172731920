"""`auditor policies`: what is asked, and why."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from auditor.cli.explain import explain, known_policies, which_policies
from auditor.cli.policies_diff import diff

if TYPE_CHECKING:
    from rich.table import Table

    from auditor.model import Policy

F = TypeVar("F", bound=Callable[..., Any])

PIPED_WIDTH = 160
"""Wide enough that no row is folded: `grep` looks at lines."""


@click.group(short_help="List the policies.")
def policies() -> None:
    """List the policies."""


policies.add_command(diff)


@policies.command("list")
@which_policies
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def list_policies(form: str, folders: tuple[Path, ...], no_builtin_policies: bool) -> int:
    """Every policy with its severity, profile and title."""
    found = known_policies(folders, no_builtin_policies)
    if form == "json":
        import orjson

        click.echo(orjson.dumps(list(map(_row, found)), option=orjson.OPT_INDENT_2).decode())
        return 0
    from rich.console import Console

    width = None if sys.stdout.isatty() else PIPED_WIDTH
    Console(highlight=False, width=width).print(_table(found))
    return 0


def _row(policy: Policy) -> dict[str, object]:
    return {
        "id": policy.id,
        "title": policy.title,
        "description": policy.description,
        "severity": policy.severity,
        "profile": policy.profile,
        "contested": policy.contested,
        "fix": policy.fix,
        "kinds": policy.kinds,
        "facts": policy.facts,
        "controls": policy.controls,
        "equivalents": policy.equivalents,
        "aliases": policy.aliases,
        "links": policy.links,
        "since": policy.since,
        "preview": policy.preview,
    }


def _table(found: tuple[Policy, ...]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from auditor.text import escaped

    table = Table("policy", "severity", "profile", "fix", "what it finds", box=box.SIMPLE_HEAD)
    table.columns[0].no_wrap = True
    for policy in found:
        profile = f"{policy.profile} (preview)" if policy.preview else policy.profile
        title = Text(escaped(policy.title))  # no markup: it may be somebody else's
        table.add_row(policy.id, policy.severity, profile, policy.fix, title)
    return table


policies.add_command(explain)
