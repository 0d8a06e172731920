"""`auditor webhook install`: what it prints is what we would ask of anybody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml

from auditor.sources.kinds import KINDS

from .command import Command

IMAGE = "registry.example/auditor@sha256:" + "a" * 64
ZONES = """\
topology:
  pools:
    - {name: "a{n}", count: 2, zone: a, allocatable: {cpu: 4, memory: 16Gi, pods: 110}}
    - {name: "b{n}", count: 2, zone: b, allocatable: {cpu: 4, memory: 16Gi, pods: 110}}
    - {name: "c{n}", count: 2, zone: c, allocatable: {cpu: 4, memory: 16Gi, pods: 110}}
"""
Manifest = dict[str, Any]


def installed(auditor: Command, *flags: str | Path) -> list[Manifest]:
    """What is printed."""
    said = auditor("webhook", "install", "--image", IMAGE, *flags)
    assert said.code == 0, said.err
    return list(yaml.safe_load_all(said.out))


def one(made: list[Manifest], kind: str) -> Manifest:
    (found,) = [each for each in made if each["kind"] == kind]
    return found


@pytest.mark.parametrize("flags", [(), ("--certificates", "cert-manager", "--replicas", "3")])
def test_our_own_audit_finds_nothing(
    auditor: Command, folder: Path, flags: tuple[str, ...]
) -> None:
    """Of no severity, and nothing is left unjudged for want of sight: three zones are declared."""
    (folder / ".auditor.yaml").write_text(ZONES, "utf-8")
    said = auditor("webhook", "install", "--image", IMAGE, *flags)
    (folder / "webhook.yaml").write_text(said.out, "utf-8")
    audited = auditor("audit", folder, "--fail-on", "info", "--strict", "--format", "json")
    assert audited.code == 0, audited.out
    assert audited.report["findings"] == []


def test_it_may_read_what_the_audit_reads_and_write_that_it_is_there(auditor: Command) -> None:
    """Least of all its own registration: who could write it could have Secrets sent to him."""
    made = installed(auditor)
    [heartbeat] = one(made, "Role")["rules"]
    assert heartbeat == {
        "apiGroups": ["coordination.k8s.io"],
        "resources": ["leases"],
        "resourceNames": [one(made, "Lease")["metadata"]["name"]],
        "verbs": ["get", "patch"],
    }
    role = one(made, "ClusterRole")
    granted = {
        (group, resource, verb)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert granted == {
        (kind.group, kind.plural, verb) for kind in KINDS for verb in ("list", "watch")
    }


def test_neither_the_system_nor_itself_is_asked_about(auditor: Command) -> None:
    """Or a webhook that is down could not come up again."""
    made = installed(auditor, "--namespace", "guard", "--exempt", "legacy")
    (webhook,) = one(made, "ValidatingWebhookConfiguration")["webhooks"]
    (named,) = webhook["namespaceSelector"]["matchExpressions"]
    assert named == {
        "key": "kubernetes.io/metadata.name",
        "operator": "NotIn",
        "values": ["kube-system", "kube-node-lease", "legacy", "guard"],
    }
    assert webhook["failurePolicy"] == "Ignore"
    asked = {(group, name) for rule in webhook["rules"] for group in rule["apiGroups"]
             for name in rule["resources"]}  # fmt: skip
    assert not {each for each in asked if "admissionregistration" in each[0] or "*" in each[1]}
    assert not {each for each in asked if each[1] in {"leases", "events"}}


def test_a_rollout_and_a_drain_leave_somebody_to_answer(auditor: Command) -> None:
    """Of two replicas, apart from each other, none goes before its successor is ready."""
    made = installed(auditor)
    spec = one(made, "Deployment")["spec"]
    assert spec["replicas"] == 2
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    assert one(made, "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1
    spread = {each["topologyKey"] for each in spec["template"]["spec"]["topologySpreadConstraints"]}
    assert spread == {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}


def test_the_flags_that_it_starts_with_are_flags_of_serve(auditor: Command) -> None:
    """Or no replica would ever be ready."""
    from auditor.cli.webhook.serve import serve

    config = "--config"
    for flags in ((), ("--certificates", "cert-manager")):
        spec = one(installed(auditor, *flags), "Deployment")["spec"]["template"]["spec"]
        words = spec["containers"][0]["args"]
        assert words[:2] == ["webhook", "serve"]
        known = {flag for parameter in serve.params for flag in parameter.opts}
        assert {word.partition("=")[0] for word in words[2:]} <= known
    assert config in known


def test_the_private_key_is_told_of(auditor: Command) -> None:
    """Whoever pipes it into a repository should have been told."""
    said = auditor("webhook", "install", "--image", IMAGE)
    assert "private key" in said.err
    assert "PRIVATE KEY" not in said.out  # base64, as Secrets have it


@pytest.mark.parametrize(
    ("image", "warned"), [("r.example/a:1.2", True), ("r.example/a", True), (IMAGE, False)]
)
def test_an_image_that_may_be_another_tomorrow_is_warned_of(
    auditor: Command, image: str, warned: bool
) -> None:
    """A tag can be moved, by whoever may push."""
    said = auditor("webhook", "install", "--image", image)
    assert said.code == 0
    assert (f"warning: --image {image} is no digest" in said.err) is warned


def test_a_given_secret_is_mounted_and_its_ca_published(auditor: Command, tmp_path: Path) -> None:
    """No Secret of ours is made then."""
    ca = tmp_path / "ca.crt"
    ca.write_bytes(trustme.CA().cert_pem.bytes())
    made = installed(auditor, "--certificates", "secret", "--secret", "tls", "--ca", ca)
    assert not [each for each in made if each["kind"] == "Secret"]
    volumes = one(made, "Deployment")["spec"]["template"]["spec"]["volumes"]
    assert volumes[0]["secret"]["secretName"] == "tls"


def test_who_adds_to_objects_is_registered_where_that_is_wanted(
    auditor: Command, tmp_path: Path
) -> None:
    """By the configuration, which the replicas read too; nothing is wrong with that either."""
    config = tmp_path / "auditor.yaml"
    config.write_text("admission:\n  mutate: true\n", "utf-8")
    made = installed(auditor, "--config", config)
    assert "mutate: true" in one(made, "ConfigMap")["data"]["auditor.yaml"]
    (webhook,) = one(made, "MutatingWebhookConfiguration")["webhooks"]
    assert webhook["failurePolicy"] == "Ignore"
    (tmp_path / "all.yaml").write_text(yaml.safe_dump_all(made), "utf-8")
    said = auditor("webhook", "doctor", tmp_path / "all.yaml", "--fail-on", "info")
    assert (said.code, said.out) == (0, "no dangers in 2 webhooks of 2 configurations\n")
    assert not [each for each in installed(auditor) if each["kind"].startswith("Mutating")]


@pytest.mark.parametrize(
    ("flags", "word"),
    [
        (("--certificates", "secret"), "--secret"),
        (("--secret", "tls"), "--secret"),
        (("--new-ca",), "--apply"),
        (("--timeout", "31"), "--timeout"),
        (("--namespace", "a/b"), "--namespace"),
        (("--exempt", "Kube"), "--exempt"),
        (("--api-server", "10.0.0.1/8"), "--api-server"),
        (("--serve=--mode=dney",), "'dney' is not one of"),
        (("--serve=--mod=deny",), "Did you mean '--mode'?"),
        (("--serve", "deny"), "--serve deny: is no flag"),
    ],
)
def test_flags_that_do_not_fit_are_named(
    auditor: Command, flags: tuple[str, ...], word: str
) -> None:
    """Before anything is printed."""
    said = auditor("webhook", "install", "--image", IMAGE, *flags)
    assert (said.code, said.out) == (2, "")
    assert word in said.err


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("admision: {}\n", "admision"),
        ("admission: {rules: [{mode: warn, policies: [workloads]}]}\n", "fits 'workloads'"),
        ("policies: [rules]\n", "'rules' is not installed"),
    ],
)
def test_a_configuration_that_is_none_is_refused(
    auditor: Command, tmp_path: Path, text: str, complaint: str
) -> None:
    """Here, and not by replicas that never become ready."""
    config = tmp_path / "auditor.yaml"
    config.write_text(text, "utf-8")
    said = auditor("webhook", "install", "--image", IMAGE, "--config", config)
    assert (said.code, said.out) == (2, "")
    assert complaint in said.err


def test_one_address_of_an_api_server_is_a_range(auditor: Command) -> None:
    """The API server takes no NetworkPolicy with an address alone."""
    policy = one(installed(auditor, "--api-server", "10.0.0.1"), "NetworkPolicy")
    assert "10.0.0.1/32" in str(policy)


@pytest.mark.parametrize(
    "flags",
    [
        ("--reason", "x"),
        ("--for", "1h"),
        ("--reason", " ", "--for", "1h"),
        ("--reason", "x", "--for", "25h"),
        ("--reason", "x", "--for", "1 day"),
        ("--reason", "x", "--for", "1h", "--end"),
    ],
)
def test_glass_is_not_broken_without_a_reason_and_an_end(
    auditor: Command, flags: tuple[str, ...]
) -> None:
    """Nor for longer than a day."""
    said = auditor("webhook", "break-glass", *flags)
    assert (said.code, said.out) == (2, "")
