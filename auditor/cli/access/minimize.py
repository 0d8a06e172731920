"""`auditor access minimize`: the smallest roles that keep what was used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from auditor.cli.lines import lines_of
from auditor.cli.network.outputs import Forms, network_outputs
from auditor.cli.network.reading import Read, read_all, reading_options

if TYPE_CHECKING:
    from auditor.cli.network.reading import Reading
    from auditor.facts.access import Request
    from auditor.model import Gap

MOST_GAPS = 20


@click.command(short_help="Write the smallest roles that keep what was used.")
@reading_options
@click.option(
    "--used",
    "files",
    multiple=True,
    required=True,
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    metavar="FILE",
    help="What was used: the audit log of an API server, or access reviews, one JSON a line.",
)
@click.option(
    "--any-name",
    multiple=True,
    metavar="RESOURCE",
    help="Name no objects of these (pods, jobs.batch): what comes after them has another name.",
)
@network_outputs("text", "json", "yaml")
def minimize(read: Read, files: tuple[Path, ...], any_name: tuple[str, ...], outputs: Forms) -> int:
    """Write the smallest roles that keep what was used of the roles and bindings in PATH.

    For each subject of a binding that used something: Roles and a ClusterRole for exactly that, and
    its old bindings without it. Whoever was not seen is left alone. What is offered is proven: each
    used request is still allowed, and nobody may do more than before. A log shows what was done
    while it was written: what is done once a year may not be in it.

    Ends with 4 where a line of the log, or something in PATH, could not be read.
    """
    from auditor.cli.access.asking import say_blind
    from auditor.fixes.smallest_role import minimized
    from auditor.reporters.access import minimized as telling
    from auditor.reporters.encoded import encoded
    from auditor.reporters.gaps import gap_documents

    reading = read_all(read)
    _only_one(reading)
    uses, unread = _read(files)
    code, gaps = say_blind(reading)
    _say(unread)
    _say_idle(uses, any_name)
    answer = minimized(reading.states[0].snapshot, uses, any_name=any_name)

    def rendered(form: str) -> str:
        if form == "yaml":
            return telling.manifests(answer)
        if form == "json":
            return encoded({**telling.document(answer), "gaps": [*gaps, *gap_documents(unread)]})
        found = telling.lines(answer, outputs.terminal)
        return str(outputs.terminal.shown("".join(f"{line}\n" for line in found)))

    outputs.write(rendered)
    return 4 if unread else code


def _only_one(reading: Reading) -> None:
    from auditor.errors import UsageError

    if len(reading.states) > 1:
        names = ", ".join(state.name for state in reading.states)
        raise UsageError(f"these files say alternatives ({names}); choose one with --variant")


def _read(files: tuple[Path, ...]) -> tuple[dict[Request, None], list[Gap]]:
    """The requests of all files, each once, and a gap for whatever tells of none."""
    uses: dict[Request, None] = {}
    unread: list[Gap] = []
    for file in files:
        for number, line in enumerate(lines_of(file), 1):
            if line.strip():
                uses.update(dict.fromkeys(_uses(line, f"{file}:{number}", unread)))
    return uses, unread


def _uses(line: bytes, place: str, unread: list[Gap]) -> Iterator[Request]:
    import orjson

    from auditor.facts.access import RequestError
    from auditor.facts.access.events import items_of, uses_of
    from auditor.model import Gap, Unseen

    try:
        document = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        unread.append(Gap(place, f"is no JSON: {error.msg}", Unseen.INCOMPLETE))
        return
    for item, one in items_of(document):
        try:
            yield from uses_of(one)
        except RequestError as error:
            why = f"{item}: {error}" if item else str(error)
            unread.append(Gap(place, why, Unseen.INCOMPLETE))


def _say_idle(uses: Iterable[Request], any_name: Iterable[str]) -> None:
    """Which names of resources fit nothing: most likely they are mistyped."""
    from auditor.cli.screen import say

    known = {request.kind for request in uses if request.name}
    for name in any_name:
        if name not in known:
            say(f"--any-name {name}: no request that was read names such an object", err=True)


def _say(unread: list[Gap]) -> None:
    from auditor.cli.screen import say

    for gap in unread[:MOST_GAPS]:
        say(f"gap: {gap.what}: {gap.why}", err=True)
    if len(unread) > MOST_GAPS:
        say(f"gap: and {len(unread) - MOST_GAPS} more (--format json has them)", err=True)
