"""What facts do not read may change without changing any of them; and only that is called so."""

from __future__ import annotations

import copy
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.facts import FACTS, Facts
from auditor.facts.reads import CONTAINER_UNREAD, POD_UNREAD
from auditor.facts.workloads import WORKLOAD_KINDS
from auditor.model import Resource, Settings, Snapshot
from auditor.sources.files import FileSource

PEAPODS = Path(__file__).parents[2] / "fixtures" / "clusters" / "peapods"
FIELDS = ("privileged", "hostPID", "tty", "command", "runAsUser", "terminationGracePeriodSeconds")
JUNK = st.sampled_from(
    [None, True, "x", 7, 600, [], {}, {"a": "b"}, [{"name": "x"}], "http://cart"]
)


@cache
def company() -> Facts:
    """What is said of the example company."""
    return Facts(FileSource((str(PEAPODS),)).snapshot(), Settings())


def told(facts: Facts) -> list[Any]:
    """Everything that the facts tell of every object."""
    return [facts.about(resource, tuple(FACTS)) for resource in facts.snapshot.resources]


@cache
def before() -> list[Any]:
    """The same, of the company as it is."""
    return told(company())


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place inside a value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, each in inside:
        found.append((*path, key))
        if isinstance(each, dict | list):
            found += places(each, (*path, key))
    return found


@st.composite
def changes(draw: st.DrawFn) -> Resource:
    """A workload of the company with one field changed, added or taken away."""
    workloads = list(company().snapshot.of_kind(*WORKLOAD_KINDS))
    resource = draw(st.sampled_from(workloads))
    manifest: Any = copy.deepcopy(resource.manifest)
    *way, last = draw(st.sampled_from(places(manifest)))
    parent = manifest
    for step in way:
        parent = parent[step]
    new = draw(st.sampled_from(["change", "add", "remove"]))
    if new == "remove":
        del parent[last]
    elif new == "add" and isinstance(parent, dict):
        name = draw(st.sampled_from([*FIELDS, *sorted(POD_UNREAD | CONTAINER_UNREAD)]))
        parent[name] = draw(JUNK)
    else:
        parent[last] = draw(JUNK)
    return Resource(resource.ref, manifest, resource.origin)


@settings(max_examples=200, deadline=None)
@given(changes())
def test_what_is_called_the_same_is_the_same(changed: Resource) -> None:
    """A proof that relies on it would otherwise overlook what a fix does to the rest."""
    facts = company()
    if facts.same(changed):
        assert told(Facts(facts.snapshot.replacing(changed), facts.settings)) == before()


def _container(**fields: Any) -> Resource:
    (resource,) = [r for r in company().snapshot.of_kind("Deployment") if r.ref.name == "cart"]
    manifest: Any = copy.deepcopy(resource.manifest)
    manifest["spec"]["template"]["spec"]["containers"][0] |= fields
    return Resource(resource.ref, manifest, resource.origin)


def test_most_fixes_of_a_container_change_no_fact() -> None:
    """That is why their proofs cost the same in a small cluster and in a large one."""
    facts = company()
    assert facts.same(_container(securityContext={"runAsUser": 5}, livenessProbe={}))
    assert not facts.same(_container(env=[{"name": "ORDERS_URL", "value": "http://orders"}]))
    assert not facts.same(_container(ports=[]))


def test_who_runs_privileged_matters_where_there_is_personal_data() -> None:
    """Since who owns the node beside it is the worst who can reach it."""
    bad = _container(securityContext={"privileged": True})
    assert not company().same(bad)
    public = [r for r in company().snapshot.resources if r.ref.namespace == "shop"]
    assert Facts(Snapshot(tuple(public)), Settings()).same(bad)
