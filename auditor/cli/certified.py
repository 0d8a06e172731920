"""Writes what was shown of each fix that decides where pods run: `auditor fix --certificates`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auditor.cli.options import Chosen
    from auditor.model import Audit, Finding


def write_certificates(
    folder: Path, answer: Audit, wanted: Iterable[Finding], chosen: Chosen
) -> None:
    """One file for each fix that such a file can be about; what is written is told.

    Raises:
        WriteError: the folder cannot be made, or a file not be written.
    """
    from auditor.cli.screen import say
    from auditor.cli.whole import write_whole
    from auditor.errors import WriteError
    from auditor.fixes.certificates.document import written
    from auditor.fixes.certificates.making import certificate, concerns_placement

    for finding in filter(concerns_placement, wanted):
        file = folder / _name(finding)
        document = certificate(answer, finding, chosen.settings)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_whole(file, [written(document)])
        except OSError as error:
            raise WriteError(f"{file}: {error.strerror or error}") from error
        say(f"wrote {file}", err=True)


def _name(finding: Finding) -> str:
    """A name of its own for each finding, that every file system takes."""
    policy = finding.policy.id.replace("/", "-")
    about = re.sub(r"[^a-zA-Z0-9.-]+", "-", f"{finding.ref.namespace}-{finding.ref.name}")
    return f"{policy}-{about[:80].strip('-')}-{finding.fingerprint}.json"
