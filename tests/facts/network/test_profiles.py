"""What enforcers answer where the specification leaves that open, and where it was read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor.errors import UsageError
from auditor.facts.network import Network, Profile, Request
from auditor.facts.network.profiles import ANSWERS, PROFILES, QUESTIONS, SPEC, profile_of, split
from auditor.facts.selectors import Truth
from auditor.facts.workloads import workloads_of
from auditor.model import Snapshot

from .cluster import find, resources

CASES: list[dict[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("profiles.yaml").read_text(encoding="utf-8")
)
AROUND = """
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Namespace
metadata: {name: data}
---
apiVersion: v1
kind: Node
metadata: {name: n1}
status: {addresses: [{type: InternalIP, address: 192.168.0.1}]}
---
apiVersion: v1
kind: Node
metadata: {name: n2}
status: {addresses: [{type: InternalIP, address: 192.168.0.2}]}
---
"""


def rows() -> Iterator[Any]:
    """Each case for each profile."""
    for case in CASES:
        for profile, said in case["expected"].items():
            [(verdict, source)] = said.items()
            assert source.startswith("https://"), case["name"]
            yield pytest.param(case, profile, verdict, id=f"{case['name']}: {profile}")


@pytest.mark.parametrize(("case", "profile", "verdict"), list(rows()))
def test_a_question_is_answered_as_the_enforcer_does(
    case: dict[str, Any], profile: str, verdict: str
) -> None:
    """The verdict of each profile, with its source in the file."""
    snapshot = Snapshot(resources(AROUND + case["manifests"]))
    net = Network(snapshot, workloads_of(snapshot), profile_of([profile]))
    request = Request(case["port"], case.get("protocol", "TCP"))
    ruling = net.ruling(find(net, case["from"]), find(net, case["to"]), request)
    assert ruling.verdict == verdict
    assert ruling.unknown or verdict != "undefined"


def test_cases_ask_what_profiles_answer() -> None:
    """Each case is about a field, and the profiles of a field that is asked are real."""
    assert {case["question"] for case in CASES} <= set(QUESTIONS)
    assert {name for case in CASES for each in case["expected"] for name in split([each])} <= set(
        PROFILES
    )


def test_every_answer_is_to_a_question_and_has_a_source() -> None:
    """What has no source stays as the specification has it."""
    known = {field.name for field in fields(Profile)}
    assert set(QUESTIONS) <= known
    for name, answers in ANSWERS.items():
        assert set(answers) <= set(QUESTIONS)
        assert all(answer.source for answer in answers.values())
        differing = {q for q in QUESTIONS if getattr(PROFILES[name], q) != getattr(SPEC, q)}
        assert differing <= set(answers), name


PAGE = (Path(__file__).parents[3] / "docs" / "enforcers.md").read_text(encoding="utf-8")
WORDS = {Truth.NO: "no", Truth.MAYBE: "open", Truth.YES: "yes"}


def test_the_page_has_every_answer_and_its_source() -> None:
    """Written once in the table of the code, and once for people."""
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in PAGE.split("\n")]
    matrix = {row[0].strip("`"): row[1:] for row in cells if len(row) == len(QUESTIONS)}
    asked = [name for name in QUESTIONS if name != "reaches_itself"]
    sources = [row for row in cells if len(row) == 4]
    for name, answers in ANSWERS.items():
        shown = [WORDS[answers[one].truth] if one in answers else "·" for one in asked]
        assert matrix[name] == shown, name
        for question, answer in answers.items():
            row = [f"`{name}`", QUESTIONS[question], WORDS[answer.truth]]
            [source] = [one[3] for one in sources if one[:3] == row]
            assert source.replace("<", "").replace(">", "") == answer.source


def test_nothing_named_is_the_specification() -> None:
    """And so are empty names."""
    assert profile_of([]) == profile_of([" ,"]) == SPEC


def test_profiles_combine() -> None:
    """A mesh stands on top of any network; the order in which they are named does not matter."""
    both = profile_of(["cilium,istio"])
    assert both.name == "cilium,istio"
    assert (both.blocks_match_pods, both.mesh) == (Truth.NO, Truth.YES)
    assert (profile_of(["none"]).mesh, profile_of(["istio", "none"]).mesh) == (Truth.NO, Truth.YES)
    assert profile_of(["istio", "cilium"]).blocks_match_pods is Truth.NO
    assert profile_of(["cilium", "cilium"]).name == "cilium"


def test_what_one_leaves_open_another_may_close() -> None:
    """Both run, and only one of them says."""
    assert PROFILES["azure"].sctp is Truth.MAYBE
    assert profile_of(["azure", "calico"]).sctp is Truth.YES
    assert profile_of(["calico", "azure"]).sctp is Truth.YES


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (
            ["cilium", "calico"],
            "an ipBlock means a pod by its address with calico, and not with cilium",
        ),
        (["none,aws"], "network policies have an effect with aws, and not with none"),
        (["cilum"], "there is no profile 'cilum'; did you mean 'cilium'?"),
        (["x"], "there is no profile 'x'; there is spec, istio"),
        (["flannel"], "there is no profile 'flannel': what it enforces is 'none'"),
    ],
)
def test_what_makes_no_sense_is_refused(names: list[str], why: str) -> None:
    """With the reason, and the name that was meant."""
    with pytest.raises(UsageError) as error:
        profile_of(names)
    assert why in str(error.value)


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_stands_with_a_mesh(name: str) -> None:
    """Whatever enforces below, sidecars enforce on top of it."""
    assert profile_of([name, "istio"]).mesh is Truth.YES
