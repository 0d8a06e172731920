"""`auditor webhook preview` and `replay`: what would be denied, before anything is."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.webhook.world import CAPTURES, captures, guard, holding_data, pod, privileged, review

from .command import Command, Said
from .test_webhook_doctor import cluster

ROOT = Path(__file__).parents[2]
PEAPODS = ROOT / "fixtures" / "clusters" / "peapods"
PRIVILEGED = ("--select", "workload/privileged_container")
ISOLATED = ("--select", "data/personal_data_not_isolated")


def saved(folder: Path, *reviews: bytes) -> Path:
    """These reviews, a line each."""
    file = folder / "reviews.jsonl"
    file.write_bytes(b"\n".join(reviews) + b"\n")
    return file


def configured(folder: Path, text: str, name: str = "terms.yaml") -> Path:
    """A configuration with that section of admission."""
    file = folder / name
    file.write_text(f"admission:\n{text}", "utf-8")
    return file


def answered(said: Said) -> Any:
    """The JSON of an answer."""
    return json.loads(said.out)


def test_the_faults_of_what_is_there_are_told_by_namespace_and_policy(auditor: Command) -> None:
    """The company's fault that is known: its nightly report runs privileged."""
    said = auditor("webhook", "preview", PEAPODS, "--mode", "deny", *PRIVILEGED)
    assert said.code == 1
    assert said.out.splitlines() == [
        "Would be denied, of what is there (1):",
        "  workload/privileged_container of shop/nightly-report[CronJob]",
    ]


@pytest.mark.parametrize(
    ("text", "mode", "code"),
    [
        ("  mode: audit\n", "audit", 0),
        ("  rules: [{mode: warn, namespaces: [sh*]}]\n", "warn", 0),
        ("  mode: deny\n  rules: [{mode: audit, namespaces: [other]}]\n", "deny", 1),
    ],
)
def test_the_rules_of_the_configuration_decide(
    auditor: Command, tmp_path: Path, text: str, mode: str, code: int
) -> None:
    """By policy and namespace."""
    config = configured(tmp_path, text)
    said = auditor(
        "webhook", "preview", PEAPODS, "--config", config, "--format", "json", *PRIVILEGED
    )
    assert said.code == code
    (fate,) = answered(said)["state"]
    assert (fate["mode"], fate["object"]["name"]) == (mode, "nightly-report")


def test_a_waiver_in_a_manifest_changes_nothing(auditor: Command, folder: Path) -> None:
    """An object cannot waive itself, and a preview must not say that it can."""
    manifest = privileged()
    key = "auditor/waive.workload.privileged_container"
    manifest["metadata"]["annotations"] = {key: "because"}
    (folder / "pod.json").write_bytes(orjson.dumps(manifest))
    config = folder / ".auditor.yaml"
    config.write_text("inlineWaivers: ['*']\nadmission: {mode: deny}\n", "utf-8")
    assert auditor("webhook", "preview", folder, *PRIVILEGED).code == 1
    waiver = "{policy: workload/privileged_container, object: shop/web, reason: known}"
    config.write_text(f"waivers: [{waiver}]\nadmission: {{mode: deny}}\n", "utf-8")
    assert auditor("webhook", "preview", folder, *PRIVILEGED).code == 0


def test_recorded_reviews_are_asked_of_the_state(auditor: Command, folder: Path) -> None:
    """One after the other, as they happened: each fault is told where it came."""
    state = folder / "state"
    state.mkdir()
    for each in (holding_data(), guard()):
        (state / f"{each['kind']}.json").write_bytes(orjson.dumps(each))
    reviews = saved(
        folder,
        review(pod("calm")),
        review(guard(), operation="DELETE"),
        review(guard(), operation="CREATE"),
    )
    said = auditor(
        "webhook", "preview", state, "--reviews", reviews, "--mode", "deny", "--format", "json",
        *ISOLATED,
    )  # fmt: skip
    told = answered(said)
    assert said.code == 1
    assert told["state"] == []
    assert [each["verdict"] for each in told["reviews"]] == ["pass", "deny", "pass"]
    assert told["reviews"][1]["request"] == "DELETE networkpolicies.networking.k8s.io shop/guard"
    assert told["reviews"][1]["origin"].endswith("reviews.jsonl:2")


def test_nothing_named_is_a_usage_error(auditor: Command) -> None:
    """There is no state to look at, and no review."""
    assert auditor("webhook", "preview").code == 2


@pytest.mark.parametrize("text", ["", "no json", "{}", '{"kind": "Pod"}', "[]\n[]\n"])
def test_what_is_no_review_is_named(auditor: Command, tmp_path: Path, text: str) -> None:
    """With its file."""
    file = tmp_path / "odd.json"
    file.write_text(text, "utf-8")
    said = auditor("webhook", "replay", file)
    assert said.code == 2
    assert "odd.json" in said.err


def test_a_folder_without_reviews_is_nothing_to_audit(auditor: Command, tmp_path: Path) -> None:
    """'All pass' would be heard as an answer."""
    said = auditor("webhook", "replay", tmp_path)
    assert (said.code, said.out) == (3, "")
    assert "no recorded review in" in said.err


@pytest.mark.parametrize("verb", [("replay",), ("preview", "--reviews")])
def test_reviews_come_from_a_folder_too(
    auditor: Command, folder: Path, verb: tuple[str, ...]
) -> None:
    saved(folder, review(privileged()))
    said = auditor("webhook", *verb, folder, "--mode", "deny", *PRIVILEGED)
    assert said.code == 1
    assert "Of 1 recorded review" in said.out


def test_a_replay_says_what_another_configuration_changes(auditor: Command, folder: Path) -> None:
    """From audit to deny for one policy; all else is answered as before."""
    reviews = saved(folder, review(privileged("bad")), review(pod("good")))
    strict = configured(folder, "  rules: [{mode: deny, policies: [workload]}]\n")
    said = auditor("webhook", "replay", reviews, "--against", strict, *PRIVILEGED)
    assert said.code == 1
    first, change, *lines = said.out.splitlines()
    assert first == "Of 2 recorded reviews, 1 would be answered otherwise."
    assert change.startswith("audit → deny: CREATE pods shop/bad (")
    assert [line.split(":")[0] for line in lines] == ["  - audit", "  + deny"]
    same = auditor(
        "webhook", "replay", reviews, "--against", strict, "--select", "image/not_pinned"
    )
    assert same.code == 0
    assert same.out.startswith("Of 2 recorded reviews, 0 ")


STRICTER = """
# METADATA
# title: Anything at all
# description: Every pod.
# custom:
#   severity: high
#   fix: manual
#   kinds: [Pod]
package policies.test.anything

deny contains finding if {
	input.object.kind == "Pod"
	finding := {"path": ["spec"], "message": "is a pod"}
}
"""


def test_a_replay_says_what_another_version_of_the_policies_changes(
    auditor: Command, folder: Path
) -> None:
    """Before it is rolled out."""
    file = folder / "policies" / "test" / "anything.rego"
    file.parent.mkdir(parents=True)
    file.write_text(STRICTER.lstrip(), "utf-8")
    reviews = saved(folder, review(pod("good")))
    said = auditor(
        "webhook", "replay", reviews, "--against-policies", folder / "policies",
        "--mode", "deny", "--format", "json",
    )  # fmt: skip
    assert said.code == 1
    (change,) = answered(said)["changes"]
    assert (change["before"]["verdict"], change["after"]["verdict"]) == ("pass", "deny")
    assert change["after"]["findings"][0]["policy"] == "test/anything"


def test_a_replay_alone_says_what_would_be_denied(auditor: Command, folder: Path) -> None:
    """The record of one request in the form of its HTTP call is read as well."""
    file = folder / "call.json"
    file.write_bytes(orjson.dumps({"path": "/x", "body": json.loads(review(privileged()))}))
    said = auditor("webhook", "replay", file, "--mode", "deny", *PRIVILEGED)
    assert said.code == 1
    assert said.out.startswith("Of 1 recorded reviews: 1 deny\n  deny CREATE pods shop/web (")


@pytest.mark.conformance
def test_the_recorded_life_of_a_cluster_is_replayed(auditor: Command) -> None:
    """A real API server's reviews: its personal data is open until its policy is there."""
    files = captures()
    said = auditor("webhook", "replay", CAPTURES, "--format", "json", *ISOLATED)
    reviews = answered(said)["reviews"]
    assert len(reviews) == len(files)
    noted = [each["request"] for each in reviews if each["verdict"] == "audit"]
    assert "CREATE deployments.apps payments/customers" in noted
    assert not any("/status" in each for each in noted)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b"{", "is no JSON"),
        (b"[]", "is no AdmissionReview"),
        (b'{"kind": "AdmissionReview", "x": ' + b"[" * 600 + b"]" * 600 + b"}", "too deep"),
        (b'{"kind": "AdmissionReview"}', "the body is no AdmissionReview"),
    ],
)
def test_a_line_that_is_no_review_is_named(
    auditor: Command, tmp_path: Path, line: bytes, complaint: str
) -> None:
    file = saved(tmp_path, review(pod()), line)
    said = auditor("webhook", "replay", file, *PRIVILEGED)
    assert said.code == 2
    assert f"{file}:2: " in said.err
    assert complaint in said.err


def test_a_cluster_that_shows_nothing_is_told_in_few_lines_and_can_be_answered_for(
    auditor: Command, tmp_path: Path
) -> None:
    """What is missing, and what can be done about it; JSON has every list. Whoever answers for
    all of it is not told of it by the exit code.
    """
    version = {"version": {"major": "1", "minor": "36"}}
    asked = ("webhook", "preview", "--cluster", *ISOLATED)
    with cluster(tmp_path, version) as kubeconfig:
        words = (*asked, "--kubeconfig", kubeconfig)
        said = auditor(*words)
        assert said.code == 4
        [lists, *others, advice] = said.err.splitlines()
        told = re.match(r"could not be seen: (\d+) lists: forbidden: namespaces, nodes, ", lists)
        assert told is not None
        assert f"and {int(told[1]) - 5} more" in lists
        assert advice.startswith("next: let the account list what is missing, declare it (`cni`")
        assert len(others) == 1  # the one policy that was asked for
        every = json.loads(auditor(*words, "--format", "json").out)["gaps"]
        assert sum(gap.startswith("list of ") for gap in every) == int(told[1]) == len(every) - 1
        config = tmp_path / "answered.yaml"
        entry = "{gap: '*', reason: the account may see no more}"
        config.write_text(f"acknowledged: [{entry}]\n", "utf-8")
        said = auditor(*words, "--config", config)
    assert said.code == 0
    assert "(the account may see no more)" in said.err
    assert "could not be seen" not in said.err
