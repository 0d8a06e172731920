"""`auditor paths`: what a user sees."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .command import PEAPODS, PRIVILEGED, Command

PLANTED = PEAPODS.with_name("peapods-paths")
FIXED = PEAPODS.with_name("peapods-fixed")


def test_what_opens_a_path_is_told_with_its_line(auditor: Command) -> None:
    said = auditor("paths", PLANTED)

    assert said.code == 1
    for file, line, words in (
        ("network.yaml", 13, "shop/search: may speak to it on TCP 5432"),
        ("access.yaml", 25, "get pods/proxy"),
        ("access.yaml", 53, "Group support"),
        ("tools.yaml", 24, "container 'agent' runs privileged"),
        ("backup.yaml", 23, "mounts its PersistentVolumeClaim customers-db"),
        ("backup.yaml", 47, "is given its credentials, Secret customers-db"),
    ):
        assert words in said.out
        assert f"{file}:{line}" in said.out
    assert "the shortest way from the internet" in said.out
    assert "tools/agent owns its node, and reaches there: customers/customers" in said.out


def test_the_least_cut_is_told(auditor: Command) -> None:
    said = auditor("paths", PLANTED, "--to", "customers/customers-db")

    assert "6 things (asked again without: no path is left)" in said.out
    assert "take customers/support[RoleBinding] away" in said.out


def test_a_company_without_paths_is_silent(auditor: Command) -> None:
    said = auditor("paths", FIXED)

    assert said.code == 0
    assert said.out == "3 stores of personal data: no path but by design.\n"


def test_a_path_counts_more_than_what_could_not_be_read(auditor: Command, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: [")
    assert auditor("paths", PLANTED, broken).code == 1
    assert auditor("paths", FIXED, broken).code == 4


def test_from_one_start_step_by_step(auditor: Command) -> None:
    said = auditor("paths", PLANTED, "--to", "customers-db", "--from", "monitoring/prometheus")

    assert said.code == 1
    assert "1. ServiceAccount monitoring/prometheus: its pods hold the token" in said.out
    assert "2. customers/customers-db: prometheus[ClusterRoleBinding] grants" in said.out
    assert "shop/search" not in said.out


def test_from_somebody_without_a_path(auditor: Command) -> None:
    said = auditor("paths", PLANTED, "--to", "customers-db", "--from", "customers/customers")

    assert said.code == 0


def test_all_of_it_for_programs(auditor: Command) -> None:
    said = auditor("paths", PLANTED, "--format", "json", "--to", "customers-db")
    [store] = json.loads(said.out)["states"][0]["stores"]

    assert store["data"] == ["pii"]
    assert {one["kind"] for one in store["openings"]} == {
        "network", "api", "node", "volume", "credentials",
    }  # fmt: skip
    assert store["cut"]["closes"]
    [volume] = [one for one in store["openings"] if one["kind"] == "volume"]
    [source] = volume["from"]
    assert source["file"].endswith("backup.yaml")
    assert source["line"] == 23
    internet = next(path for path in store["paths"] if path["from"]["kind"] == "internet")
    assert [step["by_design"] for step in internet["steps"]] == [True, True, False]


def test_a_picture_has_each_place_once(auditor: Command) -> None:
    said = auditor("paths", PLANTED, "--format", "dot")

    assert said.out.startswith('digraph "paths" {')
    assert said.out.count('[label="customers/customers-db"') == 1


def test_without_declared_data_nothing_is_called_clean(auditor: Command, tmp_path: Path) -> None:
    (tmp_path / "pod.yaml").write_text(PRIVILEGED)
    said = auditor("paths", tmp_path)

    assert said.code == 4
    assert "no workload is declared to hold any" in said.err
    assert "no path but by design" not in said.out
    assert auditor("paths", tmp_path, "--to", "shop/web").code == 0


@pytest.mark.parametrize(
    ("flag", "words"), [("--to", "nothing that was read"), ("--from", "nobody that was read")]
)
def test_a_name_that_nobody_has(auditor: Command, flag: str, words: str) -> None:
    said = auditor("paths", PLANTED, flag, "customers/customer-db")

    assert said.code == 2
    assert words in said.err
    assert "customers/customers-db" in said.err
