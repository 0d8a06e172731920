"""`auditor explain`: what a policy looks for and why, by any name that it is known by."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from auditor.model import Policy

F = TypeVar("F", bound=Callable[..., Any])

FIXES = {
    "deterministic": "a patch, proven before it is offered",
    "generated": "objects made for the cluster, proven before they are offered",
    "manual": "needs your decision",
    "none": "none is known",
}
"""The fix class of a policy, as a person asks for it."""
_THEIRS = re.compile(r"(?:CKV2?_K8S_|(?:AVD-)?KSV-?|C-)\d+", re.IGNORECASE)
"""The form of ids in other tools: one that is a digit off is another check, and no slip."""
_LINE_END = re.compile(r"(?<!\n)\n(?!\n|\s|[-*] )")
"""One within a paragraph."""
_TRIVY = re.compile(r"(?:AVD-)?KSV-?(\d+)", re.IGNORECASE)


def which_policies(command: F) -> F:
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


def known_policies(folders: tuple[Path, ...], no_builtin_policies: bool) -> tuple[Policy, ...]:
    """The policies that these flags leave."""
    from auditor.policies.loader import load
    from auditor.policies.ours import bundled

    if no_builtin_policies and not folders:
        raise click.UsageError("--no-builtin-policies leaves no policy: name a folder")
    return load(*(() if no_builtin_policies else (bundled(),)), *folders)[0]


@click.command(short_help="Say what a policy looks for, by any of its names.")
@which_policies
@click.argument("name", metavar="POLICY")
def explain(name: str, folders: tuple[Path, ...], no_builtin_policies: bool) -> int:
    """What a policy looks for and why, and how it is fixed.

    POLICY is its name, with its folder or without, a folder of policies, an earlier name, or the id
    of the same check in another tool: CKV_K8S_16, trivy:KSV-0017, C-0057, privileged-container.
    """
    from auditor.reporters.terminal import terminal_of
    from auditor.text import escaped

    known = known_policies(folders, no_builtin_policies)
    screen = terminal_of(sys.stdout)
    for number, policy in enumerate(named(known, name)):
        text = _LINE_END.sub(" ", policy.description) if screen.wraps else policy.description
        page = "\n".join(_page(replace(policy, description=text)))
        lines = (screen.wrapped(escaped(line), 0, 0) for line in page.split("\n"))
        click.echo(("\n" if number else "") + "\n".join(lines))
    return 0


def named(known: tuple[Policy, ...], name: str) -> tuple[Policy, ...]:
    """Every policy of that name, whoever calls it so; letters of any case.

    Raises:
        PolicyError: there is none; the text says what was probably meant.
    """
    from auditor.policies.loader import chosen
    from auditor.terms import PROFILES

    wanted = _plain(name)
    found = tuple(
        p for p in known if wanted in {n for e in (*p.equivalents, *p.near) for n in _names(e)}
    )
    if found:
        return found
    for policy in known:
        if wanted in {policy.id, *policy.aliases}:
            return (policy,)
    found = tuple(p for p in known if wanted == p.id.partition("/")[2])
    if found:
        return found
    return chosen(known, PROFILES[-1], (_guessed(known, name),), frozenset(), preview=True)


def _names(equivalent: str) -> tuple[str, str]:
    tool, _, identity = equivalent.partition(":")
    return f"{tool}:{_plain(identity)}".lower(), _plain(identity)


def _plain(name: str) -> str:
    """In one spelling: Trivy has had three for each of its checks (AVD-KSV-0017, KSV017)."""
    tool, colon, identity = name.strip().strip("/").rpartition(":")
    match = _TRIVY.fullmatch(identity)
    return (tool + colon + (f"ksv-{int(match[1]):04}" if match else identity)).lower()


def _guessed(known: tuple[Policy, ...], name: str) -> str:
    """The name; an error that names the id of another tool that it is close to, where it is."""
    import difflib

    from auditor.errors import PolicyError

    ours = {p.id for p in known} | {alias for p in known for alias in p.aliases}
    if name.strip("/") in ours or any(p.startswith(name.strip("/") + "/") for p in ours):
        return name
    if _THEIRS.fullmatch(name.rpartition(":")[2]):
        why = "docs/catalogue.md says which checks of other tools are none here"
        raise PolicyError(f"no policy of the name '{name}'; {why}")
    theirs = {e.partition(":")[2] for p in known for e in (*p.equivalents, *p.near)}
    close = difflib.get_close_matches(name.rpartition(":")[2], sorted(ours | theirs), n=1)
    if not close:
        return name
    hint = "('auditor policies list' shows them)"
    raise PolicyError(f"no policy '{name}'; did you mean '{close[0]}'? {hint}")


def _page(policy: Policy) -> list[str]:
    from auditor.reporters.words import particulars

    rows = [
        f"{policy.id} ({policy.severity}, profile {policy.profile})",
        f"{policy.title}\n",
        policy.description,
        f"\nFix: {FIXES[policy.fix]}",
        f"\nJudged on: {', '.join(policy.kinds)}",
    ]
    if policy.facts:
        rows.append(f"\nReads of the rest of the cluster: {', '.join(policy.facts)}")
    if policy.aliases:
        rows.append(f"\nEarlier names: {', '.join(policy.aliases)}")
    rows += [f"\n{title}: {', '.join(items)}" for title, items in particulars(policy)]
    return rows
