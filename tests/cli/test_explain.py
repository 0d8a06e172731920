"""`auditor explain`, and what `auditor policies list` tells programs."""

from __future__ import annotations

import json

import pytest

from .command import Command


@pytest.mark.parametrize(
    "name",
    [
        "workload/privileged_container", "privileged_container", "CKV_K8S_16",
        "checkov:CKV_K8S_16", "ckv_k8s_16",
        "KSV-0017", "trivy:KSV-0017", "KSV017", "AVD-KSV-0017", "C-0057", "privileged-container",
    ],
)  # fmt: skip
def test_a_policy_answers_to_all_its_names(auditor: Command, name: str) -> None:
    """In any case of letters, and in all three spellings that Trivy has had."""
    said = auditor("explain", name)
    assert said.code == 0
    assert said.out.startswith("workload/privileged_container (high, profile essential)\n")


def test_it_tells_all_there_is(auditor: Command) -> None:
    """What, why, how bad, how it is fixed, where to read on."""
    out = auditor("explain", "workload/privileged_container").out
    for part in (
        "Privileged container\n", "Whoever controls its process", "Fix: a patch, proven",
        "Judged on: ", "Pod", "Controls: ", "pss-baseline/privileged", "Known elsewhere as: ",
        "polaris:runAsPrivileged", "Read on: https://kubernetes.io/",
    ):  # fmt: skip
        assert part in out


def test_a_check_that_is_near_is_found_and_said_to_be_no_more(auditor: Command) -> None:
    """Whoever comes with its name is not sent away."""
    out = auditor("explain", "minimum-three-replicas").out
    assert "spread/single_replica (" in out
    assert "Near, and not the same: kube-linter:minimum-three-replicas" in out
    rows = json.loads(auditor("policies", "list", "--format", "json").out)
    [row] = [row for row in rows if row["id"] == "spread/single_replica"]
    assert row["near"] == ["kube-linter:minimum-three-replicas"]
    assert "kube-linter:minimum-three-replicas" not in row["equivalents"]


def test_an_id_of_several_policies_shows_all(auditor: Command) -> None:
    """Other tools cut their checks in other ways."""
    rows = json.loads(auditor("policies", "list", "--format", "json").out)
    owners: dict[str, list[str]] = {}
    for row in rows:
        for name in row["equivalents"]:
            owners.setdefault(name.lower(), []).append(row["id"])
    name, several = max(owners.items(), key=lambda item: len(item[1]))
    assert len(several) > 1
    out = auditor("explain", name).out
    assert all(f"{policy} (" in out for policy in several)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("privileged-contaner", "privileged-container"),
        ("workload/priviledged_container", "workload/privileged_"),
    ],
)
def test_a_typing_error_is_guessed(auditor: Command, typed: str, meant: str) -> None:
    """Among our names and those of others."""
    said = auditor("explain", typed)
    assert (said.code, said.out) == (2, "")
    assert f"did you mean '{meant}" in said.err


def test_the_list_for_programs_has_everything(auditor: Command) -> None:
    """What METADATA says, under its own names."""
    rows = json.loads(auditor("policies", "list", "--format", "json").out)
    [row] = [row for row in rows if row["id"] == "workload/privileged_container"]
    assert (row["severity"], row["profile"], row["fix"]) == ("high", "essential", "deterministic")
    assert "CronJob" in row["kinds"]
    assert "cis-2.0.1/5.2.2" in row["controls"]
    assert "kubescape:C-0057" in row["equivalents"]
    assert row["contested"] == ""
    assert row["links"][0].startswith("https://")


@pytest.mark.parametrize("name", ["CKV_K8S_9999", "KSV-9999", "C-9999"])
def test_a_check_of_another_tool_that_is_none_here_is_no_slip(auditor: Command, name: str) -> None:
    """Its neighbour by number is about something else."""
    said = auditor("explain", name).err
    assert "did you mean" not in said
    assert "docs/catalogue.md says which checks of other tools are none here" in said
    assert said.startswith("error: "), "nobody asked for an audit"


def test_what_is_like_no_policy_is_not_guessed(auditor: Command) -> None:
    """A wild guess is worse than none."""
    assert "did you mean" not in auditor("explain", "nonsense").err
