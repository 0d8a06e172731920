"""A waiver has an object, a reason and an end; and is told where it is of no use."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from auditor.model import Finding, Policy, Ref, Status, Waiver
from auditor.policies.loader import load
from auditor.policies.waivers import Looked, waived

POLICY = replace(
    next(p for p in load()[0] if p.id == "workload/privileged_container"),
    aliases=("workload/old_name",),
)

WEB = Ref("apps/v1", "Deployment", "shop", "web")


def finding(ref: Ref = WEB, policy: Policy = POLICY) -> Finding:
    """A fault of an object."""
    return Finding(policy, ref, (), "", "a fault")


def outcome(waiver: Waiver, one: Finding | None = None) -> tuple[Status, list[str]]:
    """What becomes of the finding, and what is said of the waiver."""
    marked, idle = waived([one or finding()], [waiver], Looked([POLICY]))
    return marked[0].status, [gap.why for gap in idle]


def in_days(days: int) -> str:
    """A date from today."""
    return (datetime.now(UTC).date() + timedelta(days=days)).isoformat()


@pytest.mark.parametrize(
    "pattern",
    ["shop/web[Deployment]", "shop/web", "shop/*", "*", "shop/w?b", "*[Deployment]", "shop/web*"],
)
def test_a_waiver_names_its_object_as_reports_do(pattern: str) -> None:
    """As it stands in a report, brackets and all, or with stars."""
    assert outcome(Waiver(POLICY.id, pattern, "why")) == (Status.WAIVED, [])


@pytest.mark.parametrize(
    "pattern",
    ["shop/web[Pod]", "shop/we", "web", "Shop/web", "shop/web[D]", "shop/w[e]b", "shop/[a-z]eb"],
)
def test_a_waiver_fits_nothing_else(pattern: str) -> None:
    """Brackets stand for themselves and not for a set of letters; capitals matter."""
    assert outcome(Waiver(POLICY.id, pattern, "why")) == (
        Status.OPEN,
        ["it fits no finding: remove it"],
    )


def test_an_object_of_the_cluster_has_no_namespace() -> None:
    """It is named alone."""
    node = finding(Ref("v1", "Node", "", "n1"))
    assert outcome(Waiver(POLICY.id, "n1[Node]", "why"), node)[0] is Status.WAIVED
    assert outcome(Waiver(POLICY.id, "n1", "why"), node)[0] is Status.WAIVED


@pytest.mark.parametrize("name", [POLICY.id, "workload/*", "workload/old_name", "*"])
def test_a_policy_is_known_by_its_old_names(name: str) -> None:
    """A renamed policy keeps its waivers."""
    assert outcome(Waiver(name, "shop/web", "why"))[0] is Status.WAIVED


def test_a_waiver_holds_through_its_last_day() -> None:
    """Until a date means that date as well."""
    assert outcome(Waiver(POLICY.id, "shop/web", "why", in_days(0))) == (Status.WAIVED, [])
    assert outcome(Waiver(POLICY.id, "shop/web", "why", in_days(1))) == (Status.WAIVED, [])
    yesterday = in_days(-1)
    assert outcome(Waiver(POLICY.id, "shop/web", "why", yesterday)) == (
        Status.OPEN,
        [f"it ended on {yesterday}"],
    )


def test_a_waiver_of_a_policy_that_was_not_asked_is_not_called_useless() -> None:
    """Whoever selects one policy must not be told to remove the waivers of all others."""
    assert outcome(Waiver("image/latest", "shop/web", "why")) == (
        Status.OPEN,
        ["no policy of this name was asked"],
    )


def test_two_waivers_of_one_finding_are_both_of_use() -> None:
    """The first one gives the reason; the second would hold without it."""
    both = [Waiver(POLICY.id, "shop/*", "first"), Waiver("*", "shop/web", "second")]
    marked, idle = waived([finding()], both, Looked([POLICY]))
    assert (marked[0].reason, idle) == ("first", [])
