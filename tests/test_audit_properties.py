"""The core holds its promises for whatever is written, and for whatever changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.audit import audit, audit_changed
from auditor.facts import Facts
from auditor.facts.holdings import held
from auditor.model import Audit, Resource, Settings, Snapshot, Waiver

from .bench import SETTINGS, bench, fixed
from .company import BRITTLE_BENCH, OBJECTS, made, spoiled
from .facts.network.cluster import resource

JUNK: st.SearchStrategy[Any] = st.sampled_from(
    [
        None, True, False, 0, 3, -1, 2**31, 2**64, -(2**70), 1.5, float("nan"), float("inf"),
        "", "80", "3", "pii", "web", "x" * 400, "²", "9" * 5000, "$(", "://:@", "\ud800", "é\u2028",
        [], {}, [[]], [{}], [None], [3], ["a", "a"], {"": ""}, {"a": None}, {"name": 3},
        {"matchLabels": 3}, {"containers": None}, {1: 2}, {"-": ["-"]},
    ]
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every path of a manifest but its top."""
    steps = value.items() if isinstance(value, dict) else enumerate(value)
    for step, inner in steps:
        yield (*path, step)
        if isinstance(inner, dict | list):
            yield from places(inner, (*path, step))


@st.composite
def spoiled_companies(draw: st.DrawFn) -> tuple[Resource, ...]:
    """The company with some fields, whatever they hold, replaced by what does not belong there."""
    found = list(OBJECTS)
    for _ in range(draw(st.integers(1, 4))):
        index = draw(st.integers(0, len(found) - 1))
        one = found[index]
        where = [p for p in places(one.manifest) if p not in (("kind",), ("apiVersion",))]
        if where:
            manifest = spoiled(one.manifest, draw(st.sampled_from(where)), draw(JUNK))
            found[index] = Resource(one.ref, manifest, one.origin)
    return tuple(found)


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(spoiled_companies())
def test_whatever_is_written_gets_an_answer(found: tuple[Resource, ...]) -> None:
    """A manifest can hold anything; the audit of it, and of the rest, never breaks off."""
    answer = audit(Snapshot(found), bench(), SETTINGS)
    assert answer.judged > 0


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(spoiled_companies())
def test_whatever_is_written_can_be_asked_for_fixes(found: tuple[Resource, ...]) -> None:
    """A fix of what is half broken is refused or proven, and nothing breaks off."""
    assert fixed(found).judged > 0


LABELS = st.fixed_dictionaries(
    {"app": st.sampled_from(["store", "web"])},
    optional={
        "auditor/data": st.sampled_from(["pii", "none", "pi"]),
        "auditor/role": st.just("monitor"),
        "auditor/health": st.sampled_from(["http", "nowhere"]),
        "number": st.sampled_from(["1", "2", "three"]),
    },
)

OWNED = {"Pod": ["", "ReplicaSet/a", "ReplicaSet/b"], "ReplicaSet": ["", "Deployment/a"]}


@st.composite
def anything(draw: st.DrawFn) -> Resource:
    """One object of a small cluster, of the few names that there are."""
    kind = draw(
        st.sampled_from(["Pod", "Pod", "ReplicaSet", "Deployment", "NetworkPolicy", "Other"])
    )
    name = draw(st.sampled_from(["a", "b"]))
    if kind == "NetworkPolicy":
        peer = {"podSelector": {"matchLabels": draw(LABELS)}}
        spec = {"podSelector": {"matchLabels": {"app": "store"}}, "ingress": [{"from": [peer]}]}
        metadata = {"name": name, "namespace": "shop"}
        return resource(
            {"apiVersion": "networking.k8s.io/v1", "kind": kind, "metadata": metadata, "spec": spec}
        )
    if kind == "Other":
        return draw(st.sampled_from([r for r in OBJECTS if r.ref.kind in ("Namespace", "Node")]))
    owner = draw(st.sampled_from(OWNED.get(kind, [""])))
    return made(kind, name, owner, draw(LABELS), bad=draw(st.booleans()))


STORE = resource(
    {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "store", "namespace": "shop"},
        "spec": {"selector": {"app": "store"}, "ports": [{"port": 80}]},
    }
)

WAIVERS = (
    Waiver("workload/*", "shop/a[Pod]", "it is known"),
    Waiver("data/*", "shop/b", "it is known"),
)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    first=st.lists(anything(), max_size=7, unique_by=lambda r: r.ref.key),
    then=st.lists(anything(), max_size=3, unique_by=lambda r: r.ref.key),
    gone=st.sets(st.integers(0, 6), max_size=2),
)
def test_a_change_gives_the_verdict_of_the_whole(
    first: list[Resource], then: list[Resource], gone: set[int]
) -> None:
    """Admission and proof audit what changes; the answer is that of an audit from the start."""
    declared = Settings(waivers=WAIVERS)
    before = audit(Snapshot((STORE, *first)), BRITTLE_BENCH, declared)
    removed = [first[index].ref for index in gone if index < len(first)]
    after = before.snapshot.replacing(*then, removing=removed)
    changed = [*removed, *(one.ref for one in then)]
    whole = audit(after, BRITTLE_BENCH, _knowing(before, declared))
    partial = audit_changed(before, after, changed, BRITTLE_BENCH, declared)
    assert partial.findings == whole.findings
    assert partial.folded == whole.folded
    assert partial.gaps == whole.gaps
    assert partial.judged == whole.judged
    again = audit_changed(partial, before.snapshot, changed, BRITTLE_BENCH, declared)
    back = audit(before.snapshot, BRITTLE_BENCH, _knowing(partial, declared))
    assert again.findings == back.findings
    assert again.gaps == back.gaps


def _knowing(before: Audit, declared: Settings) -> Settings:
    """The settings for what comes after: a change may take away that data is personal."""
    return replace(declared, held=held(Facts(before.snapshot, declared)))
