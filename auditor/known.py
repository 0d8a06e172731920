"""Which findings are new, and which were there before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from auditor.model import Finding
from auditor.values import dataclass


@dataclass(frozen=True, slots=True)
class Known:
    """The findings that were there before: what is not among them, or is worse, is new."""

    anchors: Mapping[str, frozenset[str] | None]
    """Fingerprint → what the evidence was about; None where nobody wrote that down, so that it
    cannot have become worse.
    """

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> Known:
        """These; of several with one fingerprint, what the evidence of all was about."""
        found: dict[str, frozenset[str] | None] = {}
        for finding in findings:
            before = found.get(finding.fingerprint) or frozenset()
            found[finding.fingerprint] = before | finding.anchors
        return cls(found)

    def __contains__(self, finding: Finding) -> bool:
        if finding.fingerprint not in self.anchors:
            return False
        known = self.anchors[finding.fingerprint]
        return known is None or not finding.worse_than(known)
