"""Reads a saved JSON report as the state that is already known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from auditor.errors import ConfigError
from auditor.known import Known
from auditor.model import Audit, Status
from auditor.terms import REPORT

_ACCEPTED = frozenset((Status.OPEN, Status.BASELINE))


def known(file: Path, revision: str | None = None) -> Known:
    """The accepted findings of a saved report: as it was in the git revision, where one is named
    and the file is in its repository.

    Raises:
        ConfigError: the file is no report of ours.
    """
    try:
        report = orjson.loads(_bytes(file, revision))
        if report["format"] != REPORT:
            raise ConfigError(f"{file}: format is '{report['format']}', expected '{REPORT}'")
        return Known(anchors_of(accepted(report["findings"])))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"{file}: is no report of `auditor audit --format json`: {error}"
        ) from error


def _bytes(file: Path, revision: str | None) -> bytes:
    from auditor.cli.revision import Revision

    found = Revision.of(revision, file.parent) if revision is not None else None
    if found is None or not found.holds(file):
        return file.read_bytes()
    content = found.content(file)
    if content is None:
        raise ConfigError(f"{file}: is not in {revision}: there is no baseline before this change")
    return content


def accepted(findings: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The findings of a report that whoever keeps it has taken for known: a waiver that has ended
    since, or a set of policies that was not pinned yet, is no such word.
    """
    return [one for one in findings if one.get("status", Status.OPEN) in _ACCEPTED]


def anchors_of(findings: Iterable[Mapping[str, Any]]) -> Mapping[str, frozenset[str] | None]:
    """What `auditor.model.Known` keeps of the findings of a report."""
    anchors: dict[str, frozenset[str] | None] = {}
    for finding in findings:
        fingerprint, told = str(finding["fingerprint"]), _anchors(finding)
        before = anchors.get(fingerprint, frozenset())
        anchors[fingerprint] = None if told is None or before is None else before | told
    return anchors


def _anchors(finding: Mapping[str, Any]) -> frozenset[str] | None:
    """What the evidence is about; None in a report of a time when that was not written down."""
    evidence = finding.get("evidence", ())
    if any("anchor" not in reason for reason in evidence):
        return None
    return frozenset(str(reason["anchor"]) for reason in evidence)


def marked(audit: Audit, old: Known) -> Audit:
    """The audit with the open findings that are in the baseline marked."""
    findings = tuple(
        replace(finding, status=Status.BASELINE)
        if finding.status is Status.OPEN and finding in old
        else finding
        for finding in audit.findings
    )
    return replace(audit, findings=findings)
