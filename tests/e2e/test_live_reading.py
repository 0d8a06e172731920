"""Reading a cluster: in pages, in bounds, and with a name for every list that did not arrive.

The server is real; between it and the command stands a relay that disturbs one list.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .cluster import TestCluster
from .product import ASKED, EXPOSED, FAR, OVERREACH, PEAPODS, POLICIES, PRIVILEGED, Said, audit_live
from .relay import Disturbance, Relay, cut, dribbled, expired, refused, relay, silent

pytestmark = pytest.mark.e2e

PODS, POLICY = "/api/v1/pods", "/apis/networking.k8s.io/v1/networkpolicies"
MANY = 1100
"""ConfigMaps, in three pages."""
COUNTED = (
    "namespaces nodes persistentvolumes pods replicationcontrollers podtemplates services"
    " configmaps persistentvolumeclaims serviceaccounts limitranges deployments replicasets"
    " statefulsets daemonsets jobs cronjobs networkpolicies ingresses storageclasses"
    " priorityclasses runtimeclasses resourcequotas rolebindings clusterrolebindings"
    " poddisruptionbudgets horizontalpodautoscalers endpointslices roles clusterroles csinodes"
    " validatingwebhookconfigurations mutatingwebhookconfigurations"
)
"""The kinds that an audit reads of a cluster without extensions."""
CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "many"}}


@pytest.fixture(scope="module")
def reader(cluster: TestCluster) -> Path:
    """The credentials of somebody who may read the example company and a thousand ConfigMaps."""
    cluster.apply(PEAPODS, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "many"}})
    cluster.apply(
        *({**CONFIG, "metadata": {"namespace": "many", "name": f"c{n}"}} for n in range(MANY))
    )
    cluster.wait_until_nodes_ready()
    cluster.wait_until_bound()
    return cluster.kubeconfig_for("reader", cluster.reading_all_but("secrets"))


@contextmanager
def _disturbed(reader: Path, scratch: Path, path: str, how: Disturbance) -> Iterator[Relay]:
    with relay(reader, scratch, {path: how}) as running:
        yield running


def _whole(said: Said) -> None:
    """The four faults of the company, and nothing unseen."""
    assert (said.code, said.report["gaps"]) == (1, [])
    assert {policy for policy, _, _ in said.verdicts.values()} == set(POLICIES)


def test_requests_objects_and_bytes_are_counted(
    reader: Path, tmp_path: Path, cluster: TestCluster
) -> None:
    """As many requests as the server was sent, and as many objects as kubectl counts."""
    with relay(reader, tmp_path, {}) as running:
        said = audit_live(running.kubeconfig)
    _whole(said)
    source = said.report["source"]
    assert source["requests"] == len(running.asked)
    counted = {
        path: len(queries) for path, _ in running.asked if (queries := running.queries(path))
    }
    assert counted["/api/v1/configmaps"] == 3
    assert source["objects"] == sum(len(cluster.objects(kind)) for kind in COUNTED.split())
    assert source["bytes"] > 200 * MANY


def test_few_lists_are_read_at_once(reader: Path, tmp_path: Path) -> None:
    """However many kinds there are."""
    with relay(reader, tmp_path, {}) as running:
        audit_live(running.kubeconfig, "--no-fixes")
    assert 2 <= running.at_once <= 4


def test_cached_reads_ask_for_what_the_server_remembers(reader: Path, tmp_path: Path) -> None:
    """At resource version 0, the whole list, and it says the same."""
    with relay(reader, tmp_path, {}) as running:
        said = audit_live(running.kubeconfig, "--cached")
    _whole(said)
    first = running.queries("/api/v1/configmaps")[0]
    assert (first["resourceVersion"], first["resourceVersionMatch"]) == (["0"], ["NotOlderThan"])
    assert all(
        "resourceVersion" not in query for query in running.queries("/api/v1/configmaps")[1:]
    )
    assert said.report["source"]["objects"] > MANY


@pytest.mark.parametrize("times", [1, 2])
def test_pages_that_expire_are_read_anew(reader: Path, tmp_path: Path, times: int) -> None:
    """From the first page on; the third time in one piece. Nothing is there twice, nothing lost."""
    with _disturbed(reader, tmp_path, "/api/v1/configmaps", expired(times)) as running:
        said = audit_live(running.kubeconfig, "--no-fixes")
    assert said.report["gaps"] == []
    assert (
        sum("continue" not in query for query in running.queries("/api/v1/configmaps")) == times + 1
    )
    with relay(reader, tmp_path, {}) as other:
        assert (
            audit_live(other.kubeconfig, "--no-fixes").report["source"]["objects"]
            == said.report["source"]["objects"]
        )


def test_a_server_that_is_busy_is_asked_again_when_it_says(reader: Path, tmp_path: Path) -> None:
    """429 with Retry-After costs a moment, and nothing of the answer."""
    with _disturbed(reader, tmp_path, PODS, refused(429, 2, {"Retry-After": "1"})) as running:
        _whole(audit_live(running.kubeconfig))
    assert len(running.queries(PODS)) == 3


def test_a_server_that_is_busy_for_longer_than_we_wait_is_a_gap(
    reader: Path, tmp_path: Path
) -> None:
    """It is not asked before the time that it named."""
    with _disturbed(reader, tmp_path, PODS, refused(429, 99, {"Retry-After": "600"})) as running:
        said = audit_live(running.kubeconfig, "--fail-on", "never", *ASKED)
    _is_gap(said, "pods", "busy: too many requests", (EXPOSED, OVERREACH, FAR))
    assert len(running.queries(PODS)) == 1


NEEDED = {
    PODS: ("pods", (EXPOSED, OVERREACH, FAR)),
    POLICY: ("networkpolicies.networking.k8s.io", (EXPOSED, OVERREACH)),
    "/api/v1/configmaps": ("configmaps", (EXPOSED, OVERREACH, FAR)),
}
"""A list → what a gap calls it, and the policies that can then say nothing."""

LOST: dict[str, tuple[Disturbance, str]] = {
    "cut off midway": (cut(), "cut off midway: "),
    "silent": (silent(8), "slow: "),
    "slow, byte by byte": (dribbled(), "slow: "),
}


@pytest.mark.parametrize("how", LOST)
@pytest.mark.parametrize("path", NEEDED)
def test_a_list_that_does_not_arrive_is_a_gap(
    reader: Path, tmp_path: Path, path: str, how: str
) -> None:
    """It is named with the reason, what needs it is not assessed, and the exit code says so."""
    disturbance, why = LOST[how]
    with _disturbed(reader, tmp_path, path, disturbance) as running:
        said = audit_live(
            running.kubeconfig, "--fail-on", "never", "--request-timeout", "4", *ASKED
        )
    name, blind = NEEDED[path]
    _is_gap(said, name, why, blind)


def _is_gap(said: Said, name: str, why: str, blind: tuple[str, ...]) -> None:
    gaps = {gap["what"]: gap for gap in said.report["gaps"]}
    assert set(gaps) == {f"list of {name}", *(f"policy {each}" for each in blind)}
    assert gaps[f"list of {name}"]["severity"] == "incomplete"
    assert gaps[f"list of {name}"]["why"].startswith(why)
    assert said.code == 4
    assert {policy for policy, _, _ in said.verdicts.values()} == set(POLICIES) - set(blind)
    assert PRIVILEGED not in blind
