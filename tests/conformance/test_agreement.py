"""What our policies say of the test data of other tools, for each check that one of them names in
`equivalents`. Every disagreement is known, with its reason: tests/conformance/disagreements.yaml.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.agreement import DATA, SETS, Verdict, questions, verdicts

LISTED = Path(__file__).with_name("disagreements.yaml")
ENOUGH = 0.95
"""Which part of the verdicts of each set are ours as well."""
NUMBERS: Mapping[str, tuple[int, int]] = {
    "regolibrary": (292, 43),
    "polaris": (103, 3),
    "kube-linter": (137, 0),
    "kube-score": (152, 22),
}
"""Set → how many verdicts there are, and how many cases hold nothing that our policies judge: one
that no longer judges a kind would have fewer, and agree all the more."""

pytestmark = pytest.mark.conformance


@cache
def _verdicts(name: str) -> tuple[tuple[str, tuple[Verdict, ...]], ...]:
    """Each question of a set with its verdicts."""
    return tuple((question.name, tuple(verdicts(question))) for question in questions(name))


def _entries() -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = yaml.safe_load(LISTED.read_text("utf-8"))
    return entries


def _known() -> Mapping[str, str]:
    """The listed disagreements of all sets: what we say of each."""
    return {case: entry["ours"] for entry in _entries() for case in entry["cases"]}


def _told(verdict: Verdict) -> str:
    return "fails" if verdict.ours else "passes"


@pytest.mark.parametrize("name", SETS)
def test_the_data_is_there(name: str) -> None:
    """A build without it would show less than it seems to."""
    if not _verdicts(name):
        if os.environ.get("CI") == "true":
            pytest.fail(f"no test data in {DATA / name}")
        pytest.skip(f"no test data in {DATA / name}: set AUDITOR_CONFORMANCE")


@pytest.mark.parametrize("name", SETS)
def test_every_disagreement_is_known_and_no_other(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that is new is found, and so is one that is listed and happens no more."""
    asked = _verdicts(name)
    if not asked:
        pytest.skip(f"no test data in {DATA / name}: set AUDITOR_CONFORMANCE")
    said = [verdict for _, each in asked for verdict in each]
    differing = {verdict.name: _told(verdict) for verdict in said if not verdict.agreed}
    idle = sum(not each for _, each in asked)
    excused = Counter(name for verdict in said for name in verdict.excuses)
    rest = ", ".join(f"{number} on {name}" for name, number in sorted(excused.items())) or "none"
    with capsys.disabled():
        print(  # noqa: T201 the score
            f"\n{name}: {len(said) - len(differing)} of {len(said)} verdicts are theirs; {idle} of "
            f"{len(asked)} cases hold nothing that our policies judge; "
            f"{sum(map(bool, (v.excuses for v in said)))} verdicts rest on an excuse ({rest})"
        )
    assert (len(said), idle) == NUMBERS[name]
    assert differing == {c: said for c, said in _known().items() if c.startswith(f"{name}/")}
    assert len(said) - len(differing) >= ENOUGH * len(said)


def test_every_disagreement_has_one_reason() -> None:
    """And no case is listed twice."""
    cases = [case for entry in _entries() for case in entry["cases"]]
    assert len(cases) == len(set(cases))
    assert all(len(entry["why"].split()) > 5 for entry in _entries())
