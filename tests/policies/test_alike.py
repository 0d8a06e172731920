"""What is written many times is asked about once, and answered as if it had been each time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.audit import Bench, audit, docket
from auditor.facts import Facts
from auditor.facts.custom import role_of
from auditor.model import Finding, Resource, Settings, Snapshot
from auditor.policies import alike
from auditor.policies.alike import Alike
from auditor.policies.drafts import Checked, Said
from auditor.policies.engine import EvaluationError, PolicyEngine, RawFinding
from auditor.policies.judge import Hearing, Question, answered
from tests.bench import bench
from tests.company import OBJECTS
from tests.facts.network.cluster import pod

FAILS = "packages of this engine fail"


class Counting:
    """An engine that counts what it is asked, and fails as often as it is told to."""

    name, version = "counting", "0"

    def __init__(self, engine: PolicyEngine, failures: int = 0) -> None:
        self._engine = engine
        self.asked: list[bytes] = []
        self.failures = failures

    def evaluate(self, package: str, document: bytes) -> list[RawFinding]:
        if self.failures:
            raise EvaluationError(FAILS)
        return self._engine.evaluate(package, document)

    def evaluate_all(
        self, packages: tuple[str, ...], document: bytes
    ) -> Mapping[str, list[RawFinding]]:
        self.asked.append(document)
        if self.failures:
            raise EvaluationError(FAILS)
        return self._engine.evaluate_all(packages, document)


def about(found: Sequence[Resource]) -> Iterator[Question]:
    """Every question about the objects."""
    facts = Facts(Snapshot(tuple(found)), Settings())
    asked = docket(bench(), facts.snapshot)
    for resource in facts.snapshot.resources:
        yield from Hearing(resource, facts).questions(asked.about(role_of(resource)))


def told(engine: PolicyEngine, asked: Sequence[Question]) -> list[Finding]:
    """The findings, in the order of the questions."""
    return [one for _, _, said in answered(engine, asked) for one in said]  # type: ignore[union-attr]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(OBJECTS), max_size=12))
def test_objects_in_any_number_and_order_are_answered_as_each_alone(found: list[Resource]) -> None:
    """Also by whose hand: a finding is on the very object that was asked about."""
    asked = list(about(found))
    engine = bench().engine
    together = told(engine, asked)
    apart = [finding for one in asked for finding in told(engine, [one])]
    assert together == apart
    assert [id(one.resource) for one in together] == [id(one.resource) for one in apart]


def test_fifty_files_of_one_text_are_asked_about_as_one() -> None:
    """And all of them have the finding."""
    one = pod("shop/web")
    copies = [Resource(one.ref, one.manifest, one.origin) for _ in range(50)]
    single, many = Counting(bench().engine), Counting(bench().engine)
    alone = told(single, list(about(copies[:1])))
    assert len(told(many, list(about(copies)))) == 50 * len(alone) > 0
    assert len(many.asked) == len(single.asked)


def test_a_pod_of_another_name_is_asked_about_for_itself() -> None:
    """A policy may read the name."""
    engine = Counting(bench().engine)
    told(engine, list(about([pod("shop/web"), pod("shop/ads")])))
    assert len(set(engine.asked)) == len(engine.asked) > 1


def test_what_could_not_be_told_is_asked_again() -> None:
    """It may have been the machine that was short of something."""
    known = Alike()
    asked = list(about([pod("shop/web")]))
    engine = Counting(bench().engine, failures=1)
    failed = [said for _, _, said in answered(engine, asked, known)]
    assert failed
    assert all(isinstance(said, EvaluationError) for said in failed)
    engine.failures = 0
    assert all(isinstance(said, list) for _, _, said in answered(engine, asked, known))


def test_every_object_that_could_not_be_judged_is_a_gap() -> None:
    """Also where they are written alike."""
    found = tuple(pod(name) for name in ("shop/web", "shop/ads"))
    policies = bench().policies
    answer = audit(Snapshot(found), Bench(policies, Counting(bench().engine, 1)), Settings())
    failed = {gap.ref for gap in answer.gaps if gap.why == FAILS}
    assert failed == {one.ref for one in found}


def test_no_more_is_remembered_than_there_is_room_for() -> None:
    """The oldest answers go first."""
    known = Alike()
    said: tuple[Said, ...] = ()
    for number in range(alike.MOST + 1):
        known.cell(("p",), str(number).encode())[0].said = said
    assert known.cell(("p",), str(alike.MOST).encode())[1] is False
    assert known.cell(("p",), b"0")[1] is True


def test_equal_answers_about_different_objects_share_their_drafts() -> None:
    """And what differs in a number's type alone is not equal."""
    policy = next(iter(bench().policies))
    checked = Checked()

    def said(value: object) -> Said:
        (only,) = checked.drafts((policy,), ("p",), {"p": [_raw(value)]})
        return only

    assert said(1)[1] is said(1)[1]
    assert [repr(said(value)[1]) for value in (1, True, 1.0)] == [
        repr(Checked().drafts((policy,), ("p",), {"p": [_raw(value)]})[0][1])
        for value in (1, True, 1.0)
    ]
    assert isinstance(said(2**70)[1], tuple)


def _raw(value: object) -> RawFinding:
    """A finding with a fix that writes the value."""
    step = {"op": "add", "path": ["a"], "value": value}
    fix = {"title": "t", "safety": "safe", "patch": [step]}
    return {"path": ["spec"], "message": "m", "fix": fix}


def test_a_wrong_answer_is_wrong_each_time() -> None:
    """It is told of every object."""
    policy = next(iter(bench().policies))
    checked = Checked()
    for _ in range(2):
        ((_, told),) = checked.drafts((policy,), ("p",), {"p": [{"message": ""}]})
        assert isinstance(told, EvaluationError)
