"""Both of our engines answer what OPA answers, for every policy and all objects of its fixtures."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from auditor.facts import Facts
from auditor.model import Policy
from auditor.policies.engine import compile_policies
from auditor.policies.lint import ALLOWED
from auditor.policies.loader import load
from auditor.policies.parameters import given
from auditor.sources.files import FileSource
from tests.policy_fixtures import settings_of
from tests.prepared import prepared

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
POLICIES, LIBRARY = load(ROOT / "policies")


def _questions(policy: Policy) -> Iterator[tuple[str, bytes]]:
    """What the policy is asked about its fixtures, as JSON."""
    for file in sorted((ROOT / "fixtures" / "policies" / policy.id).glob("[!.]*.yaml")):
        settings = settings_of(file)
        facts = Facts(FileSource((str(file),)).snapshot(), settings)
        for resource in facts.snapshot.resources:
            about = facts.about(resource, policy.facts)
            if resource.ref.kind in policy.kinds and (about or not policy.facts):
                told = given(policy, settings)
                document = prepared(resource, about, settings.kubernetes, told)
                yield f"{file.name} {resource.ref}", document


def _opa(program: Path, policy: Policy, documents: list[bytes]) -> list[list[Any]]:
    """What OPA finds in each document: it starts once, and reads this policy and the library."""
    deny = f"data.policies.{policy.id.replace('/', '.')}.deny"
    done = subprocess.run(
        [program, "eval", "--format", "values", "--stdin-input", "--strict-builtin-errors",
         "--data", ROOT / "policies" / f"{policy.id}.rego", "--data", ROOT / "policies" / "lib",
         f"[found | some asked in input; found := [one | some one in {deny} with input as asked]]"],
        input=b"[" + b",".join(documents) + b"]", capture_output=True, check=True,
    )  # fmt: skip
    (answers,) = json.loads(done.stdout)
    return [sorted(found, key=_by_text) for found in answers]


def _by_text(one: Any) -> bytes:
    return orjson.dumps(one, option=orjson.OPT_SORT_KEYS)


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.id)
def test_engines_agree_with_opa(opa: Path, policy: Policy) -> None:
    """Same findings, same words, same places."""
    package = "policies." + policy.id.replace("/", ".")
    modules = {policy.file: policy.module, **LIBRARY}
    engines = [compile_policies(kind, modules) for kind in ("regorus", "regopy")]
    asked = list(_questions(policy))
    answers = _opa(opa, policy, [document for _, document in asked])
    for (name, document), expected in zip(asked, answers, strict=True):
        for engine in engines:
            assert engine.evaluate(package, document) == expected, (engine.name, name)
    assert asked
    assert any(answers)


def test_every_function_that_a_policy_may_call_answers_from_its_arguments_alone(opa: Path) -> None:
    """OPA knows it, and does not say that it is nondeterministic."""
    said = subprocess.run([opa, "capabilities", "--current"], capture_output=True, check=True)
    built_in = json.loads(said.stdout)["builtins"]
    steady = {one["name"] for one in built_in if not one.get("nondeterministic")}
    assert steady >= ALLOWED
