"""SARIF, as each of its consumers reads it."""

from __future__ import annotations

import gzip
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
from auditor.reporters.sarif_profiles import PROFILES

from . import world

Node = dict[str, Any]


def run(audit: Audit, profile: str = "full") -> Node:
    """The one run of the log."""
    log = json.loads(render("sarif", audit, paths=("k8s",), terminal=None, sarif=profile))
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


def test_a_live_object_has_a_place() -> None:
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


def _live(text: str) -> tuple[Node, Node]:
    """The result about a live object with that text, and its artifact."""
    web = world.resource(text, "cluster/shop/deployments/web.yaml", live=True)
    audit = replace(world.audit(world.privileged(web), live=True), snapshot=Snapshot((web,)))
    found = run(audit)
    [artifact] = found["artifacts"]
    return found["results"][0], artifact


def test_the_text_of_a_live_object_is_there_for_viewers() -> None:
    """The region of a result is the field in it, and stars stand for what may be a credential."""
    found, artifact = _live(world.WEB)
    place = found["locations"][0]["physicalLocation"]
    assert artifact["location"] == place["artifactLocation"]
    lines = artifact["contents"]["text"].split("\n")
    line = lines[place["region"]["startLine"] - 1]
    region = place["region"]
    assert line[region["startColumn"] - 1 : region["endColumn"] - 1] == "true"
    assert "              value: *******" in lines


CANARIES = {
    "an annotation": "  annotations: {note: %s}\n",
    "a Helm release": "  annotations: {meta.helm.sh/x: '%s'}\n",
}
INSIDE = {
    "a variable": "          env: [{name: A, value: %s}]\n",
    "an argument": "          args: [--x, '%s']\n",
    "a header": "          startupProbe: {httpGet: {httpHeaders: [{name: a, value: %s}]}}\n",
    "a query": "          livenessProbe: {httpGet: {port: 1, path: /x?key=%s}}\n",
    "a login": "          image: https://user:%s@registry.example/x\n",
    "a command": "          lifecycle: {preStop: {exec: {command: [sh, -c, '%s']}}}\n",
}


@pytest.mark.parametrize("line", [*CANARIES.values(), *INSIDE.values()], ids=[*CANARIES, *INSIDE])
def test_no_credential_is_in_the_text_of_a_live_object(line: str) -> None:
    """Wherever people put them."""
    canary = "c4n4ry-hunter2"
    before = "spec:\n" if line in CANARIES.values() else "          securityContext:"
    head, mark, tail = world.WEB.replace("hunter2", "x").partition(before)
    if line in INSIDE.values():
        head = head.replace(
            "          env:\n            - name: PASSWORD\n              value: x\n", ""
        )
        head = head.replace("          image: registry.example/web:1.0.0\n", "")
    _, artifact = _live(head + line % canary + mark + tail)
    assert canary not in artifact["contents"]["text"]
    assert "privileged: true" in artifact["contents"]["text"]


def test_a_kind_that_nobody_knows_hides_every_text() -> None:
    """What its fields mean is known to its operator alone."""
    text = (
        "apiVersion: example.org/v1\nkind: Db\nmetadata: {name: db, namespace: a}\nx: {pin: abc}\n"
    )
    db = world.resource(text, "cluster/a/dbs/db.yaml", live=True)
    audit = replace(world.audit(world.privileged(db, path=("x",))), snapshot=Snapshot((db,)))
    [artifact] = run(audit)["artifacts"]
    assert "abc" not in artifact["contents"]["text"]
    assert "name: db" in artifact["contents"]["text"]


def test_controls_are_taxonomies_that_rules_point_into() -> None:
    """SARIF 3.49.15: by index and by name, to the control and to its framework."""
    found = run(EVERYTHING)
    frameworks = found["taxonomies"]
    [rule] = [
        r for r in found["tool"]["driver"]["rules"] if r["id"] == "workload/privileged_container"
    ]
    pointed = []
    for relation in rule["relationships"]:
        target = relation["target"]
        framework = frameworks[target["toolComponent"]["index"]]
        taxon = framework["taxa"][target["index"]]
        assert (framework["name"], taxon["id"]) == (target["toolComponent"]["name"], target["id"])
        pointed.append(f"{framework['name']}/{taxon['id']}")
    assert pointed == ["pss-baseline/privileged", "cis-2.0.1/5.2.2"]
    names = [one["name"] for one in found["tool"]["driver"]["supportedTaxonomies"]]
    assert names == [one["name"] for one in frameworks]


def test_github_gets_what_it_reads_and_no_alert_for_what_is_waived() -> None:
    """It opens one for a suppressed result, and never closes it again."""
    found = run(EVERYTHING, "github")
    assert [one["ruleId"] for one in found["results"]] == [
        "data/not_isolated",
        "workload/privileged_container",
        "workload/literal_password",
    ]
    assert "taxonomies" not in found
    assert not [one for one in found["results"] if {"fixes", "suppressions"} & set(one)]
    assert "artifacts" not in run(LIVE, "github")


def test_gitlab_gets_a_rank_and_skips_what_is_accepted() -> None:
    """It reads severity from the rank first, and takes suppressions for what they are."""
    found = run(EVERYTHING, "gitlab")["results"]
    assert [one["rank"] for one in found] == [95.0, 80.0, 80.0, 30.0]
    assert sum("suppressions" in one for one in found) == 1
    nobody = replace(world.privileged(), ref=replace(world.WEB_FILE.ref, name="nobody"))
    [alone] = run(world.audit(nobody), "gitlab")["results"]
    assert alone["locations"][0]["physicalLocation"]["region"]["startLine"] == 1


def test_azure_is_told_of_its_pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the variables of its agent; without an agent nothing is made up."""
    for name in (
        "SYSTEM_DEFINITIONID",
        "BUILD_DEFINITIONNAME",
        "SYSTEM_PHASEID",
        "SYSTEM_PHASENAME",
    ):
        monkeypatch.delenv(name, raising=False)
    start = "azuredevops/pipeline/build/"
    assert run(EVERYTHING, "azure")["automationDetails"] == {"id": f"{start}auditor/"}
    monkeypatch.setenv("SYSTEM_DEFINITIONID", "12")
    properties = run(EVERYTHING, "azure")["automationDetails"]["properties"]
    assert properties == {f"{start}buildDefinitionId": "12"}


def _many(number: int) -> Audit:
    low = world.literal()
    faults = [replace(low, anchor=f"{n}") for n in range(number - 1)]
    return world.audit(*faults, world.privileged())


def test_github_takes_five_thousand_results_of_a_run() -> None:
    """More go into runs of other categories: nothing is lost, and no fingerprint is used twice."""
    text = render("sarif", _many(5002), paths=("k8s",), terminal=None, sarif="github")
    first, second = json.loads(text)["runs"]
    assert (len(first["results"]), len(second["results"])) == (5000, 2)
    assert [one["automationDetails"]["id"] for one in (first, second)] == ["auditor/", "auditor-2/"]
    assert first["results"][0]["ruleId"] == "workload/privileged_container"
    for one in (first, second):
        rules = one["tool"]["driver"]["rules"]
        assert all(rules[r["ruleIndex"]]["id"] == r["ruleId"] for r in one["results"])
    assert len(json.loads(render("sarif", _many(5002), paths=(), terminal=None))["runs"]) == 1


def test_what_is_too_much_for_github_is_left_out_and_said() -> None:
    """The least severe, in the log and to the person at the keyboard."""
    small = replace(PROFILES["github"], per_run=2, runs=2)
    said: list[str] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(PROFILES, "github", small)
        text = render("sarif", _many(6), paths=(), terminal=None, sarif="github", say=said.append)
    runs = json.loads(text)["runs"]
    assert [len(one["results"]) for one in runs] == [2, 2]
    [invocation] = runs[0]["invocations"]
    [note] = invocation["toolExecutionNotifications"]
    assert note["message"]["text"].startswith("2 results of the least severity left out")
    assert said == [note["message"]["text"].rstrip(".")]


def test_a_log_that_is_too_large_is_cut_to_size() -> None:
    """GitHub refuses a file of more than 10 MB, compressed."""
    audit = _many(2000)
    whole = render("sarif", audit, paths=(), terminal=None, sarif="github")
    most = len(gzip.compress(whole.encode())) // 2
    small = replace(PROFILES["github"], most_bytes=most)
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(PROFILES, "github", small)
        text = render("sarif", audit, paths=(), terminal=None, sarif="github")
    assert len(gzip.compress(text.encode())) <= most
    [found] = json.loads(text)["runs"]
    assert 0 < len(found["results"]) < 2000
    assert found["results"][0]["ruleId"] == "workload/privileged_container"
