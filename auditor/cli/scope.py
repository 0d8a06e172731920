"""The flags that say what an audit is about, and what they add up to with the configuration."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.cli.options import Chosen, PolicyOptions
    from auditor.sources.building import Rendering
    from auditor.sources.variants import Variant
    from auditor.terms import Scope

NATURES = ("workloads", "platform", "all")

_OPTIONS = (
    click.option(
        "-n",
        "--namespace",
        "namespaces",
        multiple=True,
        metavar="NAME",
        help="Tell only of this namespace; * stands for others; repeatable.",
    ),
    click.option(
        "-A", "--all-namespaces", is_flag=True, help="Of all, whatever the configuration says."
    ),
    click.option("-l", "--selector", metavar="LABELS", help="Only of objects with these labels."),
    click.option(
        "--include",
        multiple=True,
        metavar="PATTERN",
        help="Only of these: namespace/name[Kind], or files: sub/, *.prod.yaml.",
    ),
    click.option("--exclude", multiple=True, metavar="PATTERN", help="Of all but these."),
    click.option(
        "--scope",
        "nature",
        type=click.Choice(NATURES),
        help="Workloads of the platform: folded, alone, or as any other [default: workloads].",
    ),
)


@dataclass(frozen=True, slots=True)
class ScopeOptions:
    """What the flags of `choice_of_scope` say, under their names."""

    namespaces: tuple[str, ...] = ()
    all_namespaces: bool = False
    selector: str | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    nature: str | None = None


def choice_of_scope(command: Callable[..., int]) -> Callable[..., int]:
    """The flags that limit an audit, given to the command as one argument `scope`."""

    @functools.wraps(command)
    def gathered(**given: Any) -> int:
        names = ScopeOptions.__dataclass_fields__
        options = ScopeOptions(**{name: given.pop(name) for name in names})
        return command(**given, scope=options)

    for option in reversed(_OPTIONS):
        gathered = option(gathered)
    return gathered


def chosen_for(
    paths: tuple[str, ...], policies: PolicyOptions, options: ScopeOptions, asked: Rendering
) -> Chosen:
    """What all flags of a command on `paths` add up to.

    Raises:
        ConfigError, PolicyError, UsageError: see `choose` and `scoped`.
    """
    from auditor.cli.options import choose, start_folder

    chosen = choose(policies, start_folder(paths), whole=all(map(os.path.isdir, paths)))
    return scoped(replace(chosen, building=chosen.building.asking(asked)), options)


def scoped(chosen: Chosen, options: ScopeOptions) -> Chosen:
    """The choice, limited as the flags say and, where they are silent, as the configuration does.

    Raises:
        UsageError: see `limited`.
    """
    scope = limited(chosen.declared, options)
    return replace(chosen, settings=replace(chosen.settings, scope=scope))


def limited(declared: Scope, options: ScopeOptions) -> Scope:
    """The scope that the flags name and, where they are silent, the configuration.

    Raises:
        UsageError: the label selector is none, or -n and -A are both given.
    """
    from auditor.errors import UsageError
    from auditor.scope.labels import parse
    from auditor.terms import Scope

    if options.namespaces and options.all_namespaces:
        raise UsageError("-n names namespaces and -A means all of them: give one of the two")
    everywhere = () if options.all_namespaces else declared.namespaces
    scope = Scope(
        namespaces=options.namespaces or everywhere,
        selector=declared.selector if options.selector is None else options.selector,
        include=options.include or declared.include,
        exclude=options.exclude or declared.exclude,
        workloads=options.nature or declared.workloads,
    )
    parse(scope.selector)
    return scope


def check_scope(found: Sequence[Variant], chosen: Chosen) -> None:
    """See to it that something is within the scope.

    Raises:
        NothingToAuditError: nothing is.
    """
    from auditor.cli.options import together
    from auditor.facts.custom import opened
    from auditor.scope.territory import check

    if chosen.settings.scope:
        check(opened(together(found), chosen.settings.openings), chosen.settings.scope)
