"""The scope from flags and configuration, in every report and in the exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .command import HARMLESS, PEAPODS, PRIVILEGED, Command

PRIVILEGES = ("--select", "workload/privileged_container", "--no-fixes")
SOMEWHERE = HARMLESS.replace("namespace: shop", "namespace: lab")
WIDGET = """\
apiVersion: example.com/v1
kind: Widget
metadata: {name: w, namespace: shop}
spec: {podSpec: {containers: [{name: a, image: b, securityContext: {privileged: true}}]}}
"""


def test_every_report_says_what_it_is_about(auditor: Command, tmp_path: Path) -> None:
    """Once, with the number of objects outside."""
    (tmp_path / "a.yaml").write_text(f"{PRIVILEGED}---\n{SOMEWHERE}")
    arguments = (tmp_path, *PRIVILEGES, "-n", "lab", "-l", "!old")
    text = auditor("audit", *arguments)
    assert text.code == 0
    assert text.out.count("within scope: namespace lab; labels !old\n") == 1
    assert text.out.count("1 object outside the scope\n") == 1
    scope = auditor("audit", *arguments, "--format", "json").report["scope"]
    assert scope == {
        "words": "within scope: namespace lab; labels !old",
        "namespaces": ["lab"],
        "selector": "!old",
        "include": [],
        "exclude": [],
        "workloads": "workloads",
        "objectsOutside": 1,
    }
    sarif = json.loads(auditor("audit", *arguments, "--format", "sarif").out)
    assert sarif["runs"][0]["properties"]["scope"] == scope


def test_without_a_scope_no_report_speaks_of_one(auditor: Command) -> None:
    """Nothing is left out, so there is nothing to say."""
    out = auditor("audit", PEAPODS, *PRIVILEGES).out
    assert "the scope" not in out
    assert "within scope" not in out


def test_a_mistyped_namespace_is_not_clean(auditor: Command) -> None:
    """Exit code 3, and what was most likely meant."""
    said = auditor("audit", PEAPODS, "-n", "shopp")
    assert (said.code, said.out) == (3, "")
    assert "did you mean 'shop'?" in said.err


def test_a_mistyped_selector_is_a_usage_error(auditor: Command) -> None:
    """It names the selector and what is wrong with it."""
    said = auditor("audit", PEAPODS, "-l", "app in web")
    assert (said.code, said.out) == (2, "")
    assert "the label selector 'app in web': 'web' where '(' after in should be" in said.err


def test_the_configuration_limits_and_flags_count_before_it(
    auditor: Command, tmp_path: Path
) -> None:
    """-A is for looking at everything all the same."""
    (tmp_path / "a.yaml").write_text(f"{PRIVILEGED}---\n{SOMEWHERE}")
    (tmp_path / ".auditor.yaml").write_text("scope: {namespaces: [lab]}\n")
    assert auditor("audit", tmp_path, *PRIVILEGES).code == 0
    assert auditor("audit", tmp_path, *PRIVILEGES, "-n", "shop").code == 1
    assert auditor("audit", tmp_path, *PRIVILEGES, "-A").code == 1
    said = auditor("audit", tmp_path, *PRIVILEGES, "-A", "-n", "shop")
    assert (said.code, "give one of the two" in said.err) == (2, True)


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ("scope: {namespace: [lab]}", "scope.namespace: there is no such key; did you mean"),
        ("scope: {selector: 'a in'}", "scope.selector: "),
        ("scope: {workloads: none}", "scope.workloads: "),
        ("scope: 3", "scope: must be a mapping"),
        ("workloads: [{group: example.com, kind: Widget}]", "say either 'template'"),
        ("workloads: [{group: example.com, kind: Widget, template: a, pod: b}]", "say either"),
        ("workloads: [{group: example, kind: Widget, pod: spec}]", "workloads.0.group: "),
        ("workloads: [{group: example.com, kind: Widget, pod: 'a[0]'}]", "workloads.0.pod: "),
    ],
)
def test_a_wrong_configuration_is_told_by_its_field(
    auditor: Command, tmp_path: Path, config: str, why: str
) -> None:
    """Nothing is audited with half of it."""
    (tmp_path / "a.yaml").write_text(PRIVILEGED)
    (tmp_path / ".auditor.yaml").write_text(config)
    said = auditor("audit", tmp_path)
    assert (said.code, said.out) == (2, "")
    assert why in said.err


def test_a_folder_of_unknown_kinds_is_never_clean_until_they_are_opened(
    auditor: Command, tmp_path: Path
) -> None:
    """Exit code 4 and why; with the map, the pods are judged."""
    (tmp_path / "a.yaml").write_text(WIDGET)
    closed = auditor("audit", tmp_path, *PRIVILEGES)
    assert closed.code == 4
    assert "no pod was assessed" in closed.out
    entry = "{group: example.com, kind: Widget, pod: spec.podSpec}"
    (tmp_path / ".auditor.yaml").write_text(f"workloads: [{entry}]\n")
    opened = auditor("audit", tmp_path, *PRIVILEGES)
    assert opened.code == 1
    assert "container 'a' runs privileged" in opened.out


def test_platform_workloads_are_one_line_each(auditor: Command, tmp_path: Path) -> None:
    """With the reason, and they do not fail the run unless asked."""
    daemon = """\
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: kube-proxy, namespace: kube-system}
spec:
  selector: {matchLabels: {a: b}}
  template:
    metadata: {labels: {a: b}}
    spec:
      hostNetwork: true
      containers:
        - name: kube-proxy
          image: registry.k8s.io/kube-proxy:v1.36.3
          securityContext: {privileged: true}
"""
    (tmp_path / "a.yaml").write_text(daemon)
    said = auditor("audit", tmp_path, "--framework", "pss-baseline", "--profile", "essential")
    (line,) = [each for each in said.out.splitlines() if each.startswith("kube-system/")]
    who, what = line.split(": ", 1)
    assert who == "kube-system/kube-proxy[DaemonSet]"
    assert what == "2 findings folded: platform (kube-proxy, node networking)"
    assert said.code == 0
    assert auditor("audit", tmp_path, *PRIVILEGES, "--scope", "all").code == 1
    assert auditor("audit", tmp_path, *PRIVILEGES, "--scope", "platform").code == 1
    sarif = json.loads(auditor("audit", tmp_path, *PRIVILEGES, "--format", "sarif").out)
    (result,) = sarif["runs"][0]["results"]
    assert result["suppressions"][0]["justification"] == "platform (kube-proxy, node networking)"


def test_fix_writes_within_the_scope_alone(auditor: Command, tmp_path: Path) -> None:
    """The other namespace keeps its bytes."""
    other = PRIVILEGED.replace("namespace: shop", "namespace: lab")
    (tmp_path / "a.yaml").write_text(PRIVILEGED)
    (tmp_path / "b.yaml").write_text(other)
    arguments = ("--select", PRIVILEGES[1], "--unsafe", "--write", "-n", "shop")
    assert auditor("fix", tmp_path, *arguments).code == 0
    assert "privileged: false" in (tmp_path / "a.yaml").read_text()
    assert (tmp_path / "b.yaml").read_text() == other
