"""What the log says from one audit to the next."""

from __future__ import annotations

from dataclasses import replace

from auditor.continuous.story import MOST_LINES, Line, Story
from auditor.model import Audit, Evidence, Finding, Gap, Unseen
from tests.reporters import world

BAD, OPEN = world.privileged(), world.exposed()
NODES = Gap("list of nodes", "forbidden: no", Unseen.INCOMPLETE, ("Node",))


def _story(first: Audit) -> Story:
    story = Story()
    story.tell(first)
    return story


def _of(lines: list[Line]) -> list[tuple[str, str]]:
    return [(line.what, str(line.fields.get("policy", line.fields.get("of")))) for line in lines]


def test_the_first_audit_is_counted_and_its_gaps_are_named() -> None:
    """After a restart, no finding is news; what cannot be seen always is."""
    first, gap = Story().tell(world.audit(BAD, OPEN, gaps=(NODES,)))
    assert first.fields["told"].endswith("2 findings, 1 gap")
    assert (gap.what, gap.fields["of"], gap.grave) == ("new gap", "list of nodes", True)


def test_nothing_is_said_where_nothing_has_changed() -> None:
    story = _story(world.audit(BAD, gaps=(NODES,)))
    assert story.tell(world.audit(BAD, gaps=(NODES,))) == []
    worded_anew = replace(NODES, why="forbidden: still no")
    assert story.tell(world.audit(BAD, gaps=(worded_anew,))) == []


def test_what_comes_and_what_goes() -> None:
    story = _story(world.audit(BAD, gaps=(NODES,)))
    lines = story.tell(world.audit(OPEN))
    assert _of(lines) == [
        ("new finding", OPEN.policy.id),
        ("resolved finding", BAD.policy.id),
        ("closed gap", "list of nodes"),
    ]
    assert lines[0].fields["object"] == str(OPEN.ref)
    assert lines[0].fields["severity"] == OPEN.severity.value


def test_what_became_worse_is_new() -> None:
    """Somebody more reaches the data."""
    more = replace(OPEN, evidence=(*OPEN.evidence, Evidence("and another", anchor="another")))
    story = _story(world.audit(OPEN))
    assert _of(story.tell(world.audit(more))) == [("new finding", OPEN.policy.id)]


def test_what_is_waived_is_no_longer_open() -> None:
    story = _story(world.audit(BAD))
    assert _of(story.tell(world.audit(world.waived(BAD)))) == [("resolved finding", BAD.policy.id)]


def _without(policy: str) -> Gap:
    return Gap.of_policy(policy, "not assessed: no list")


def test_what_cannot_be_looked_at_is_not_called_resolved() -> None:
    """Neither by the policy that was not asked, nor of a kind that could not be listed; and it is
    no news when it is seen again.
    """
    gone = replace(world.audit(gaps=(_without(BAD.policy.id),)), policies=(BAD.policy,))
    unlisted = world.audit(gaps=(Gap("list of x", "no", Unseen.INCOMPLETE, (BAD.ref.kind,)),))
    for blind in (gone, unlisted):
        story = _story(world.audit(BAD))
        assert [line.what for line in story.tell(blind)] == ["new gap"]
        assert story.unknown == {BAD.ref}
        assert [line.what for line in story.tell(world.audit(BAD))] == ["closed gap"]
        assert story.unknown == frozenset()
        assert _of(story.tell(world.audit())) == [("resolved finding", BAD.policy.id)]


def test_a_flood_is_cut_and_counted() -> None:
    many = [replace(BAD, anchor=f"c{number}") for number in range(MOST_LINES + 40)]
    lines = _story(world.audit()).tell(world.audit(*many))
    assert len(lines) == MOST_LINES + 1
    assert lines[-1].fields["told"] == "and 40 more"


def test_words_of_others_neither_act_nor_tell_a_credential() -> None:
    message = "argument --password=hunter2-Zx81qP\x1b[2J"
    bad: Finding = replace(BAD, message=message)
    (line,) = _story(world.audit()).tell(world.audit(bad))
    assert "hunter2" not in line.fields["told"]
    assert "\x1b" not in line.fields["told"]
