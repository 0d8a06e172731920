"""Who is judged next, and whose budget a body takes."""

from __future__ import annotations

import asyncio

import orjson
import pytest

from auditor.webhook.review import requester
from auditor.webhook.waiting import MOST_REMEMBERED, STRIKES, Ask, Strikes, Waiting

from .world import captures, pod, review


def ask(user: str, peer: str = "") -> Ask:
    """A review of this user."""
    return Ask(review(pod(), userInfo={"username": user}), 0.0, peer=peer)


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


def test_every_address_has_a_turn() -> None:
    """However many names one of them makes up."""

    async def names() -> list[bytes]:
        waiting = Waiting()
        for user in ("mallory-1", "mallory-2", "mallory-3"):
            waiting.add(ask(user, "10.0.0.66"))
        for user in ("ann", "bob"):
            waiting.add(ask(user, "10.0.0.1"))
        found = []
        while following := waiting.next(lambda _: True):
            found.append(following.who.partition(b" ")[0])
        return found

    assert asyncio.run(names()) == [b"mallory-1", b"ann", b"mallory-2", b"bob", b"mallory-3"]


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


def test_who_asks_is_read_as_the_api_server_writes_it() -> None:
    """On each recorded review: user and namespace of the request."""
    for capture in captures():
        body = orjson.loads(capture.read_bytes())["body"]
        asked = body["request"]
        told = f"{asked['userInfo']['username']} in {asked.get('namespace', '')}"
        assert requester(orjson.dumps(body)) == told.encode()


FORGED = {
    "in the object of a request without a namespace": review(
        pod("x") | {"a": {"namespace": "other", "userInfo": {"username": "bob"}}}, namespace=None
    ),
    "in the name": review(
        pod('x","userInfo":{"username":"bob"},"namespace":"other'), namespace=None
    ),
}


@pytest.mark.parametrize("body", FORGED.values(), ids=FORGED.keys())
def test_nobody_asks_in_the_name_of_another(body: bytes) -> None:
    """What a user writes into an object or its name makes them nobody else, and no two people:
    neither are others held responsible, nor does anybody get a second turn.
    """
    assert requester(body) == b"alice in "


def test_whose_objects_end_processes_is_held_apart_alone() -> None:
    """Not the same user's objects in another namespace, which a controller made for somebody else;
    and not for longer than a minute.
    """
    now = [0.0]
    strikes = Strikes(lambda: now[0])
    strikes.add(b"controller in a")
    assert not strikes.out(b"controller in a")
    strikes.add(b"controller in a")
    assert strikes.out(b"controller in a")
    assert not strikes.out(b"controller in b")
    now[0] = 61.0
    assert not strikes.out(b"controller in a")


def test_only_so_many_are_remembered() -> None:
    """The latest."""
    strikes = Strikes(lambda: 0.0)
    users = [b"%d in shop" % number for number in range(MOST_REMEMBERED + 1)]
    for user in users:
        strikes.add(user, STRIKES)
    assert [strikes.out(user) for user in users[:2]] == [False, True]
    assert strikes.out(users[-1])
