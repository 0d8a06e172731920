"""At admission only the webhook's own configuration waives anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.cli.options import PolicyOptions, choose
from auditor.cli.webhook.terms import court_of
from auditor.model import Status
from auditor.sources.files import FileSource

from .test_waivers import ALLOWED, ANNOTATED, COMMENT, FOREIGN, POLICY, foreign, write

CENTRAL = f"waivers: [{{policy: {POLICY}, object: shop/web, reason: known}}]\n"


def status(folder: Path) -> Status:
    """What the webhook makes of the fault of the object in the folder."""
    options = PolicyOptions("recommended", (POLICY,), (), None, "regorus", None, None)
    court = court_of(choose(options, folder), 136)
    answer = court.live(FileSource((str(folder),)).snapshot())
    assert answer.gaps == ()
    [finding] = answer.findings
    return finding.status


@pytest.mark.parametrize(
    "manifest",
    [COMMENT, ANNOTATED, *map(foreign, FOREIGN.values())],
    ids=["comment", "ours", *FOREIGN],
)
def test_no_object_waives_its_own_fault_at_admission(folder: Path, manifest: str) -> None:
    """Whoever may create it could write anything into it, so nothing is even told."""
    config = f"{ALLOWED}honourWaiversOf: [{', '.join(FOREIGN)}]\n"
    write(folder, manifest, config)
    assert status(folder) is Status.OPEN
    write(folder, manifest, config + CENTRAL)
    assert status(folder) is Status.WAIVED
