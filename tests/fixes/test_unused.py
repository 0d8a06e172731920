"""New objects get a name that nobody has."""

from __future__ import annotations

from auditor.fixes.synthesize.unused import LONGEST_NAME, made
from auditor.model import Ref, Snapshot
from tests.facts.network.cluster import pod

WEB = pod("shop/web")


def wanted(name: str) -> Ref:
    """A NetworkPolicy of that name."""
    return Ref("networking.k8s.io/v1", "NetworkPolicy", "shop", name)


def test_it_has_the_name_that_is_wanted() -> None:
    """With its ending, its specification, and in the file of the object that it is for."""
    found = made(Snapshot((WEB,)), wanted("web"), {"podSelector": {}}, WEB, ending="-ingress")
    assert found.manifest == {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "web-ingress", "namespace": "shop"},
        "spec": {"podSelector": {}},
    }
    assert found.origin is WEB.origin


def test_what_is_there_is_not_written_over() -> None:
    """The next number is taken, also where the object is of another version of its API."""
    first = made(Snapshot((WEB,)), wanted("web"), {}, WEB, ending="-ingress")
    second = made(Snapshot((WEB, first)), wanted("web"), {}, WEB, ending="-ingress")
    third = made(Snapshot((WEB, first, second)), wanted("web"), {}, WEB, ending="-ingress")
    assert [one.ref.name for one in (second, third)] == ["web-ingress-2", "web-ingress-3"]


def test_a_long_name_is_shortened_and_keeps_its_ending() -> None:
    """An API server takes no longer one."""
    long = wanted("w" * LONGEST_NAME)
    first = made(Snapshot((WEB,)), long, {}, WEB, ending="-egress")
    second = made(Snapshot((WEB, first)), long, {}, WEB, ending="-egress")
    assert [len(one.ref.name) for one in (first, second)] == [LONGEST_NAME, LONGEST_NAME]
    assert [one.ref.name[-9:] for one in (first, second)] == ["ww-egress", "-egress-2"]
