"""Many objects that are alike take little more memory than one."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from auditor.model import Resource
from auditor.sources.cluster import live_resource
from auditor.sources.kinds import KINDS
from auditor.sources.watch.shared import YOUNG, Shared

PODS = next(kind for kind in KINDS if kind.kind == "Pod")
BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "memory.py"
EACH = 6000
"""Bytes that a live object may take: 14,700 are needed for it as it is sent."""

TEXTS = st.sampled_from(["", "a", "web", "registry.example/app:1", "x" * 3000, "\ud800"])
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=12,
)


def _pod(name: str, **spec: Any) -> Resource:
    container = {"name": "app", "image": "app:1", "env": [{"name": "A", "value": "b"}]}
    return live_resource(
        PODS,
        {
            "metadata": {"name": name, "namespace": "shop", "labels": {"app": "web"}},
            "spec": {"nodeName": name, "containers": [container], **spec},
        },
    )


def test_replicas_share_what_they_have_in_common() -> None:
    """Nothing but what differs is there twice."""
    shared = Shared()
    one, other = (shared.resource(_pod(name)).manifest for name in ("web-1", "web-2"))
    assert one["spec"]["containers"] is other["spec"]["containers"]
    assert one["metadata"]["labels"] is other["metadata"]["labels"]
    assert (one["spec"]["nodeName"], other["spec"]["nodeName"]) == ("web-1", "web-2")


@given(st.lists(VALUES, max_size=4))
def test_what_is_shared_is_equal(values: list[Any]) -> None:
    """To the type and to the order of the keys, whatever it is."""
    shared = Shared()
    for value in (*values, *values, 1, True, 1.0, [1], [True], [1.0]):
        pod = _pod("web", any=value)
        assert repr(shared.resource(pod).manifest) == repr(pod.manifest)


def test_depth_is_no_reason_to_fall() -> None:
    """What is too deep to be compared cheaply stays as it is."""
    deep: Any = "x"
    for _ in range(300):  # the encoder ends at 254
        deep = {"a": deep}
    pod = _pod("web", any=deep)
    assert Shared().resource(pod).manifest == pod.manifest


def test_what_nobody_holds_is_forgotten() -> None:
    """A cluster in which pods come and go for years takes no more memory for it."""
    shared = Shared()
    stays = shared.resource(_pod("stays")).manifest
    for number in range(YOUNG):
        shared.resource(_pod(f"web-{number}", priority=number))
    assert len(shared._young) <= YOUNG
    assert len(shared._old) < 100
    assert (
        shared.resource(_pod("late")).manifest["spec"]["containers"]
        is (stays["spec"]["containers"])
    )


def test_a_live_object_takes_little_memory() -> None:
    """Two thousand pods and what belongs to them, each as the API server sends it."""
    told = subprocess.run(
        [sys.executable, str(BENCHMARK), "--one", "2000"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = re.search(r"4000 objects.* (\d+) bytes each", told)
    assert found is not None, told
    assert int(found[1]) < EACH
