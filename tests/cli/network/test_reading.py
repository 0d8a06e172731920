"""What was not read, as the verbs of `auditor network` tell it."""

from __future__ import annotations

import pytest

from auditor.cli.network.reading import Reading
from auditor.model import Gap, Unseen
from auditor.terms import Scope


@pytest.mark.parametrize(
    ("kind", "trusted"),
    [
        ("NetworkPolicy", False),
        ("AdminNetworkPolicy", False),
        ("AuthorizationPolicy", False),
        ("PeerAuthentication", False),
        ("Namespace", False),
        ("Secret", True),
    ],
)
def test_no_verdict_is_trusted_without_a_list_of_policies(kind: str, trusted: bool) -> None:
    """Whatever their make: the one that is not seen may decide."""
    gap = Gap("a list", "forbidden", Unseen.INCOMPLETE, (kind,))
    assert Reading((), (gap,), Scope()).missing == (() if trusted else ("a list: forbidden",))
