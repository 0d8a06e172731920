"""What evaluates Rego: both engines give one answer, and what they cannot do is said."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.errors import PolicyError
from auditor.policies.engine import EvaluationError, PolicyEngine, compile_policies

ENGINES = ("regorus", "regopy", "both")

ECHO = """package policies.echo

deny contains finding if {
	some word in input.words
	finding := {"path": ["spec", 0], "message": word}
}
"""


def program(body: str, engine: str = "regorus") -> PolicyEngine:
    """A policy `policies.p` with this rule."""
    return compile_policies(engine, {"p.rego": f"package policies.p\n\n{body}\n"})


def echoed(engine: PolicyEngine, words: Sequence[str]) -> list[str]:
    """The messages of the policy that repeats what it is given."""
    document = orjson.dumps({"words": words})
    return [finding["message"] for finding in engine.evaluate("policies.echo", document)]


ECHOES = {name: compile_policies(name, {"echo.rego": ECHO}) for name in ENGINES}

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)


@settings(deadline=None, max_examples=200)
@given(st.lists(TEXT, max_size=4, unique=True))
def test_both_engines_read_and_write_every_text(words: list[str]) -> None:
    """Quotes, control characters, emoji: they come back as they were, from either engine."""
    assert sorted(echoed(ECHOES["regorus"], words)) == sorted(words)
    assert echoed(ECHOES["regopy"], words) == echoed(ECHOES["regorus"], words)
    assert echoed(ECHOES["both"], words) == echoed(ECHOES["regorus"], words)


@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_found_is_an_empty_answer(engine: str) -> None:
    """A policy that has nothing to say is no error."""
    assert ECHOES[engine].evaluate("policies.echo", b"{}") == []


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "rule",
    [
        'deny contains "a text"',
        'deny contains {"path": []} if to_number("x") > 1',
        'deny contains ["a list"]',
    ],
)
def test_what_is_no_set_of_findings_is_an_error(engine: str, rule: str) -> None:
    """Never "no findings": the object was not judged."""
    with pytest.raises(EvaluationError):
        program(rule, engine).evaluate("policies.p", b"{}")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_policy_that_is_not_there_is_an_error(engine: str) -> None:
    """A wrong package would else pass everything."""
    with pytest.raises(EvaluationError):
        ECHOES[engine].evaluate("policies.another", b"{}")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "body", ["deny := true", "deny := []", "violations contains 1", "allow if input.x"]
)
def test_a_policy_without_deny_is_refused_at_once(engine: str, body: str) -> None:
    """Before anything is audited, and with the file and line."""
    with pytest.raises(PolicyError, match=r"^p\.rego:1: .*deny contains"):
        program(body, engine)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_syntax_error_names_file_and_line(engine: str) -> None:
    """The author of a policy goes straight to the place."""
    text = "package policies.p\n\ndeny contains x if {\n"
    with pytest.raises(PolicyError, match=r"^p\.rego:[34]\b.*\w"):
        compile_policies(engine, {"p.rego": text})


def test_an_evaluation_error_names_file_and_line() -> None:
    """A gap says where the policy broke, on one line."""
    with pytest.raises(EvaluationError, match=r"^p\.rego:4:\d+: ") as caught:
        program('deny contains x if {\n\tx := to_number("y")\n}').evaluate("policies.p", b"{}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("engine", ENGINES)
def test_numbers_that_json_cannot_carry_are_an_error(engine: str) -> None:
    """Regopy would give Python a number that no report can write."""
    try:
        found = program('deny contains {"n": 123456789012345678901234567890}', engine).evaluate(
            "policies.p", b"{}"
        )
    except EvaluationError:
        return
    orjson.dumps(found)


def test_engines_that_differ_are_an_error() -> None:
    """With --engine both, a difference is a gap and never one of the two answers."""
    lone_surrogate = json.dumps({"words": ["\ud800"]}).encode()
    with pytest.raises(EvaluationError):
        ECHOES["both"].evaluate("policies.echo", lone_surrogate)


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ('x := http.send({"method": "GET"})', "http.send"),
        ("x := time.now_ns()", "time.now_ns"),
        ('x := sprintf("#%d", [1]); y := opa.runtime()', "opa.runtime"),
        ('x := crypto.sha256("a")', "crypto"),
        ("print(input)", "print"),
        ("x := rego.metadata.rule()", "rego.metadata"),
    ],
)
def test_what_a_policy_must_not_use_is_refused_with_its_line(line: str, word: str) -> None:
    """Also after a string that looks like the beginning of a comment."""
    with pytest.raises(PolicyError, match=rf"^p\.rego:4: '{word}' is not allowed: "):
        program(f"deny contains {{}} if {{\n\t{line}\n}}")


@pytest.mark.parametrize(
    "line",
    [
        'x := "http.send is banned"',
        "x := `time.now_ns()\n\ttoo`",
        "x := 1 # print(x), http.send",
        'x := "a \\" # http.send"; y := 2 # "',
        "x := data.lib.crypto.strength",
        "x := blueprint(1)",
    ],
)
def test_a_word_in_a_text_or_a_comment_is_no_use_of_it(line: str) -> None:
    """A message may name what it is about."""
    body = f"deny contains {{}} if {{\n\t{line}\n}}\n\nblueprint(x) := x"
    assert program(body)


@pytest.mark.parametrize(
    "body",
    [
        "deny contains x if {\n\tx := {k | some k, v in input; v}\n}",
        "deny contains x if {\n\tx := [k |\n\t\tsome k, v in input\n\t\tv\n\t]\n}",
        "deny contains x if {\n\tx := {k: [v | some k2, v in y] | some k; y := input[k]}\n}",
    ],
)
def test_pairs_inside_a_comprehension_are_refused(body: str) -> None:
    """Regopy cannot parse them, on one line or on several."""
    with pytest.raises(PolicyError, match=r"^p\.rego:[45]: 'some k, v in' inside"):
        program(body)


def test_pairs_after_a_comprehension_are_fine() -> None:
    """Also on the line of one that is closed."""
    body = "deny contains {} if {\n\tx := [k | some k in input.a]; some k, v in input.b\n\tv\n}"
    assert program(body, "both").evaluate("policies.p", b'{"a": [], "b": {}}') == []


@pytest.mark.parametrize("kind", ["regorus", "regopy", "both"])
def test_a_program_may_be_asked_from_any_thread(kind: str) -> None:
    """It is compiled in one thread and asked in others, as the webhook does."""
    program = compile_policies(kind, {"a.rego": 'package a\n\ndeny contains {"n": input.n}\n'})
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda n: program.evaluate("a", b'{"n": %d}' % n), range(30)))
    assert answers == [[{"n": n}] for n in range(30)]
