"""What is shipped for a cluster fits what the code asks of it."""

from __future__ import annotations

from pathlib import Path

import yaml

from auditor.sources.kinds import KINDS

ROOT = Path(__file__).parents[1]


def test_the_role_grants_what_is_read_and_no_more() -> None:
    """To list and to watch every kind that we read; no Secret, no star, nothing that writes."""
    documents = yaml.safe_load_all((ROOT / "deploy" / "rbac.yaml").read_text("utf-8"))
    (role,) = [each for each in documents if each["kind"] == "ClusterRole"]
    granted = {
        (group, resource)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    assert granted == {(kind.group, kind.plural) for kind in KINDS}
    assert {tuple(rule["verbs"]) for rule in role["rules"]} == {("list", "watch")}
