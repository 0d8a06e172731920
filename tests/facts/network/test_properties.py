"""What is true of every cluster, whatever its policies."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.facts.network import Network
from auditor.model import Resource

from .cluster import find, namespace, network, pod, policy, serving

NAMES = ("default/a", "default/b", "other/a", "other/c")
NUMBERS = {"default/a": 80, "default/b": 81, "other/a": 82, "other/c": 80}
"""What each pod calls http."""
TEAMS: tuple[str | None, ...] = (None, "red", "blue")

QUICK = settings(max_examples=120, database=None, deadline=None)

requirements = st.one_of(
    st.fixed_dictionaries(
        {
            "key": st.sampled_from(["app", "team"]),
            "operator": st.sampled_from(["In", "NotIn"]),
            "values": st.lists(st.sampled_from(["a", "b", "red"]), min_size=1, max_size=2),
        }
    ),
    st.fixed_dictionaries(
        {
            "key": st.sampled_from(["app", "team"]),
            "operator": st.sampled_from(["Exists", "DoesNotExist"]),
        }
    ),
)
selectors = st.fixed_dictionaries(
    {"matchExpressions": st.lists(requirements, max_size=2)},
    optional={"matchLabels": st.sampled_from([{"app": "a"}, {"app": "b"}, {}])},
)
peers = st.one_of(
    st.fixed_dictionaries({"podSelector": selectors}),
    st.fixed_dictionaries({"namespaceSelector": selectors}),
    st.fixed_dictionaries({"namespaceSelector": selectors, "podSelector": selectors}),
)
port_entries = st.sampled_from(
    [
        {"port": 80},
        {"port": "http"},
        {"protocol": "UDP"},
        {"port": 80, "endPort": 81},
        {"port": 80, "protocol": "UDP"},
        {},
    ]
)


def rules(peer_field: str) -> st.SearchStrategy[dict[str, Any]]:
    """One rule of a direction."""
    return st.fixed_dictionaries(
        {},
        optional={
            peer_field: st.lists(peers, max_size=2),
            "ports": st.lists(port_entries, max_size=2),
        },
    )


specs = st.fixed_dictionaries(
    {"podSelector": selectors},
    optional={
        "ingress": st.lists(rules("from"), max_size=2),
        "egress": st.lists(rules("to"), max_size=2),
        "policyTypes": st.sampled_from([["Ingress"], ["Egress"], ["Ingress", "Egress"]]),
    },
)
many = st.lists(st.tuples(st.sampled_from(["default", "other"]), specs), max_size=3)


def cluster(
    policies: list[tuple[str, Any]], teams: Mapping[str, str | None], order: int = 0
) -> Network:
    """Four pods in two namespaces under these policies; a team for each namespace that is
    declared.
    """
    pods = [
        pod(name, **serving({"name": "http", "containerPort": NUMBERS[name]})) for name in NAMES
    ]
    homes = [namespace(name, **({"team": team} if team else {})) for name, team in teams.items()]
    written = [policy(spec, f"{space}/p{i}") for i, (space, spec) in enumerate(policies)]
    objects: list[Resource] = [*pods, *homes, *written]
    random.Random(order).shuffle(objects)  # noqa: S311 a fixed order, no secret
    return network(*objects)


def flows(net: Network) -> dict[tuple[str, str], tuple[Any, Any]]:
    """What flows between every two pods, surely and perhaps."""
    found = {}
    for source in NAMES:
        for target in NAMES:
            reach = net.reach(find(net, source), find(net, target))
            found[source, target] = (reach.ports, reach.possible)
    return found


BOTH = {"default": None, "other": "red"}


@QUICK
@given(many, specs, st.integers(0, 99), st.data())
def test_one_more_rule_never_removes_a_flow(
    policies: list[tuple[str, Any]], spec: Any, order: int, data: st.DataObject
) -> None:
    """In a policy that already isolates a direction, a rule for it can only admit more."""
    direction = data.draw(st.sampled_from(["ingress", "egress"]))
    types = [direction.capitalize()]
    first = {**spec, "policyTypes": types}
    rule = data.draw(rules("from" if direction == "ingress" else "to"))
    more = {**first, direction: [*first.get(direction, []), rule]}
    before = flows(cluster([("default", first), *policies], BOTH, order))
    after = flows(cluster([("default", more), *policies], BOTH, order))
    for pair, (sure, possible) in before.items():
        assert after[pair][0].covers(sure)
        assert after[pair][1].covers(possible)


@QUICK
@given(many, specs)
def test_a_policy_that_selects_nothing_changes_nothing(
    policies: list[tuple[str, Any]], spec: Any
) -> None:
    """Whatever its rules say."""
    nobody = {**spec, "podSelector": {"matchLabels": {"app": "nobody"}}}
    before = flows(cluster(policies, BOTH))
    assert flows(cluster([*policies, ("default", nobody)], BOTH)) == before


@QUICK
@given(many, st.integers(1, 99), st.randoms(use_true_random=False))
def test_order_and_names_of_policies_do_not_matter(
    policies: list[tuple[str, Any]], order: int, chance: random.Random
) -> None:
    """Policies are a union."""
    before = flows(cluster(policies, BOTH))
    shuffled = list(policies)
    chance.shuffle(shuffled)
    assert flows(cluster(shuffled, BOTH, order)) == before


@QUICK
@given(many)
def test_what_is_sure_holds_however_the_unknown_turns_out(
    policies: list[tuple[str, Any]],
) -> None:
    """Without the Namespace object, `ports` and `possible` enclose the answer for every label the
    namespace may have.
    """
    vague = flows(cluster(policies, {"default": None}))
    for team in TEAMS:
        exact = flows(cluster(policies, {"default": None, "other": team}))
        for pair, (sure, possible) in vague.items():
            assert exact[pair][0] == exact[pair][1]
            assert exact[pair][0].covers(sure)
            assert possible.covers(exact[pair][0])
