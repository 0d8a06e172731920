"""Policies that are asked in other processes give the same answers, and none holds up the audit."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.audit import audit
from auditor.policies import workers
from auditor.policies.answers import Answer, answer_of
from auditor.policies.engine import EvaluationError, compile_policies
from auditor.policies.loader import load
from auditor.policies.ours import bundled, is_ours
from auditor.policies.workers import PATIENCE, Apart, Plan
from auditor.sources.files import FileSource
from tests.bench import SETTINGS, bench

MODULES = {
    "echo.rego": """package policies.echo

deny contains {"path": [], "message": word} if some word in input.words
""",
    "number.rego": """package policies.number

deny contains {"path": [], "message": sprintf("%d", [to_number(word)])} if some word in input.words
""",
}
ENDLESS = """package policies.endless

deny contains {"path": [], "message": "it ended"} if {
	input.hard
	some a in numbers.range(1, 100000)
	some b in numbers.range(1, 100000)
	count([c | some c in numbers.range(1, 1000); a + b + c == 0]) > 0
}
"""
HUNGRY = """package policies.hungry

deny contains {"path": [], "message": sprintf("%d", [total])} if {
	input.hard
	total := count(numbers.range(1, 400000000))
}
"""
PACKAGES = ("policies.echo", "policies.number")


@dataclass(frozen=True)
class Posed:
    """A question."""

    document: bytes | EvaluationError
    packages: tuple[str, ...] = PACKAGES


def apart(modules: Mapping[str, str], *, always: bool, seconds: float = 20.0) -> Apart:
    """These modules on the default engine, in processes of their own."""
    here = compile_policies("regorus", modules)
    return Apart(here, Plan("regorus", modules, seconds), always=always)


def plain(answers: Iterator[tuple[Posed, Answer]]) -> list[object]:
    """Answers that can be compared."""
    return [
        (posed, {p: str(a) if isinstance(a, EvaluationError) else a for p, a in answer.items()})
        for posed, answer in answers
    ]


HERE = compile_policies("regorus", MODULES)
WORDS = st.lists(st.text(st.characters(codec="utf-8"), max_size=5) | st.just("12"), max_size=3)


@settings(deadline=None, max_examples=15)
@given(st.lists(WORDS, min_size=2, max_size=150))
def test_answers_are_the_same_and_in_their_order(lists: list[list[str]]) -> None:
    """Those of one process: findings, and errors of policies that could not tell."""
    posed = [Posed(orjson.dumps({"words": words})) for words in lists]
    posed[1] = Posed(EvaluationError("it cannot be asked about"))
    alone: list[tuple[Posed, Answer]] = []
    for one in posed:
        if isinstance(one.document, EvaluationError):
            alone.append((one, dict.fromkeys(one.packages, one.document)))
        else:
            alone.append((one, answer_of(HERE, one.packages, one.document)))
    assert plain(TWO.answers(posed)) == plain(iter(alone))


TWO = apart(MODULES, always=True)


@pytest.fixture(autouse=True)
def _two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    gc.collect()  # an engine that another test has left must not end in a thread of these
    monkeypatch.setattr(workers, "_cores", lambda: 2)


def hard(*numbers: int, of: int, packages: tuple[str, ...]) -> list[Posed]:
    """So many questions, of which those with these numbers are hard."""
    documents = ({"words": [str(n)], "hard": n in numbers} for n in range(of))
    return [Posed(orjson.dumps(document), packages) for document in documents]


@pytest.mark.parametrize("of", [3, 100])
def test_a_policy_that_never_ends_is_named_and_all_else_is_answered(of: int) -> None:
    """On the one object that it does not end for; few or many are asked about."""
    packages = ("policies.echo", "policies.endless")
    engine = apart({**MODULES, "endless.rego": ENDLESS}, always=True, seconds=0.5)
    answers = list(engine.answers(hard(1, of=of, packages=packages)))
    for number, (_, answer) in enumerate(answers):
        said = answer["policies.echo"]
        assert isinstance(said, list)
        assert [finding["message"] for finding in said] == [str(number)]
        ended = answer["policies.endless"]
        assert str(ended) == (
            "it exceeded its time of 0.5 seconds for one object" if number == 1 else "[]"
        )


def test_it_is_given_up_after_some_objects() -> None:
    """Else a thousand objects would take a thousand deadlines."""
    packages = ("policies.echo", "policies.endless")
    engine = apart({**MODULES, "endless.rego": ENDLESS}, always=True, seconds=0.2)
    answers = [answer for _, answer in engine.answers(hard(*range(9), of=9, packages=packages))]
    said = [str(answer["policies.endless"]) for answer in answers]
    assert sum("exceeded its time" in why for why in said) == PATIENCE
    assert sum("not asked" in why for why in said) == 9 - PATIENCE
    assert all(isinstance(answer["policies.echo"], list) for answer in answers)


def test_a_policy_that_takes_all_memory_is_named() -> None:
    """The process that it breaks is not this one."""
    packages = ("policies.echo", "policies.hungry")
    engine = apart({**MODULES, "hungry.rego": HUNGRY}, always=True)
    answers = [answer for _, answer in engine.answers(hard(0, of=2, packages=packages))]
    assert isinstance(answers[0]["policies.hungry"], EvaluationError)
    assert all(isinstance(answer["policies.echo"], list) for answer in answers)
    assert answers[1]["policies.hungry"] == []


def test_one_question_is_asked_apart_as_well() -> None:
    """As for the proof of a fix."""
    engine = apart({**MODULES, "endless.rego": ENDLESS}, always=True, seconds=0.3)
    document = orjson.dumps({"words": ["a"], "hard": True})
    assert [f["message"] for f in engine.evaluate("policies.echo", document)] == ["a"]
    with pytest.raises(EvaluationError, match="exceeded its time"):
        engine.evaluate("policies.endless", document)


def test_without_a_process_only_our_own_policies_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of any other, nobody knows whether it would end."""
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    monkeypatch.setattr(workers, "MANY", 10)
    posed = hard(of=40, packages=PACKAGES)
    mine, theirs = apart(MODULES, always=False), apart(MODULES, always=True)
    ours = [answer for _, answer in mine.answers(posed)]
    documents = [one.document for one in posed if isinstance(one.document, bytes)]
    assert ours == [answer_of(HERE, PACKAGES, document) for document in documents]
    others = [answer for _, answer in theirs.answers(posed)]
    assert all("no process" in str(said) for answer in others for said in answer.values())


def test_whoever_stops_listening_ends_the_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupted audit leaves no process behind, and does not wait for those that are busy."""
    modules = {**MODULES, "endless.rego": ENDLESS}
    engine = apart(modules, always=True, seconds=600.0)
    made: list[workers._Worker] = []
    begin = workers._Worker.__init__

    def noted(self: workers._Worker, plan: Plan) -> None:
        begin(self, plan)
        made.append(self)

    monkeypatch.setattr(workers._Worker, "__init__", noted)
    answers = engine.answers(hard(40, of=200, packages=("policies.echo", "policies.endless")))
    next(answers)
    answers.close()  # type: ignore[attr-defined]
    assert made
    assert not any(worker.alive for worker in made)


def test_a_worker_that_is_killed_costs_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a system that runs out of memory, say: another one takes its place."""
    monkeypatch.setattr(workers, "MANY", 10)
    begun: list[workers._Worker] = []
    begin = workers._Worker.begin

    def noted(self: workers._Worker) -> None:
        begin(self)
        begun.append(self)

    def asked() -> Iterator[Posed]:
        """Until a worker is there, and for a while longer."""
        left = 100 * workers.BATCH
        for number in range(500_000):
            left -= bool(begun)
            if not left:
                return
            yield Posed(orjson.dumps({"words": [str(number)]}))

    monkeypatch.setattr(workers._Worker, "begin", noted)
    engine = apart(MODULES, always=False)
    victim: list[int] = []
    said = []
    for _, answer in engine.answers(asked()):
        said.append(answer["policies.echo"])
        if begun and not victim:
            victim.append(begun[0]._process.pid)
            os.kill(victim[0], signal.SIGKILL)
    assert said == [[{"path": [], "message": str(number)}] for number in range(len(said))]
    assert len(begun) > 1


@pytest.mark.parametrize("questions", [0, 1, 40, 700])
def test_workers_that_are_expected_answer_alike_and_end(
    questions: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many questions come in the end: what was started ahead does not outlive them."""
    begun: list[workers._Worker] = []
    begin = workers._Worker.begin

    def noted(self: workers._Worker) -> None:
        begin(self)
        begun.append(self)

    monkeypatch.setattr(workers._Worker, "begin", noted)
    monkeypatch.setattr(Apart, "_relieve", lambda *_: None)
    engine = apart(MODULES, always=False)
    engine.expect(workers.MANY)
    posed = [Posed(orjson.dumps({"words": [str(number)]})) for number in range(questions)]
    said = [(one, answer["policies.echo"]) for one, answer in engine.answers(posed)]
    found = [[{"path": [], "message": str(number)}] for number in range(questions)]
    assert said == list(zip(posed, found, strict=True))
    assert len(begun) == 1 or questions < workers.BATCH
    assert not any(worker.alive for worker in begun)


def test_few_objects_are_worth_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its start would cost more than they do."""
    monkeypatch.setattr(workers._Worker, "__init__", lambda *_: pytest.fail("it was started"))
    engine = apart(MODULES, always=False)
    engine.expect(workers.MANY - 1)
    posed = hard(of=5, packages=PACKAGES)
    assert len(list(engine.answers(posed))) == len(posed)


def test_an_audit_by_many_is_the_audit_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Findings, gaps and counts, of whole clusters with all policies and their facts."""
    monkeypatch.setattr(workers, "MANY", 10)
    # This thread would have answered all before the workers are there.
    monkeypatch.setattr(Apart, "_relieve", lambda *_: None)
    clusters = Path(__file__).parents[2] / "fixtures" / "clusters"
    for cluster in sorted(clusters.iterdir()):
        snapshot = FileSource((str(cluster),)).snapshot()
        policies, library = load()
        modules = {policy.file: policy.module for policy in policies} | dict(library)
        one = bench()
        many = replace(one, engine=Apart(one.engine, Plan("regorus", modules), always=False))
        assert audit(snapshot, many, SETTINGS) == audit(snapshot, one, SETTINGS)


def test_a_policy_is_ours_by_where_it_lies_and_not_by_how_it_is_written(tmp_path: Path) -> None:
    """Somebody else's are asked with a deadline, whatever path leads there."""
    ours = next(policy.file for policy in load()[0])
    up = Path(*[".."] * (len(bundled().parts) - 1))
    inside = tmp_path / "link"
    inside.symlink_to(bundled())
    assert is_ours(ours)
    assert is_ours(str(inside / Path(ours).relative_to(bundled())))
    assert not is_ours(str(tmp_path / "x.rego"))
    assert not is_ours(str(bundled() / up / tmp_path.relative_to("/") / "x.rego"))
