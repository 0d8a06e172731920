"""`--cni` and `cni:` of .auditor.yaml, as somebody meets them who runs an audit."""

from __future__ import annotations

from pathlib import Path

import pytest

from .command import Command

POLICY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: orders, namespace: shop}
spec: {podSelector: {}}
"""
VOID = "network/policies_not_enforced"


@pytest.fixture
def shop(folder: Path) -> Path:
    """A folder with one policy."""
    (folder / "policy.yaml").write_text(POLICY, "utf-8")
    return folder


def test_the_report_says_what_enforces(auditor: Command, shop: Path) -> None:
    """One line for people, and the same for programs."""
    text = auditor("audit", shop).out
    assert "\nnetwork policies: taken to be enforced as specified" in text
    text = auditor("audit", shop, "--cni", "cilium", "--cni", "istio").out
    assert "\nnetwork policies: enforced by cilium,istio (as stated)\n" in text
    told = auditor("audit", shop, "--cni", "aws", "--format", "json").report["networkPolicies"]
    assert (told["profile"], told["how"], told["product"]) == ("aws", "stated", None)
    [run] = auditor("audit", shop, "--cni", "aws", "--format", "sarif").report["runs"]
    assert run["properties"]["networkPolicies"] == told


def test_where_nothing_enforces_the_policy_is_a_finding(auditor: Command, shop: Path) -> None:
    """By the flag or by the configuration; the flag counts before it."""
    asked = ("audit", shop, "--select", VOID)
    assert auditor(*asked).code == 0
    assert auditor(*asked, "--cni", "none").code == 1
    (shop / ".auditor.yaml").write_text("cni: none\n", "utf-8")
    assert auditor(*asked).code == 1
    assert auditor(*asked, "--cni", "calico").code == 0
    (shop / ".auditor.yaml").write_text("cni: [none, istio]\n", "utf-8")
    assert "enforced by nothing" in auditor(*asked).out


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        (("--cni", "cilum"), "there is no profile 'cilum'; did you mean 'cilium'?"),
        (("--cni", "cilium,calico"), "cilium and calico contradict each other"),
    ],
)
def test_a_flag_that_makes_no_sense_is_refused(
    auditor: Command, shop: Path, flags: tuple[str, ...], why: str
) -> None:
    """Exit code 2, no report, and the reason."""
    said = auditor("audit", shop, *flags)
    assert (said.code, said.out) == (2, "")
    assert why in said.err


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ("cni: cilum\n", ".auditor.yaml:1: cni: there is no profile 'cilum'; did you mean"),
        ("cni: [none, aws]\n", "cni: none and aws contradict each other"),
        ("cni: 3\n", "cni: write the name of a profile, or a list of them"),
        ("cni: [3]\n", "cni: write the name of a profile, or a list of them"),
    ],
)
def test_so_is_a_configuration(auditor: Command, shop: Path, config: str, why: str) -> None:
    """It names file, line and field."""
    (shop / ".auditor.yaml").write_text(config, "utf-8")
    said = auditor("audit", shop)
    assert (said.code, said.out) == (2, "")
    assert why in said.err


def test_an_answer_that_is_kept_is_of_the_same_enforcer(auditor: Command, shop: Path) -> None:
    """Another flag is another question."""
    asked = ("audit", shop, "--select", VOID)
    codes = [auditor(*asked, "--cni", name).code for name in ("none", "cilium", "none")]
    assert codes == [1, 0, 1]


def test_fix_and_diff_go_by_it_too(auditor: Command, shop: Path) -> None:
    """The same question from another side."""
    assert auditor("fix", shop, "--select", VOID, "--cni", "none").code == 1
    assert auditor("fix", shop, "--select", VOID).code == 0
    empty = shop / "before"
    empty.mkdir()
    after = shop / "policy.yaml"
    assert auditor("diff", empty, after, "--select", VOID, "--cni", "none").code == 1
    assert auditor("diff", empty, after, "--select", VOID).code == 0
    said = auditor("diff", empty, after, "--cni", "cilium")
    assert said.out.endswith("\nnetwork policies: enforced by cilium (as stated)\n")
    told = auditor("diff", empty, after, "--cni", "cilium", "--format", "json").report
    assert told["head"]["networkPolicies"] == "network policies: enforced by cilium (as stated)"
