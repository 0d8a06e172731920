"""`auditor webhook doctor`: what is dangerous about webhooks, in manifests or in a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from auditor.cli.ends import ends_with
from auditor.cli.gathered import answer_form
from auditor.cli.options import SEVERITIES, cluster_access
from auditor.cli.screen import say

if TYPE_CHECKING:
    from auditor.webhook.doctor.checks import Danger
    from auditor.webhook.doctor.seen import Seen


@click.command(short_help="Find webhook configurations that can stop a cluster.")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@cluster_access
@click.option(
    "--fail-on",
    type=click.Choice([*SEVERITIES, "never"]),
    default="high",
    show_default=True,
    help="Exit with 1 from this severity on.",
)
@answer_form("text", "json")
def doctor(
    paths: tuple[str, ...], kubeconfig: str | None, context: str | None, fail_on: str, form: str
) -> int:
    """Find webhook configurations, ours and others', that can stop a cluster or be walked around:
    in manifests, or without a PATH in the cluster, whose Services, endpoints and certificates are
    looked at as well.
    """
    from auditor.webhook.doctor.checks import dangers

    seen = _in_files(paths) if paths else _in_cluster(kubeconfig, context)
    found = dangers(seen.hooks, seen.around)
    if form == "json":
        from auditor.reporters.encoded import encoded

        click.echo(encoded(_answer(seen, found)), nl=False)
    else:
        _tell(seen, found)
    return _exit_code(seen, found, fail_on)


def _in_files(paths: tuple[str, ...]) -> Seen:
    from auditor.errors import NothingToAuditError
    from auditor.sources.files import FileSource
    from auditor.webhook.doctor.seen import in_files

    seen = in_files(FileSource(paths).snapshot())
    if not seen.hooks and not seen.unseen:
        raise NothingToAuditError(f"no webhook configuration in {', '.join(paths)}")
    return seen


def _in_cluster(kubeconfig: str | None, context: str | None) -> Seen:
    from auditor.sources.cluster import Connection
    from auditor.webhook.doctor.seen import in_cluster

    connection = Connection(kubeconfig, context, patience=30)
    connection.version()  # fails at once where there is no cluster
    return in_cluster(connection)


def _tell(seen: Seen, found: list[Danger]) -> None:
    from auditor.text import escaped

    for each in found:
        where = f"{each.hook.kind} {each.hook.configured_in}: {each.hook.name}"
        say(escaped(f"{each.severity.value:<8} {where} {each.message}"))
        say(escaped(f"         {each.remedy} ({each.check})"))
    for why in seen.unseen:
        say(escaped(f"not seen: {why}"))
    for why in seen.uncalled:
        say(escaped(f"not called from here: {why}"))
    configurations = {(each.kind, each.configured_in) for each in seen.hooks}
    say(
        f"{len(found) or 'no'} danger{'s' * (len(found) != 1)} in {len(seen.hooks)}"
        f" webhook{'s' * (len(seen.hooks) != 1)} of {len(configurations)}"
        f" configuration{'s' * (len(configurations) != 1)}"
    )


def _answer(seen: Seen, found: list[Danger]) -> dict[str, Any]:
    return {
        "dangers": [
            {
                "check": each.check,
                "severity": each.severity.value,
                "kind": each.hook.kind,
                "configuration": each.hook.configured_in,
                "webhook": each.hook.name,
                "message": each.message,
                "remedy": each.remedy,
            }
            for each in found
        ],
        "webhooks": len(seen.hooks),
        "notSeen": list(seen.unseen),
        "notCalled": list(seen.uncalled),
    }


def _exit_code(seen: Seen, found: list[Danger], fail_on: str) -> int:
    from auditor.grades import Severity

    failing = fail_on != "never" and any(e.severity.at_least(Severity(fail_on)) for e in found)
    return ends_with(failing, seen.unseen)
