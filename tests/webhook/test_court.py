"""What was judged once is not judged again."""

from __future__ import annotations

import copy
from dataclasses import replace
from functools import cache
from typing import Any
from unittest.mock import Mock

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.audit import audit, changes
from auditor.declared import Admission, Mode
from auditor.facts import Facts
from auditor.facts.holdings import held
from auditor.model import Audit, Gap, Manifest, Ref, Resource, Severity, Snapshot, Unseen
from auditor.policies.kept import keep_for
from auditor.policies.ours import is_ours
from auditor.sources.cluster import live_resource
from auditor.sources.files import FileSource
from auditor.sources.kinds import KINDS
from auditor.webhook.court import Court
from auditor.webhook.decide import decide
from auditor.webhook.review import Decision, Review, UndecidableError, decode
from tests.bench import SETTINGS

from .world import (
    BENCH,
    ROOT,
    captures,
    court,
    disturbed,
    holding_data,
    live,
    pod,
    privileged,
    review,
)

PEAPODS = ROOT / "fixtures" / "clusters" / "peapods"


class Counting:
    """A court whose engine notes which objects it is asked about."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.court = court(disturbed(self._note))

    def _note(self, document: bytes) -> None:
        self.asked.append(orjson.loads(document)["object"]["metadata"]["name"])

    def about(self) -> set[str]:
        """The objects asked about since the last time."""
        asked, self.asked = set(self.asked), []
        return asked


def test_the_live_cluster_is_judged_once_for_each_state() -> None:
    """A storm of requests against a quiet cluster costs one audit of it."""
    counting = Counting()
    snapshot = live(pod())
    first = counting.court.live(snapshot)
    assert counting.about() == {"web"}
    assert counting.court.live(snapshot) is first
    assert counting.about() == set()


def test_only_what_changed_is_judged_again() -> None:
    """A cluster of which one object changed is judged about that one."""
    counting = Counting()
    snapshot = live(pod("a"), pod("b"), pod("c"))
    counting.court.live(snapshot)
    counting.about()
    (changed,) = live(privileged("b")).resources
    after = snapshot.replacing(changed, removing=[snapshot.resources[2].ref])
    assert [finding.ref.name for finding in counting.court.live(after).findings] == ["b"]
    assert counting.about() == {"b"}


def test_what_can_be_seen_changes_everything() -> None:
    """A list that is suddenly forbidden takes policies away: nothing of before may be carried."""
    judging = court()
    snapshot = live(holding_data())
    assert judging.live(snapshot).findings
    lists = Gap("list of networkpolicies", "forbidden", Unseen.INCOMPLETE, ("NetworkPolicy",))
    assert judging.live(replace(snapshot, gaps=(lists,))).findings == ()


def test_a_supposed_change_leaves_the_live_audit_as_it_is() -> None:
    """What a request would do is not what is."""
    judging = court()
    snapshot = live(pod())
    before = judging.live(snapshot)
    (changed,) = live(privileged()).resources
    assert judging.supposing(before, snapshot.replacing(changed), changed.ref).findings
    assert judging.live(snapshot) is before


def test_nothing_changed_between_equal_snapshots() -> None:
    """A watcher keeps the very same value of what did not change."""
    snapshot = live(pod("a"), pod("b"))
    assert changes(snapshot, Snapshot(snapshot.resources)) == ()


def test_a_change_that_no_fact_reads_costs_one_object() -> None:
    """Whatever the size of the cluster, and whoever holds personal data in it."""
    counting = Counting()
    snapshot = live(holding_data("a"), holding_data("b"), pod("c"))
    before = counting.court.live(snapshot)
    counting.about()
    (changed,) = live(pod("c", livenessProbe={"httpGet": {"port": 80}})).resources
    after = counting.court.supposing(before, snapshot.replacing(changed), changed.ref)
    assert after.findings == before.findings
    assert counting.about() == {"c"}


def test_the_counters_of_the_server_are_no_change() -> None:
    """Every update of a specification comes with the next generation."""
    counting = Counting()
    old, new = pod("c"), pod("c", tty=True)
    old["metadata"]["generation"], new["metadata"]["generation"] = 1, 2
    snapshot = live(holding_data("a"), old)
    counting.court.live(snapshot)
    counting.about()
    (changed,) = live(new).resources
    counting.court.live(snapshot.replacing(changed))
    assert counting.about() == {"c"}


def test_what_makes_an_object_unreadable_is_no_such_change() -> None:
    """No fact reads a container that is none; that it cannot be judged is new all the same."""
    old, new = pod("c"), pod("c")
    new["spec"]["containers"].append(5)
    cluster = live(old)
    decision = decide(_asked(old, new), cluster, court(), Admission(Mode.DENY, Severity.LOW))
    assert (decision.allowed, decision.code) == (False, 422)
    judging, cluster = court(), live(new)
    assert judging.live(cluster).gaps
    (mended,) = live(old).resources
    assert judging.live(cluster.replacing(mended)).gaps == ()


def test_a_value_of_another_type_is_told_by_the_short_way_too() -> None:
    """No fact reads the field, and no policy says anything else of it than before."""
    judging, cluster = court(), live(pod("c"))
    before = judging.live(cluster)
    (changed,) = live(pod("c", dnsPolicy=True)).resources
    after = judging.supposing(before, cluster.replacing(changed), changed.ref)
    assert after.gaps == audit(cluster.replacing(changed), BENCH, SETTINGS).gaps
    assert [gap.ref for gap in after.gaps] == [changed.ref]


class Thorough(Court):
    """A court that judges everything anew each time."""

    def live(self, snapshot: Snapshot) -> Audit:
        return audit(snapshot, BENCH, SETTINGS)

    def supposing(self, before: Audit, after: Snapshot, *changed: Ref) -> Audit:
        known = held(Facts(before.snapshot, SETTINGS))
        return audit(after, BENCH, replace(SETTINGS, held=known))


THOROUGH = Thorough(BENCH, SETTINGS)


def _answer(asked: Review, cluster: Snapshot, by: Court) -> Decision | str:
    try:
        return decide(asked, cluster, by, Admission(Mode.DENY, Severity.LOW))
    except UndecidableError as error:
        return str(error)


@cache
def company() -> Snapshot:
    """The example company as a live cluster holds it."""
    kinds = {(kind.group, kind.kind): kind for kind in KINDS}
    found = (
        (kinds.get((r.ref.group, r.ref.kind)), r.manifest)
        for r in FileSource((str(PEAPODS),)).snapshot().resources
    )
    return Snapshot(tuple(live_resource(kind, manifest) for kind, manifest in found if kind))


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, each in inside:
        found.append((*path, key))
        if isinstance(each, dict | list):
            found += _places(each, (*path, key))
    return found


UNREAD = st.sampled_from(["tty", "securityContext", "livenessProbe", "hostUsers", "dnsPolicy"])
JUNK: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, "x", 7, [], {}, {"privileged": True}, {"privileged": False}, [{"name": "x"}]]
)


@st.composite
def updates(draw: st.DrawFn) -> tuple[Manifest, Manifest]:
    """An object of the company before and after an update of a few of its fields."""
    resource: Resource = draw(st.sampled_from(company().resources))
    manifest: Any = copy.deepcopy(resource.manifest)
    for _ in range(draw(st.integers(0, 2))):
        named = ("kind", "apiVersion", "name", "namespace")
        where = [p for p in _places(manifest) if p[-1] not in named]
        *way, last = draw(st.sampled_from(where))
        parent = manifest
        for step in way:
            parent = parent[step]
        if draw(st.booleans()) and isinstance(parent, dict):
            parent[draw(UNREAD)] = copy.deepcopy(draw(JUNK))
        else:
            parent[last] = copy.deepcopy(draw(JUNK))
    return resource.manifest, manifest


def _asked(old: Manifest, new: Manifest) -> Review:
    namespace = old["metadata"].get("namespace", "")
    return decode(review(new, operation="UPDATE", old=old, namespace=namespace))


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(updates(), min_size=1, max_size=2))
def test_the_short_way_gives_the_verdict_of_the_whole(
    asked: list[tuple[Manifest, Manifest]],
) -> None:
    """For whatever is updated, and for what is asked after that was admitted."""
    judging, cluster = court(), company()
    for old, new in asked:
        request = _asked(old, new)
        assert _answer(request, cluster, judging) == _answer(request, cluster, THOROUGH)
        kind = next(kind for kind in KINDS if kind.kind == new["kind"])
        if isinstance(new["metadata"], dict):
            cluster = cluster.replacing(live_resource(kind, new))


@pytest.mark.conformance
def test_recorded_requests_get_the_verdict_of_the_whole() -> None:
    """What a real API server asked, one after the other in a cluster that follows."""
    judging, cluster = court(), company()
    for file in captures():
        asked = decode(orjson.dumps(orjson.loads(file.read_bytes())["body"]))
        assert _answer(asked, cluster, judging) == _answer(asked, cluster, THOROUGH), file
        kind = next((k for k in KINDS if k.kind == asked.kind and not asked.subresource), None)
        if kind and isinstance(asked.object, dict):
            cluster = cluster.replacing(live_resource(kind, asked.object))


def test_what_nobody_reads_is_no_change() -> None:
    """The kubelet writes much about a pod, none of which makes the state that a request starts from
    another one than the watched. Of what others ask about, nobody knows what they read.
    """
    ours = tuple(each for each in BENCH.policies if is_ours(each.file))
    judge = Court(replace(BENCH, policies=ours), SETTINGS)
    kind = next(each for each in KINDS if each.kind == "Pod")
    old = {**pod(), "status": {"phase": "Running", "hostIP": "10.0.0.7"}}
    watched = Snapshot((judge.keep(live_resource(kind, old)),))
    assert watched.resources[0].manifest["status"] == {"phase": "Running"}
    known = judge.live(watched)
    judge.supposing = Mock(side_effect=judge.supposing)  # type: ignore[method-assign]
    asked = review(pod(image="example.org/app:2.0"), operation="UPDATE", old=old)
    assert decide(decode(asked), watched, judge, Admission()).allowed
    ((before, *_), _) = judge.supposing.call_args
    assert before is known
    assert judge.supposing.call_count == 1
    theirs = [replace(each, file="/elsewhere/x.rego") for each in ours]
    assert keep_for(theirs)(live_resource(kind, old)).manifest["status"] == old["status"]
