"""Counts and reasons as people read them."""

from __future__ import annotations

import pytest

from auditor.model import Proof, Reading
from auditor.reporters import render
from auditor.reporters.words import read_in

from . import world


@pytest.mark.parametrize(
    ("objects", "requests", "size", "words"),
    [
        (2431, 23, 4_123_456, "read 2,431 objects in 23 requests, 4.1 MB"),
        (1, 1, 0, "read 1 object in 1 request, 0 bytes"),
        (12, 1024, 99_000, "read 12 objects in 1,024 requests, 99,000 bytes"),
    ],
)
def test_what_reading_took(objects: int, requests: int, size: int, words: str) -> None:
    """In one line, rounded where nobody needs every digit."""
    assert read_in(Reading("2026-03-01T10:00:00Z", objects, requests, size)) == words


LISTS = ("pods", "services", "secrets", "jobs", "nodes")
FIRST = "list of pods, list of services, list of secrets"
MANY = tuple(f"list of {kind} could not be seen: forbidden" for kind in LISTS)


@pytest.mark.parametrize(
    ("unproven", "told"),
    [
        (MANY[:1], "list of pods could not be seen: forbidden"),
        (MANY[:2], "list of pods, list of services could not be seen: forbidden"),
        (
            (*MANY, "no Node is given"),
            f"{FIRST}, and 2 more could not be seen: forbidden; no Node is given",
        ),
        (("a: forbidden", "b: gone", "b: forbidden"), "a, b: forbidden; b: gone"),
        (
            ("a may need x, which it sees: it reads", "b may need y, which it sees: it reads"),
            "a may need x, b may need y, which it sees: it reads",
        ),
        (("it is so", "it is so"), "it is so"),
        (("x", "a: x", "b: x"), "x; a, b: x"),
    ],
)
def test_a_reason_that_many_have_is_said_once(unproven: tuple[str, ...], told: str) -> None:
    """With whom it is about, the first of them, and how many more there are."""
    doubted = world.unprivileged(proof=Proof(resolved=True, unproven=unproven))
    answer = world.audit(world.privileged(fix=doubted))
    text = " ".join(render("text", answer, paths=("k8s",), terminal=None).split())
    assert f" = not proven: {told} " in text
