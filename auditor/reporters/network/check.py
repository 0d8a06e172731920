"""The answers of `auditor network check`, one a line, as one document, and for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from auditor import credentials
from auditor.facts.network import Ruling, Verdict
from auditor.reporters.network.told import Places, fit
from auditor.reporters.terminal import Terminal
from auditor.values import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said of one line of questions."""

    line: int
    """Of the file of questions, from 1."""
    asked: str
    """The question in words."""
    ruling: Ruling
    places: Places
    """Of the snapshot that the reasons are in."""
    field: str = ""
    error: str = ""
    """Why the line is no question; empty where it is one."""


def document(answer: Answer) -> dict[str, Any]:
    """One answer for programs. A line that is no question has an `error`, and no verdict but
    ``undefined``.
    """
    ruling = answer.ruling
    found: dict[str, Any] = {
        "verdict": ruling.verdict.value,
        "reasons": [answer.places.document(reason) for reason in ruling.reasons],
        "unknown": list(map(credentials.told, ruling.unknown)),
    }
    if answer.error:
        found["error"] = {
            "line": answer.line,
            "field": answer.field or None,
            "message": credentials.told(answer.error),
        }
    return found


def lines(answers: Iterable[Answer]) -> Iterator[str]:
    """JSON Lines: one answer a line, in the order of the questions."""
    import orjson

    for answer in answers:
        yield orjson.dumps(document(answer), default=str).decode() + "\n"


def whole(answers: Sequence[Answer], rejected: list[Any], gaps: list[Any], cni: str) -> Any:
    """All of it as one document."""
    from auditor import __version__
    from auditor.reporters.assessed import date

    return {
        "format": "auditor-network-check/1",
        "auditor": __version__,
        "date": date(),
        "cni": cni,
        "answers": list(map(document, answers)),
        "rejected": rejected,
        "gaps": gaps,
    }


_LOOKS = {Verdict.ALLOWED: "good", Verdict.DENIED: "bad", Verdict.UNDEFINED: "bold"}


def text(answers: Sequence[Answer], terminal: Terminal) -> Iterator[str]:
    """For people: the verdict, the question, and below it why."""
    for answer in answers:
        verdict = answer.ruling.verdict
        word = "error" if answer.error else verdict.value
        look = "bad" if answer.error else _LOOKS[verdict]
        yield f"{terminal.paint(look, word.ljust(9))} {fit(answer.asked)}"
        if answer.error:
            yield f"          {fit(answer.error)}"
            continue
        for reason in answer.ruling.reasons:
            where = answer.places.where(reason.ref, reason.path)
            yield f"          {fit(reason.text)}{f' ({fit(where)})' if where else ''}"
        for doubt in answer.ruling.unknown:
            yield f"          unknown: {fit(doubt)}"
    yield _counted(answers)


def _counted(answers: Sequence[Answer]) -> str:
    wrong = sum(bool(answer.error) for answer in answers)
    counts = [
        f"{sum(a.ruling.verdict is verdict and not a.error for a in answers)} {verdict.value}"
        for verdict in Verdict
    ]
    return ", ".join([*counts, *([f"{wrong} not understood"] if wrong else [])])
