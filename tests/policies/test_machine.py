"""The virtual machine of regorus says what its interpreter says, also of manifests that hold
anything: it goes on without a word where a built-in is given what it cannot take, and then our
policies would pass what nobody looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.facts import FACTS, Facts
from auditor.manifests import at, copied
from auditor.model import Path as Place
from auditor.model import Resource, Settings, Snapshot
from auditor.policies.answers import alone
from auditor.policies.engine import EvaluationError, Regorus, compile_policies
from auditor.policies.judge import Prepared
from auditor.policies.loader import load
from auditor.sources.files import FileSource
from tests.prepared import prepared

FIXTURES = Path(__file__).parents[2] / "fixtures"
POLICIES, LIBRARY = load()
PACKAGES = tuple("policies." + policy.id.replace("/", ".") for policy in POLICIES)
ENGINE = Regorus({policy.file: policy.module for policy in POLICIES} | dict(LIBRARY))

TOLD = {p.name: p.default for policy in POLICIES for p in policy.parameters}

ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, -1, 3.5, 2**40, "", "x", "0", "1Gi", "a:b@c/d", "🙂", [], {}, [None], ["x"],
     [[]], [{}], {"a": 1}, {"name": 3}, {"name": ["x"]}]
)  # fmt: skip


def snapshots() -> Mapping[str, Snapshot]:
    """What each policy is tried with, and the clusters: each for itself, since all of them as one
    cluster would be one of a thousand workloads on a few nodes.
    """
    folders = sorted((*(FIXTURES / "policies").glob("*/*"), *(FIXTURES / "clusters").iterdir()))
    files = {str(f.relative_to(FIXTURES)): sorted(map(str, f.glob("*.yaml")))[:4] for f in folders}
    return {name: FileSource(tuple(each)).snapshot() for name, each in files.items() if each}


SNAPSHOTS = snapshots()
KINDS = {"policies." + policy.id.replace("/", "."): frozenset(policy.kinds) for policy in POLICIES}
JUDGED = [
    (name, number)
    for name, each in SNAPSHOTS.items()
    for number, resource in enumerate(each.resources)
    if any(resource.ref.kind in kinds for kinds in KINDS.values())
]
"""Where the objects are that some policy is asked about: the snapshot, and which object of it."""


LONG = frozenset(
    "policies.workload." + name
    for name in (
        "host_path_volume", "runtime_socket", "sensitive_host_path", "writable_host_path",
        "writable_root_filesystem",
    )
) | {"policies.data.looks_like_personal_data"}  # fmt: skip
"""What asks more of the machine than it does at a time, of the longest of our fixtures."""
NAMED = frozenset((("metadata",), ("metadata", "name")))
"""What has no name is no object, and never comes this far."""
BY_PACKAGE = {"policies." + policy.id.replace("/", "."): policy for policy in POLICIES}


def told_alike(
    resource: Resource,
    facts: Mapping[str, Any],
    kubernetes: int,
    packages: tuple[str, ...],
) -> bytes:
    """Both say the same, each policy for itself and all as one; and nothing of an object that does
    not mention what the policy looks for, about which it is not asked. Gives what they were told.
    """
    document = prepared(resource, facts, kubernetes, TOLD)
    by_machine = ENGINE.evaluate_all(packages, document)
    assert by_machine == {package: alone(ENGINE, package, document) for package in packages}
    written = Prepared(resource, siblings=True)
    for package, said in by_machine.items():
        words = BY_PACKAGE[package].mentions
        assert not said or not words or written.mentions(map(str.encode, words))
    return document


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_of_every_fixture(name: str) -> None:
    """With the facts that it has, by the policies that are asked about its kind. An old server is
    asked about one folder in three: few policies go by the version. The interpreter, which every
    audit would otherwise compile, is not needed: no policy leaves a finding open.
    """
    for kubernetes in (110, 136) if sum(name.encode()) % 3 == 0 else (136,):
        facts = Facts(SNAPSHOTS[name], Settings(kubernetes=kubernetes))
        for resource in SNAPSHOTS[name].resources:
            asked = tuple(each for each in PACKAGES if resource.ref.kind in KINDS[each])
            told = facts.about(resource, tuple(FACTS))
            document = told_alike(resource, told, kubernetes, asked)
            # An audit asks no policy without one of its facts.
            lacking = {
                p for p in asked if (of := BY_PACKAGE[p].facts) and told.keys().isdisjoint(of)
            }
            answered = ENGINE._machine.answers(asked, document).keys()
            assert set(asked) - answered - lacking <= LONG


def places(value: Any, path: Place = ()) -> Iterator[Place]:
    """Every place in the value; of a long list, in its first three entries."""
    if path:
        yield path
    inside = value.items() if isinstance(value, dict) else ()
    for step, each in enumerate(value[:3]) if isinstance(value, list) else inside:
        yield from places(each, (*path, step))


def put(value: Any, path: Place, new: Any) -> Any:
    """The value with another one at the path."""
    if not path:
        return new
    whole = copied(value)
    at(whole, path[:-1])[path[-1]] = new
    return whole


@pytest.mark.parametrize("package", PACKAGES)
def test_of_fields_without_a_value(package: str) -> None:
    """Or with a number where none belongs: each field of the objects that a policy is tried with,
    and the first three entries of each list; with the facts of the object as it was.
    """
    snapshot = SNAPSHOTS[package.replace(".", "/")]
    facts = Facts(snapshot, Settings())
    for resource in snapshot.resources:
        if resource.ref.kind not in KINDS[package]:
            continue
        told = facts.about(resource, tuple(FACTS))
        for place in places(resource.manifest):
            if place in NAMED or place[0] in {"apiVersion", "kind"}:
                continue
            for new in (None, 3.5):
                other = Resource(resource.ref, put(resource.manifest, place, new), resource.origin)
                document = prepared(other, told, 136, TOLD)
                by_machine = ENGINE.evaluate_all((package,), document)[package]
                assert by_machine == alone(ENGINE, package, document), (resource.ref, place, new)


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


@lru_cache(maxsize=64)
def told_of(name: str, number: int) -> Mapping[str, Any]:
    """What the facts say of that object of the snapshot."""
    return Facts(SNAPSHOTS[name], Settings()).about(SNAPSHOTS[name].resources[number], tuple(FACTS))


@st.composite
def odd_objects(draw: st.DrawFn) -> tuple[Resource, Mapping[str, Any]]:
    """An object of the fixtures with one to three odd parts, and the facts that it had without."""
    name, number = draw(st.sampled_from(JUDGED))
    resource = SNAPSHOTS[name].resources[number]
    manifest = resource.manifest
    for _ in range(draw(st.integers(1, 3))):
        key = draw(st.sampled_from(sorted(manifest.keys() - {"apiVersion", "kind"})))
        found = odd(draw, manifest[key])
        if key == "metadata":  # what has no name is no object, and never comes this far
            found = {**(found if isinstance(found, dict) else {}), "name": resource.ref.name}
        manifest = {**manifest, key: found}
    return Resource(resource.ref, manifest, resource.origin), told_of(name, number)


@settings(deadline=None, max_examples=100)
@given(odd_objects(), st.sampled_from([100, 124, 136, 137]))
def test_of_objects_that_hold_anything(
    given: tuple[Resource, Mapping[str, Any]], kubernetes: int
) -> None:
    """Not one policy of ours that is asked about its kind gives a built-in what it cannot take."""
    resource, facts = given
    asked = tuple(package for package in PACKAGES if resource.ref.kind in KINDS[package])
    told_alike(resource, facts, kubernetes, asked)


def test_the_interpreter_has_the_last_word_on_policies_of_others() -> None:
    """To the machine, what a built-in cannot take is nothing, and there would be no finding."""
    text = """package policies.p

deny contains {"path": [], "message": "m"} if to_number(input.object) == 1
"""
    engine = compile_policies("regorus", {"p.rego": text})
    with pytest.raises(EvaluationError):
        engine.evaluate_all(("policies.p",), orjson.dumps({"object": "x"}))


def test_what_asks_too_much_at_once_is_asked_in_parts() -> None:
    """A program with many flags is looked at by many policies: the machine stops at so many steps,
    and the interpreter would take thirty times as long.
    """
    snapshot = SNAPSHOTS["policies/control_plane/admits_everything"]
    pod = next(each for each in snapshot.resources if each.ref.kind == "Pod")
    asked = tuple(each for each in PACKAGES if "Pod" in KINDS[each])
    told = Facts(snapshot, Settings()).about(pod, tuple(FACTS))
    answered = ENGINE._machine.answers(asked, prepared(pod, told, 136, TOLD))
    assert len(answered) > 0.8 * len(asked)


def test_policies_of_programs_mention_them() -> None:
    """All policies on flags, and the very programs that they look for."""
    programs = {
        policy.id: tuple(sorted(set(re.findall(r'flags\.running\("([\w-]+)"\)', policy.module))))
        for policy in POLICIES
    }
    assert {one: names for one, names in programs.items() if names} == {
        policy.id: policy.mentions for policy in POLICIES if policy.mentions
    }
