"""The forms for pipelines and dashboards: each says every open finding and every gap, in what its
readers read, and whatever stands in a manifest stays text.
"""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from auditor.model import Audit, Gap, Unseen
from auditor.reporters import REPORTERS, render
from auditor.reporters.markdown import MOST

from . import world

HOSTILE = "a\x1b[31m=cmd|`x`<script>@all ]]> ::error::\r\n%0A,\"' \u202e ![x](http://e)"


def report(form: str, audit: Audit) -> str:
    """The report in that form."""
    return render(form, audit, paths=("k8s",), terminal=None)


def shop() -> Audit:
    """One finding of each sort, and two gaps."""
    findings = (
        world.privileged(fix=world.unprivileged()),
        world.waived(world.exposed()),
        world.known(world.literal()),
    )
    return world.audit(*findings, gaps=(world.NOT_READ, world.NOT_KNOWN))


@pytest.mark.parametrize("form", REPORTERS)
def test_no_form_is_silent_about_a_fault_or_a_gap(form: str) -> None:
    """Numbers in Prometheus, words in all others."""
    text = report(form, shop()).replace("\\", "").replace("%2C", ",").replace("&#39;", "'")
    if form == "prometheus":
        assert 'policy="workload/privileged_container",severity="high"' in text
        assert 'auditor_gaps{severity="incomplete",acknowledged="false"} 1' in text
    else:
        assert "runs privileged" in text
        assert "a mapping ends in the middle" in text
        assert "its labels are not among the manifests" in text


@pytest.mark.parametrize("form", [form for form in REPORTERS if form != "json"])
def test_text_of_others_stays_text(form: str) -> None:
    """No control character, no change of direction and no new line of its own gets through. (JSON
    is for programs, and has the text as it is.)
    """
    finding = replace(world.privileged(), message=HOSTILE, anchor=HOSTILE)
    gap = Gap(HOSTILE, HOSTILE, Unseen.INCOMPLETE)
    text = report(form, world.audit(finding, gaps=(gap,)))
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e]", text.replace("\r\n", "\n")), form
    assert not re.search(r"^::error::", text, re.MULTILINE)


class TestJUnit:
    """What CI servers show as tests."""

    def cases(self, audit: Audit) -> dict[str, Any]:
        """What became of each case: the tag of what it holds."""
        root = ET.fromstring(report("junit", audit))  # noqa: S314 - our own text
        cases = {f"{c.get('classname')} {c.get('name')}": c for c in root.iter("testcase")}
        assert int(root.get("tests", "")) == len(cases)
        return {name: (case[0].tag if len(case) else "passed") for name, case in cases.items()}

    def test_each_sort_of_finding_and_each_gap(self) -> None:
        """Failed, skipped where somebody answers for it, an error where nobody looked."""
        assert self.cases(shop()) == {
            "data/not_isolated shop/db[StatefulSet]": "skipped",
            "workload/privileged_container shop/web[Deployment] (app)": "failure",
            "workload/literal_password shop/web[Deployment] (app)": "skipped",
            "gap k8s/broken.yaml": "error",
            "gap namespace shop": "error",
        }

    def test_what_was_not_asked_does_not_pass(self) -> None:
        """A policy that found nothing passes; one that could not be asked does not."""
        unasked = Gap.of_policy("data/not_isolated", "Services are forbidden")
        found = self.cases(world.audit(gaps=(unasked,)))
        assert found["data/not_isolated not assessed"] == "skipped"
        assert found["workload/privileged_container Privileged container: no findings"] == "passed"


def test_gitlab_has_a_place_and_a_fingerprint_of_its_own_for_each_issue() -> None:
    """The fields that GitLab asks for; two findings of one fingerprint do not become one."""
    twice = world.audit(world.privileged(), world.privileged(), gaps=(world.NOT_READ,))
    issues = json.loads(report("gitlab", twice))
    assert len({issue["fingerprint"] for issue in issues}) == len(issues) == 3
    assert issues[0]["location"] == {"path": "k8s/web.yaml", "lines": {"begin": 16}}
    assert [issue["severity"] for issue in issues] == ["critical", "critical", "major"]


def test_a_spreadsheet_takes_no_text_for_a_formula() -> None:
    """Every row has as many cells as the heading, and none begins like a formula."""
    finding = replace(world.privileged(), message='=HYPERLINK("http://e")', anchor="-1+1")
    rows = list(csv.reader(io.StringIO(report("csv", world.audit(finding)))))
    assert {len(row) for row in rows} == {len(rows[0])}
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)


def test_github_is_told_the_place_on_one_line() -> None:
    """A message of several lines, with a percent sign, is one command."""
    finding = replace(world.privileged(), message="50% of\nit, or: more")
    [line] = report("github", world.audit(finding)).splitlines()
    assert line == (
        "::error title=high workload/privileged_container,file=k8s/web.yaml,line=16,col=25"
        "::shop/web[Deployment]: 50%25 of%0Ait, or: more"
    )


class TestMarkdown:
    """The comment of a pull request."""

    def test_it_fits_into_a_comment_whatever_was_found(self) -> None:
        """And says how many findings it leaves out."""
        text = report("markdown", world.audit(*[world.privileged()] * 5000))
        assert len(text) <= MOST
        shown = text.count("- **high**")
        assert f"… and {5000 - shown} more findings" in text

    def test_markup_of_others_does_not_act(self) -> None:
        """No picture, no link, no HTML, nobody mentioned."""
        finding = replace(world.privileged(), message=HOSTILE)
        text = report("markdown", world.audit(finding))
        assert "<script" not in text
        assert "![x](" not in text
        assert "@all" not in text


@pytest.mark.parametrize(
    ("form", "version", "kinds"),
    [
        ("policyreport", "wgpolicyk8s.io/v1alpha2", ["PolicyReport", "ClusterPolicyReport"]),
        ("openreports", "openreports.io/v1alpha1", ["Report", "ClusterReport"]),
    ],
)
def test_policy_reports(form: str, version: str, kinds: list[str]) -> None:
    """One for each object with a finding, in its namespace, and one of what nobody saw."""
    web, db, gaps = yaml.safe_load_all(report(form, shop()))
    assert {each["apiVersion"] for each in (web, db, gaps)} == {version}
    assert [db["kind"], gaps["kind"]] == kinds
    assert {web["scope"]["name"], db["scope"]["name"]} == {"web", "db"}
    assert web["metadata"]["namespace"] == "shop"
    results = [result["result"] for each in (web, db) for result in each["results"]]
    assert sorted(results) == ["fail", "fail", "skip"]
    assert gaps["summary"]["error"] == 1
    assert gaps["summary"]["warn"] == 1
