"""`auditor policies`: what is asked, and why."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.table import Table

    from auditor.model import Policy

PIPED_WIDTH = 160
"""Wide enough that no row is folded: `grep` looks at lines."""


@click.group(short_help="List and explain the policies.")
def policies() -> None:
    """List and explain the policies."""


@policies.command("list")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def list_policies(form: str) -> int:
    """Every policy with its severity, profile and title."""
    from auditor.policies.loader import load

    found, _ = load()
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
        table.add_row(policy.id, policy.severity, policy.profile, policy.title)
    return table


@policies.command()
@click.argument("name", metavar="POLICY")
def explain(name: str) -> int:
    """What a policy looks for and why, by its own name or by another tool's id of it."""
    from auditor.policies.loader import chosen, load
    from auditor.reporters.words import particulars

    found, _ = load()
    wanted = [p for p in found if any(e.partition(":")[2] == name for e in p.equivalents)]
    for policy in wanted or chosen(found, "strict", (name,), frozenset()):
        click.echo(f"{policy.id} ({policy.severity}, profile {policy.profile})\n{policy.title}\n")
        click.echo(policy.description)
        for title, items in particulars(policy):
            click.echo(f"\n{title}: {', '.join(items)}")
    return 0
