"""`auditor network diff`: what a change opens, personal data first."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.cli.command import PEAPODS, Command

from .world import POLICY, SHOP, written

INGRESS = """\
apiVersion: v1
kind: Service
metadata:
  name: door
  namespace: shop
spec:
  type: LoadBalancer
  selector:
    app: customers
  ports:
    - port: 443
      targetPort: 8080
"""


@pytest.fixture
def sides(tmp_path: Path) -> tuple[Path, Path]:
    """The shop with its policy, and without."""
    return written(tmp_path / "base", SHOP, POLICY), written(tmp_path / "head", SHOP)


def test_a_scope_that_neither_side_knows_is_no_clean_answer(
    auditor: Command, sides: tuple[Path, Path]
) -> None:
    """A namespace that is written wrong must not let a change pass."""
    said = auditor("network", "diff", *sides, "-n", "shpo")
    assert said.code == 3
    assert "did you mean 'shop'?" in said.err


def test_a_policy_that_goes_opens_personal_data(auditor: Command, sides: tuple[Path, Path]) -> None:
    """Exit code 1; the declared client is no harm."""
    said = auditor("network", "diff", *sides)
    assert said.code == 1
    assert said.out.splitlines()[:3] == [
        "opens (2 groups of flows):",
        "  + high: every port to shop/customers [pii] from shop/cron, any other pod",
        "      no NetworkPolicy selects it",
    ]
    assert "info: every port but TCP 8080 to shop/customers [pii] from shop/web" in said.out
    assert "opens 2 groups of flows, 2 of them to personal data" in said.out


def test_the_way_back_closes_them(auditor: Command, sides: tuple[Path, Path]) -> None:
    """And fails nothing."""
    base, head = sides
    said = auditor("network", "diff", head, base)
    assert said.code == 0
    assert "closes (2 groups of flows):" in said.out
    assert "opens nothing" in said.out


def test_no_change_is_none(auditor: Command, sides: tuple[Path, Path]) -> None:
    """Nothing opens, nothing closes."""
    said = auditor("network", "diff", sides[0], sides[0])
    assert said.code == 0
    assert said.out.startswith("opens nothing; closes nothing; from ")


@pytest.mark.parametrize(("fail_on", "code"), [("critical", 0), ("high", 1), ("never", 0)])
def test_what_fails_is_a_choice(
    auditor: Command, sides: tuple[Path, Path], fail_on: str, code: int
) -> None:
    """As of the other verbs."""
    assert auditor("network", "diff", *sides, "--fail-on", fail_on).code == code


def test_a_door_for_the_internet_is_the_worst(auditor: Command, tmp_path: Path) -> None:
    """No policy changes: a Service is enough."""
    base = written(tmp_path / "base", SHOP)
    head = written(tmp_path / "head", SHOP, INGRESS)
    said = auditor("network", "diff", base, head)
    assert said.code == 1
    assert "critical: TCP 8080 to shop/customers [pii] from the internet" in said.out
    closed = written(tmp_path / "closed", SHOP, POLICY)
    door = written(tmp_path / "door", SHOP, POLICY, INGRESS)
    assert auditor("network", "diff", closed, door).code == 0


def test_a_new_workload_is_told_with_what_it_opens(auditor: Command, tmp_path: Path) -> None:
    """What it reaches, and who reaches it, in few rows."""
    extra = SHOP.split("---\n")[2].replace("web", "extra")
    base = written(tmp_path / "base", SHOP)
    said = auditor("network", "diff", base, written(tmp_path / "head", SHOP, extra))
    assert "new workloads (1): shop/extra" in said.out
    assert "high: every port to shop/customers [pii] from shop/extra" in said.out
    gone = auditor("network", "diff", tmp_path / "head", base)
    assert gone.code == 0
    assert "gone (1): shop/extra" in gone.out


def test_dropping_the_class_does_not_hide_the_flow(
    auditor: Command, sides: tuple[Path, Path]
) -> None:
    """What was personal data before the change is so in its comparison."""
    base, head = sides
    file = head / "0.yaml"
    file.write_text(file.read_text().replace("    auditor/data: pii\n", "    a: b\n"))
    said = auditor("network", "diff", base, head)
    assert said.code == 1
    assert "to shop/customers [pii]" in said.out


def test_json(auditor: Command, sides: tuple[Path, Path]) -> None:
    """For programs."""
    report = auditor("network", "diff", *sides, "--format", "json").report
    assert report["personalDataOpened"] is True
    first = report["opened"][0]
    assert (first["severity"], first["to"], first["data"]) == ("high", ["shop/customers"], ["pii"])
    assert "shop/cron" in first["from"]
    assert report["closed"] == []


def test_markdown_for_a_pull_request(auditor: Command, sides: tuple[Path, Path]) -> None:
    """What matters is the heading."""
    out = auditor("network", "diff", *sides, "--format", "md").out
    assert out.startswith("### ⚠ This change opens flows to personal data\n")
    assert "| high | every port | shop/customers &#91;pii&#93; | shop/cron, any other pod |" in out
    same = auditor("network", "diff", sides[0], sides[0], "--format", "md").out
    assert same.startswith("### This change opens and closes no flow\n")


def test_sarif_points_at_the_rule_that_admits(auditor: Command, tmp_path: Path) -> None:
    """So that the line of the change is marked."""
    wide = POLICY.replace("            matchLabels:\n              app: web\n", "            {}\n")
    base = written(tmp_path / "base", SHOP, POLICY)
    head = written(
        tmp_path / "head", SHOP, wide.replace("podSelector:\n            {}", "podSelector: {}")
    )
    said = auditor("network", "diff", base, head, "--format", "sarif")
    assert said.code == 1
    [run] = json.loads(said.out)["runs"]
    result = run["results"][0]
    assert result["ruleId"] == "network/opens_personal_data"
    assert result["level"] == "error"
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"].endswith("1.yaml")
    assert place["region"]["startLine"] == 11


def test_two_revisions(auditor: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `auditor diff` names them."""
    written(tmp_path, SHOP, POLICY)
    monkeypatch.chdir(tmp_path)

    def git(*words: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run(["git", *who, *words], check=True, capture_output=True)

    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "one")
    (tmp_path / "1.yaml").unlink()
    git("commit", "-qam", "two")
    said = auditor("network", "diff", "git:HEAD~1", "git:HEAD")
    assert said.code == 1
    assert "high: every port to shop/customers [pii]" in said.out
    assert auditor("network", "diff", "git:nonsense", "git:HEAD").code == 2


def test_what_can_no_longer_be_seen_ends_with_4(auditor: Command, sides: tuple[Path, Path]) -> None:
    """A policy may be in the file that is broken now."""
    base, _ = sides
    head = written(base.parent / "broken", SHOP, POLICY, "kind: [\n")
    said = auditor("network", "diff", base, head)
    assert said.code == 4
    assert "can no longer be seen" in said.out


def test_the_company_before_and_after(auditor: Command) -> None:
    """The fixed one closes flows and opens none."""
    said = auditor("network", "diff", PEAPODS, PEAPODS.with_name("peapods-fixed"))
    assert said.code == 0
    assert "opens nothing" in said.out
    assert "diets/diets [spi] from monitoring/prometheus" in said.out


def test_what_could_not_be_seen_before_is_told(auditor: Command, sides: tuple[Path, Path]) -> None:
    """What opens may have been open there already."""
    base = written(sides[0].parent / "broken", SHOP, "kind: [\n")
    said = auditor("network", "diff", base, sides[1])
    assert said.code == 0
    assert "before the change: gap (incomplete)" in said.err
