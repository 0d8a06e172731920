"""What is news, and what was there before."""

from __future__ import annotations

from dataclasses import replace

from auditor.known import Known
from auditor.model import Evidence, Finding, Ref

from .company import policy

FAULT = Finding(policy("data/open"), Ref("v1", "Pod", "shop", "web"), ("spec",), "", "is open")


def reached(*names: str, within: tuple[str, ...] = ()) -> Finding:
    """The fault, with these as who reaches the pod."""
    reasons = tuple(Evidence(f"{name} reaches it", anchor=name, within=within) for name in names)
    return replace(FAULT, evidence=reasons)


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
