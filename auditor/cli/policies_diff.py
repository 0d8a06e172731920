"""`auditor policies diff`: what another set of policies would say of the same manifests."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from auditor.cli.gathered import answer_form
from auditor.errors import PolicyError, UsageError
from auditor.terms import PROFILE, PROFILES
from auditor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from auditor.cli.config import Declared
    from auditor.cli.options import Chosen, PolicyOptions
    from auditor.model import Audit, Finding, Gap, Policy

MARKS = {"appears": "+", "goes": "-", "changes": "~"}


@dataclass(frozen=True, slots=True)
class Change:
    """A finding that only one of the sets has, or that they judge differently."""

    what: str
    """appears, goes or changes."""
    finding: Finding
    """As the new set has it; one that goes, as the old one had it."""
    severity_before: str = ""


@click.command("diff")
@click.argument("old")
@click.argument("new")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--profile",
    type=click.Choice(PROFILES),
    default=PROFILE,
    show_default=True,
    help="How many policies of each to ask.",
)
@answer_form("text", "json")
def diff(old: str, new: str, paths: tuple[str, ...], profile: str, form: str) -> int:
    """What changes for PATH when the policies OLD are replaced by NEW.

    OLD and NEW are numbers of policy sets, folders of policies, or git revisions as REV:FOLDER.
    Both are asked as `audit` asks, with what the configuration declares; waivers and baselines are
    left aside. Ends with 4 where something could not be seen.
    """
    from auditor.cli.audit import exit_code
    from auditor.cli.judged import judged
    from auditor.cli.options import PolicyOptions, read_variants, start_folder
    from auditor.cli.overruling import configuration
    from auditor.cli.scope import check_scope
    from auditor.reporters.discreet import discreet

    start = start_folder(paths)
    policies = PolicyOptions(profile, (), (), None, "regorus", None, None)
    declared = _unexcused(configuration(policies, start))
    sides = [_chosen(side, policies, declared, start) for side in (old, new)]
    found = read_variants(paths, sides[0].building)
    check_scope(found, sides[0])
    before, after = (discreet(judged(found, side).answers.merged()) for side in sides)
    changes = list(changed(before, after))
    click.echo(_json(changes, before, after) if form == "json" else _text(changes, before, after))
    return max(exit_code(answer, "never", strict=False) for answer in (before, after))


def _unexcused(declared: Declared) -> Declared:
    """The configuration without what it waives, and without the set that it pins."""
    aside: dict[str, Any] = {
        "policy_set": None, "waivers": [], "inline_waivers": [], "honour_waivers_of": [],
    }  # fmt: skip
    return replace(declared, config=declared.config.model_copy(update=aside))


def _chosen(side: str, policies: PolicyOptions, declared: Declared, start: Path) -> Chosen:
    """Who judges on this side, as for an audit: policies that are not ours, under a deadline."""
    from auditor.cli.options import choose_of
    from auditor.cli.scope import ScopeOptions, scoped

    known, library = _policies(side)
    told = {"parameters": _told(declared.config.parameters, known)}
    declared = replace(declared, config=declared.config.model_copy(update=told))
    chosen = choose_of((known, library), policies, declared, start, whole=False)
    return scoped(chosen, ScopeOptions())


def _told(
    parameters: Mapping[str, Mapping[str, Any]], known: tuple[Policy, ...]
) -> dict[str, dict[str, Any]]:
    """What is declared for these policies: the other side may have others."""
    names = {
        name: {parameter.name for parameter in policy.parameters}
        for policy in known
        if policy.parameters
        for name in policy.names
    }
    return {
        policy: {name: value for name, value in values.items() if name in names[policy]}
        for policy, values in parameters.items()
        if policy in names
    }


def _policies(side: str) -> tuple[tuple[Policy, ...], Mapping[str, str]]:
    """The policies that one of the arguments names.

    Raises:
        UsageError: it names none. PolicyError, ConfigError: they cannot be read.
    """
    from auditor.policies.loader import load

    if side.isdecimal():
        known, library = load()
        newest = max(policy.since for policy in known)
        if not 1 <= int(side) <= newest:
            raise UsageError(f"there is no policy set {side}: the newest is {newest}")
        return tuple(policy for policy in known if policy.since <= int(side)), library
    if Path(side).is_dir():
        return load(Path(side))
    revision, colon, folder = side.partition(":")
    if not colon:
        raise UsageError(f"'{side}' is no number of a set and no folder; of a revision: REV:FOLDER")
    return load_revision(revision, Path(folder))


def load_revision(name: str, folder: Path) -> tuple[tuple[Policy, ...], Mapping[str, str]]:
    """The policies that a folder held in a git revision.

    Raises:
        PolicyError, ConfigError: they cannot be read.
    """
    from auditor.cli.revision import Revision
    from auditor.policies.loader import load

    start = next(up for up in (folder.absolute(), *folder.absolute().parents) if up.is_dir())
    revision = Revision.of(name, start)
    with tempfile.TemporaryDirectory() as made:
        revision.write(folder, Path(made), ends=(".rego",))
        try:
            return load(Path(made))
        except PolicyError as error:
            raise PolicyError(str(error).replace(made, f"{name}:{folder}")) from error


def changed(before: Audit, after: Audit) -> Iterator[Change]:
    """What differs, the worst first: what appears, what goes, what another severity has."""
    from auditor.reporters.places import worst_first

    old = {finding.fingerprint: finding for finding in before.findings}
    new = {finding.fingerprint: finding for finding in after.findings}
    for finding in worst_first(after.findings):
        known = old.get(finding.fingerprint)
        if known is None:
            yield Change("appears", finding)
        elif known.severity is not finding.severity:
            yield Change("changes", finding, known.severity.value)
    for finding in worst_first(before.findings):
        if finding.fingerprint not in new:
            yield Change("goes", finding)


def _text(changes: list[Change], before: Audit, after: Audit) -> str:
    from auditor.reporters.words import counted
    from auditor.text import escaped

    lines = []
    for change in changes:
        finding = change.finding
        severity = finding.severity.value
        if change.severity_before:
            severity = f"{change.severity_before} → {severity}"
        said = f"{severity} {finding.policy.id} {finding.ref}: {finding.message}"
        lines.append(f"{MARKS[change.what]} {escaped(said)}")
    counts = {what: sum(change.what == what for change in changes) for what in MARKS}
    sides = f"{counted(len(before.policies), 'policy')} before, {len(after.policies)} after"
    lines.append(
        f"{counts['appears']} appear, {counts['goes']} go, {counts['changes']} change severity; "
        f"{sides}"
    )
    for gap, when in _gaps(before, after):
        lines.append(escaped(f"could not be seen{when}: {gap.what}: {gap.why}"))
    return "\n".join(lines)


def _gaps(before: Audit, after: Audit) -> Iterator[tuple[Gap, str]]:
    """What either side could not see, once, and on which side where it is one."""
    for gap in dict.fromkeys((*before.gaps, *after.gaps)):
        if gap in before.gaps and gap in after.gaps:
            yield gap, ""
        else:
            yield gap, " before" if gap in before.gaps else " after"


def _json(changes: list[Change], before: Audit, after: Audit) -> str:
    import orjson

    rows = [_row(change) for change in changes]
    gaps = [
        {
            "what": gap.what,
            "why": gap.why,
            "severity": gap.severity.value,
            "when": when.strip() or "both",
        }
        for gap, when in _gaps(before, after)
    ]
    return orjson.dumps({"changes": rows, "gaps": gaps}, option=orjson.OPT_INDENT_2).decode()


def _row(change: Change) -> dict[str, Any]:
    from auditor.facts.forms import as_object

    finding = change.finding
    return {
        "change": change.what,
        "policy": finding.policy.id,
        "severity": finding.severity.value,
        "severityBefore": change.severity_before or None,
        "object": as_object(finding.ref),
        "message": finding.message,
        "fingerprint": finding.fingerprint,
    }
