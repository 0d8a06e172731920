"""What `auditor audit --format sarif` writes is SARIF, as its official schema and Microsoft's own
validator see it, with the rules of GitHub and of Azure DevOps.
"""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from auditor.reporters import render
from tests.reporters import world

from .product import POLICIES
from .sarif.multitool import Multitool, installed

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def multitool() -> Multitool:
    """Microsoft's SARIF multitool."""
    return installed()


PHASE = "00000000-0000-0000-0000-000000000001"
AGENT = {
    "SYSTEM_DEFINITIONID": "1",
    "BUILD_DEFINITIONNAME": "audit",
    "SYSTEM_PHASEID": PHASE,
    "SYSTEM_PHASENAME": "audit",
}
"""What the agent of an Azure pipeline says of it."""


def sarif(*paths: str, profile: str = "full", asked: str = "") -> dict[str, Any]:
    """What the command says of these files and folders of the repository; only the policies
    `asked` for, where some are.
    """
    if not paths or not all((ROOT / path).exists() for path in paths):
        why = "the fixtures are not in this checkout"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(why)
    command = [sys.executable, "-c", "from auditor.cli.main import main; main()"]
    arguments = ["audit", *paths, "--format", "sarif", "--sarif-profile", profile]
    arguments += ["--select", asked] if asked else []
    done = subprocess.run(
        [*command, *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=600, env=os.environ | AGENT,
    )  # fmt: skip
    assert done.returncode in {0, 1, 4}, done.stderr
    assert done.stdout, done.stderr
    log = json.loads(done.stdout)
    assert isinstance(log, dict)
    return log


def as_published_to_azure(log: dict[str, Any]) -> dict[str, Any]:
    """The log with what Azure's task AdvancedSecurity-Publish@1 adds of its own pipeline: of that
    a scanner cannot know.
    """
    published = copy.deepcopy(log)
    start = "azuredevops/pipeline/build/"
    said = {"buildDefinitionId": "1", "buildDefinitionName": "audit", "phaseName": "audit"}
    for run in published["runs"]:
        run["automationDetails"]["id"] = start
        run["automationDetails"]["properties"] = {
            f"{start}{name}": value for name, value in (said | {"phaseId": PHASE}).items()
        }
    return published


FIXTURES = ROOT / "fixtures" / "policies"
LOGS = ["peapods", *sorted(each.name for each in FIXTURES.iterdir() if each.is_dir())]
"""The company of the fixtures, and each group of policies on its failing fixtures. All groups at
once would be one cluster of a thousand objects, and each of its fixes be proven against them all.
"""


@cache
def log_of(which: str) -> dict[str, Any]:
    """The log about one of `LOGS`."""
    if which == "peapods":
        return sarif("fixtures/clusters/peapods")
    found = sorted((FIXTURES / which).rglob("fail-*.yaml"))
    return sarif(*(str(file.relative_to(ROOT)) for file in found), asked=which)


@pytest.mark.parametrize("which", LOGS)
def test_the_log_is_valid(which: str, multitool: Multitool) -> None:
    """It has results, and nobody has anything to say against it but warnings."""
    log = log_of(which)
    assert log["runs"][0]["results"]
    assert multitool.schema_errors(log) == []
    assert multitool.errors(as_published_to_azure(log)) == []


@pytest.mark.parametrize("profile", ["github", "gitlab"])
def test_the_log_is_valid_for_each_reader(profile: str, multitool: Multitool) -> None:
    """As for whoever reads everything."""
    log = sarif("fixtures/clusters/peapods", profile=profile)
    assert {one["ruleId"] for one in log["runs"][0]["results"]} >= set(POLICIES)
    assert multitool.schema_errors(log) == []
    assert multitool.errors(as_published_to_azure(log)) == []


def test_azure_is_told_of_its_pipeline(multitool: Multitool) -> None:
    """So that nothing has to be added to the log before it is published."""
    log = sarif("fixtures/clusters/peapods", profile="azure")
    assert multitool.schema_errors(log) == []
    assert multitool.errors(log) == []


def test_the_log_about_a_cluster_is_valid(multitool: Multitool) -> None:
    """With the text of live objects in it."""
    broken = world.privileged(world.WEB_LIVE, fix=world.unprivileged(world.WEB_LIVE))
    exposed = world.exposed(world.DB_LIVE, world.WEB_LIVE, fix=world.guarded(world.DB_LIVE))
    audit = world.audit(broken, world.waived(exposed), live=True)
    log = json.loads(render("sarif", audit, paths=(), terminal=None))
    assert len(log["runs"][0]["artifacts"]) == 2
    assert multitool.schema_errors(log) == []
    assert multitool.errors(as_published_to_azure(log)) == []


@pytest.mark.parametrize("which", LOGS)
def test_every_result_points_into_a_file_of_the_repository(which: str) -> None:
    """At a region that is there."""
    for result in log_of(which)["runs"][0]["results"]:
        [location] = result["locations"]
        place = location["physicalLocation"]
        assert place["artifactLocation"]["uriBaseId"] == "%SRCROOT%"
        lines = (ROOT / place["artifactLocation"]["uri"]).read_text("utf-8").split("\n")
        region = place["region"]
        assert 1 <= region["startLine"] <= region["endLine"] <= len(lines)
        assert region["startColumn"] <= len(lines[region["startLine"] - 1]) + 1
        assert region["endColumn"] <= len(lines[region["endLine"] - 1]) + 1


def test_the_validator_would_find_a_fault(multitool: Multitool) -> None:
    """A rule without help, which GitHub wants, and a level that SARIF does not know."""
    peapods = log_of("peapods")
    silent = as_published_to_azure(peapods)
    for rule in silent["runs"][0]["tool"]["driver"]["rules"]:
        del rule["help"]
    assert any("GH" in error for error in multitool.errors(silent))
    wrong = copy.deepcopy(peapods)
    wrong["runs"][0]["results"][0]["level"] = "fatal"
    assert multitool.schema_errors(wrong)
