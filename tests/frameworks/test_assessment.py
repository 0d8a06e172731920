"""What becomes of a control: nothing is passed for want of looking."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.audit import Bench, audit
from auditor.declared import Waiver
from auditor.frameworks.assessment import Assessed, ControlStatus, Terms, assess
from auditor.frameworks.catalogue import Control, Framework, framework, linked
from auditor.model import Audit, Gap, Ref, Server, Settings, Snapshot, Unseen
from auditor.policies.loader import load
from auditor.terms import Scope
from tests.bench import bench, objects

POD = """
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  containers:
    - name: app
      image: registry.example/app:1.0.0
      securityContext: {privileged: false}
"""
PRIVILEGED = POD.replace("false", "true")
OURS = load()[0]
KINDS = frozenset({"Pod", "ConfigMap", "Namespace", "NetworkPolicy"})


def own(**told: object) -> Framework:
    """A framework of one control."""
    control = Control.model_validate({"title": "a subject", **told})
    return Framework(id="own", title="Own", source="here", controls={"1": control})


def said(
    text: str,
    one: Framework | str,
    *gaps: Gap,
    settings: Settings | None = None,
    live: bool = False,
    strict: bool = False,
    asked: tuple[str, ...] = (),
) -> dict[str, Assessed]:
    """What becomes of the controls, judged by the policies of the framework alone."""
    wanted = framework(one) if isinstance(one, str) else one
    named = {name for control in wanted.controls.values() for name in control.anchors}
    server = Server(version=136, kinds=KINDS) if live else None
    judge: Bench = bench(*(asked or sorted(named))) if named else Bench((), bench().engine)
    terms = settings or Settings()
    answer = audit(Snapshot(objects(text), gaps, server), judge, terms)
    return told(answer, wanted, terms, strict=strict)


def told(
    answer: Audit, wanted: Framework, settings: Settings, *, strict: bool = False
) -> dict[str, Assessed]:
    """Control → what becomes of it."""
    found = assess(answer, wanted, Terms(OURS, settings, strict))
    return {one.name: one for one in found}


def alone(text: str, *gaps: Gap, **told: object) -> Assessed:
    """What becomes of the one control that says this."""
    more = {
        name: told.pop(name) for name in ("settings", "live", "strict", "asked") if name in told
    }
    return said(text, own(**told), *gaps, **more)["1"]  # type: ignore[arg-type]


ONE = ["workload/privileged_container"]


def test_passed_with_how_many_objects_were_judged() -> None:
    """Of the kinds of its policies."""
    one = alone(f"{POD}---{POD.replace('name: web', 'name: web2')}", policies=ONE)
    assert (one.status, one.why) == (ControlStatus.PASSED, ())
    assert [(look.policy.id, look.objects) for look in one.looks] == [(ONE[0], 2)]


def test_failed_with_what_was_found() -> None:
    """The finding has its object and its place."""
    one = alone(PRIVILEGED, policies=ONE)
    assert one.status is ControlStatus.FAILED
    assert [str(finding.ref) for finding in one.findings] == ["shop/web[Pod]"]
    assert one.findings[0].path[-1] == "privileged"


def test_waived_in_the_words_of_whoever_answers_for_it() -> None:
    """A fault that somebody answers for is no pass, and fails nothing."""
    waiver = Waiver(policy=ONE[0], object="shop/web", reason="until the move")
    one = alone(PRIVILEGED, policies=ONE, settings=Settings(waivers=(waiver,)))
    assert (one.status, one.why) == (ControlStatus.WAIVED, ("until the move",))


def test_one_open_fault_beside_a_waived_one_fails() -> None:
    """Whatever else is waived."""
    waiver = Waiver(policy=ONE[0], object="shop/web", reason="until the move")
    both = f"{PRIVILEGED}---{PRIVILEGED.replace('name: web', 'name: web2')}"
    one = alone(both, policies=ONE, settings=Settings(waivers=(waiver,)))
    assert one.status is ControlStatus.FAILED


def test_only_the_anchors_that_are_meant_count() -> None:
    """A pod on the network of its node says nothing of the process namespace."""
    text = POD.replace("spec:", "spec:\n  hostNetwork: true", 1)
    found = said(text, "cis-2.0.1")
    assert found["5.2.5"].status is ControlStatus.FAILED
    assert found["5.2.3"].status is ControlStatus.PASSED
    assert found["5.2.4"].status is ControlStatus.PASSED


def test_one_capability_of_several() -> None:
    """A container with SYS_TIME that drops all others has no NET_RAW."""
    capabilities = "{drop: [ALL], add: [SYS_TIME]}"
    text = POD.replace("privileged: false", f"capabilities: {capabilities}")
    found = said(text, "cis-2.0.1")
    assert found["5.2.9"].status is ControlStatus.FAILED
    assert found["5.2.8"].status is ControlStatus.PASSED
    raw = said(text.replace("SYS_TIME", "NET_RAW"), "cis-2.0.1")
    assert raw["5.2.8"].status is ControlStatus.FAILED


@pytest.mark.parametrize(
    ("framework", "control"),
    [("pss-restricted", "privilege-escalation"), ("cis-2.0.1", "5.2.6"), ("nsa-cisa", "1.7")],
)
@pytest.mark.parametrize(
    ("added", "status"),
    [
        ("SYS_ADMIN", ControlStatus.FAILED),
        ("CAP_SYS_ADMIN", ControlStatus.FAILED),
        ("ALL", ControlStatus.FAILED),
        ("SYS_PTRACE", ControlStatus.PASSED),
    ],
)
def test_whom_nothing_keeps_from_gaining_privileges(
    framework: str, control: str, added: str, status: ControlStatus
) -> None:
    """Beside SYS_ADMIN it cannot be switched off, so that of such a container another policy
    tells; of one with another capability it is asked as of any.
    """
    context = f"capabilities: {{add: [{added}]}}"
    if added == "SYS_PTRACE":
        context += ", allowPrivilegeEscalation: false"
    found = said(POD.replace("privileged: false", context), framework)
    assert found[control].status is status


def test_left_to_a_person() -> None:
    """With what there is to look at."""
    one = alone(POD, manual="see who may")
    assert (one.status, one.why) == (ControlStatus.MANUAL, ("see who may",))


def test_what_cannot_be_seen_says_why() -> None:
    """And is no pass."""
    one = alone(POD, unseen="needs the files of a node")
    assert (one.status, one.why) == (ControlStatus.NOT_ASSESSED, ("needs the files of a node",))


FORBIDDEN = Gap("list of Pods", "forbidden", Unseen.INCOMPLETE, ("Pod",))


def test_a_forbidden_list_is_no_pass() -> None:
    """Nor where other kinds of the same policy could be read: the fault may be among what is not
    seen.
    """
    one = alone(POD, FORBIDDEN, policies=ONE, live=True)
    assert (one.status, one.why) == (ControlStatus.NOT_ASSESSED, ("list of Pods: forbidden",))


def test_a_forbidden_list_does_not_hide_a_fault() -> None:
    """What was found fails, and what was not seen is said beside it."""
    one = alone(PRIVILEGED, FORBIDDEN, policies=ONE, live=True)
    assert (one.status, one.why) == (ControlStatus.FAILED, ("list of Pods: forbidden",))


def test_a_list_of_another_kind_does_not_matter() -> None:
    """A policy that asks nothing of it has looked at all that there is."""
    gap = Gap("list of ConfigMaps", "forbidden", Unseen.INCOMPLETE, ("ConfigMap",))
    assert alone(POD, gap, policies=ONE, live=True).status is ControlStatus.PASSED


def test_a_list_that_a_fact_needs_matters() -> None:
    """Who reaches a store may be named in what could not be read."""
    gap = Gap("monitor.yaml:3", "it is no YAML", Unseen.INCOMPLETE, ("ConfigMap",))
    named = ["data/personal_data_not_isolated"]
    closed = STORE + POLICY
    assert alone(closed, policies=named).status is ControlStatus.PASSED
    one = alone(closed, gap, policies=named)
    assert (one.status, one.why) == (
        ControlStatus.NOT_ASSESSED,
        ("monitor.yaml:3: it is no YAML",),
    )


def test_a_broken_file_may_hold_anything() -> None:
    """Whatever is in it was not looked at."""
    gap = Gap("web.yaml:3", "it is no YAML", Unseen.INCOMPLETE, ("*",))
    one = alone(POD, gap, policies=ONE)
    assert (one.status, one.why) == (ControlStatus.NOT_ASSESSED, ("web.yaml:3: it is no YAML",))


def test_a_gap_that_somebody_answers_for_waives() -> None:
    """It is no pass, and no longer in the way."""
    gap = Gap("web.yaml:3", "it is no YAML", Unseen.INCOMPLETE, ("*",), acknowledged="not ours")
    one = alone(POD, gap, policies=ONE)
    assert (one.status, one.why) == (ControlStatus.WAIVED, ("web.yaml:3: not ours",))


def test_what_cannot_be_told_counts_where_it_is_asked_for() -> None:
    """As in an audit: with --strict."""
    gap = Gap("2 objects of kind Tool (example.org)", "may create pods", Unseen.UNKNOWN)
    assert alone(POD, gap, policies=ONE).status is ControlStatus.PASSED
    assert alone(POD, gap, policies=ONE, strict=True).status is ControlStatus.NOT_ASSESSED


def test_no_object_of_its_kinds_is_no_pass() -> None:
    """Of manifests nobody says that they are all that there is."""
    both = [*ONE, "workload/credential_in_config_map"]
    one = alone(POD, policies=both)
    assert (one.status, one.why) == (
        ControlStatus.NOT_ASSESSED,
        ("nothing to judge: no ConfigMap was read",),
    )


def test_a_cluster_without_objects_of_one_kind_was_looked_at() -> None:
    """Its server said that there is none; where it has none of any, nothing was judged."""
    both = [*ONE, "workload/credential_in_config_map"]
    assert alone(POD, policies=both, live=True).status is ControlStatus.PASSED
    empty = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"
    one = alone(empty, policies=both, live=True)
    assert one.status is ControlStatus.NOT_ASSESSED
    assert one.why == ("nothing to judge: no ConfigMap, no workload was read",)


def test_a_policy_that_was_not_asked_is_no_pass() -> None:
    """However many others were."""
    both = [*ONE, "workload/host_ports"]
    one = alone(POD, policies=both, asked=("workload/privileged_container",))
    assert one.status is ControlStatus.NOT_ASSESSED
    assert one.why == ("not asked: workload/host_ports",)


def test_a_policy_that_waits_for_a_declaration_is_no_pass() -> None:
    """Without a list of registries every image is from a declared one."""
    named = ["image/undeclared_registry"]
    one = alone(POD, policies=named)
    assert one.status is ControlStatus.NOT_ASSESSED
    assert "says nothing until its parameters are declared: registries" in one.why[0]
    declared = Settings(parameters={named[0]: {"registries": ["registry.example"]}})
    assert alone(POD, policies=named, settings=declared).status is ControlStatus.PASSED


POLICY = """---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: none, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress]}
"""


def test_network_policies_that_nobody_is_known_to_enforce() -> None:
    """Manifests do not tell what enforces them; whoever says it is believed."""
    one = said(POD + POLICY, "cis-2.0.1")["5.3.1"]
    assert one.status is ControlStatus.NOT_ASSESSED
    assert "neither stated nor found" in one.why[0]
    stated = said(POD + POLICY, "cis-2.0.1", settings=Settings(cni=("calico",)))["5.3.1"]
    assert stated.status is ControlStatus.PASSED
    nothing = said(POD + POLICY, "cis-2.0.1", settings=Settings(cni=("none",)))["5.3.1"]
    assert nothing.status is ControlStatus.FAILED


STORE = POD.replace("namespace: shop", "namespace: shop, annotations: {auditor/data: pii}")
DATA = "T1213.006"


def test_controls_about_personal_data_without_any() -> None:
    """Where nobody declared any, there was nothing to look for."""
    one = said(POD, "mitre-attack-containers")[DATA]
    assert one.status is ControlStatus.NOT_ASSESSED
    assert one.why[0].startswith("nothing is declared to hold personal data")


def test_controls_about_personal_data_with_some() -> None:
    """A store that everybody reaches fails; what is unclassified beside it is said."""
    both = f"{STORE}---{POD.replace('name: web', 'name: other')}"
    one = said(both, "mitre-attack-containers")[DATA]
    assert one.status is ControlStatus.FAILED
    assert "of 1 of 2 workloads nothing says what data they hold" in one.partly


APISERVER = """
apiVersion: v1
kind: Pod
metadata: {name: kube-apiserver-n1, namespace: kube-system}
spec:
  containers:
    - name: kube-apiserver
      image: registry.k8s.io/kube-apiserver:v1.36.0
      command: [kube-apiserver, --anonymous-auth=true]
"""


def test_flags_of_a_component_that_is_seen_are_for_a_person() -> None:
    """With the pod to look at; of one that is not seen, nothing is known."""
    found = said(APISERVER, "cis-2.0.1")
    assert found["1.2.28"].status is ControlStatus.MANUAL
    assert found["1.2.28"].why == ("see the flags of kube-apiserver",)
    assert [str(one.ref) for one in found["1.2.28"].places] == [
        "kube-system/kube-apiserver-n1[Pod]"
    ]
    assert found["1.3.1"].status is ControlStatus.NOT_ASSESSED
    assert said(POD, "cis-2.0.1")["1.2.28"].why == ("needs the files of a node",)


def test_a_pod_that_only_says_so_is_no_component() -> None:
    """Not by its name, and not outside of the namespace of the cluster's own."""
    named = APISERVER.replace("[kube-apiserver,", "[sleep,")
    assert said(named, "cis-2.0.1")["1.2.28"].status is ControlStatus.NOT_ASSESSED
    outside = APISERVER.replace("kube-system", "shop")
    assert said(outside, "cis-2.0.1")["1.2.28"].status is ControlStatus.NOT_ASSESSED


def test_a_version_has_its_own_controls() -> None:
    """Of the Pod Security Standards as of 1.22, nobody asks for a user."""
    old = said(POD, "pss-restricted", settings=Settings(kubernetes=122))
    assert "run-as-user" not in old
    assert "run-as-user" in said(POD, "pss-restricted", settings=Settings(kubernetes=136))


def test_a_policy_that_failed_on_an_object_is_no_pass() -> None:
    """The object may be the one that is wrong."""
    wanted = framework("pss-baseline")
    answer = audit(Snapshot(objects(POD)), bench(*ONE), Settings())
    ref = Ref("v1", "Pod", "shop", "web")
    failed = Gap.of_policy(ONE[0], "too deep", ref=ref)
    one = told(replace(answer, gaps=(failed,)), wanted, Settings())["privileged"]
    assert one.status is ControlStatus.NOT_ASSESSED
    assert one.why == (f"policy {ONE[0]} on shop/web[Pod]: too deep",)


def test_linking_keeps_what_policies_say_themselves() -> None:
    """What was asked for comes first: GitHub keeps ten tags of a rule."""
    [policy] = [one for one in linked(OURS, ["nsa-cisa"]) if one.id == ONE[0]]
    assert policy.controls[0] == "nsa-cisa/1.2"
    assert "pss-baseline/privileged" in policy.controls


def test_a_control_whose_policies_are_left_out() -> None:
    """With the policies of a folder alone, nobody looks at it."""
    wanted = framework("pss-baseline")
    answer = audit(Snapshot(objects(POD)), bench(*ONE), Settings())
    one = assess(answer, wanted, Terms((), Settings()))[0]
    assert one.status is ControlStatus.NOT_ASSESSED
    assert one.why == ("not there: workload/host_process",)


FLAGS = {"flags_of": "kube-apiserver", "elsewhere": ["test:flags"]}


def flagged(text: str) -> Assessed:
    """What becomes of a control of flags at which a policy looks: one on privileged containers has
    to do for it.
    """
    policy = replace(
        next(one for one in OURS if one.id == ONE[0]), equivalents=("test:flags",), controls=()
    )
    judge = replace(bench(*ONE), policies=(policy,))
    settings = Settings(scope=Scope())
    answer = audit(Snapshot(objects(text)), judge, settings)
    return assess(answer, own(**FLAGS), Terms((policy,), settings))[0]


def test_a_policy_on_flags_sees_nothing_where_no_such_pod_is() -> None:
    """It has nothing to say of other pods, and that is no pass."""
    one = flagged(POD)
    assert (one.status, one.why) == (ControlStatus.NOT_ASSESSED, ("needs the files of a node",))
    seen = flagged(POD + "---" + APISERVER)
    assert seen.status is ControlStatus.PASSED
    assert [look.objects for look in seen.looks] == [1]


PROXY = """
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: kube-proxy, namespace: kube-system}
spec:
  selector: {matchLabels: {k8s-app: kube-proxy}}
  template:
    metadata: {labels: {k8s-app: kube-proxy}}
    spec:
      hostNetwork: true
      containers:
        - name: kube-proxy
          image: registry.k8s.io/kube-proxy:v1.36.0
          command: [/usr/local/bin/kube-proxy]
          securityContext: {privileged: true}
"""


def test_what_a_part_of_the_platform_cannot_be_without() -> None:
    """Is waived, with the part named, unless the platform itself is asked about."""
    one = alone(PROXY, policies=ONE, settings=Settings(scope=Scope()))
    assert one.status is ControlStatus.WAIVED
    assert one.why[0].startswith("platform (kube-proxy")
    every = Settings(scope=Scope(workloads="all"))
    assert alone(PROXY, policies=ONE, settings=every).status is ControlStatus.FAILED


def test_a_component_in_a_daemon_set() -> None:
    """As kubeadm runs kube-proxy: what it does is written in a ConfigMap."""
    one = said(PROXY, "cis-2.0.1", asked=("kubelet/proxy_metrics_open",))["4.3.1"]
    assert one.status is ControlStatus.NOT_ASSESSED
    assert "no ConfigMap was read" in one.why[0]
    assert not one.places


KUBELET = """
apiVersion: v1
kind: ConfigMap
metadata: {name: kubelet-config, namespace: kube-system}
data:
  kubelet: |
    apiVersion: kubelet.config.k8s.io/v1beta1
    kind: KubeletConfiguration
"""


def test_a_configuration_in_a_config_map_is_for_a_person() -> None:
    """As kubeadm keeps that of kubelets; any other ConfigMap says nothing of them."""
    one = said(KUBELET, "cis-2.0.1")["4.2.7"]
    assert one.status is ControlStatus.MANUAL
    assert [str(each.ref) for each in one.places] == ["kube-system/kubelet-config[ConfigMap]"]
    other = said(KUBELET.replace("KubeletConfiguration", "Other"), "cis-2.0.1")["4.2.7"]
    assert (other.status, other.why) == (ControlStatus.NOT_ASSESSED, ("needs the files of a node",))
