"""`auditor policies`: what is asked, and why."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from auditor.cli.explain import explain

if TYPE_CHECKING:
    from rich.table import Table

    from auditor.model import Policy

PIPED_WIDTH = 160
"""Wide enough that no row is folded: `grep` looks at lines."""


@click.group(short_help="List the policies.")
def policies() -> None:
    """List the policies."""


@policies.command("list")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def list_policies(form: str) -> int:
    """Every policy with its severity, profile and title."""
    from auditor.policies.loader import load

    found, _ = load()
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
    }


def _table(found: tuple[Policy, ...]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table("policy", "severity", "profile", "fix", "what it finds", box=box.SIMPLE_HEAD)
    table.columns[0].no_wrap = True
    for policy in found:
        table.add_row(policy.id, policy.severity, policy.profile, policy.fix, policy.title)
    return table


policies.add_command(explain)
