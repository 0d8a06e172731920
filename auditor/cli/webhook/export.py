"""`auditor webhook export`: what the API server can judge by itself, while the webhook is down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from auditor.cli.options import (
    SEVERITIES,
    Access,
    Chosen,
    PolicyOptions,
    choice_of_policies,
    choose,
    cluster_access,
    read_variants,
    start_folder,
)
from auditor.cli.webhook.serve import MODES, terms_of

if TYPE_CHECKING:
    from auditor.audit import Bench
    from auditor.declared import Admission
    from auditor.sources.variants import Variant
    from auditor.webhook.native.levels import Level
    from auditor.webhook.native.manifests import Export


@click.command(short_help="Write what the API server can judge by itself.")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@choice_of_policies
@click.option(
    "--mode",
    type=click.Choice(MODES),
    help="What becomes of a request that adds a fault, where no rule of the configuration fits; "
    "'audit', the default, lets it pass and writes it down.",
)
@click.option(
    "--fail-on",
    type=click.Choice(SEVERITIES),
    help="From which severity on a fault counts, where no rule says; by default 'high'.",
)
@click.option(
    "--static",
    is_flag=True,
    help="For an API server that reads policies from files: names that end in .static.k8s.io.",
)
@click.option(
    "--pod-security",
    is_flag=True,
    help="Pod Security labels for the namespaces too, by what runs there: PATH or --cluster.",
)
@click.option(
    "--exempt", multiple=True, metavar="NAMESPACE", help="Do not judge this namespace either."
)
@click.option("--cluster", is_flag=True, help="What runs there is what the live cluster has.")
@cluster_access
@click.option(
    "--format", "form", type=click.Choice(["yaml", "json"]), default="yaml", show_default=True
)
def export(
    paths: tuple[str, ...],
    mode: str | None,
    fail_on: str | None,
    static: bool,
    pod_security: bool,
    exempt: tuple[str, ...],
    cluster: bool,
    kubeconfig: str | None,
    context: str | None,
    form: str,
    policies: PolicyOptions,
) -> int:
    """Print the policies that CEL can express as ValidatingAdmissionPolicies with their bindings,
    for `kubectl apply --server-side`; and say which cannot be expressed, and why.

    The API server judges them itself: what they deny stays denied while the webhook is down.
    """
    from auditor.errors import UsageError
    from auditor.webhook.native.manifests import Terms
    from auditor.webhook.native.manifests import export as exported
    from auditor.webhook.registration import SYSTEM_NAMESPACES

    if pod_security and static:
        raise UsageError("--pod-security labels namespaces, and --static writes files: ask for one")
    if (paths or cluster) and not pod_security:
        raise UsageError("PATH and --cluster say what runs, which --pod-security asks for")
    chosen = choose(policies, start_folder(paths) if paths else Path(), workers=False)
    terms = terms_of(chosen, mode, fail_on)
    unasked = (*SYSTEM_NAMESPACES, *exempt)
    found: tuple[Level, ...] = ()
    if pod_security:
        access = Access(kubeconfig, context)
        variants = read_variants(paths, chosen.building, cluster=cluster, access=access)
        chosen = replace(chosen, settings=chosen.judging(variants[0].snapshot))
        found = _levels(variants, chosen, terms, unasked)
    done = exported(chosen.bench.policies, Terms(chosen.settings, terms, static, unasked))
    _print(done, found, form)
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
    from auditor.policies.engine import compile_policies
    from auditor.policies.frameworks import wanted_controls
    from auditor.policies.loader import chosen as choice
    from auditor.policies.loader import load

    policies, library = load()
    controls = frozenset(wanted_controls(("pss-baseline", "pss-restricted")))
    asked = choice(policies, "recommended", (), controls)
    modules = {policy.file: policy.module for policy in asked} | dict(library)
    return Bench(asked, compile_policies("regorus", modules))


def _print(done: Export, found: Sequence[Level], form: str) -> None:
    from auditor.cli.screen import say
    from auditor.text import escaped
    from auditor.webhook.native.page import json_of, page

    if form == "json":
        click.echo(json_of(done, found))
        return
    click.echo(page([*done.manifests, *(each.manifest for each in found if each.level)]), nl=False)
    for left in done.left:
        say(escaped(f"not exported: {left.policy}: {left.why}"), err=True)
    for each in found:
        told = each.level or "no label"
        say(escaped(f"namespace {each.namespace}: {told}: {each.why}"), err=True)
