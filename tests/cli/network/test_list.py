"""`auditor network list`: counts first, what is alike once, and nothing lost in the other forms."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from tests.cli.command import PEAPODS, Command

from .world import POLICY, REFUSED, SHOP, written


def test_counts_come_before_names(auditor: Command, folder: Path) -> None:
    """Then what everything reaches, what some reach, and who leaves for the internet."""
    written(folder, SHOP, POLICY)
    said = auditor("network", "list", folder)
    assert said.code == 0
    assert said.out == (
        "3 workloads in 1 namespace, 1 of them with personal data\n"
        "6 pairs of workloads: 4 open on every port, 1 on some ports, 1 closed\n"
        "isolated on the way in: 1 of 3 (1 of the 1 with personal data); on the way out: 0\n"
        "\n"
        "everything reaches these on every port (2 workloads):\n"
        "  shop  cron, web\n"
        "\n"
        "reached by some:\n"
        "  shop/customers [pii]\n"
        "    TCP 8080  from shop/web\n"
        "\n"
        "leave for the internet:\n"
        "  every port  from everything\n"
    )


def test_the_internet_is_told_with_what_leads_it_there(auditor: Command) -> None:
    """An Ingress stands beside the workload that it opens."""
    said = auditor("network", "list", PEAPODS)
    assert "web (internet through Ingress shop/web)" in said.out
    assert "diets/diets [spi]\n    every port  from monitoring/prometheus\n" in said.out


def test_to_from_and_focus(auditor: Command, folder: Path) -> None:
    """One side, the other, or both."""
    written(folder, SHOP, POLICY)
    to = auditor("network", "list", folder, "--to", "shop/customers").out
    assert "TCP 8080  from shop/web" in to
    assert "cron" not in to
    from_ = auditor("network", "list", folder, "--from", "shop/cron").out
    assert "every port  to shop/web, the internet" in from_
    focus = auditor("network", "list", folder, "--focus", "customers").out
    assert focus.startswith("who reaches them:\n")
    assert "\n\nwhom they reach:\n" in focus
    assert "reached by some" in focus
    assert "these reach everything on every port" in focus
    assert auditor("network", "list", folder, "--focus", "web", "--to", "web").code == 2


def test_a_mistyped_name_is_asked_back(auditor: Command, folder: Path) -> None:
    """With the name that was probably meant."""
    written(folder, SHOP)
    said = auditor("network", "list", folder, "--to", "shop/custmers")
    assert said.code == 2
    assert "did you mean 'shop/customers'?" in said.err


def test_csv_has_a_row_for_each_pair(auditor: Command, folder: Path) -> None:
    """And none for a pod with itself."""
    written(folder, SHOP, POLICY)
    said = auditor("network", "list", folder, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(said.out)))
    pairs = {(row["from"], row["to"]): row for row in rows}
    assert len(pairs) == len(rows)
    assert pairs["shop/web", "shop/customers"]["ports"] == "TCP 8080"
    assert pairs["shop/web", "shop/customers"]["data"] == "pii"
    assert ("shop/cron", "shop/customers") not in pairs
    assert ("shop/cron", "shop/cron") not in pairs
    assert ("the internet", "shop/cron") in pairs
    assert ("shop/cron", "the internet") in pairs
    assert ("any other pod of shop", "shop/web") in pairs


def test_json_has_rows_with_their_reasons(auditor: Command, folder: Path) -> None:
    """Who is alike stands in one row."""
    written(folder, SHOP, POLICY)
    report = auditor("network", "list", folder, "--format", "json").report
    [state] = report["states"]
    assert state["counts"]["pairs"] == 6
    [flow] = [flow for flow in state["flows"] if flow["to"] == ["shop/customers"]]
    assert flow["from"] == ["shop/web"]
    assert flow["ports"] == {"TCP": [[8080, 8080]]}
    assert flow["reasons"][0]["line"] == 11
    assert state["ends"]["shop/customers"]["data"] == ["pii"]


def test_markdown_is_a_table(auditor: Command, folder: Path) -> None:
    """One that GitHub shows."""
    written(folder, SHOP, POLICY)
    out = auditor("network", "list", folder, "--format", "md").out
    assert "| shop/customers &#91;pii&#93; | TCP 8080 | shop/web |" in out


def test_dot_is_the_graph(auditor: Command, folder: Path) -> None:
    """Of Graphviz."""
    written(folder, SHOP, POLICY)
    assert auditor("network", "list", folder, "--format", "dot").out.startswith("digraph ")


def test_the_scope_limits_what_is_told(auditor: Command, folder: Path) -> None:
    """Not what is known: who reaches it from outside is told."""
    said = auditor("network", "list", PEAPODS, "-n", "diets")
    assert said.out.startswith(
        "who reaches them:\n1 workload in 1 namespace, 1 of them with personal data\n"
    )
    assert "from monitoring/prometheus" in said.out
    assert "within scope: namespace diets" in said.err
    assert auditor("network", "list", PEAPODS, "-n", "nonsense").code == 3


def test_gaps_and_refused_policies_are_told_in_every_form(auditor: Command, folder: Path) -> None:
    """On standard error in a line each; what could not be seen ends with 4."""
    written(folder, SHOP, REFUSED, "kind: [\n")
    for form in ("text", "json", "csv", "md", "dot"):
        said = auditor("network", "list", folder, "--format", form)
        assert said.code == 4
        assert "rejected: shop/broken[NetworkPolicy]" in said.err
        assert "gap (incomplete)" in said.err


def test_what_cannot_be_told_is_no_yes_and_no_no(auditor: Command, folder: Path) -> None:
    """A label of a namespace that nobody tells."""
    peer = "podSelector:\n            matchLabels:\n              app: web"
    policy = POLICY.replace(peer, "namespaceSelector: {matchLabels: {team: a}}")
    other = SHOP.split("---\n")[2].replace("namespace: shop", "namespace: elsewhere")
    written(folder, SHOP, policy, other)
    out = auditor("network", "list", folder).out
    assert "1 not known for sure" in out
    assert "perhaps TCP 8080  from elsewhere/web" in out
    assert "has no Namespace object to tell it" in out


@pytest.mark.parametrize("form", ["text", "csv", "md", "json", "dot"])
def test_hostile_names_are_text(auditor: Command, folder: Path, form: str) -> None:
    """No name is markup, an escape of a terminal, or a formula of a spreadsheet."""
    names = ("=cmd|' /C calc'!A0", "<script>alert(1)</script>", "a\\x1b[31mb", "a|b\\nc")
    pods = "---\n".join(
        f'apiVersion: v1\nkind: Pod\nmetadata: {{name: "{name}", namespace: shop}}\nspec: {{}}\n'
        for name in names
    )
    written(folder, SHOP, pods)
    out = auditor("network", "list", folder, "--format", form).out
    assert "\x1b" not in out
    if form == "md":
        assert "<script" not in out
        assert all(line.count(" | ") == 2 for line in out.splitlines() if line.startswith("| "))
    if form == "csv":
        assert not any(
            cell.startswith(("=", "+", "@")) for row in csv.reader(io.StringIO(out)) for cell in row
        )


def test_a_thousand_workloads_are_told_at_once(auditor: Command, folder: Path) -> None:
    """All pairs, with a policy on every tenth."""
    import time

    texts = []
    for number in range(1000):
        pod = (
            f"{{apiVersion: v1, kind: Pod, metadata: {{name: w{number}, namespace: n{number % 20},"
        )
        texts.append(f"{pod} labels: {{app: w{number}}}}}, spec: {{}}}}\n")
        if number % 10 == 0:
            texts.append(
                "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: "
                f"w{number}, namespace: n{number % 20}}}, spec: {{podSelector: {{matchLabels: "
                f"{{app: w{number}}}}}, ingress: [{{from: [{{podSelector: {{matchLabels: "
                f"{{app: w{number + 20}}}}}}}]}}]}}}}\n"
            )
    written(folder, "---\n".join(texts))
    start = time.process_time()
    said = auditor("network", "list", folder)
    assert "999,000 pairs of workloads" in said.out
    assert time.process_time() - start < 6
    assert len(said.out.splitlines()) < 400


def test_the_configuration_says_what_is_personal_data(auditor: Command, folder: Path) -> None:
    """And a class that is mistyped in a label is no silence."""
    written(folder, SHOP)
    config = folder / ".auditor.yaml"
    config.write_text("data:\n  objects:\n    shop/web: {class: spi}\n")
    out = auditor("network", "list", folder, "--to", "shop/web").out
    assert "web [spi]" in out
    file = folder / "0.yaml"
    file.write_text(file.read_text().replace("auditor/data: pii", "auditor/data: pli"))
    said = auditor("network", "list", folder)
    assert said.code == 4
    assert "'pli'" in said.err
