"""`auditor fix` of what Kustomize and Helm build: all fixes at the source as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.cli.screen import say
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.cli.answer import Answers
    from auditor.cli.options import Chosen
    from auditor.fixes.at_source import Together
    from auditor.fixes.rebuilt import Texts
    from auditor.fixes.sourced import SourceFix
    from auditor.model import Audit, Change, Finding, Resource, TextEdit


@dataclass(frozen=True, slots=True)
class Share:
    """What fixes at the source do to one variant."""

    findings: tuple[Finding, ...] = ()
    """Those that have to be gone."""
    changes: tuple[Change, ...] = ()
    measure: Finding | None = None
    """The gravest of all that they resolve anywhere."""


@dataclass(frozen=True, slots=True)
class AtSource:
    """The fixes at the source among those that are wanted."""

    together: Together | None = None

    @classmethod
    def of(cls, answers: Answers, wanted: list[Finding], chosen: Chosen) -> AtSource:
        """Everything that reads the edited files is built again, once.

        Raises:
            WriteError: they do not go together.
        """
        from auditor.errors import WriteError
        from auditor.fixes.at_source import Together
        from auditor.fixes.page import CannotEditError
        from auditor.fixes.rebuilt import NotRebuiltError

        fixes = [fix for fix in map(_source_fix, wanted) if fix]
        if not fixes:
            return cls()
        audits = [audit for _, audit in answers.each]
        try:
            return cls(Together(audits, fixes, chosen.bench, chosen.settings))
        except (CannotEditError, NotRebuiltError) as error:
            why = f"the fixes of what is built do not go together: {error}"
            raise WriteError(why) from error

    @property
    def texts(self) -> Texts:
        """Every edited file before and after."""
        return self.together.texts if self.together else {}

    @property
    def edits(self) -> tuple[TextEdit, ...]:
        """The edits of these files."""
        return self.together.edits if self.together else ()

    def share(self, variant: int, answer: Audit, wanted: list[Finding]) -> Share:
        """What they do to one variant."""
        if self.together is None:
            return Share()
        asked = {
            (finding.policy.id, finding.anchor, one.ref)
            for finding in wanted
            for fix in [_source_fix(finding)]
            for one in (fix.wanted if fix else ())
            if one.variant == variant
        }
        gone = (f for f in answer.open if (f.policy.id, f.anchor, f.ref) in asked)
        mine = filter(is_at_source, wanted)
        gravest = min(mine, key=lambda finding: finding.severity.rank, default=None)
        return Share(tuple(gone), self.together.changes(variant), gravest)


def _source_fix(finding: Finding) -> SourceFix | None:
    from auditor.fixes.sourced import SourceFix

    return finding.fix if isinstance(finding.fix, SourceFix) and finding.fix.edits else None


def is_at_source(finding: Finding) -> bool:
    """Whether its fix edits what something is built from."""
    return _source_fix(finding) is not None


def files_of(wanted: list[Finding]) -> list[Resource]:
    """What stands in the files that fixes at the source edit, each document once."""
    found: dict[tuple[str, int], Resource] = {}
    for fix in filter(None, map(_source_fix, wanted)):
        for one in fix.files:
            found.setdefault((one.origin.uri, one.origin.span(()).line), one)
    return list(found.values())


def say_rendered(wanted: list[Finding]) -> None:
    """What comes out otherwise, in which builds; to standard error."""
    from auditor.reporters.rendered import rendered_lines
    from auditor.text import escaped

    lines = [line for fix in filter(None, map(_source_fix, wanted)) for line in rendered_lines(fix)]
    for line in dict.fromkeys(lines):
        say(f"renders as: {escaped(line)}", err=True)
