"""The company of the fixtures: every planted path is found, and the mended one has none."""

from __future__ import annotations

import pytest

from auditor.facts.paths import PathGraph

from .world import CLUSTERS, graph_of, told, ways

DB = "customers/customers-db"


@pytest.fixture(scope="module")
def planted() -> PathGraph:
    return graph_of(CLUSTERS / "peapods-paths")


@pytest.mark.parametrize(
    ("start", "kinds"),
    [
        ("shop/search", ["network"]),
        ("monitoring/prometheus", ["identity", "api"]),
        ("ServiceAccount monitoring/prometheus", ["api"]),
        ("Group support", ["api"]),
        ("tools/agent", ["node"]),
        ("customers/backup", ["volume"]),
        ("customers/newsletter", ["credentials"]),
        ("the internet", ["network", "network", "network"]),
    ],
)
def test_every_planted_path_is_found(planted: PathGraph, start: str, kinds: list[str]) -> None:
    found = ways(told(planted, DB))

    assert [kind for kind, _ in found[start]] == kinds
    assert found[start][-1][1] == DB


def test_who_may_only_look_has_no_path(planted: PathGraph) -> None:
    """The role `view` reads neither Secrets nor runs anything."""
    for store in planted.stores:
        assert "Group trainees" not in ways(told(planted, store.name))


def test_a_declared_client_is_no_start_to_its_own_store(planted: PathGraph) -> None:
    assert "customers/customers" not in ways(told(planted, DB))
    assert not {"shop/web", "shop/orders"} & ways(told(planted, "customers/customers")).keys()


def test_starting_pods_beside_the_data_is_a_path_to_it(planted: PathGraph) -> None:
    found = ways(told(planted, "diets/diets"))

    assert found["ServiceAccount tools/deployer"] == [("api", "diets/diets")]


@pytest.mark.parametrize("store", ["customers/customers", "diets/diets", DB])
def test_with_the_cut_gone_nothing_is_left_and_clients_still_ask(
    planted: PathGraph, store: str
) -> None:
    found = told(planted, store)

    assert found.cut.closes
    position = next(one for one in planted.stores if one.name == store)
    after = planted.ways(position, frozenset(found.cut.taken))
    assert not after.starts
    assert not any(means.needed for means in found.cut.taken)


def test_nothing_in_the_cut_can_be_spared(planted: PathGraph) -> None:
    for store in planted.stores:
        taken = frozenset(told(planted, store.name).cut.taken)
        assert taken
        for means in taken:
            assert planted.ways(store, taken - {means}).starts, means.mend


def test_each_step_says_where_it_is_written(planted: PathGraph) -> None:
    for path in told(planted, DB).paths:
        for step in path.steps:
            why = planted.why(step.source, step.means, step.target)
            assert why.text
            assert why.ref


def test_a_workload_that_owns_its_node_is_told_with_what_is_beside_it(planted: PathGraph) -> None:
    (owner,) = planted.on_nodes()

    assert [source.name for source in owner.sources] == ["tools/agent"]
    assert {DB, "diets/diets"} <= {target.name for target in owner.targets}


def test_the_mended_company_is_silent() -> None:
    graph = graph_of(CLUSTERS / "peapods-fixed")

    assert graph.stores
    assert all(not told(graph, store.name).openings for store in graph.stores)
    assert all(not told(graph, store.name).paths for store in graph.stores)


def test_the_faults_of_the_first_company_are_found() -> None:
    graph = graph_of(CLUSTERS / "peapods")

    assert ways(told(graph, DB))["shop/nightly-report"] == [("node", DB)]
    assert ways(told(graph, "diets/diets"))["monitoring/prometheus"] == [("network", "diets/diets")]
    assert ways(told(graph, "customers/customers"))["shop/search"]
