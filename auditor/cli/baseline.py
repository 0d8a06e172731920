"""Reads a saved JSON report as the state that is already known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import orjson

from auditor.errors import ConfigError
from auditor.model import Audit, Status


def known(file: Path) -> frozenset[str]:
    """The fingerprints in a saved report.

    Raises:
        ConfigError: the file is no report of ours.
    """
    try:
        report = orjson.loads(file.read_bytes())
        if report["format"] != "auditor/1":
            raise ConfigError(f"{file}: format is '{report['format']}', expected 'auditor/1'")
        return frozenset(str(finding["fingerprint"]) for finding in report["findings"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"{file}: is no report of `auditor audit --format json`: {error}"
        ) from error


def marked(audit: Audit, old: frozenset[str]) -> Audit:
    """The audit with the open findings that are in the baseline marked."""
    findings = tuple(
        replace(finding, status=Status.BASELINE)
        if finding.status is Status.OPEN and finding.fingerprint in old
        else finding
        for finding in audit.findings
    )
    return replace(audit, findings=findings)
