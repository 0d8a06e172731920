"""`auditor compliance`: what a user sees."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from auditor.frameworks.assessment import assess
from auditor.frameworks.catalogue import framework, names
from auditor.model import Gap, Server, Snapshot, Unseen
from auditor.reporters import REPORTERS, frameworks
from auditor.sources import saved
from auditor.sources.cluster import live_resource
from auditor.sources.kinds import KINDS

from .command import HARMLESS, PEAPODS, PRIVILEGED, Command, Said

FIXED = PEAPODS.with_name("peapods-fixed")
PLACE = "reports.yaml:43"
WAIVER = """\
waivers:
  - policy: workload/privileged_container
    object: shop/web
    reason: until the move
"""


def control(said: Said, name: str) -> dict[str, Any]:
    """What the JSON says of a control of the first framework."""
    [one] = [each for each in said.report["frameworks"][0]["controls"] if each["id"] == name]
    found: dict[str, Any] = one
    return found


def test_alone_it_lists_what_there_is(auditor: Command) -> None:
    """Each framework with how many controls it has."""
    said = auditor("compliance")
    assert said.code == 0
    lines = {line.split()[0]: line for line in said.out.splitlines() if line}
    assert set(names()) <= set(lines)
    assert "131" in lines["cis-2.0.1"]
    rows = json.loads(auditor("compliance", "--format", "json").out)
    assert {row["id"] for row in rows} == set(names())
    for row in rows:
        assert row["controls"] == row["byPolicies"] + row["manual"] + row["notSeen"]
    assert auditor("compliance", "--format", "csv").code == 2


def test_a_failed_control_has_its_line(auditor: Command) -> None:
    """By sections, with the policies that looked and what they found."""
    said = auditor("compliance", "cis-2.0.1", PEAPODS)
    assert said.code == 1
    lines = said.out.splitlines()
    start = next(n for n, line in enumerate(lines) if "failed" in line and "5.2.2" in line)
    told = "\n".join(lines[start : start + 4])
    assert PLACE in told
    assert "shop/nightly-report[CronJob]: container 'report' runs privileged" in told
    assert "workload/privileged_container (12 objects, 1 finding)" in told
    assert lines.index("5.2 security of pods") < start
    assert "partly: pods as they are written" in told
    assert "because: needs the files of a node" in said.out
    assert "of 131 controls" in said.out


def test_brief(auditor: Command) -> None:
    """One line for each control. A privileged container has every capability, no seccomp profile
    holds for it, and it gains what privileges it likes: four controls fail.
    """
    said = auditor("compliance", "pss-restricted", PEAPODS, "-q")
    statuses = [line.split()[0] for line in said.out.splitlines() if line.startswith("  ")]
    assert len(statuses) == 16
    assert statuses.count("failed") == 4
    assert PLACE not in said.out


@pytest.mark.parametrize(
    ("code", "status", "written"),
    [
        (1, "failed", (PRIVILEGED, "waivers: []\n")),
        (0, "passed", (HARMLESS, "waivers: []\n")),
        (0, "waived", (PRIVILEGED, WAIVER)),
        (4, "not assessed", (HARMLESS + "---\nkind: [\n", "waivers: []\n")),
    ],
)
def test_exit_codes(
    auditor: Command, folder: Path, code: int, status: str, written: tuple[str, str]
) -> None:
    """As of an audit: a fault, what somebody answers for, what could not be seen."""
    for name, text in zip(("web.yaml", ".auditor.yaml"), written, strict=True):
        (folder / name).write_text(text, "utf-8")
    said = auditor("compliance", "pss-baseline", folder, "--format", "json")
    assert (said.code, control(said, "privileged")["status"]) == (code, status)
    never = auditor("compliance", "pss-baseline", folder, "--fail-on", "never")
    assert never.code == (0 if code == 1 else code)


@pytest.mark.parametrize("name", ["control plane", "policy overrides", "waiver of x"])
def test_no_name_of_a_folder_makes_a_control_passed(
    auditor: Command, folder: Path, name: str
) -> None:
    """What is called like a gap of another sort could not be read all the same."""
    (folder / "web.yaml").write_text(HARMLESS, "utf-8")
    (folder / name).mkdir()
    (folder / name / "x.yaml").write_text("kind: [\n", "utf-8")
    said = auditor("compliance", "pss-baseline", folder, "--format", "json")
    one = control(said, "privileged")
    assert (said.code, one["status"]) == (4, "not assessed")
    assert [f"{name}/x.yaml" in why for why in one["why"]] == [True]


def test_however_many_reports_are_written_the_controls_are_assessed_once(
    auditor: Command, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the exit code goes by is what the reports say."""
    made: list[str] = []

    def counted(*told: Any) -> Any:
        made.append(told[1].id)
        return assess(*told)

    monkeypatch.setattr(frameworks, "assess", counted)
    (folder / "web.yaml").write_text(PRIVILEGED, "utf-8")
    forms = ("json", "markdown", "csv")
    flags = [word for f in forms for word in ("--format", f, "--output", tmp_path / f)]
    assert auditor("compliance", "pss-baseline", folder, *flags).code == 1
    assert made == ["pss-baseline"]
    assert "failed" in (tmp_path / "csv").read_text("utf-8")


def test_nothing_that_was_assessed_is_no_success(auditor: Command, folder: Path) -> None:
    """A folder without a pod says nothing of the Pod Security Standards."""
    (folder / "ns.yaml").write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n")
    said = auditor("compliance", "pss-baseline", folder)
    assert said.code == 4
    assert "nothing to judge: no workload was read" in said.out
    assert "exit 4" in said.out
    assert "passed" not in said.out


def test_a_saved_snapshot_with_a_forbidden_list(auditor: Command, tmp_path: Path) -> None:
    """Where pods may not be listed, no control of pods is passed."""
    deployment = {
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"template": {"spec": {"containers": [{"name": "a", "image": "r.example/a:1"}]}}},
    }
    kind = next(one for one in KINDS if one.kind == "Deployment")
    gap = Gap("list of pods", "forbidden: no", Unseen.INCOMPLETE, ("Pod",))
    server = Server(136, frozenset(one.kind for one in KINDS))
    saved.save(Snapshot((live_resource(kind, deployment),), (gap,), server), tmp_path / "cluster")
    said = auditor("compliance", "pss-baseline", tmp_path / "cluster", "--format", "json")
    assert said.code == 4
    one = control(said, "host-ports")
    assert (one["status"], one["why"]) == ("not assessed", ["list of pods: forbidden: no"])
    assert one["policies"][0]["objects"] == 1


def test_all_of_it_for_programs(auditor: Command) -> None:
    """Every control once, with the evidence; without a framework named, of all of them."""
    said = auditor("compliance", PEAPODS, "--format", "json")
    assert said.report["format"] == "auditor-controls/1"
    assert [one["id"] for one in said.report["frameworks"]] == list(names())
    for one in said.report["frameworks"]:
        known = framework(one["id"]).at(136)
        assert [each["id"] for each in one["controls"]] == list(known)
        assert sum(one["summary"].values()) == len(known)
        for each in one["controls"]:
            assert (each["status"] == "passed") <= bool(each["policies"] and not each["findings"])
            assert each["status"] in {"passed", "failed"} or each["why"]
    [cis] = [one for one in said.report["frameworks"] if one["id"] == "cis-2.0.1"]
    [found] = [f for one in cis["controls"] if one["id"] == "5.2.2" for f in one["findings"]]
    assert (found["object"], found["line"]) == ("shop/nightly-report[CronJob]", 43)
    assert found["file"].endswith("reports.yaml")


def test_the_fixed_company_has_other_statuses(auditor: Command) -> None:
    """What was mended is passed."""
    said = auditor("compliance", "nsa-cisa", FIXED, "--format", "json")
    before = auditor("compliance", "nsa-cisa", PEAPODS, "--format", "json")
    assert control(before, "1.2")["status"] == "failed"
    assert control(said, "1.2")["status"] == "passed"


def test_several_frameworks(auditor: Command) -> None:
    """By the flag that an audit has, too."""
    said = auditor("compliance", "pss-baseline", PEAPODS, "--framework", "nsa-cisa", "--format",
                   "json")  # fmt: skip
    assert [one["id"] for one in said.report["frameworks"]] == ["pss-baseline", "nsa-cisa"]


def test_only_some_policies(auditor: Command) -> None:
    """What was not asked is not passed."""
    said = auditor("compliance", "pss-baseline", PEAPODS, "--select", "workload/host_ports",
                   "--format", "json")  # fmt: skip
    assert control(said, "host-ports")["status"] == "passed"
    one = control(said, "privileged")
    assert (one["status"], one["why"]) == (
        "not assessed",
        ["not asked: workload/privileged_container"],
    )


def test_an_older_version_has_other_controls(auditor: Command) -> None:
    """Hosts in probes are asked about since 1.34."""
    said = auditor("compliance", "pss-baseline", PEAPODS, "--kubernetes-version", "1.33")
    assert "for Kubernetes 1.33" in said.out
    assert "host-probes" not in said.out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("pss", PEAPODS), "did you mean 'pss-"),
        (("iso", PEAPODS), "no framework 'iso', and no such file; there is cis-1.10"),
        (("pss-baseline",), "name files and folders to audit, or --cluster"),
        ((PEAPODS, "--framework", "iso"), "no framework 'iso' (there is cis-1.10"),
    ],
)
def test_what_nobody_knows(auditor: Command, words: tuple[str, ...], told: str) -> None:
    """Is told in a sentence."""
    said = auditor("compliance", *words)
    assert said.code == 2
    assert told in said.err


def test_a_folder_that_is_called_as_a_framework(
    auditor: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Is a path where it is written as one."""
    (folder / "pss-baseline").mkdir()
    (folder / "pss-baseline" / "web.yaml").write_text(PRIVILEGED, "utf-8")
    monkeypatch.chdir(folder)
    assert auditor("compliance", "pss-baseline", "./pss-baseline").code == 1
    assert "cis-2.0.1" in auditor("compliance", "./pss-baseline").out
    assert auditor("compliance", "pss-baseline").code == 2


@pytest.mark.parametrize("form", REPORTERS)
def test_every_form_names_the_fault(auditor: Command, form: str) -> None:
    """And shows no credential: as an audit."""
    said = auditor("compliance", "pss-baseline", PEAPODS, "--format", form)
    assert said.code == 1
    counted = 'auditor_control{framework="pss-baseline",control="privileged",status="failed"} 1'
    words = {"prometheus": counted, "policyreport": "name: nightly-report",
             "openreports": "name: nightly-report"}  # fmt: skip
    assert words.get(form, "nightly-report") in said.out
    if form in {"text", "markdown", "csv", "junit"}:
        assert PLACE in said.out


def test_a_table(auditor: Command) -> None:
    """One line for each control. A privileged container has every capability, no seccomp profile
    holds for it, and it gains what privileges it likes: four controls fail.
    """
    said = auditor("compliance", "cis-1.10", PEAPODS, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(said.out)))
    assert [row["control"] for row in rows] == list(framework("cis-1.10").controls)
    [row] = [row for row in rows if row["control"] == "5.2.2"]
    assert (row["section"], row["status"], row["objects judged"]) == ("5.2", "failed", "12")


def test_what_was_not_assessed_is_no_pass_for_a_ci_server(auditor: Command) -> None:
    """It is skipped there, and an error for a dashboard."""
    said = auditor("compliance", "cis-2.0.1", PEAPODS, "--format", "junit")
    [suite] = ET.fromstring(said.out)  # noqa: S314 - it is our own
    cases = {str(case.get("name")).split()[0]: case for case in suite}
    assert cases["1.1.1"].find("skipped") is not None
    assert cases["3.1.1"].find("skipped") is not None
    assert cases["5.2.2"].find("failure") is not None
    assert cases["5.2.3"].find("skipped") is None
    report = auditor("compliance", "cis-2.0.1", PEAPODS, "--format", "policyreport")
    [document] = yaml.safe_load_all(report.out)
    results = {one["rule"]: one["result"] for one in document["results"]}
    wanted = {"1.1.1": "error", "3.1.1": "skip", "5.2.2": "fail", "5.2.3": "pass"}
    assert {name: results[name] for name in wanted} == wanted
    assert sum(document["summary"].values()) == 131


def test_findings_for_code_scanning_lead_to_controls(auditor: Command) -> None:
    """The taxonomy of the framework, and each rule's place in it."""
    said = auditor("compliance", "nsa-cisa", PEAPODS, "--format", "sarif", "--sarif-profile",
                   "full")  # fmt: skip
    [run] = said.report["runs"]
    [nsa] = [one for one in run["taxonomies"] if one["name"] == "nsa-cisa"]
    taxa = {one["id"]: one["shortDescription"]["text"] for one in nsa["taxa"]}
    assert taxa["1.2"] == "containers are not privileged."
    [rule] = [
        one
        for one in run["tool"]["driver"]["rules"]
        if one["id"] == "workload/privileged_container"
    ]
    assert rule["properties"]["tags"][3] == "nsa-cisa/1.2"


def test_a_long_report_fits_into_a_comment(auditor: Command) -> None:
    """All frameworks together are longer than a comment may be."""
    said = auditor("compliance", PEAPODS, "--format", "markdown")
    assert said.out.startswith("<!-- auditor -->")
    assert len(said.out) <= 65_536
    assert said.out.rstrip().endswith("</sub>")


def test_a_text_of_somebody_else_does_no_harm(auditor: Command, folder: Path) -> None:
    """The name of a container is shown, and never acts on what shows it."""
    name = '"=x|y\\u001b[31m<b>"'
    (folder / "web.yaml").write_text(PRIVILEGED.replace("name: app", f"name: {name}"), "utf-8")
    for form in ("text", "markdown", "csv", "junit"):
        said = auditor("compliance", "pss-baseline", folder, "--format", form)
        assert "\x1b" not in said.out
        assert form in {"text", "csv"} or "<b>" not in said.out


def test_an_audit_tells_controls_that_nobody_looks_at_together(auditor: Command) -> None:
    """By the reason: a hundred lines would hide what was found. Programs are told each."""
    asked = ("audit", PEAPODS, "--framework", "cis-2.0.1", "--no-fixes")
    said = auditor(*asked)
    lines = [line for line in said.out.splitlines() if "needs the files of a node" in line]
    assert len(lines) == 1
    assert "cis-2.0.1/1.1.1 (file mode of the pod manifest of the API server" in lines[0]
    report = auditor(*asked, "--format", "json").report
    node = [gap for gap in report["gaps"] if "needs the files of a node" in gap["why"]]
    assert f"{len(node)} controls: " in lines[0]


@pytest.mark.parametrize("typed", ["cis-2.0.l", "CIS-2.0.1"])
def test_a_framework_with_dots_may_be_mistyped_too(typed: str, auditor: Command) -> None:
    """It is not taken for a file that is missing."""
    said = auditor("compliance", typed, PEAPODS)
    assert said.code == 2
    assert f"no framework '{typed}', and no such file; did you mean 'cis-2.0.1'?" in said.err
