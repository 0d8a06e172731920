"""`auditor classify`: a declaration of personal data to review, with its evidence as comments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from auditor.cli.options import Access, cluster_access, cluster_reading
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.cli.config import Declared
    from auditor.declared import DataTerms
    from auditor.facts import Facts
    from auditor.facts.data.proposal import External, Proposal, Sign

HEADER = """\
# Proposed by auditor from names, keys and what asks whom: a guess to review, line by line.
# Take away what is wrong, write 'class: none' where an object holds no personal data, and list as
# clients only whom the owner of the data lets ask: nobody has a right because he asks.
"""
WILD = ("*", "?")


@click.command(short_help="Write a declaration of personal data to review.")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--cluster", is_flag=True, help="Read the live cluster.")
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Configuration file [default: the nearest .auditor.yaml].",
)
@click.option(
    "--flows",
    multiple=True,
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Flows that were observed: Hubble's JSON, metrics of Istio or OpenTelemetry, CSV.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write; what it declares already stays as it is.",
)
@cluster_access
@cluster_reading
def classify(
    paths: tuple[str, ...],
    cluster: bool,
    config: Path | None,
    flows: tuple[Path, ...],
    output: Path | None,
    kubeconfig: str | None,
    context: str | None,
    cached: bool,
    patience: float,
) -> int:
    """Propose what to declare of personal data under PATH or in a cluster, for .auditor.yaml.

    Only what nothing declares yet is proposed, each with its evidence and how sure it is, so that a
    second run has nothing to add. Candidates for clients stay comments: the owner decides. Ends
    with 4 where something could not be seen: more may look like personal data.
    """
    from auditor.cli.options import observed, read_variants, start_folder
    from auditor.facts import Facts
    from auditor.model import Settings
    from auditor.terms import KUBERNETES

    declared = _declared(config, start_folder(paths))
    access = Access(kubeconfig, context, cached, patience)
    found = read_variants(paths, declared.building(KUBERNETES), cluster=cluster, access=access)
    terms = _with_those_of(output, declared.data)
    settings = Settings(openings=declared.openings, data=terms, flows=observed(flows))
    states = tuple(Facts(variant.snapshot, settings) for variant in found)
    proposed = _proposed(states)
    if output is None:
        click.echo("\n".join([HEADER.rstrip("\n"), *proposed.lines()]))
    else:
        _write(output, proposed)
    return _say_unseen(states, declared)


def _declared(config: Path | None, start: Path) -> Declared:
    from auditor.cli.config import load

    return load(config, start)


def _with_those_of(output: Path | None, terms: DataTerms) -> DataTerms:
    """What is declared, and what the file declares that is to be written."""
    from dataclasses import replace

    from auditor.cli.config import load

    if output is None or not output.is_file():
        return terms
    there = load(output, output.parent).data
    return replace(
        terms,
        objects=(*terms.objects, *there.objects),
        external=(*terms.external, *there.external),
    )


@dataclass(frozen=True, slots=True)
class _Proposed:
    """The lines of a proposal: entries that count, and what stays a comment."""

    entries: tuple[tuple[str, ...], ...]
    """Each the lines of one object, from the first column."""
    notes: tuple[str, ...]
    """Comments on objects that are declared, or hardly look like anything."""
    externals: tuple[str, ...]
    summary: str

    def lines(self) -> Iterator[str]:
        """The whole as a document."""
        yield f"# {self.summary}"
        yield "data:"
        yield "  objects:" if self.entries else "  objects: {}"
        for entry in self.entries:
            yield from _indented(entry, 4)
        yield from _indented(self.notes, 4)
        if self.externals:
            yield "  # Addresses outside that such data may go to; each needs an owner:"
            yield "  # external:"
            yield from _indented(self.externals, 2)


def _indented(lines: Sequence[str], by: int) -> Iterator[str]:
    return (f"{' ' * by}{line}" for line in lines)


def _proposed(states: tuple[Facts, ...]) -> _Proposed:
    from auditor.facts.data.proposal import externals, proposals

    entries: dict[str, tuple[str, ...]] = {}
    notes: dict[str, tuple[str, ...]] = {}
    outside: dict[str, tuple[str, ...]] = {}
    silent: set[str] = set()
    names: set[str] = set()
    for facts in states:
        names |= {str(workload.ref) for workload in facts.workloads}
        silent |= {str(workload.ref) for workload in facts.unclassified}
        for one in proposals(facts):
            into = entries if one.classes and one.likely and not _wild(str(one.ref)) else notes
            into.setdefault(str(one.ref), tuple(_lines(one, facts)))
        for each in externals(facts):
            outside.setdefault(each.host, tuple(_outside(each, facts)))
    told = f"{len(silent)} of {len(names)} workloads are unclassified; {len(entries)} look like "
    return _Proposed(
        tuple(entries[name] for name in sorted(entries)),
        tuple(f"# {line}" for name in sorted(notes) for line in notes[name]),
        tuple(line for host in sorted(outside) for line in outside[host]),
        f"{told}personal data",
    )


def _say_unseen(states: tuple[Facts, ...], declared: Declared) -> int:
    """Every gap on standard error, a line each; 4 where something was to be read and could not be
    seen, else 0.
    """
    from auditor.cli.network.reading import unseen
    from auditor.cli.screen import say
    from auditor.facts.custom import unread
    from auditor.model import Unseen
    from auditor.policies.waivers import acknowledged

    found = dict.fromkeys(
        gap
        for facts in states
        for gap in (
            *facts.snapshot.gaps,
            *unread(facts.snapshot.resources, live=facts.snapshot.server is not None),
        )
    )
    gaps = acknowledged(tuple(found), declared.acknowledged, whole=False)
    for line in unseen(gaps):
        say(line, err=True)
    missing = (g.severity is Unseen.INCOMPLETE and not g.acknowledged for g in gaps)
    return 4 if any(missing) else 0


def _wild(name: str) -> bool:
    """Whether a name would mean others as well where it stands as a pattern."""
    return any(sign in name for sign in WILD)


def _lines(one: Proposal, facts: Facts) -> Iterator[str]:
    yield f"{_quoted(str(one.ref))}:"
    if one.classes:
        for sign in one.signs:
            yield f"  # {_told(sign, facts)}"
        classes = one.classes[0] if len(one.classes) == 1 else f"[{', '.join(one.classes)}]"
        yield f"  class: {classes}  # looks like it; {one.confidence:.0%} sure"
    if one.clients:
        yield "  # looks like its clients, who have no right until its owner lists them:"
        for name, sign in one.clients:
            yield f"  #   {_told(sign, facts, name)}"
        yield f"  # clients: [{', '.join(_quoted(name) for name, _ in one.clients)}]"
    if one.health:
        yield f"  # health: [{', '.join(_quoted(each) for each in one.health)}]  # as probed"


def _outside(one: External, facts: Facts) -> Iterator[str]:
    for name, sign in one.asked_by:
        yield f"#   # {_told(sign, facts, name)}"
    where = "cidr" if _is_number(one.host) else "fqdn"
    host = _quoted(one.host)
    yield f"#   - {{name: {host}, {where}: {host}, class: pii, owner: WHO}}"


def _is_number(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()


def _told(sign: Sign, facts: Facts, who: str = "") -> str:
    from auditor.credentials import told
    from auditor.text import escaped

    resource = facts.snapshot.find(sign.ref) if sign.ref else None
    where = ""
    if resource:
        spot = resource.origin.spot(sign.path)
        where = f" ({spot.uri}:{spot.span.line})"
    return escaped(told(f"{who} {sign.told}{where}".strip()))


def _quoted(text: str) -> str:
    """As YAML in double quotes: names in manifests hold anything."""
    import json

    return json.dumps(text, ensure_ascii=True)


def _write(output: Path, proposed: _Proposed) -> None:
    """Write the file, or add to one that is there what it does not declare. Nothing that stands in
    it changes.

    Raises:
        UsageError: it is written in a form in which there is no place for more entries.
    """
    if not output.exists():
        output.write_text(HEADER + "\n".join(proposed.lines()) + "\n", encoding="utf-8")
        return
    if proposed.entries:
        text = output.read_text(encoding="utf-8")
        output.write_text(_added(text, proposed, str(output)), encoding="utf-8")


def _added(text: str, proposed: _Proposed, name: str) -> str:
    import yaml

    root = yaml.compose(text, Loader=yaml.SafeLoader)
    data = _value(root, "data")
    if data is None:
        start = text if not text or text.endswith("\n") else f"{text}\n"
        return start + HEADER + "\n".join(proposed.lines()) + "\n"
    objects = _value(data, "objects")
    into = objects if objects is not None and getattr(objects, "value", None) else data
    if not isinstance(into, yaml.MappingNode) or into.flow_style or not into.value:
        from auditor.errors import UsageError

        raise UsageError(
            f"{name}: 'data' is not written as a block, so that nothing can be added to it; "
            "write to standard output and take over what is right"
        )
    return _inserted(text, into, objects is into, proposed, name)


def _inserted(text: str, into: Any, there: bool, proposed: _Proposed, name: str) -> str:
    """The text with the entries after the last one of a block."""
    column = into.value[0][0].start_mark.column
    lines = text.split("\n")
    if not there and _value(into, "objects") is not None:
        from auditor.errors import UsageError

        raise UsageError(f"{name}: 'data.objects' is there and empty: take it away first")
    last = into.value[-1][1].end_mark
    at = last.line if last.column == 0 else last.line + 1
    while at > 0 and not lines[at - 1].strip():
        at -= 1
    new = [line for entry in proposed.entries for line in entry]
    if not there:
        new = ["objects:", *_indented(new, 2)]
    return "\n".join([*lines[:at], *_indented(new, column), *lines[at:]])


def _value(node: Any, key: str) -> Any:
    import yaml

    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for name, value in node.value if name.value == key), None)
