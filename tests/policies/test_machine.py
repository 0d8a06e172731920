"""The virtual machine of regorus says what its interpreter says, also of manifests that hold
anything: it goes on without a word where a built-in is given what it cannot take, and then our
policies would pass what nobody looked at.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.facts import FACTS, Facts
from auditor.model import Resource, Settings, Snapshot
from auditor.policies.answers import alone
from auditor.policies.engine import EvaluationError, Regorus, compile_policies
from auditor.policies.judge import prepared
from auditor.policies.loader import load
from auditor.sources.files import FileSource

FIXTURES = Path(__file__).parents[2] / "fixtures"
POLICIES, LIBRARY = load()
PACKAGES = tuple("policies." + policy.id.replace("/", ".") for policy in POLICIES)
ENGINE = Regorus({policy.file: policy.module for policy in POLICIES} | dict(LIBRARY))

TOLD = {p.name: p.default for policy in POLICIES for p in policy.parameters}

ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, -1, 3.5, 2**40, "", "x", "0", "1Gi", "a:b@c/d", "🙂", [], {}, [None], ["x"],
     [[]], [{}], {"a": 1}, {"name": 3}, {"name": ["x"]}]
)  # fmt: skip


def snapshot() -> Snapshot:
    """The failing side of every policy, and the clusters."""
    return FileSource((str(FIXTURES / "policies"), str(FIXTURES / "clusters"))).snapshot()


SNAPSHOT = snapshot()
WORKLOADS = [r for r in SNAPSHOT.resources if "spec" in r.manifest]


def told_alike(document: bytes) -> None:
    """Both say the same, each policy for itself and all as one."""
    by_machine = ENGINE.evaluate_all(PACKAGES, document)
    assert by_machine == {package: alone(ENGINE, package, document) for package in PACKAGES}


@pytest.mark.parametrize("kubernetes", [110, 136])
def test_of_every_fixture(kubernetes: int) -> None:
    """With the facts that it has."""
    facts = Facts(SNAPSHOT, Settings(kubernetes=kubernetes))
    for resource in SNAPSHOT.resources:
        told_alike(prepared(resource, facts.about(resource, tuple(FACTS)), kubernetes, TOLD))


def odd(draw: st.DrawFn, value: Any, depth: int = 0) -> Any:
    """The value with something odd in the place of one of its parts."""
    if depth and draw(st.integers(0, 5)) == 0:
        return draw(ODD)
    if isinstance(value, dict) and value:
        key = draw(st.sampled_from(sorted(value)))
        return {**value, key: odd(draw, value[key], depth + 1)}
    if isinstance(value, list) and value:
        index = draw(st.integers(0, len(value) - 1))
        return [*value[:index], odd(draw, value[index], depth + 1), *value[index + 1 :]]
    return draw(ODD)


@st.composite
def odd_objects(draw: st.DrawFn) -> Resource:
    """An object of the fixtures with one to three odd parts."""
    resource = draw(st.sampled_from(WORKLOADS))
    manifest = resource.manifest
    for _ in range(draw(st.integers(1, 3))):
        manifest = {**manifest, "spec": odd(draw, manifest["spec"])}
        if draw(st.booleans()):
            found = odd(draw, manifest["metadata"])
            kept = found if isinstance(found, dict) else {}
            # What has no name is no object, and never comes this far.
            manifest = {**manifest, "metadata": {**kept, "name": resource.ref.name}}
    return Resource(resource.ref, manifest, resource.origin)


@settings(deadline=None, max_examples=300)
@given(odd_objects(), st.sampled_from([100, 124, 136, 137]))
def test_of_objects_that_hold_anything(resource: Resource, kubernetes: int) -> None:
    """Not one policy of ours gives a built-in what it cannot take."""
    told_alike(prepared(resource, {}, kubernetes, TOLD))


def test_the_interpreter_has_the_last_word_on_policies_of_others() -> None:
    """To the machine, what a built-in cannot take is nothing, and there would be no finding."""
    text = """package policies.p

deny contains {"path": [], "message": "m"} if to_number(input.object) == 1
"""
    engine = compile_policies("regorus", {"p.rego": text})
    with pytest.raises(EvaluationError):
        engine.evaluate_all(("policies.p",), orjson.dumps({"object": "x"}))
