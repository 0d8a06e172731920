"""`auditor webhook export`: what is printed, and the labels for namespaces by what runs there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from .command import Command, Said

ONE = ("--select", "workload/privileged_container")
POD_SECURITY = "pod-security.kubernetes.io/"
HARDENED = """\
apiVersion: v1
kind: Pod
metadata: {name: %s, namespace: %s}
spec:
  securityContext: {runAsNonRoot: true, runAsUser: 10001, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: app
      image: registry.example/app:1
      securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
"""
PLAIN = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: %s, namespace: %s}
spec:
  selector: {matchLabels: {app: a}}
  template:
    metadata: {labels: {app: a}}
    spec: {containers: [{name: app, image: 'registry.example/app:1'}]}
"""
PRIVILEGED = PLAIN.replace(
    "'registry.example/app:1'", "'registry.example/app:1', securityContext: {privileged: true}"
)


def labels(auditor: Command, tmp_path: Path, *flags: str, **files: str) -> Said:
    """What is printed for a folder with these files."""
    for name, text in files.items():
        (tmp_path / f"{name}.yaml").write_text(text, "utf-8")
    found = auditor("webhook", "export", *ONE, "--pod-security", str(tmp_path), *flags)
    assert found.code == 0, found.err
    return found


def written(found: Said) -> dict[str, dict[str, str]]:
    """Namespace → its labels."""
    documents = [each for each in yaml.safe_load_all(found.out) if each["kind"] == "Namespace"]
    assert all(each.keys() == {"apiVersion", "kind", "metadata"} for each in documents)
    return {each["metadata"]["name"]: each["metadata"]["labels"] for each in documents}


def test_yaml_can_be_applied_as_it_is_printed(auditor: Command) -> None:
    """What cannot be exported is told beside it, with the reason."""
    found = auditor("webhook", "export", *ONE, "--select", "workload/default_service_account",
                    "--fail-on", "low")  # fmt: skip
    kinds = [each["kind"] for each in yaml.safe_load_all(found.out)]
    assert kinds == ["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"]
    why = "an expression sees one object, and it asks of the cluster: identity"
    assert found.err == f"not exported: workload/default_service_account: {why}\n"


def test_many_that_are_not_exported_share_a_line(auditor: Command) -> None:
    """Counted by the reason; a flag names each of them."""
    found = auditor("webhook", "export")
    [line] = found.err.splitlines()
    said = re.fullmatch(r"not exported: (\d+) policies \(--reasons names each\): (.*)", line)
    assert said is not None
    parts = [re.fullmatch(r".+ \((\d+)\)", part) for part in said[2].split("; ")]
    assert sum(int(part[1]) for part in parts if part) == int(said[1])
    assert "an expression sees one object, and it asks of the cluster (" in line
    each = auditor("webhook", "export", "--reasons")
    assert each.out == found.out
    assert len(each.err.splitlines()) == int(said[1])


def test_json_is_one_document(auditor: Command) -> None:
    """With what is not exported in it, and nothing beside it."""
    said = auditor("webhook", "export", *ONE, "--select", "workload/ssh_port", "--format", "json")
    report: dict[str, Any] = said.report
    assert [each["kind"] for each in report["manifests"]] == [
        "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding",
    ]  # fmt: skip
    why = "faults of severity low do not count"
    assert report["notExported"] == [{"policy": "workload/ssh_port", "why": why}]
    assert not said.err


def test_nothing_is_denied_unless_asked(auditor: Command, tmp_path: Path) -> None:
    """By a flag, or by the configuration."""
    config = tmp_path / "deny.yaml"
    config.write_text("admission: {mode: deny}\n", "utf-8")
    for flags, action in (
        ((), "Audit"),
        (("--mode", "warn"), "Warn"),
        (("--config", str(config)), "Deny"),
    ):
        found = auditor("webhook", "export", *ONE, *flags)
        _, binding = yaml.safe_load_all(found.out)
        assert binding["spec"]["validationActions"] == [action]


def test_a_namespace_gets_the_level_that_nothing_there_violates(
    auditor: Command, tmp_path: Path
) -> None:
    """Each with why, and none where everything is violated or nothing runs."""
    found = labels(
        auditor,
        tmp_path,
        strict=HARDENED % ("a", "strict"),
        usual=HARDENED % ("a", "usual") + "---\n" + PLAIN % ("b", "usual"),
        loose=PRIVILEGED % ("c", "loose"),
        system=HARDENED % ("d", "kube-system"),
        empty="apiVersion: v1\nkind: Namespace\nmetadata: {name: empty}\n",
    )
    level, version = f"{POD_SECURITY}audit", f"{POD_SECURITY}audit-version"
    assert written(found) == {
        "strict": {level: "restricted", version: "v1.36"},
        "usual": {level: "baseline", version: "v1.36"},
    }
    said = dict(line.split(": ", 1) for line in found.err.splitlines() if "namespace " in line)
    assert said == {
        "namespace empty": "no label: nothing runs there, and so nothing was judged",
        "namespace kube-system": "no label: it is not judged",
        "namespace loose": "no label: what runs there violates baseline: loose/c[Deployment] "
        "(workload/privileged_container)",
        "namespace strict": "restricted: nothing of 1 that runs there violates restricted",
        "namespace usual": said["namespace usual"],
    }
    assert said["namespace usual"].startswith(
        "baseline: what runs there violates restricted: usual/b[Deployment] ("
    )


@pytest.mark.parametrize(
    ("mode", "ways"),
    [("audit", {"audit"}), ("warn", {"audit", "warn"}), ("deny", {"audit", "enforce", "warn"})],
)
def test_the_mode_says_what_the_label_does(
    auditor: Command, tmp_path: Path, mode: str, ways: set[str]
) -> None:
    """Enforced where requests are denied."""
    found = labels(auditor, tmp_path, "--mode", mode, a=HARDENED % ("a", "strict"))
    said = written(found)["strict"]
    assert said.keys() == {f"{POD_SECURITY}{way}{end}" for way in ways for end in ("", "-version")}


def test_a_label_that_asks_for_more_is_kept(auditor: Command, tmp_path: Path) -> None:
    """Somebody knows why."""
    namespace = (
        "apiVersion: v1\nkind: Namespace\n"
        f"metadata: {{name: usual, labels: {{{POD_SECURITY}enforce: restricted}}}}\n"
    )
    found = labels(auditor, tmp_path, namespace=namespace, plain=PLAIN % ("b", "usual"))
    assert written(found) == {}
    assert "its label says more already: pod-security.kubernetes.io/enforce=restricted" in found.err


def test_what_cannot_be_judged_gets_no_label(auditor: Command, tmp_path: Path) -> None:
    """A level would promise what nobody has seen."""
    broken = HARDENED % ("b", "strict")
    broken = broken.replace("containers:\n", "initContainers: 3\n  containers:\n")
    found = labels(auditor, tmp_path, a=HARDENED % ("a", "strict"), broken=broken)
    assert written(found) == {}
    assert "namespace strict: no label: not everything there could be judged: " in found.err


def test_waivers_change_no_level(auditor: Command, tmp_path: Path) -> None:
    """The API server's admission knows of none."""
    config = tmp_path / ".auditor.yaml"
    waiver = "{policy: workload/privileged_container, object: 'loose/*', reason: known}"
    config.write_text(f"waivers: [{waiver}]\n", "utf-8")
    found = labels(auditor, tmp_path, loose=PRIVILEGED % ("c", "loose"))
    assert written(found) == {}


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        (("--static", "--pod-security", "."), "--pod-security labels namespaces"),
        (("--cluster",), "which --pod-security asks for"),
        (("manifests",), "which --pod-security asks for"),
        (("--pod-security",), "name files and folders to audit, or --cluster"),
    ],
)
def test_flags_that_contradict_each_other_are_told(
    auditor: Command, flags: tuple[str, ...], why: str
) -> None:
    """Before anything is printed."""
    found = auditor("webhook", "export", *ONE, *flags)
    assert (found.code, found.out) == (2, "")
    assert why in found.err
