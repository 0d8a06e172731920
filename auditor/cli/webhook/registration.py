"""`auditor webhook registration`: what the API server is told, for any address."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(short_help="Print what registers the webhook with the API server.")
@click.option("--url", metavar="URL", help="Where the webhook is reached from outside.")
@click.option("--service", metavar="NAMESPACE/NAME", help="Or the Service in front of it.")
@click.option(
    "--ca",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="The CA that signed the webhook's certificate, PEM.",
)
@click.option(
    "--failure-policy",
    type=click.Choice(("Ignore", "Fail")),
    default="Ignore",
    show_default=True,
    help="What the API server does when the webhook cannot answer.",
)
@click.option(
    "--mutate",
    is_flag=True,
    help="Also the MutatingWebhookConfiguration, for `admission.mutate` of the configuration.",
)
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Configuration file, for the custom kinds that it declares [default: the nearest "
    ".auditor.yaml].",
)
def registration(
    url: str | None,
    service: str | None,
    ca: Path,
    failure_policy: str,
    config: Path | None,
    *,
    mutate: bool,
) -> int:
    """Print the ValidatingWebhookConfiguration that registers the webhook, for `kubectl apply`."""
    import yaml

    from auditor.cli.config import load
    from auditor.errors import UsageError
    from auditor.webhook.registration import Terms, mutating, registered

    if bool(url) == bool(service):
        raise UsageError("say --url URL or --service NAMESPACE/NAME (and not both)")
    terms = Terms(failure_policy, openings=load(config, Path()).openings)
    trust = ca.read_bytes()
    found = [registered(trust, terms, url=url, service=service)]
    if mutate:
        found.append(mutating(trust, url=url, service=service))
    click.echo(yaml.safe_dump_all(found, sort_keys=False), nl=False)
    return 0
