"""What each consumer of SARIF is given. Known to the SARIF report alone.

``full``    everything: for viewers, for DefectDojo, for whoever reads all of it
``github``  GitHub code scanning: it opens an alert for what is waived, so that this is left out; it
            ignores fixes and taxonomies, takes 20 runs and 10 MB (compressed) in a file, and
            keeps 5,000 results of a run
``gitlab``  GitLab's SARIF report: reads severity from the rank, and refuses results without a place
``azure``   GitHub Advanced Security for Azure DevOps: wants to know the pipeline
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Sequence
from typing import Any

from auditor.model import Audit, Finding, Severity, Status
from auditor.reporters.encoded import encoded
from auditor.values import dataclass

Node = dict[str, Any]
_PIPELINE = "azuredevops/pipeline/build/"
_VARIABLES = {
    "buildDefinitionId": "SYSTEM_DEFINITIONID",
    "buildDefinitionName": "BUILD_DEFINITIONNAME",
    "phaseId": "SYSTEM_PHASEID",
    "phaseName": "SYSTEM_PHASENAME",
}
"""What Azure DevOps asks of a run → the variable of its agent that has it."""
RANKS = {
    Severity.CRITICAL: 95.0,
    Severity.HIGH: 80.0,
    Severity.MEDIUM: 55.0,
    Severity.LOW: 30.0,
    Severity.INFO: 0.0,
}
"""Ten times the score of `sarif_rules`: GitLab reads the rank before it."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What to write for one consumer."""

    waived: bool = True
    """What somebody answers for, as suppressed results."""
    fixes: bool = True
    taxonomies: bool = True
    """The controls of frameworks."""
    contents: bool = True
    """The text of live objects, without what may be a credential."""
    rank: bool = False
    pipeline: bool = False
    per_run: int = 0
    """How many results a run may have; 0 for any number. More go into further runs."""
    runs: int = 1
    most_bytes: int = 0
    """How large the compressed file may be; 0 for any size."""


PROFILES: dict[str, Profile] = {
    "full": Profile(),
    "github": Profile(
        waived=False,
        fixes=False,
        taxonomies=False,
        contents=False,
        per_run=5000,
        runs=20,
        most_bytes=10_000_000,
    ),
    "gitlab": Profile(fixes=False, taxonomies=False, contents=False, rank=True),
    "azure": Profile(taxonomies=False, pipeline=True),
}


def told(audit: Audit, profile: Profile) -> list[Finding]:
    """The findings that this consumer is told of, in the order of the audit."""
    counted = (Status.OPEN, Status.BASELINE)
    return [f for f in audit.findings if profile.waived or f.status in counted]


def automation(profile: Profile, number: int) -> Node:
    """What tells the runs of one file, and of one pipeline, apart: ``category/``."""
    name = "auditor" if number == 0 else f"auditor-{number + 1}"
    if not profile.pipeline:
        return {"id": f"{name}/"}
    known = {
        f"{_PIPELINE}{key}": value
        for key, variable in _VARIABLES.items()
        if (value := os.environ.get(variable))
    }
    return {"id": f"{_PIPELINE}{name}/"} | ({"properties": known} if known else {})


Log = Callable[[list[list[Finding]], int], Node]
"""Makes the whole log of the findings of each run, and of how many are left out."""


def fitted(findings: Sequence[Finding], profile: Profile, log: Log) -> tuple[str, int]:
    """The log as text, as large as the consumer takes it, and how many of the findings, the last
    ones, are left out because of that.
    """
    most = profile.per_run * profile.runs or len(findings)
    while True:
        kept = list(findings[:most])
        left_out = len(findings) - len(kept)
        text = encoded(log(_chunks(kept, profile.per_run), left_out))
        size = _size(text, profile.most_bytes)
        if not kept or size <= (profile.most_bytes or size):
            return text, left_out
        most = min(int(len(kept) * profile.most_bytes / size * 0.95), len(kept) - 1)


def _chunks(findings: list[Finding], size: int) -> list[list[Finding]]:
    if not size or len(findings) <= size:
        return [findings]
    return [findings[start : start + size] for start in range(0, len(findings), size)]


def _size(text: str, limit: int) -> int:
    """How large it is compressed; not asked where even the text itself is below the limit."""
    data = text.encode()
    return len(data) if len(data) <= limit or not limit else len(gzip.compress(data))
