"""The fixes that are wanted, as one change: as many of them as go together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Generic, TypeVar

from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.cli.answer import Answers
    from auditor.cli.fix_source import Share
    from auditor.cli.options import Chosen
    from auditor.fixes.together import Texts
    from auditor.model import Audit, Finding, TextEdit

T = TypeVar("T")


@dataclass(slots=True)
class Most(Generic[T]):
    """The most that goes together of what is wanted. Not frozen: it grows as it is tried."""

    attempt: Callable[[list[Finding]], T]
    """Raises WriteError where these do not go together."""
    made: T
    taken: list[Finding] = field(default_factory=list)
    left: dict[int, str] = field(default_factory=dict)
    """Findings by `id`, and why their fixes do not go together with those that are taken."""

    def take(self, more: Sequence[Finding]) -> None:
        """Take these as well, those that clash apart: they are found by halves. Costs one attempt
        where all go together.
        """
        from auditor.errors import WriteError

        try:
            made = self.attempt([*self.taken, *more])
        except WriteError as error:
            if len(more) == 1:
                self.left[id(more[0])] = str(error)
                return
            middle = len(more) // 2
            self.take(more[:middle])
            self.take(more[middle:])
        else:
            self.made = made
            self.taken += more


@dataclass(frozen=True, slots=True)
class Joint:
    """What the fixes make of the files together."""

    texts: Texts
    """Every edited file before and after."""
    edits: tuple[TextEdit, ...]
    taken: list[Finding]
    left: Mapping[int, str]
    """See `Most`."""


def together(answers: Answers, wanted: list[Finding], chosen: Chosen) -> Joint:
    """What all fixes at once make of the files: proven as one in every variant, and read again.
    Those that do not go together with the others are left.
    """
    nothing: tuple[Texts, tuple[TextEdit, ...]] = ({}, ())
    most = Most(lambda some: _attempted(answers, some, chosen), nothing)
    if wanted:
        most.take(wanted)
    texts, edits = most.made
    return Joint(texts, edits, most.taken, most.left)


def _attempted(
    answers: Answers, wanted: list[Finding], chosen: Chosen
) -> tuple[Texts, tuple[TextEdit, ...]]:
    """What all fixes at once make of the files, and their edits: proven as one in every variant,
    and read again.

    Raises:
        WriteError: together they do not hold, or cannot be written.
    """
    from auditor.cli.fix_source import AtSource, is_at_source
    from auditor.errors import WriteError

    sourced = AtSource.of(answers, wanted, chosen)
    found: dict[str, tuple[str, str]] = dict(sourced.texts)
    edits: dict[TextEdit, None] = dict.fromkeys(sourced.edits)
    for at, (name, answer) in enumerate(answers.each):
        here = [one for one in wanted if not is_at_source(one) and _is_in(one, answer)]
        edited, own = _together_in(answer, here, chosen, sourced.share(at, answer, wanted))
        edits |= dict.fromkeys(own)
        for uri, text in edited.items():
            if found.setdefault(uri, text) != text:
                raise WriteError(f"{uri}: {name} needs another change of it than other variants do")
    return found, tuple(edits)


def _is_in(finding: Finding, answer: Audit) -> bool:
    """Whether a variant has all that the fix of a finding changes."""
    changes = finding.fix.changes if finding.fix else ()
    objects = [(change.beside or change.resource.ref, change.resource.origin) for change in changes]
    there = [(answer.snapshot.find(ref), origin) for ref, origin in objects]
    return all(one is not None and one.origin.lines is origin.lines for one, origin in there)


def _together_in(
    answer: Audit, wanted: list[Finding], chosen: Chosen, share: Share
) -> tuple[Texts, tuple[TextEdit, ...]]:
    """The same in one variant, where that is built with its share of the fixes at the source."""
    from auditor.cli.as_one import prove_as_one
    from auditor.errors import WriteError
    from auditor.fixes.patch import CannotEditError
    from auditor.fixes.together import ClashError, check, merged, texts, written

    if not wanted and not share.changes:
        return {}, ()
    try:
        changes = merged(answer.snapshot, [f.fix for f in wanted if f.fix])
        edits = written(answer.snapshot, changes)
        edited = texts(answer.snapshot, edits)
        check(answer.snapshot, changes, edited)
    except (ClashError, CannotEditError) as error:
        raise WriteError(str(error)) from error
    gone, changes = [*wanted, *share.findings], (*changes, *share.changes)
    prove_as_one(answer, gone, changes, chosen, edits, share.measure)
    return edited, edits
