"""The audit as a page, as it is written. What a browser makes of it: `tests/e2e/test_html.py`."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from auditor.facts import Facts
from auditor.model import Audit, Gap, Operation, Settings, Unseen
from auditor.reporters import render
from auditor.reporters.html import findings, overview, report
from auditor.reporters.html.remedied import remedied
from auditor.reporters.view import State
from tests.reporters import world

HOSTILE = "</script><img src=x onerror=alert(1)>\"'&\u2028\x1b[31m"


def page(audit: Audit, say: Callable[[str], None] | None = None, *states: State) -> str:
    """The report as HTML."""
    return render("html", audit, paths=("k8s",), terminal=None, say=say, states=states)


def data(text: str) -> dict[str, Any]:
    """What the script of the page reads."""
    found = re.search(
        r'<script type="application/json" id="findings-data">(.*?)</script>', text, re.DOTALL
    )
    assert found
    told: dict[str, Any] = json.loads(found[1])
    return told


def plain(text: str) -> str:
    """What of it is no data and no script."""
    return re.sub(r"<(script|style)\b.*?</\1>", "", text, flags=re.DOTALL)


def test_it_allows_nothing_but_its_own_style_and_script() -> None:
    """By their digests, which are worked out here as the standard says."""
    text = page(world.audit(world.privileged()))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy
    for tag in ("style", "script"):
        [inline] = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}';" in policy[1]
    assert "default-src 'none'" in policy[1]
    assert "unsafe" not in policy[1]


def test_it_names_nothing_to_be_loaded() -> None:
    text = page(world.audit(world.privileged(fix=world.unprivileged())))
    assert not re.search(r"<(link|img|iframe|object|embed|base)\b|\bsrc=|@import|url\(", text)


def test_a_finding_has_place_reason_evidence_and_the_change() -> None:
    told = data(page(world.audit(world.exposed(), world.privileged(fix=world.unprivileged()))))
    exposed, privileged = told["findings"]
    assert told["files"][exposed["f"]] == "k8s/db.yaml"
    assert exposed["e"] == [["web reaches it on every port", "k8s/web.yaml:10:11"]]
    assert told["policies"][exposed["p"]]["id"] == "data/not_isolated"
    assert (privileged["l"], privileged["c"]) == (16, 25)
    assert privileged["x"]["ok"]
    assert "-            privileged: true  # for the profiler" in privileged["x"]["d"].split("\n")
    assert "+            privileged: false  # for the profiler" in privileged["x"]["d"].split("\n")


def test_no_credential_is_in_it() -> None:
    """Neither in the line that a finding is about, nor around a change."""
    text = page(world.audit(world.literal(), world.privileged(fix=world.unprivileged())))
    assert "PASSWORD" in text
    assert "hunter2" not in text


def test_a_live_object_has_no_line() -> None:
    """Its change is steps."""
    fix = world.unprivileged(world.WEB_LIVE)
    [told] = data(page(world.audit(world.privileged(world.WEB_LIVE, fix=fix), live=True)))[
        "findings"
    ]
    assert "f" not in told
    assert told["x"]["d"] == (
        "replace spec.template.spec.containers[0].securityContext.privileged: false"
    )


def test_hostile_text_is_data() -> None:
    """In the block of JSON as in the markup around it; and none of it is lost."""
    finding = replace(world.privileged(), message=HOSTILE)
    text = page(world.audit(finding, gaps=(Gap(HOSTILE, HOSTILE, Unseen.INCOMPLETE),)))
    assert "<img" not in text
    assert "\x1b" not in text
    assert "&lt;/script&gt;&lt;img" in plain(text)
    assert data(text)["findings"][0]["m"].startswith("</script><img src=x onerror=alert(1)>\"'&")


class TestWhatIsTooMuch:
    """A page has an end, and says what is beyond it."""

    def test_the_least_severe_are_left_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(findings, "MOST", 2)
        said: list[str] = []
        text = page(world.audit(world.literal(), world.privileged(), world.exposed()), said.append)
        assert [one["s"] for one in data(text)["findings"]] == ["critical", "high"]
        assert "1 of 3 findings, the least severe, are not on this page" in plain(text)
        assert len(said) == 1

    def test_diffs_end_where_room_does(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The finding itself stays."""
        one = world.privileged(fix=world.unprivileged())
        whole = data(page(world.audit(one, one)))["findings"]
        size = len(whole[0]["q"]) + len(whole[0]["x"]["d"])
        monkeypatch.setattr(findings, "ROOM", size + 10)
        text = page(world.audit(one, one))
        first, second = data(text)["findings"]
        assert first == whole[0]
        assert "d" not in second["x"]
        assert second["m"] == first["m"]
        assert "1 findings stand here without their lines" in plain(text)

    def test_reasons_are_counted_where_they_are_cut(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(findings, "REASONS", 1)
        finding = world.exposed()
        [told] = data(page(world.audit(replace(finding, evidence=finding.evidence * 4))))[
            "findings"
        ]
        assert told["e"][1][0] == "… and 3 more reasons: --format json has all"

    def test_so_are_gaps(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(overview, "MOST", 9)
        gaps = tuple(Gap(f"file {n}", "broken", Unseen.INCOMPLETE) for n in range(11))
        text = plain(page(world.audit(gaps=gaps)))
        assert text.count("<li class=") == 9
        assert "2 gaps are not on this page" in text


def test_gaps_stand_before_all_else() -> None:
    """Those that nobody answers for first; without any, it says so."""
    known = replace(world.NOT_KNOWN, acknowledged="it is made by the platform")
    text = plain(page(world.audit(world.privileged(), gaps=(known, world.NOT_READ))))
    assert text.index("a mapping ends in the middle") < text.index("it is made by the platform")
    assert text.index("it is made by the platform") < text.index("1 high")
    assert "No gaps" in plain(page(world.audit(world.privileged())))


def test_a_part_more_is_led_to() -> None:
    """Who knows more of an audit tells it in a section of its own."""
    text = report.page("t", "a", [report.Section("more", "More & more", "<p>told</p>", "7")])
    assert '<a href="#more">More &amp; more <span>7</span></a>' in text
    assert '<section id="more" aria-labelledby="more-title">' in text


def state(name: str, audit: Audit) -> State:
    return State(name, audit, Settings())


def test_each_state_has_its_pictures() -> None:
    """Named, where there are several; and with its fixes, where it has any."""
    fixed = world.audit(world.privileged(fix=world.unprivileged()))
    both = page(fixed, None, state("overlays/prod", fixed), state("overlays/test", world.audit()))
    names = re.findall(r'aria-controls="network-\d">([^<]*)<', both)
    assert names == [
        "prod: as it is",
        "prod: with 1 proven fix",
        "test: as it is",
    ]
    assert "schedulable if nodes have" in plain(both)
    alone = page(world.audit(), None, state("", world.audit()))
    assert not re.search(r'aria-controls="network-', alone)


def test_nobody_reaches_what_nobody_reaches() -> None:
    """An isolated database says so, with its own row; an open one names whom it is open to."""
    text = plain(page(world.audit(), None, state("", world.audit())))
    assert "everything in the cluster" in text
    fixed = world.audit(world.exposed(fix=world.guarded()))
    text = plain(page(fixed, None, state("", fixed)))
    assert "everything in the cluster" in text.partition('<div id="network-1"')[0]
    assert "nobody" in text.partition('<div id="network-1"')[2]


def test_fixes_that_exclude_each_other_are_counted() -> None:
    """The first of them is made."""
    one = world.unprivileged()
    change = replace(one.changes[0], operations=(Operation("remove", world.CONTAINER[:-2]),))
    audit = world.audit(
        world.privileged(fix=replace(one, changes=(change,))), world.privileged(fix=one)
    )
    found = remedied(audit, Facts(audit.snapshot, Settings()))
    assert found is not None
    assert (found.fixes, found.left_out) == (1, 1)
    assert found.words == "with 1 proven fix, without 1 that do not go with them"


def test_no_fix_is_no_after() -> None:
    audit = world.audit(world.privileged())
    assert remedied(audit, Facts(audit.snapshot, Settings())) is None
