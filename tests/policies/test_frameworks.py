"""A control is covered by a policy, or it is a gap."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from auditor.errors import PolicyError
from auditor.model import Unseen
from auditor.policies.frameworks import catalogue, read, uncovered, wanted_controls
from auditor.policies.loader import load

TEXT = """id: own
title: Our own
source: https://example.org
controls:
  "5.2": a subject
"""


def test_every_catalogue_of_ours_can_be_read() -> None:
    """Each under the name of its file."""
    assert {"pss-baseline", "cis-2.0.1"} <= set(catalogue())
    assert all(name == framework.id for name, framework in catalogue().items())


def test_a_control_that_nobody_covers_is_never_passed() -> None:
    """Asking for a framework tells what was not assessed."""
    policies, _ = load()
    missing = uncovered(wanted_controls(["cis-2.0.1"]), policies)
    names = [gap.what for gap in missing]
    assert not any(name.startswith("control cis-2.0.1/5.2.2 ") for name in names)
    assert any(name.startswith("control cis-2.0.1/5.2.1 ") for name in names)
    assert {gap.severity for gap in missing} == {Unseen.INCOMPLETE}


def test_a_policy_covers_the_controls_that_it_names() -> None:
    """And nothing else."""
    policies, _ = load()
    everything = replace(policies[0], controls=tuple(wanted_controls(["pss-baseline"])))
    assert uncovered(wanted_controls(["pss-baseline"]), [everything]) == ()


def test_a_framework_that_we_do_not_know_is_an_error() -> None:
    """Which names those that there are."""
    with pytest.raises(PolicyError, match=r"no framework 'cis' \(there is cis-2\.0\.1, "):
        wanted_controls(["cis"])


def test_no_framework_is_no_control() -> None:
    """Without one nothing is asked, and no catalogue is read."""
    assert wanted_controls([]) == {}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"5.2"', "5.2", "controls"),
        ("a subject", "", "controls.5.2"),
        ("title: Our own\n", "", "title"),
        ("title:", "titel:", "tit"),
        ('  "5.2": a subject\n', "", "controls"),
        ("controls:\n", "controls: [\n", "own.yaml"),
        ('  "5.2": a subject\n', '  "5.2": a\n  "5.2": b\n', "'5.2' is written twice"),
    ],
)
def test_a_wrong_catalogue_names_file_and_field(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    """In one line, without the pages of the library that checks it."""
    assert old in TEXT
    file = tmp_path / "own.yaml"
    file.write_text(TEXT.replace(old, new), encoding="utf-8")
    with pytest.raises(PolicyError) as caught:
        read(file)
    text = str(caught.value)
    assert text.startswith(str(file))
    assert said in text
    assert "\n" not in text
    assert "pydantic" not in text
