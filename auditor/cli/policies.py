"""`auditor policies`: what is asked, and why."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from auditor.cli.explain import explain, known_policies, which_policies
from auditor.cli.gathered import answer_form
from auditor.cli.policies_diff import diff

if TYPE_CHECKING:
    from rich.table import Table

    from auditor.model import Policy

F = TypeVar("F", bound=Callable[..., Any])

PIPED_WIDTH = 160
"""Wide enough that no row is folded: `grep` looks at lines."""

TABLE_WIDTH = 100
"""Below it a table has no room for what a policy finds."""


@click.group(short_help="List the policies.")
def policies() -> None:
    """List the policies."""


policies.add_command(diff)


@policies.command("list")
@which_policies
@answer_form("text", "json")
def list_policies(form: str, folders: tuple[Path, ...], no_builtin_policies: bool) -> int:
    """Every policy with its severity, profile and title."""
    found = known_policies(folders, no_builtin_policies)
    if form == "json":
        import orjson

        click.echo(orjson.dumps(list(map(_row, found)), option=orjson.OPT_INDENT_2).decode())
        return 0
    from rich.console import Console

    from auditor.reporters.terminal import terminal_of
    from auditor.text import escaped

    screen = terminal_of(sys.stdout)
    if screen.wraps and screen.width < TABLE_WIDTH:
        for policy in found:
            head = f"{policy.id} ({_told_profile(policy)}, {policy.severity}, {policy.fix})"
            click.echo(screen.wrapped(head, 4, 0))
            click.echo("  " + screen.wrapped(escaped(policy.title), 2, 2))
    else:
        width = screen.width if screen.wraps else PIPED_WIDTH
        Console(highlight=False, width=width).print(_table(found))
    click.echo(screen.wrapped(_asked(found), 0, 0))
    return 0


def _asked(found: tuple[Policy, ...]) -> str:
    """How many of them which profile asks, and what asks the others."""
    from auditor.reporters.words import counted

    ready = Counter(policy.profile for policy in found if not policy.preview)
    essential = ready["essential"]
    recommended = essential + ready["recommended"]
    strict = recommended + ready["strict"]
    return (
        f"{counted(len(found), 'policy')}: --profile essential asks {essential}, recommended (the "
        f"default) {recommended}, strict {strict}; the others are asked with --select or "
        "--framework, and previews with --preview"
    )


def _told_profile(policy: Policy) -> str:
    return f"{policy.profile} (preview)" if policy.preview else policy.profile


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
        "near": policy.near,
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
        profile = _told_profile(policy)
        title = Text(escaped(policy.title))  # no markup: it may be somebody else's
        table.add_row(policy.id, policy.severity, profile, policy.fix, title)
    return table


policies.add_command(explain)
