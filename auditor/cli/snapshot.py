"""`auditor snapshot`: what an audit of a cluster needs, in a file."""

from __future__ import annotations

from pathlib import Path

import click

from auditor.cli.options import Access, cluster_access, cluster_reading
from auditor.cli.screen import say


@click.command(short_help="Save what an audit of a cluster needs.")
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--cluster", is_flag=True, help="Save the live cluster.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The file to write.",
)
@click.option(
    "--redact",
    is_flag=True,
    help="Replace names of images, values of variables and annotations by pseudonyms.",
)
@cluster_access
@cluster_reading
def snapshot(
    path: Path | None,
    cluster: bool,
    output: Path,
    redact: bool,
    kubeconfig: str | None,
    context: str | None,
    cached: bool,
    patience: float,
) -> int:
    """Save the cluster into a file, for `auditor audit FILE` to answer without it; or PATH, which
    was saved before, once more, to redact it.

    No Secret and no credential is in it. Ends with 4 where something could not be read: the file
    says so too.
    """
    from auditor.cli.progress import progress
    from auditor.errors import UsageError
    from auditor.redaction import redacted
    from auditor.reporters.words import read_in
    from auditor.sources.saved import load, save

    if bool(path) == cluster:
        raise UsageError("name --cluster, or a snapshot that was saved before (and not both)")
    if path and path.is_dir():
        raise UsageError(f"'{path}' is a folder: manifests are audited as they are")
    with progress("reading the snapshot" if path else "reading the cluster") as now:
        access = Access(kubeconfig, context, cached, patience)
        found = load(path) if path else access.snapshot()
        gaps = found.gaps
        if redact:
            now(f"redacting {len(found.resources)} objects")
            found = redacted(found)
        save(found, output)
    if found.server and found.server.reading:
        say(f"{read_in(found.server.reading)}; wrote {output}", err=True)
    for gap in gaps:
        say(f"could not be seen: {gap.what}: {gap.why}", err=True)
    return 4 if gaps else 0
