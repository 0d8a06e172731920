"""The vocabulary keeps its word: what replaces what, and what is news."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from auditor.model import Evidence, Finding, Known, Ref, Resource, Snapshot

from .company import policy
from .facts.network.cluster import pod

FAULT = Finding(policy("data/open"), Ref("v1", "Pod", "shop", "web"), ("spec",), "", "is open")


def reached(*names: str, within: tuple[str, ...] = ()) -> Finding:
    """The fault, with these as who reaches the pod."""
    reasons = tuple(Evidence(f"{name} reaches it", anchor=name, within=within) for name in names)
    return replace(FAULT, evidence=reasons)


def test_a_replaced_object_takes_the_place_of_all_its_namesakes() -> None:
    """Whoever reads the last one written must not be given an old one back."""
    first, second, other = pod("shop/web"), pod("shop/web", hostPID=True), pod("shop/other")
    new = pod("shop/web", hostIPC=True)
    after = Snapshot((first, other, second)).replacing(new)
    assert after.resources == (new, other)
    assert after.find(new.ref) is new
    assert Snapshot((first, other, second)).replacing(removing=[new.ref]).resources == (other,)


NAMES = st.sampled_from(["shop/a", "shop/b", "shop/c"])
PODS = st.lists(st.builds(pod, NAMES, hostPID=st.booleans()), max_size=5)


@given(PODS, PODS, st.sets(NAMES, max_size=2))
def test_what_was_put_in_place_is_what_is_found(
    there: list[Resource], changed: list[Resource], gone: set[str]
) -> None:
    """Once, whatever was written how often before; and nothing else is touched."""
    removing = [pod(name).ref for name in gone]
    before = Snapshot(tuple(there))
    after = before.replacing(*changed, removing=removing)
    touched = {ref.key for ref in removing} | {each.ref.key for each in changed}
    for each in changed:
        wanted = None if each.ref in removing else [c for c in changed if c.ref == each.ref][-1]
        assert after.find(each.ref) is wanted
    assert not touched & after.repeated
    kept = [each for each in after.resources if each.ref.key not in touched]
    assert kept == [each for each in there if each.ref.key not in touched]


def test_a_known_fault_is_news_where_more_is_wrong_with_it() -> None:
    """One more who reaches the data is; other words, another order and fewer of them are not."""
    known = Known.of([reached("shop/ads", "shop/cart")])
    assert reached("shop/cart", "shop/ads") in known
    assert reached("shop/ads") in known
    assert replace(reached("shop/ads"), message="stands open", path=()) in known
    assert FAULT in known
    assert reached("shop/ads", "the internet") not in known
    assert replace(FAULT, anchor="other") not in known


def test_one_of_a_group_that_was_known_is_no_news() -> None:
    """Where all pods of a namespace are let in, one more pod changes nothing; but the group is
    more than one of it.
    """
    known = Known.of([reached("any pod of shop")])
    assert reached("shop/ads", within=("any pod of shop",)) in known
    assert reached("any pod of shop") not in Known.of([reached("shop/ads")])


def test_what_nobody_wrote_down_cannot_have_become_worse() -> None:
    """A report of an older version does not say what its evidence was about."""
    assert reached("shop/ads") in Known({FAULT.fingerprint: None})
