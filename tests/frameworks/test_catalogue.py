"""A control is looked at by policies, or says why it is not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from auditor.errors import PolicyError
from auditor.frameworks.catalogue import (
    catalogue,
    framework,
    linked,
    looking_at,
    names,
    read,
    uncovered,
    wanted_controls,
)
from auditor.model import Policy, Unseen
from auditor.policies.loader import load

TEXT = """id: own
title: Our own
source: https://example.org
controls:
  "5.2":
    title: a subject
    policies: [workload/privileged_container]
"""
OURS = load()[0]
COMPONENTS = {
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "etcd",
    "kubelet",
    "kube-proxy",
}
BY_ID = {policy.id: policy for policy in OURS}


def test_every_catalogue_of_ours_can_be_read() -> None:
    """Each under the name of its file."""
    assert set(names()) == set(catalogue())
    assert {"pss-baseline", "pss-restricted", "cis-1.10", "cis-1.12", "cis-2.0.1"} <= set(names())
    assert all(name == framework.id for name, framework in catalogue().items())


@pytest.mark.parametrize("name", names())
def test_every_policy_that_a_control_names_is_there(name: str) -> None:
    """A control whose policy has gone would be passed by nobody, and nobody would notice."""
    for number, control in framework(name).controls.items():
        assert set(control.anchors) <= set(BY_ID), number


@pytest.mark.parametrize("name", names())
def test_a_policy_and_a_catalogue_do_not_contradict_each_other(name: str) -> None:
    """What a policy of ours says in its METADATA stands in the catalogue too."""
    controls = framework(name).controls
    said = [
        (p.id, c.split("/", 1)[1]) for p in OURS for c in p.controls if c.startswith(f"{name}/")
    ]
    assert [(p, c) for p, c in said if p not in controls[c].anchors] == []


def test_the_pattern_of_an_anchor_fits_what_the_policy_says() -> None:
    """Else a control would be passed whatever the policy finds: see the test of each assessment."""
    patterns = {
        f"{name} {pattern}"
        for one in catalogue().values()
        for control in one.controls.values()
        for name, meant in control.anchors.items()
        for pattern in meant
        if pattern != "*"
    }
    assert patterns == {
        "workload/dangerous_capabilities */ALL",
        "workload/dangerous_capabilities */CAP_SYS_ADMIN",
        "workload/dangerous_capabilities */SYS_ADMIN",
        "workload/host_namespaces hostPID",
        "workload/host_namespaces hostIPC",
        "workload/host_namespaces hostNetwork",
        "workload/added_capabilities *NET_RAW",
    }


def test_controls_of_flags_say_of_which_component() -> None:
    """A policy on flags has nothing to say of any other pod, and that is no pass."""
    for one in catalogue().values():
        for number, control in one.controls.items():
            looking = looking_at(one, number, OURS)
            of_flags = any(
                policy.id.startswith(("control_plane/", "kubelet/")) for policy in looking
            )
            assert bool(control.flags_of) or not of_flags, (one.id, number)
            assert not control.flags_of or control.flags_of in COMPONENTS


def test_controls_about_personal_data_say_so() -> None:
    """Where none is declared, policies on it have nothing to say, and that is no pass."""
    for one in catalogue().values():
        for number, control in one.controls.items():
            asks = any(p.startswith("data/") or "personal_data" in p for p in control.anchors)
            assert control.personal_data == asks, (one.id, number)


def test_a_catalogue_that_extends_another_has_its_controls() -> None:
    """In the order of their numbers, without those that it leaves out, its own in their place."""
    old, new = framework("cis-1.10").controls, framework("cis-2.0.1").controls
    assert "5.6.1" in new
    assert "5.6.1" not in old
    assert old["5.2.11"].title == new["5.2.10"].title
    assert list(old)[-6:] == ["5.4.2", "5.5.1", "5.7.1", "5.7.2", "5.7.3", "5.7.4"]
    assert list(new).index("1.2.10") == list(new).index("1.2.9") + 1


def test_the_standards_have_the_controls_of_a_version() -> None:
    """Kubernetes' own plugin asks for a user since 1.23, and for hosts in probes since 1.34."""
    restricted = framework("pss-restricted")
    assert set(restricted.controls) - set(restricted.at(133)) == {"host-probes"}
    assert set(restricted.at(133)) - set(restricted.at(122)) == {"run-as-user"}
    assert set(framework("pss-baseline").controls) < set(restricted.controls)


def test_a_control_that_nobody_looks_at_is_never_passed() -> None:
    """Asking for a framework tells what was not assessed, and why."""
    missing = uncovered(wanted_controls(["cis-2.0.1"]), linked(OURS, ["cis-2.0.1"]))
    told = {gap.what.split()[1]: gap.why for gap in missing}
    assert "cis-2.0.1/5.2.2" not in told
    assert told["cis-2.0.1/1.1.1"] == "not assessed: needs the files of a node"
    assert told["cis-2.0.1/3.1.1"].startswith("not assessed: left to a person: ")
    assert {gap.severity for gap in missing} == {Unseen.INCOMPLETE}


def test_a_policy_covers_the_controls_that_it_names() -> None:
    """And nothing else."""
    everything = replace(OURS[0], controls=tuple(wanted_controls(["pss-restricted"])))
    assert uncovered(wanted_controls(["pss-restricted"]), [everything]) == ()


def _own(controls: tuple[str, ...] = (), equivalents: tuple[str, ...] = ()) -> Policy:
    return replace(OURS[0], id="own/rule", aliases=(), controls=controls, equivalents=equivalents)


def test_a_policy_of_somebodys_own_joins_a_control() -> None:
    """By naming it, or where no other looks at it, by standing for the check of another tool."""
    named = _own(controls=("cis-2.0.1/5.2.2",))
    assert named in looking_at(framework("cis-2.0.1"), "5.2.2", (*OURS, named))
    stands = _own(equivalents=("kubescape:C-0289",))
    assert stands in looking_at(framework("cis-2.0.1"), "5.5.1", (*OURS, stands))
    assert stands not in looking_at(framework("cis-2.0.1"), "5.2.2", (*OURS, stands))
    assert looking_at(framework("cis-2.0.1"), "5.5.1", [_own()]) == ()


def test_a_framework_that_we_do_not_know_is_an_error() -> None:
    """Which names those that there are."""
    with pytest.raises(PolicyError, match=r"no framework 'cis' \(there is cis-1\.10, "):
        wanted_controls(["cis"])


def test_no_framework_is_no_control() -> None:
    """Without one nothing is asked, and no catalogue is read."""
    assert wanted_controls([]) == {}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"5.2"', "5.2", "controls"),
        ("a subject", '""', "controls.5.2.title"),
        ("title: Our own\n", "", "title"),
        ("title: Our own", "titel: Our own", "tit"),
        ("[workload/privileged_container]", "[]", "exactly one of"),
        ("policies:", "partly: a\n    manual: b\n    policies:", "exactly one of"),
        ("policies: [workload/privileged_container]", "manual: a\n    partly: b", "'partly'"),
        ("policies: [workload/privileged_container]", "note: nothing", "exactly one of"),
        ("policies:", "since: 1.34\n    policies:", "controls.5.2.since"),
        ("policies:", 'since: "2.1"\n    policies:', "a Kubernetes version as a text"),
        ("policies:", "level: 3\n    policies:", "controls.5.2.level"),
        ("policies:", "section: there\n    policies:", "no section 'there'"),
        ("policies: [workload/privileged_container]", "flags_of: dockerd", "controls.5.2.flags_of"),
        ("controls:\n", "controls: [\n", "own.yaml"),
        ("    title: a subject\n", "    title: a\n    title: b\n", "'title' is written twice"),
    ],
)
def test_a_wrong_catalogue_names_file_and_field(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    """In one line, without the pages of the library that checks it."""
    assert old in TEXT
    file = tmp_path / "own.yaml"
    file.write_text(TEXT.replace(old, new), encoding="utf-8")
    with pytest.raises(PolicyError) as caught:
        read(file)
    text = str(caught.value)
    assert text.startswith(str(file))
    assert said in text
    assert "\n" not in text
    assert "pydantic" not in text
