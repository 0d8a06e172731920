"""`auditor network list`: who reaches whom, everything or what concerns a few."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import click

from auditor.cli.network.outputs import Forms, network_outputs
from auditor.cli.network.reading import Read, read_all, reading_options, say_unseen

if TYPE_CHECKING:
    from auditor.cli.network.reading import Reading, State
    from auditor.facts.connections import End
    from auditor.reporters.network.listing import Listing

INTERNET = ("internet", "world")


@click.command("list", short_help="List who reaches whom.")
@reading_options
@click.option("--to", "targets", multiple=True, metavar="NAME", help="Only who reaches these.")
@click.option("--from", "sources", multiple=True, metavar="NAME", help="Only whom these reach.")
@click.option("--focus", multiple=True, metavar="NAME", help="Both, of these.")
@network_outputs("text", "json", "csv", "md", "dot")
def list_connections(
    read: Read,
    targets: tuple[str, ...],
    sources: tuple[str, ...],
    focus: tuple[str, ...],
    outputs: Forms,
) -> int:
    """List who reaches whom in PATH: workloads, the internet, and pods that are not there yet.

    NAME is namespace/name, with * for others, or internet. What is alike is told once: JSON has
    rows of sources and targets, CSV one row for each pair.
    """
    from auditor.cli.progress import progress
    from auditor.errors import UsageError

    if focus and (targets or sources):
        raise UsageError("--focus means both sides: give it alone, or --to and --from")
    with progress("reading", quiet=outputs.quiet) as now:
        reading = read_all(read)
        now("asking who reaches whom")
        listings = [
            one for state in reading.states for one in _listings(state, targets, sources, focus)
        ]
        say_unseen(reading, quiet=outputs.quiet)
        outputs.write(lambda form: _rendered(form, listings, reading, outputs))
    return reading.code


def _listings(
    state: State, targets: Sequence[str], sources: Sequence[str], focus: Sequence[str]
) -> list[Listing]:
    from auditor.reporters.network.listing import Listing
    from auditor.reporters.network.told import Places

    world = state.connections
    places = Places(state.snapshot)
    told = state.told
    if focus:
        wanted = _fitting(world.targets, focus)
        inside = tuple(end for end in wanted if end.workload)
        both = (
            Listing(state.name, world, world.sources, wanted, inside, "into", places),
            Listing(state.name, world, wanted, world.targets, inside, "out of", places),
        )
        return list(both)
    if sources and not targets:
        wanted = _fitting(world.sources, sources)
        inside = tuple(end for end in wanted if end.workload)
        return [Listing(state.name, world, wanted, world.targets, inside, "out of", places)]
    asking = _fitting(world.sources, sources) if sources else world.sources
    whole = len(told) == len(world.workloads)
    default = world.targets if whole else told
    wanted = _fitting(world.targets, targets) if targets else default
    inside = tuple(end for end in wanted if end.workload)
    found = [Listing(state.name, world, asking, wanted, inside, "into", places)]
    if not (targets or whole):
        found.append(Listing(state.name, world, told, world.targets, told, "out of", places))
    return found


def _fitting(ends: Iterable[End], patterns: Sequence[str]) -> tuple[End, ...]:
    """The ends of these names.

    Raises:
        UsageError: a name fits nobody.
    """
    from auditor.cli.network.ends import meant
    from auditor.errors import UsageError

    known = list(ends)
    found: dict[End, None] = {}
    for pattern in patterns:
        fitting = [end for end in known if _fits(end, pattern)]
        if not fitting:
            close = meant(pattern, (end.name for end in known if end.workload))
            raise UsageError(f"nothing that was read is called '{pattern}'{close}")
        found.update(dict.fromkeys(fitting))
    return tuple(found)


def _fits(end: End, pattern: str) -> bool:
    if end.kind == "internet":
        return pattern in INTERNET
    if end.workload is None:
        return False
    names = {end.name, end.workload.name, str(end.workload.ref), end.workload.ref.name}
    return any(fnmatchcase(name, pattern.replace("[", "[[]")) for name in names)


def _rendered(
    form: str, listings: list[Listing], reading: Reading, outputs: Forms
) -> str | list[str]:
    from auditor.cli.network.outputs import rejection_documents
    from auditor.reporters.encoded import encoded
    from auditor.reporters.gaps import gap_documents
    from auditor.reporters.network import listing as report

    if form == "json":
        rejected, gaps = rejection_documents(reading), gap_documents(reading.gaps)
        return encoded(report.document(listings, rejected, gaps, reading.cni))
    if form == "csv":
        return list(report.table(listings))
    if form == "md":
        return "\n".join(report.markdown_table(listings)) + "\n"
    if form == "dot":
        from auditor.reporters.network.dot import dot
        from auditor.reporters.network.picture import picture

        return dot([picture(one.connections, one.told, one.name) for one in listings])
    screen = outputs.terminal
    return str(screen.shown("\n".join(report.text(listings, screen)) + "\n"))
