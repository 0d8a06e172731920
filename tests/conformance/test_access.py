"""Access reviews against a real API server 1.36: 25,013 recorded, half of them here."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from auditor.facts.access import Authorizer, request_of
from auditor.facts.access.roles import Role
from auditor.facts.access.rules import rules_of
from auditor.model import Origin, Ref, Resource, Snapshot, Span
from auditor.model import Path as Place

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("AUDITOR_CONFORMANCE", ROOT / "../shared/conformance")) / "rbac"

pytestmark = pytest.mark.conformance

Recorded = Mapping[str, Any]


class NoLines:
    """These manifests are not shown to anyone."""

    def span(self, path: Place) -> Span:
        return Span(1, 1, 1, 1)


def resource(manifest: Mapping[str, Any]) -> Resource:
    metadata = manifest["metadata"]
    names = metadata.get("namespace", ""), metadata["name"]
    return Resource(
        Ref(manifest["apiVersion"], manifest["kind"], *names), manifest, Origin("x", NoLines())
    )


@pytest.fixture(scope="module")
def cases() -> list[Recorded]:
    """All recorded cases."""
    file = DATA / "access.jsonl"
    if not file.exists():
        why = f"no recorded answers in {DATA}; set AUDITOR_CONFORMANCE"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(why)
    return [json.loads(line) for line in file.read_text().splitlines()]


def authorizer_of(case: Recorded) -> Authorizer:
    """That of a case: what was sent, what the server refused of it included."""
    sent = [*case["objects"], *(each["object"] for each in case.get("rejected", ()))]
    return Authorizer.of(Snapshot(tuple(map(resource, sent))), assume_defaults=True)


def test_we_answer_as_the_api_server_does(
    cases: list[Recorded], capsys: pytest.CaptureFixture[str]
) -> None:
    """Allowed or not, every time; and where its reason names a binding, that is one of ours."""
    asked: Counter[bool] = Counter()
    wrong: list[str] = []
    for case in cases:
        authorizer = authorizer_of(case)
        for query in case["queries"]:
            answer = authorizer.answer(request_of(query))
            asked[query["allowed"]] += 1
            by = any(_named(grant.binding, query["reason"]) for grant in answer.grants)
            if answer.allowed != query["allowed"]:
                wrong.append(f"{case['id']}: {query}, ours {answer.allowed}")
            elif answer.allowed and query["reason"] and not by:
                wrong.append(f"{case['id']}: {query}, by another binding")
    total = asked.total()
    with capsys.disabled():
        print(f"\naccess reviews: {total - len(wrong)} of {total} agree", end="")  # noqa: T201 the score
    assert not wrong, wrong[:5]
    assert min(asked.values()) > 4000


def _named(binding: Resource, reason: str) -> bool:
    """Whether the reason names the binding: a RoleBinding as ``name/namespace``."""
    name = binding.ref.name + (f"/{binding.ref.namespace}" if binding.ref.namespace else "")
    return f'{binding.ref.kind} "{name}"' in reason


def test_what_the_server_refused_we_refuse(cases: list[Recorded]) -> None:
    """And nothing that it accepted."""
    for case in cases:
        refused = {ref.key for ref in authorizer_of(case).refused}
        expected = {resource(each["object"]).ref.key for each in case.get("rejected", ())}
        assert refused == expected, case["id"]


def test_aggregated_roles_are_those_of_the_server(cases: list[Recorded]) -> None:
    """The rules that it gave each aggregated ClusterRole."""
    seen = 0
    for case in cases:
        roles = authorizer_of(case).roles
        for name, rules in case.get("aggregated", {}).items():
            seen += 1
            ours = set(_of(roles["ClusterRole", "", name]))
            assert ours == set(rules_of(rules)), (case["id"], name)
    assert seen > 10


def _of(role: Role) -> tuple[Any, ...]:
    return role.rules
