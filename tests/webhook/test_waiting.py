"""Who is judged next, and whose budget a body takes."""

from __future__ import annotations

import asyncio

from auditor.webhook.waiting import Ask, Waiting

from .world import pod, review


def ask(user: str) -> Ask:
    """A review of this user."""
    return Ask(review(pod(), userInfo={"username": user}), 0.0)


def test_everybody_has_a_turn() -> None:
    """However many one of them asks."""

    async def names() -> list[bytes]:
        waiting = Waiting()
        for user in ("ann", "ann", "ann", "bob"):
            waiting.add(ask(user))
        found = []
        while following := waiting.next(lambda _: True):
            found.append(following.who.partition(b" ")[0])
        return found

    assert asyncio.run(names()) == [b"ann", b"bob", b"ann", b"ann"]


def test_who_gave_up_is_passed_over() -> None:
    """Between the moment in which time is up and the one in which the review leaves, an evaluator
    may become free: it is given to somebody who still waits.
    """

    async def asked() -> list[bytes]:
        waiting, late = Waiting(), ask("ann")
        for each in (late, ask("bob")):
            waiting.add(each)
        late.process.cancel()
        found = []
        while following := waiting.next(lambda _: True):
            found.append(following.who.partition(b" ")[0])
        waiting.drop(late)
        assert len(waiting) == 0
        return found

    assert asyncio.run(asked()) == [b"bob"]
