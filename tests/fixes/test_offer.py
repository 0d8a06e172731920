"""A finding that is given a fix stays the finding that it was."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from auditor.fixes.offer import _with
from auditor.model import Finding


def test_nothing_of_a_finding_is_lost_with_its_fix() -> None:
    """Also what is added to findings one day: each field is told apart from any default."""
    names = [field.name for field in fields(Finding)]
    told: dict[str, Any] = {name: f"the {name}" for name in names}
    fix: Any = "a fix"
    fixed = _with(Finding(**told), fix)
    assert {name: getattr(fixed, name) for name in names} == {**told, "fix": fix}
