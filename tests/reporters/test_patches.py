"""The steps that other programs apply."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.fixes.operations import in_order
from auditor.model import Operation
from auditor.reporters.patches import json_patch

BINDING: dict[str, Any] = {
    "subjects": [
        {"kind": "User", "name": "system:anonymous"},
        {"kind": "User", "name": "ann"},
        {"kind": "Group", "name": "system:unauthenticated"},
    ]
}
STEPS = in_order([Operation("remove", ("subjects", 0)), Operation("remove", ("subjects", 2))])


def test_each_item_that_leaves_a_list_is_named_before() -> None:
    """From the back, so that none moves; where the list has changed meanwhile, the test fails."""
    assert json_patch(BINDING, STEPS) == [
        {"op": "test", "path": "/subjects/2/kind", "value": "Group"},
        {"op": "test", "path": "/subjects/2/name", "value": "system:unauthenticated"},
        {"op": "remove", "path": "/subjects/2"},
        {"op": "test", "path": "/subjects/0/kind", "value": "User"},
        {"op": "test", "path": "/subjects/0/name", "value": "system:anonymous"},
        {"op": "remove", "path": "/subjects/0"},
    ]


def test_a_rule_without_a_name_is_meant_as_a_whole() -> None:
    rules = [{"verbs": ["get"]}, {"verbs": ["*"]}]
    assert json_patch({"rules": rules}, [Operation("remove", ("rules", 1))]) == [
        {"op": "test", "path": "/rules/1", "value": {"verbs": ["*"]}},
        {"op": "remove", "path": "/rules/1"},
    ]


@pytest.mark.parametrize(
    "item", ["--password=correct-horse-9", {"name": "DB_PASSWORD", "value": "correct-horse-9"}]
)
def test_no_credential_is_said(item: Any) -> None:
    """Whoever takes one away does not have to read it."""
    assert "correct-horse-9" not in str(json_patch({"l": [item]}, [Operation("remove", ("l", 0))]))
