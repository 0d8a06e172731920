"""`auditor webhook export`: what the API server can judge by itself, while the webhook is down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from auditor.cli.gathered import answer_form, gathered
from auditor.cli.options import (
    Access,
    Chosen,
    PolicyOptions,
    choice_of_policies,
    choose,
    cluster_access,
    read_variants,
    start_folder,
)
from auditor.cli.webhook.terms import Modes, judging
from auditor.errors import UsageError
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.audit import Bench
    from auditor.declared import Admission
    from auditor.sources.variants import Variant
    from auditor.webhook.native.levels import Level
    from auditor.webhook.native.manifests import Export, Left

NAMED = 5
"""So many policies that are not exported have a line each; more of them are counted."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What else is written, and of what."""

    paths: tuple[str, ...]
    cluster: bool
    kubeconfig: str | None
    context: str | None
    pod_security: bool
    static: bool

    def __post_init__(self) -> None:
        if self.pod_security and self.static:
            raise UsageError(
                "--pod-security labels namespaces, and --static writes files: ask for one"
            )
        if (self.paths or self.cluster) and not self.pod_security:
            raise UsageError("PATH and --cluster say what runs, which --pod-security asks for")

    def choose(self, policies: PolicyOptions) -> Chosen:
        """Who judges, by the configuration of what runs."""
        return choose(policies, start_folder(self.paths) if self.paths else Path(), workers=False)

    def running(self, chosen: Chosen) -> tuple[Variant, ...]:
        """What runs; nothing where nobody asks."""
        if not self.pod_security:
            return ()
        access = Access(self.kubeconfig, self.context)
        return read_variants(self.paths, chosen.building, cluster=self.cluster, access=access)


_WANTED = (
    click.argument("paths", nargs=-1, metavar="[PATH]..."),
    click.option(
        "--static",
        is_flag=True,
        help="For an API server that reads policies from files: names that end in .static.k8s.io.",
    ),
    click.option(
        "--pod-security",
        is_flag=True,
        help="Pod Security labels for the namespaces too, by what runs there: PATH or --cluster.",
    ),
    click.option("--cluster", is_flag=True, help="What runs there is what the live cluster has."),
    cluster_access,
)


@click.command(short_help="Write what the API server can judge by itself.")
@gathered("wanted", Wanted, *_WANTED)
@choice_of_policies
@judging
@click.option(
    "--exempt", multiple=True, metavar="NAMESPACE", help="Do not judge this namespace either."
)
@click.option("--reasons", is_flag=True, help="Say why of each policy that is not exported.")
@answer_form("yaml", "json")
def export(
    wanted: Wanted,
    policies: PolicyOptions,
    modes: Modes,
    exempt: tuple[str, ...],
    reasons: bool,
    form: str,
) -> int:
    """Print the policies that CEL can express as ValidatingAdmissionPolicies with their bindings,
    for `kubectl apply --server-side`; and say which cannot be expressed, and why.

    The API server judges them itself: what they deny stays denied while the webhook is down.
    """
    from auditor.webhook.native.manifests import Terms
    from auditor.webhook.native.manifests import export as exported
    from auditor.webhook.registration import SYSTEM_NAMESPACES

    chosen = wanted.choose(policies)
    terms, unasked = modes.terms(chosen), (*SYSTEM_NAMESPACES, *exempt)
    found: tuple[Level, ...] = ()
    if variants := wanted.running(chosen):
        chosen = replace(chosen, settings=chosen.judging(variants[0].snapshot))
        found = _levels(variants, chosen, terms, unasked)
    done = exported(chosen.bench.policies, Terms(chosen.settings, terms, wanted.static, unasked))
    _print(done, found, form, reasons=reasons)
    return 0


def _levels(
    variants: Sequence[Variant], chosen: Chosen, terms: Admission, unasked: Sequence[str]
) -> tuple[Level, ...]:
    from auditor.audit import audit
    from auditor.webhook.native.levels import levels

    # Pod Security admission knows of no waivers and no scope.
    settings = replace(chosen.settings, waivers=(), inline=None, scope=None)
    bench = _of_the_standards()
    audits = [audit(each.snapshot, bench, settings) for each in variants]
    return levels(audits, terms, unasked)


def _of_the_standards() -> Bench:
    """Who judges by the Pod Security Standards, whatever else was chosen."""
    from auditor.audit import Bench
    from auditor.frameworks.catalogue import wanted_controls
    from auditor.policies.engine import compile_policies
    from auditor.policies.loader import chosen as choice
    from auditor.policies.loader import load

    policies, library = load()
    controls = frozenset(wanted_controls(("pss-baseline", "pss-restricted")))
    asked = choice(policies, "recommended", (), controls)
    modules = {policy.file: policy.module for policy in asked} | dict(library)
    return Bench(asked, compile_policies("regorus", modules))


def _print(done: Export, found: Sequence[Level], form: str, *, reasons: bool) -> None:
    from auditor.cli.screen import say
    from auditor.text import escaped
    from auditor.webhook.native.page import json_of, page

    if form == "json":
        click.echo(json_of(done, found))
        return
    click.echo(page([*done.manifests, *(each.manifest for each in found if each.level)]), nl=False)
    few = reasons or len(done.left) <= NAMED
    lines = [f"{each.policy}: {each.why}" for each in done.left] if few else _counted(done.left)
    for line in lines:
        say(escaped(f"not exported: {line}"), err=True)
    for each in found:
        told = each.level or "no label"
        say(escaped(f"namespace {each.namespace}: {told}: {each.why}"), err=True)


def _counted(left: Sequence[Left]) -> list[str]:
    """One line for all of them: how many for which kind of reason."""
    kinds = Counter(each.why.partition(": ")[0] for each in left).most_common()
    told = "; ".join(f"{why} ({count})" for why, count in kinds)
    return [f"{len(left)} policies (--reasons names each): {told}"]
