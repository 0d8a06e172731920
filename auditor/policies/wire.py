"""What a process that judges and the one that asks it write to each other: byte strings with their
length before each.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import IO

import orjson

from auditor.policies.answers import Answer
from auditor.policies.engine import EvaluationError, RawFinding

Asked = tuple[tuple[str, ...], bytes]
"""The packages that are asked, and the document."""
_LENGTH = struct.Struct("!Q")


class EndedError(Exception):
    """The other side is not there any more."""


def put(stream: IO[bytes], *parts: bytes) -> None:
    """Write the parts.

    Raises:
        OSError: nobody reads them.
    """
    for part in parts:
        stream.write(_LENGTH.pack(len(part)))
        stream.write(part)
    stream.flush()


def take(stream: IO[bytes]) -> bytes:
    """The next part.

    Raises:
        EndedError: there is none.
    """
    length = _LENGTH.unpack(_exactly(stream, _LENGTH.size))[0]
    return _exactly(stream, length)


def _exactly(stream: IO[bytes], length: int) -> bytes:
    data = stream.read(length)
    if len(data) < length:
        raise EndedError
    return data


def put_questions(stream: IO[bytes], asked: Sequence[Asked]) -> None:
    """Write several questions at once.

    Raises:
        OSError: nobody reads them.
    """
    parts = (part for names, document in asked for part in (orjson.dumps(names), document))
    put(stream, str(len(asked)).encode(), *parts)


def take_questions(stream: IO[bytes]) -> list[Asked]:
    """The next questions: all of them, so that whoever writes them need not wait.

    Raises:
        EndedError: there are none.
    """
    count = int(take(stream))
    return [(tuple(orjson.loads(take(stream))), take(stream)) for _ in range(count)]


def put_answer(stream: IO[bytes], answer: Answer) -> None:
    """Write an answer, without the policies that have nothing to say."""
    told = {
        package: {"error": str(said)} if isinstance(said, EvaluationError) else said
        for package, said in answer.items()
        if said
    }
    put(stream, orjson.dumps(told))


def take_answer(stream: IO[bytes], packages: Iterable[str]) -> Answer:
    """The answer of these packages.

    Raises:
        EndedError: there is none.
    """
    told = orjson.loads(take(stream))
    return {package: _said(told.get(package, [])) for package in packages}


def _said(told: list[RawFinding] | dict[str, str]) -> list[RawFinding] | EvaluationError:
    return EvaluationError(told["error"]) if isinstance(told, dict) else told
