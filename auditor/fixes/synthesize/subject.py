"""What a finding is about, for builders."""

from __future__ import annotations

from auditor.facts import Facts
from auditor.facts.workloads import Workload
from auditor.fixes.synthesize.errors import CannotBuildError
from auditor.model import Finding


def workload_of(facts: Facts, finding: Finding) -> Workload:
    """The workload that the finding is about.

    Raises:
        CannotBuildError: it is about something else.
    """
    found = facts.by_key.get(finding.ref.key)
    if found is None:
        raise CannotBuildError(f"{finding.ref} is no workload")
    return found
