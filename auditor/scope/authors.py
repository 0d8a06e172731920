"""Who keeps the object of a live finding, or what made it: where a fix has to be made to last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from auditor.facts.workloads import chain
from auditor.model import Finding, Resource


def authored(findings: Iterable[Finding], owners: Mapping[str, Resource]) -> list[Finding]:
    """The findings, each on a live object with whoever keeps the topmost object above it."""
    return [_authored(finding, owners) for finding in findings]


def _authored(finding: Finding, owners: Mapping[str, Resource]) -> Finding:
    resource = finding.resource
    if resource is None or not resource.origin.live or finding.authorship:
        return finding
    for one in reversed((resource, *chain(resource, owners))):
        if one.origin.authorship.tool:
            return replace(finding, authorship=one.origin.authorship)
    return finding
