"""`auditor network check`: many questions, one a line, and as many answers. Its form is fixed:
outside engines are compared by it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from auditor.cli.lines import lines_of
from auditor.cli.network.outputs import Forms, network_outputs
from auditor.cli.network.reading import Read, read_all, reading_options, say_unseen
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.cli.network.asking import Desk
    from auditor.cli.network.queries import Query, Wrong
    from auditor.cli.network.reading import Reading, State
    from auditor.reporters.network.check import Answer
    from auditor.reporters.network.told import Places


@click.command(short_help="Answer many questions, one a line.")
@reading_options
@click.option(
    "--queries",
    "file",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    required=True,
    help="The questions, one JSON object a line; '-' for standard input.",
)
@network_outputs("jsonl", "json", "text")
def check(read: Read, file: Path, outputs: Forms) -> int:
    """Answer questions about PATH, each a JSON object on a line of its own.

    {"src": END, "dst": END, "protocol", "port", "method"?, "path"?, "host"?, "headers"?, "sni"?,
    "transport"?, "appProtocol"?}, where END is {"namespace", "pod"}, {"ip"}, {"entity"} or
    {"namespace", "serviceAccount", "ip"?, "trustDomain"?}. One answer a line, in their order:
    {"verdict": "allowed" | "denied" | "undefined", "reasons", "unknown"}.

    Ends with 2 where a line is no question: it has an "error", the others are answered all the
    same.
    """
    from auditor.cli.network.queries import queries
    from auditor.errors import UsageError

    if str(file) == "-" and "-" in read.paths:
        raise UsageError("standard input can be the manifests or the queries, not both")
    reading = read_all(read)
    say_unseen(reading, quiet=outputs.quiet)
    wrong = _Wrong()
    # Nothing is kept but what the form needs: there may be more lines than memory.
    answers = wrong.counted(_answers(reading, queries(lines_of(file))))
    outputs.write(lambda form: _rendered(form, answers, reading))
    return wrong.said() or reading.code


@dataclass(slots=True)
class _Wrong:
    """The answers that are none. Not frozen: they are counted as they pass."""

    count: int = 0
    first: Answer | None = None

    def counted(self, answers: Iterable[Answer]) -> Iterator[Answer]:
        """The same answers."""
        for answer in answers:
            if answer.error:
                self.count += 1
                self.first = self.first or answer
            yield answer

    def said(self) -> int:
        """2 where there are any, which is said on standard error."""
        if self.first is None:
            return 0
        from auditor.cli.screen import say
        from auditor.reporters.words import counted

        field = f"{self.first.field}: " if self.first.field else ""
        what = f"{counted(self.count, 'line')} of the queries not understood"
        say(f"error: {what}; first, line {self.first.line}: {field}{self.first.error}", err=True)
        return 2


def _answers(reading: Reading, asked: Iterable[tuple[int, Query | Wrong]]) -> Iterator[Answer]:
    from auditor.cli.network.asking import Desk
    from auditor.cli.network.ends import Directory
    from auditor.reporters.network.told import Places

    first, *rest = (state.snapshot for state in reading.states)
    places = Places(first, tuple(rest))
    desks = [
        (state, Desk(Directory(state.network), reading.missing, reading.unsure), places)
        for state in reading.states
    ]
    for line, question in asked:
        yield _answer(line, question, desks)


def _answer(line: int, question: Query | Wrong, desks: list[tuple[State, Desk, Places]]) -> Answer:
    """What all states say of it: one verdict where they agree."""
    from auditor.cli.network.asking import together
    from auditor.cli.network.queries import QueryError, Wrong
    from auditor.facts.network import Ruling, Verdict
    from auditor.reporters.network.check import Answer

    places = desks[0][2]
    nothing = Ruling(Verdict.UNDEFINED)
    if isinstance(question, Wrong):
        asked = f"line {line}{f', {question.field}' if question.field else ''}"
        return Answer(line, asked, nothing, places, question.field, question.why)
    try:
        rulings = [desk.answer(question) for _, desk, _ in desks]
    except QueryError as error:
        return Answer(line, _said(question), nothing, places, error.field, error.why)
    names = ", ".join(
        f"{ruling.verdict} in {state.name}"
        for ruling, (state, _, _) in zip(rulings, desks, strict=True)
    )
    ruling = together(rulings, f"it depends on what is deployed: {names}")
    return Answer(line, _said(question), ruling, places)


def _said(query: Query) -> str:
    """The question in words."""
    request = query.request
    ends = [
        end.entity
        or (f"{end.namespace}/{end.pod}" if end.pod else "")
        or (f"{end.namespace}/sa/{end.account}" if end.account else end.ip)
        for end in (query.src, query.dst)
    ]
    http = " ".join(part for part in (request.method, request.path) if part)
    port = f" {request.port}" if request.port else ""
    return f"{ends[0]} → {ends[1]} {request.protocol}{port}{f' {http}' if http else ''}"


def _rendered(form: str, answers: Iterable[Answer], reading: Reading) -> str | Iterable[str]:
    from auditor.cli.network.outputs import rejection_documents
    from auditor.reporters.encoded import encoded
    from auditor.reporters.gaps import gap_documents
    from auditor.reporters.network import check as report
    from auditor.reporters.terminal import terminal_of

    if form == "jsonl":
        return report.lines(answers)
    if form == "json":
        rejected, gaps = rejection_documents(reading), gap_documents(reading.gaps)
        return encoded(report.whole(list(answers), rejected, gaps, reading.cni))
    screen = terminal_of(sys.stdout)
    return screen.shown("\n".join(report.text(list(answers), screen)) + "\n")
