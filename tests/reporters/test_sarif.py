"""SARIF, as each of its consumers reads it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest

from auditor.model import Audit, Finding, Policy, Proof, Severity, Snapshot
from auditor.reporters import render

from . import world

Node = dict[str, Any]


def run(audit: Audit) -> Node:
    """The one run of the log."""
    log = json.loads(render("sarif", audit, paths=("k8s",), terminal=None))
    assert log["version"] == "2.1.0"
    [found] = log["runs"]
    assert isinstance(found, dict)
    return found


def result(*findings: Finding, live: bool = False) -> Node:
    """The first result of a run over `findings`."""
    found = run(world.audit(*findings, live=live))["results"][0]
    assert isinstance(found, dict)
    return found


EVERYTHING = world.audit(
    world.literal(),
    world.waived(world.privileged()),
    world.privileged(fix=world.unprivileged()),
    world.exposed(fix=world.guarded()),
    gaps=(world.NOT_READ, world.NOT_KNOWN),
)
LIVE = world.audit(
    world.privileged(world.WEB_LIVE, fix=world.unprivileged(world.WEB_LIVE)),
    world.exposed(world.DB_LIVE, world.WEB_LIVE, fix=world.guarded(world.DB_LIVE)),
    live=True,
)


@pytest.mark.parametrize("audit", [EVERYTHING, LIVE, world.audit()], ids=["files", "live", "none"])
def test_what_every_consumer_asks_of_a_run(audit: Audit) -> None:
    """GitHub: names, descriptions, ten tags. DefectDojo: one location, four numbers, described
    fixes. Cortex: no leading slash. GitLab: a location for each result.
    """
    found = run(audit)
    rules = found["tool"]["driver"]["rules"]
    for rule in rules:
        _check_rule(rule)
    for one in found["results"]:
        assert rules[one["ruleIndex"]]["id"] == one["ruleId"]
        assert one["message"]["text"].endswith(".")
        assert len(one["locations"]) == 1
        for fix in one.get("fixes", ()):
            assert fix["description"]["text"].endswith(".")
            assert fix["artifactChanges"]
    for location in _locations(found["results"]):
        uri = location["artifactLocation"]["uri"]
        assert not uri.startswith("/")
        assert "\\" not in uri
        numbers = location["region"]
        assert set(numbers) == {"startLine", "startColumn", "endLine", "endColumn"}
        assert all(number >= 1 for number in numbers.values())


def _check_rule(rule: Node) -> None:
    assert rule["shortDescription"]["text"]
    assert 0 < len(rule["fullDescription"]["text"]) <= 1024
    assert rule["help"]["text"]
    assert rule["help"]["markdown"]
    assert len(rule["properties"]["tags"]) <= 10
    assert 0 <= float(rule["properties"]["security-severity"]) <= 10


def _locations(results: list[Node]) -> Iterator[Node]:
    for one in results:
        for location in (*one["locations"], *one.get("relatedLocations", ())):
            yield location["physicalLocation"]


def test_a_finding_points_at_its_field_and_its_object() -> None:
    """At the value in the file, and at the object by its full name."""
    [location] = result(world.privileged())["locations"]
    assert location == {
        "physicalLocation": {
            "artifactLocation": {"uri": "k8s/web.yaml", "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": 16, "startColumn": 25, "endLine": 16, "endColumn": 29},
        },
        "logicalLocations": [
            {
                "name": "web",
                "fullyQualifiedName": "apps/v1/Deployment/shop/web",
                "kind": "resource",
            }
        ],
    }


def test_the_message_stands_alone_and_links_its_reasons() -> None:
    """GitHub shows a related location only where the message links to it."""
    found = result(world.exposed())
    assert found["message"]["text"] == (
        "StatefulSet shop/db: holds PII, and web reaches it without being its client. "
        "Why: [web reaches it on every port](1)."
    )
    [related] = found["relatedLocations"]
    assert related["id"] == 1
    assert related["physicalLocation"]["artifactLocation"]["uri"] == "k8s/web.yaml"
    assert related["physicalLocation"]["region"]["startLine"] == 10


@pytest.mark.parametrize(
    ("severity", "level", "band"),
    [
        (Severity.CRITICAL, "error", (9.1, 10)),
        (Severity.HIGH, "error", (7.0, 8.9)),
        (Severity.MEDIUM, "warning", (4.0, 6.9)),
        (Severity.LOW, "note", (0.1, 3.9)),
        (Severity.INFO, "note", (0, 0)),
    ],
)
def test_severities_fall_into_the_bands_of_github(
    severity: Severity, level: str, band: tuple[float, float]
) -> None:
    """From "SARIF support for code scanning", security-severity."""
    policy = world.policy("a/b", severity)
    finding = replace(world.privileged(), policy=policy)
    found = run(replace(world.audit(finding), policies=(policy,)))
    [rule] = found["tool"]["driver"]["rules"]
    assert rule["defaultConfiguration"]["level"] == found["results"][0]["level"] == level
    assert band[0] <= float(rule["properties"]["security-severity"]) <= band[1]


def test_a_policy_that_says_much_is_cut_to_what_consumers_take() -> None:
    """GitHub refuses a full description of more than 1024 characters, and drops the 11th tag."""
    policy = _long_policy()
    [rule] = run(replace(world.audit(), policies=(policy,)))["tool"]["driver"]["rules"]
    _check_rule(rule)
    assert rule["properties"]["tags"][:4] == ["security", "kubernetes", "a", "cis/0"]
    assert "word word" in rule["help"]["text"]


def _long_policy() -> Policy:
    controls = tuple(f"cis/{number}" for number in range(20))
    return world.policy("a/b", Severity.LOW, description="word " * 1000, controls=controls)


def test_the_worst_come_first() -> None:
    """GitHub keeps the first five thousand."""
    found = run(world.audit(world.literal(), world.privileged(), world.exposed()))
    assert [one["level"] for one in found["results"]] == ["error", "error", "note"]
    assert found["results"][0]["ruleId"] == "data/not_isolated"


def test_fingerprints_survive_moved_lines_and_tell_twins_apart() -> None:
    """The same fault twice in one object is counted, not merged."""
    twins = [world.privileged(), world.privileged(path=world.CONTAINER)]
    first, second = run(world.audit(*twins))["results"]
    same = twins[0].fingerprint
    assert first["partialFingerprints"] == {
        "primaryLocationLineHash": f"{same}:1",
        "resourceFingerprint/v1": same,
    }
    assert second["partialFingerprints"]["primaryLocationLineHash"] == f"{same}:2"


def test_a_proven_fix_can_be_applied_by_an_editor() -> None:
    """Replacing its region in the file takes the privilege away and changes nothing else."""
    [fix] = result(world.privileged(fix=world.unprivileged()))["fixes"]
    assert fix["description"]["text"] == "run it unprivileged (may change behaviour)."
    [change] = fix["artifactChanges"]
    [replacement] = change["replacements"]
    region = replacement["deletedRegion"]
    line = world.WEB.split("\n")[region["startLine"] - 1]
    new = replacement["insertedContent"]["text"]
    edited = line[: region["startColumn"] - 1] + new + line[region["endColumn"] - 1 :]
    assert edited == "            privileged: false  # for the profiler"


def test_a_fix_that_is_not_proven_is_no_quick_fix() -> None:
    """VS Code would offer it with one click."""
    doubtful = world.unprivileged(proof=Proof(resolved=True, unproven=("no Node is given",)))
    found = result(world.privileged(fix=doubtful))
    assert "fixes" not in found
    assert found["properties"]["fix"]["proven"] is False
    assert found["properties"]["fix"]["unproven"] == ["no Node is given"]


def test_a_waiver_is_a_suppression_with_its_reason() -> None:
    """DefectDojo takes it for accepted, GitLab leaves it out."""
    [suppression] = result(world.waived(world.privileged()))["suppressions"]
    assert suppression == {
        "kind": "external",
        "status": "accepted",
        "justification": "the profiler needs it until June",
    }
    assert "suppressions" not in result(world.privileged())


def test_a_baseline_tells_new_from_known() -> None:
    """Without one, no result claims to be new."""
    known, new = run(world.audit(world.known(world.exposed()), world.privileged()))["results"]
    assert (known["baselineState"], new["baselineState"]) == ("unchanged", "new")
    assert "baselineState" not in result(world.privileged())


def test_gaps_make_the_run_a_failed_one() -> None:
    """Only where something was to be audited and could not be."""
    [invocation] = run(world.audit(gaps=(world.NOT_KNOWN, world.NOT_READ)))["invocations"]
    assert invocation["executionSuccessful"] is False
    unknown, incomplete = invocation["toolExecutionNotifications"]
    assert (unknown["level"], incomplete["level"]) == ("warning", "error")
    assert incomplete["message"]["text"] == (
        "k8s/broken.yaml: line 3: a mapping ends in the middle."
    )
    [calm] = run(world.audit(gaps=(world.NOT_KNOWN,)))["invocations"]
    assert calm["executionSuccessful"] is True


def test_a_live_object_has_a_place_and_no_text() -> None:
    """GitHub and GitLab want a file; what is in it may be a credential."""
    text = render("sarif", LIVE, paths=(), terminal=None)
    assert "hunter2" not in text
    assert "snippet" not in text
    found = json.loads(text)["runs"][0]["results"][1]
    artifact = found["locations"][0]["physicalLocation"]["artifactLocation"]
    assert artifact == {"uri": "cluster/shop/deployments/web.yaml", "uriBaseId": "CLUSTER"}
    assert "fixes" not in found


def test_names_become_uris_byte_for_byte() -> None:
    """Spaces, colons, other scripts, and bytes that are no text at all."""
    for name in (
        "a b/c:d#e?.yaml",
        "b\u00fccher/\u5bc6.yaml",
        os.fsdecode(b"k/\xff.yaml"),
        "100%.yaml",
    ):
        uri = _uri(name)["uri"]
        assert uri.isascii()
        assert not set(uri) & set(" :#?")
        assert unquote_to_bytes(uri) == os.fsencode(name)


def test_uris_are_relative_below_this_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However the user named the file, and through links; what is elsewhere is named in full."""
    here = tmp_path / "repo"
    (here / "k8s").mkdir(parents=True)
    (here / "link").symlink_to("k8s")
    (tmp_path / "entry").symlink_to("repo")
    monkeypatch.chdir(here)
    inside = {"uri": "k8s/web.yaml", "uriBaseId": "%SRCROOT%"}
    for name in ("k8s/web.yaml", "./k8s/../k8s/web.yaml", "link/web.yaml"):
        assert _uri(name) == inside
    assert _uri(str(here / "k8s" / "web.yaml")) == inside
    assert _uri(str(tmp_path / "entry" / "k8s" / "web.yaml")) == inside
    assert _uri("../other/web.yaml") == {"uri": (tmp_path / "other" / "web.yaml").as_uri()}


def _uri(name: str) -> Node:
    web = world.resource(world.WEB, name)
    audit = replace(world.audit(world.privileged(web)), snapshot=Snapshot((web,)))
    [found] = run(audit)["results"]
    artifact = found["locations"][0]["physicalLocation"]["artifactLocation"]
    assert isinstance(artifact, dict)
    return artifact


def test_a_hostile_message_makes_no_link() -> None:
    """Viewers turn [text](target) into something to click on."""
    message = "container '[log in](https://evil.example)\u202e' runs\nprivileged"
    text = result(world.privileged(message=message))["message"]["text"]
    assert "](" not in text.replace(r"\](", "")
    assert text.isprintable()
