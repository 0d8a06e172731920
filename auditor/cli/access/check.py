"""`auditor access check`: many access reviews, one a line, and as many answers. Its form is fixed:
recorded answers of real API servers are compared with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from auditor.cli.gathered import answer_form
from auditor.cli.lines import lines_of
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.cli.access.resources import Resources
    from auditor.facts.access import Answer, Authorizer, Grant, Request

MOST = 5
"""So many resources that nobody knows are named."""
MOST_SEEN = 10_000
"""So many resources are looked at."""


@click.command(short_help="Answer many questions, one a line.")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--queries",
    "file",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    required=True,
    help="The questions, one JSON object a line; '-' for standard input.",
)
@answer_form("jsonl", "text")
@click.option(
    "--defaults/--no-defaults",
    "assume",
    default=True,
    show_default=True,
    help="Take the roles and bindings for granted that an API server 1.36 makes for itself.",
)
def check(paths: tuple[str, ...], file: Path, form: str, assume: bool) -> int:
    """Answer access reviews about the roles and bindings under PATH, each a JSON object on a line.

    {"user", "groups", "namespace", "verb", "group", "resource", "subresource", "name"} or {"user",
    "groups", "verb", "nonResourceURL"}; or a SubjectAccessReview of authorization.k8s.io. Groups
    are exactly those that are named: none is implied. One answer a line, in their order:
    {"allowed", "bindings"}.

    Ends with 2 where a line is no question: it has an "error", the others are answered all the
    same; with 4 where something under PATH could not be read. A resource that no role and no known
    kind is for is told on standard error.
    """
    from auditor.errors import UsageError

    if str(file) == "-" and "-" in paths:
        raise UsageError("standard input can be the manifests or the queries, not both")
    authorizer, known, unread = _authorizer(paths, assume)
    wrong: list[str] = []
    for number, line in enumerate(lines_of(file), 1):
        told = _answered(line, authorizer, known.meet)
        if "error" in told:
            wrong.append(f"line {number}: {told['error']}")
        click.echo(_line(told, form))
    known.say_doubts()
    if wrong:
        from auditor.cli.screen import say

        say(f"error: {len(wrong)} of the queries not understood; first, {wrong[0]}", err=True)
    return 2 if wrong else unread


@dataclass(slots=True)
class _Known:
    """The resources that are known, and the first that were asked about and are not. Not frozen:
    it remembers which it looked at, some of them, since there may be more lines than memory.
    """

    resources: Resources
    doubts: list[str] = field(default_factory=list)
    _seen: set[tuple[str, str]] = field(default_factory=set)

    def meet(self, request: Request) -> None:
        """Look at what is asked about, once."""
        from auditor.cli.access.resources import doubt

        asked = (request.group, request.combined)
        enough = len(self.doubts) == MOST or len(self._seen) == MOST_SEEN
        if enough or request.path is not None or asked in self._seen:
            return
        self._seen.add(asked)
        meant = self.resources.meant(request)
        if meant is not None:
            self.doubts.append(doubt(request.kind, meant))

    def say_doubts(self) -> None:
        """On standard error, a line each."""
        from auditor.cli.screen import say

        for each in self.doubts:
            say(each, err=True)
        if len(self.doubts) == MOST:
            say("of further resources it is not told whether they are known", err=True)


def _authorizer(paths: tuple[str, ...], assume: bool) -> tuple[Authorizer, _Known, int]:
    """The authorizer of what stands there, and the resources that are known; and 4 where a part
    could not be read, else 0.
    """
    from auditor.cli.access.resources import Resources
    from auditor.cli.options import read_variants
    from auditor.cli.screen import say
    from auditor.errors import UsageError
    from auditor.facts.access import Authorizer
    from auditor.model import Unseen

    found = read_variants(paths)
    if len(found) > 1:
        names = ", ".join(each.name for each in found)
        raise UsageError(f"these files say alternatives ({names}); name those of one")
    snapshot = found[0].snapshot
    lost = [gap for gap in snapshot.gaps if gap.severity is Unseen.INCOMPLETE]
    for gap in lost:
        say(f"gap: {gap.what}: {gap.why}", err=True)
    authorizer = Authorizer.of(snapshot, assume_defaults=assume)
    for ref, why in authorizer.refused.items():
        say(f"{ref}: the API server refuses it, so it counts for nothing: {why}", err=True)
    known = _Known(Resources.of(snapshot, authorizer.roles.values()))
    return authorizer, known, 4 if lost else 0


def _answered(
    line: bytes, authorizer: Authorizer, meet: Callable[[Request], None]
) -> Mapping[str, Any]:
    import orjson

    from auditor.facts.access import RequestError, request_of

    try:
        request = request_of(orjson.loads(line))
    except orjson.JSONDecodeError as error:
        return {"error": f"is no JSON: {error.msg}"}
    except RequestError as error:
        return {"error": str(error)}
    meet(request)
    return _told(authorizer.answer(request))


def _told(answer: Answer) -> Mapping[str, Any]:
    told: dict[str, Any] = {
        "allowed": answer.allowed,
        "bindings": [_grant(grant) for grant in answer.grants],
    }
    if answer.dangling:
        told["dangling"] = [str(each.ref) for each in answer.dangling]
    return told


def _grant(grant: Grant) -> Mapping[str, Any]:
    from auditor.reporters.access.told import binding

    return binding(grant.binding, grant.role, grant.subject)


@dataclass(frozen=True, slots=True)
class _Words:
    """An answer for people."""

    told: Mapping[str, Any]

    def __str__(self) -> str:
        if "error" in self.told:
            return f"not understood: {self.told['error']}"
        if not self.told["allowed"]:
            return "denied"
        by: Iterable[Mapping[str, Any]] = self.told["bindings"]
        names = ", ".join(f"{each['kind']}/{each['name']} of {each['role']}" for each in by)
        return f"allowed by {names or 'the group system:masters'}"


def _line(told: Mapping[str, Any], form: str) -> str:
    import orjson

    from auditor.text import escaped

    return orjson.dumps(told).decode() if form == "jsonl" else escaped(str(_Words(told)))
