"""The YAML edits of kubescape's own tests: 23 files before and after a fix.

What the file should say afterwards is read from their result. Where our text differs from theirs,
the reason is named.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor.fixes.patch import apply, edits, verify
from auditor.model import Operation, Resource, TextEdit
from auditor.sources.objects import objects_of
from auditor.sources.yaml import Document, documents

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("AUDITOR_CONFORMANCE", ROOT / "../shared/conformance")) / "kubescape-fix"

DIFFERENT = {
    "inserts/tc-02": "a new list is indented as the one that the file has: not at all",
    "inserts/tc-04": "a new list is indented as those that the file has: not at all",
}
"""Cases whose text is not theirs, and why."""

pytestmark = pytest.mark.conformance


def _cases() -> list[str]:
    return sorted(f"{p.parent.name}/{p.name[:5]}" for p in DATA.glob("*/tc-*-00-*.yaml"))


def _texts(case: str) -> tuple[str, str]:
    folder, name = case.split("/")
    before, after = sorted((DATA / folder).glob(f"{name}-0*.yaml"))
    return before.read_bytes().decode(), after.read_bytes().decode()


def test_the_data_is_there() -> None:
    """A build without it would show less than it seems to."""
    if not _cases():
        if os.environ.get("CI") == "true":
            pytest.fail(f"no test data in {DATA}")
        pytest.skip(f"no test data in {DATA}: set AUDITOR_CONFORMANCE")
    assert len(_cases()) == 23


def _objects(text: str) -> list[Resource]:
    found = (d for d in documents("f.yaml", text) if isinstance(d, Document))
    return [o for document in found for o in objects_of(document) if isinstance(o, Resource)]


def _fixed(before: str, wanted: list[Any]) -> str:
    found: list[TextEdit] = []
    for resource, manifest in zip(_objects(before), wanted, strict=True):
        own = edits(resource, [Operation("add", (), manifest)])
        verify(resource, own, manifest)
        found += own
    return apply(before, found)


@pytest.mark.parametrize("case", _cases())
def test_the_same_fix(case: str) -> None:
    """The edited file says what theirs says, and its other lines are the user's."""
    before, after = _texts(case)
    wanted = [value for value in yaml.safe_load_all(after) if value is not None]
    ours = _fixed(before, wanted)
    assert [value for value in yaml.safe_load_all(ours) if value is not None] == wanted
    assert _touched(before, ours) <= _touched(before, after)
    assert (ours.splitlines() != after.splitlines()) == (case in DIFFERENT)
    if "\r\n" in before:
        assert "\n" not in ours.replace("\r\n", "")


def _touched(before: str, after: str) -> set[int]:
    """The lines of the first text that are not in the second one."""
    lines = before.splitlines(), after.splitlines()
    steps = difflib.SequenceMatcher(None, *lines, autojunk=False).get_opcodes()
    return {n for tag, start, end, _, _ in steps if tag != "equal" for n in range(start, end)}
