"""Log lines: JSON, without values, and never in the way."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import time

import orjson
import pytest

from auditor.serving.logs import MOST_WAITING, Prose, structured


def test_each_line_is_one_json_object() -> None:
    """Whatever signs the message has; of an error only its kind."""
    out = io.StringIO()
    with structured(lambda: None, out):
        logging.getLogger("auditor.x").warning("two\nlines\r\x1b[2J of %s", "text")
        try:
            raise ValueError("a secret")
        except ValueError:
            logging.getLogger("auditor.x").exception("it broke")
    lines = [orjson.loads(line) for line in out.getvalue().splitlines()]
    assert [line["level"] for line in lines] == ["warning", "error"]
    assert lines[0]["message"] == "two\nlines\r\x1b[2J of text"
    assert (lines[1]["error"], "secret" in out.getvalue()) == ("ValueError", False)


def test_a_line_for_people_has_its_fields_and_no_power() -> None:
    """No control character, no credential; of an error only its kind."""
    out = io.StringIO()
    log = logging.getLogger("auditor.x")
    with structured(lambda: None, out, Prose()):
        fields = {"severity": "high", "none": "", "told": "--password=hunter2Zx81qP\x1b[2J\nfake"}
        log.warning("new finding", extra={"fields": fields})
        try:
            raise ValueError("a secret")
        except ValueError:
            log.exception("it broke")
    first, second = out.getvalue().splitlines()
    assert first.partition(" ")[2].startswith("warning new finding: high --password=")
    assert ("hunter2" in first, "\x1b" in first) == (False, False)
    assert second.partition(" ")[2] == "error it broke (ValueError)"


def test_a_reader_that_does_not_read_holds_nobody_up() -> None:
    """Lines are lost then, and counted."""
    reading, writing = os.pipe()
    lost: list[None] = []
    stream = os.fdopen(writing, "w")
    began = time.monotonic()
    with structured(lambda: lost.append(None), stream):
        for _ in range(MOST_WAITING + 5_000):
            logging.getLogger("auditor.x").warning("%s", "x" * 200)
    assert time.monotonic() - began < 15
    assert lost
    os.close(reading)  # ends the thread that still writes
    with contextlib.suppress(OSError):
        stream.close()


def test_a_stream_that_is_gone_loses_lines_and_says_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lost: list[None] = []
    stream = io.StringIO()
    stream.close()
    with structured(lambda: lost.append(None), stream):
        logging.getLogger("auditor.x").warning("is anybody there?")
    assert lost
    assert capsys.readouterr().err == ""
