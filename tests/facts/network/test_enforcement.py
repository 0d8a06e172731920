"""Whether isolation can be told at all, and what is said where it cannot."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from auditor.audit import audit
from auditor.errors import UsageError
from auditor.facts import Facts
from auditor.facts.network.enforcement import GAP, enforcement
from auditor.fixes.offer import with_fixes
from auditor.model import Audit, Gap, Resource, Server, Settings, Snapshot, Unseen
from auditor.redaction import redacted
from auditor.sources.cluster import live_resource
from auditor.sources.kinds import KINDS, kind_of
from auditor.sources.saved import load, save
from tests.bench import bench, only

from .cluster import resources

FOLDER = Path(__file__).with_name("enforcers")
SERVER = Server(136, frozenset(kind.kind for kind in KINDS))
EXPOSED, VOID = "data/personal_data_not_isolated", "network/policies_not_enforced"
SHOP = """
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: customers
  namespace: shop
  annotations: {auditor/data: pii, auditor/clients: ""}
spec:
  selector: {matchLabels: {app: customers}}
  template:
    metadata: {labels: {app: customers}}
    spec: {containers: [{name: api, image: example.com/customers:1}]}
"""
CLIENT = """
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: example.com/web:1}]}
"""
ISOLATED = """
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: customers, namespace: shop}
spec: {podSelector: {matchLabels: {app: customers}}}
"""


def live(text: str, *enforcers: str) -> Snapshot:
    """A cluster with these objects, and what these installations leave."""
    files = [(FOLDER / f"{name}.yaml").read_text() for name in enforcers]
    found = [one for each in (text, *files) for one in resources(each)]
    return Snapshot(tuple(map(_read, found)), server=SERVER)


def _read(one: Resource) -> Resource:
    return live_resource(kind_of(one.ref), one.manifest)


def said(snapshot: Snapshot, *cni: str) -> Audit:
    """What the two policies say that need to know what enforces."""
    return audit(snapshot, bench(EXPOSED, VOID), Settings(cni=cni))


def unseen(answer: Audit) -> list[Gap]:
    """What fails the run."""
    return [gap for gap in answer.gaps if gap.severity is Unseen.INCOMPLETE]


def test_files_are_judged_as_specified() -> None:
    """They are for whatever cluster."""
    told = enforcement(Snapshot(resources(SHOP)))
    assert (told.how, told.profile.name, told.known) == ("assumed", "spec", True)
    assert told.words.startswith("network policies: taken to be enforced as specified")


def test_what_is_stated_counts_before_what_is_found() -> None:
    """Whoever runs the cluster knows more than its objects tell."""
    told = enforcement(live(SHOP, "flannel"), ["calico"])
    assert (told.how, told.profile.name) == ("stated", "calico")
    assert told.words == "network policies: enforced by calico (as stated)"
    with pytest.raises(UsageError):
        enforcement(live(SHOP), ["calico", "cilium"])


def test_what_is_found_is_told_with_version_and_settings() -> None:
    """In one line."""
    assert enforcement(live(SHOP, "cilium")).words == (
        "network policies: enforced by cilium (detected: cilium 1.16.3, enable-policy: default,"
        " policy-cidr-match-mode: nodes, kube-proxy-replacement: true)"
    )
    assert enforcement(live(SHOP, "flannel")).words == (
        "network policies: enforced by nothing (detected: flannel 0.26.1)"
    )


def test_isolation_is_not_passed_where_nothing_tells_what_enforces() -> None:
    """No finding, and a gap in its place that fails the run."""
    answer = said(live(SHOP + ISOLATED))
    [gap] = answer.gaps
    assert (gap.what, gap.severity) == (GAP, Unseen.INCOMPLETE)
    assert "say what does with --cni" in gap.why
    assert answer.findings == ()
    assert answer.enforcer
    assert answer.enforcer.how == "unknown"


def test_what_is_open_is_found_whatever_enforces() -> None:
    """A pod without a policy is reached with any network: the gap takes no finding away."""
    answer = said(live(SHOP))
    assert only(answer).policy.id == EXPOSED
    assert [gap.what for gap in answer.gaps] == [GAP]


@pytest.mark.parametrize("cni", ["spec", "calico", "cilium,istio"])
def test_saying_what_enforces_closes_the_gap(cni: str) -> None:
    """Then the answer is whole."""
    answer = said(live(SHOP + ISOLATED), cni)
    assert (answer.findings, answer.gaps) == ((), ())


def test_so_does_an_installation_that_is_known() -> None:
    """It is what the cluster tells."""
    answer = said(live(SHOP + ISOLATED, "calico"))
    assert (answer.findings, unseen(answer)) == ((), [])


def test_a_policy_that_nothing_enforces_is_a_finding_and_no_gap() -> None:
    """With the object that shows it as its evidence."""
    answer = said(live(SHOP + ISOLATED, "flannel"))
    found = next(one for one in answer.findings if one.policy.id == VOID)
    assert found.ref.name == "customers"
    assert "(flannel) enforces none" in found.message
    assert [str(one.ref) for one in found.evidence] == ["kube-flannel/kube-flannel-ds[DaemonSet]"]
    assert unseen(answer) == []


def test_nobody_who_asks_nothing_of_the_network_is_told_of_it() -> None:
    """A cluster without personal data and without a policy has nothing that is not known."""
    assert said(live("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n")).gaps == ()


def test_without_the_list_of_agents_nothing_is_known() -> None:
    """What is not seen may be what enforces, or what does not."""
    hidden = Gap("list of daemonsets.apps", "forbidden", Unseen.INCOMPLETE, ("DaemonSet",))
    told = enforcement(replace(live(SHOP, "calico"), gaps=(hidden,)))
    assert not told.known
    assert told.why == "the list of daemonsets.apps could not be read"


def test_no_fix_that_closes_a_flow_is_proven_where_nothing_tells_what_enforces() -> None:
    """A policy closes nothing by itself."""
    declared = SHOP.replace('clients: ""', "clients: shop/web")
    snapshot, asked = live(declared + CLIENT), bench(EXPOSED)
    for cni, proven in (((), False), (("spec",), True)):
        settings = Settings(cni=cni)
        fix = only(with_fixes(audit(snapshot, asked, settings), asked, settings)).fix
        assert fix
        why = [one for one in fix.proof.unproven if "whether a policy closes anything" in one]
        assert (fix.proof.holds, bool(why)) == (proven, not proven)


@pytest.mark.parametrize("name", ["cilium", "aws-off", "flannel", "k3s", "cilium-not-ready"])
def test_a_saved_snapshot_tells_the_same(name: str, tmp_path: Path) -> None:
    """What is looked at is in it."""
    snapshot = live(SHOP + ISOLATED, name)
    save(snapshot, tmp_path / "file")
    assert said(load(tmp_path / "file")).enforcer == said(snapshot).enforcer


def test_a_redacted_one_does_not_tell() -> None:
    """Names of images are gone; nothing is supposed in their place."""
    assert not enforcement(redacted(live(SHOP + ISOLATED, "calico"))).known


def test_facts_know_it_once() -> None:
    """The same for whoever asks."""
    facts = Facts(live(SHOP, "calico"), Settings())
    assert facts.network.profile is facts.enforcement.profile
    assert facts.network.profile.name == "calico"
