"""What we take YAML for is what kubectl takes it for, asked case by case."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from auditor.sources.yaml import Document, documents

pytestmark = pytest.mark.e2e

_HEAD = "apiVersion: example.com/v1\nkind: Example\nmetadata:\n  name: a\n"

SCALARS = re.findall(
    r"\S+",
    """
y Y yes Yes YES n N no No on On ON off Off OFF oFF true True TRUE tRUE false False FALSE
~ null Null NULL nULL 0o14 0O14 014 08 09 0b11 -0b11 +0b11 0x1F -0x1F +0x1f 0X1F 0o8 0b2 0x 0b 0o
12:30:45 190:20:30 2001-01-01 2001-1-1 2001-12-14t21:59:43.10-05:00 1e3 1E3 1.5e3 +1.5 -1.5 .5 5.
+.5 -.5 . .e3 1.e3 = << 1_000 0x_1F 1_000.5 0b1_1 0o1_4 _1 1_ 1__0 +1 -1 -0 +0 0 00 000 -017 +017
1e 1e+3 1e-3 1.0 1.10 100 18446744073709551615 18446744073709551616 9223372036854775807
9223372036854775808 -9223372036854775808 -9223372036854775809 123456789012345678901234567890 1e400
1.7976931348623157e309 inf nan NaN Infinity 1,000 0.1 0.30000000000000004 12e03 1e3_0 0x1.8p3
0xFFFFFFFFFFFFFFFFFF 1.5_5 .5_5 0.0 -0.0 1e20 1e21 1e-7 -1e3 0777 0o777 -0o14 +0o14 07_7 0_7 1.2.3
100m 1Gi 50% a:b a:b:c ::1 v1.2 - -- --1 +a .a ... 'yes' "1" 'null' "~" ''
""",
)
TAGGED = [
    *("!!str 1", '!!int "3"', "!!float 3", '!!bool "yes"', "!!binary aGk=", '!!null ""'),
    *("!!timestamp 2001-01-01", "!custom x", "! 12", "!!str", "!!str true", "!!int '0o14'"),
    *("!!set {a, b}", "!!omap [a: 1]", '!!float "1"', "!!map {a: 1}", "!!seq [1]", ""),
    *("!!int foo", "!!bool foo", "!!null foo", "!!float foo", ".inf", "-.Inf", "+.INF", ".nan"),
]
KEYS = re.findall(
    r"\S+",
    """
1 0x10 1e3 1.5 true yes Off null ~ 2001-01-01 1_000 "1" .5 1e21 18446744073709551615 .inf -.INF .nan
-0 1.0 100000000.0 1e7 1.10 123456.5 1234567.5 0.0001 0.00001 12:30:45 [a] <<x +.inf .NaN
""",
)
TEXTS = {
    "duplicate": "spec:\n  a: 1\n  a: 2\n",
    "merge": "spec:\n  b: &b {x: 1, z: 2}\n  c:\n    <<: *b\n    z: 4\n",
    "merge after a key": "spec:\n  b: &b {x: 1, z: 2}\n  c:\n    z: 4\n    <<: *b\n",
    "merge of several": "spec:\n  b: &b {x: 1}\n  c: &c {x: 9, z: 2}\n  d:\n    <<: [*b, *c]\n",
    "two merges": "spec:\n  b: &b {x: 1}\n  c: &c {x: 9}\n  d:\n    <<: *b\n    <<: *c\n",
    "quoted merge": 'spec:\n  b: &b {x: 1}\n  d:\n    "<<": *b\n',
    "merge of text": "spec:\n  <<: 3\n",
    "merge of null": "spec:\n  <<:\n",
    "merge in place": "spec:\n  <<: {q: 1}\n",
    "anchor again": "spec:\n  a: &x 1\n  b: *x\n  c: &x 2\n  d: *x\n",
    "anchored key": "spec:\n  &k a: 1\n  b: *k\n",
    "unknown alias": "spec: *x\n",
    "alias in itself": "spec: &a [*a]\n",
    "tab as indentation": "spec:\n\ta: 1\n",
    "tab as space": "spec:\n  a:\t1\n  b: 2\t# c\n",
    "crlf": "spec:\r\n  a: |\r\n    x\r\n    y\r\n",
    "control character": 'spec: "a\x07b"\n',
    "surrogate escapes": 'spec: "\\ud83d\\ude00"\n',
    "empty item": "spec: [a,,b]\n",
    "folded": "spec: >-\n  a\n  b\n\n  c\n",
    "kept": "spec: |+\n  a\n\n",
    "indented block": "spec: |2\n    a\n   b\n",
    "plain over lines": "spec: a\n  b\n\n  c\n",
    "quoted over lines": 'spec: "a\n  b \\\n  c"\n',
    "no space": "spec:{a: 1}\n",
    "flow without values": "spec: {a, b: , c}\n",
    "pairs in a list": "spec: [a: 1, b]\n",
    "explicit key": "spec:\n  ? a\n  : 1\n",
    "nel": "spec: a\u0085b\n",
    "line separator": 'spec: "a\u2028b"\n',
    "emoji": "spec: 😀\n",
    "escapes": 'spec: "\\x41\\u0041\\U0001F600\\t\\0\\e"\n',
    "binary of bytes": "spec: !!binary gIGC\n",
    "comment without space": "spec: a#b #c\n",
    "colon": "spec: {a:1}\n",
    "question": "spec: [?a]\n",
    "no last line end": "spec: |\n  a",
    "kept without a last line end": "spec: |+\n  a",
    "many digits": f"spec: {'9' * 5000}\n",
    "many zeros": f"spec: 0x{'0' * 90}1\n",
    "at": "spec: @a\n",
    "percent": "spec: %a\n",
}
JSONS = {
    "whole": '"spec": 1.0',
    "exponent": '"spec": 1e3',
    "large": '"spec": 123456789012345678901',
    "twice": '"spec": 1, "spec": 2',
    "surrogates": '"spec": "\\ud83d\\ude00 \\ud83d"',
    "comma": '"spec": 1e3,',
    "no number": '"spec": NaN',
    "tabs": '\n\t"spec":\t[\n\t1\n\t]',
    "word": '"spec": yes',
}


def _kubectl() -> str:
    beside = Path(sys.executable).with_name("kubectl")
    found = str(beside) if beside.exists() else shutil.which("kubectl")
    if found:
        return found
    if os.environ.get("CI") == "true":
        pytest.fail("kubectl is missing")
    pytest.skip("kubectl is missing")


def theirs(text: str) -> Any:
    """The object that kubectl reads, None where it reads none. It marks what it read."""
    command = [_kubectl(), "annotate", "--local", "-f", "-", "seen=1", "-o", "json"]
    done = subprocess.run(command, input=text.encode(), capture_output=True, check=False)
    if done.returncode:
        return None
    answer = json.loads(done.stdout)
    del answer["metadata"]["annotations"]
    return answer


def ours(text: str) -> Any:
    """The object that we read, None where we read none."""
    (document,) = documents("f", text)
    return document.value if isinstance(document, Document) else None


@pytest.mark.parametrize("scalar", [*SCALARS, *TAGGED])
def test_scalars(scalar: str) -> None:
    """A value is true, a number or a text for us exactly where it is one for kubectl."""
    text = f"{_HEAD}spec:\n  value: {scalar}\n"
    assert same(ours(text), theirs(text))


@pytest.mark.parametrize("key", KEYS)
def test_keys(key: str) -> None:
    """Keys that are no texts become the same texts."""
    text = f"{_HEAD}spec:\n  {key}: v\n"
    assert same(ours(text), theirs(text))


@pytest.mark.parametrize("name", TEXTS)
def test_constructs(name: str) -> None:
    """Anchors, merges, blocks and mistakes mean the same."""
    assert same(ours(_HEAD + TEXTS[name]), theirs(_HEAD + TEXTS[name]))


@pytest.mark.parametrize("name", JSONS)
def test_json(name: str) -> None:
    """JSON means the same, also where it is only nearly JSON."""
    text = '{"apiVersion": "example.com/v1", "kind": "Example", "metadata": {"name": "a"}, %s}'
    assert same(ours(text % JSONS[name]), theirs(text % JSONS[name]))


def same(one: Any, other: Any) -> bool:
    """Whether both are equal as JSON. Numbers are compared by value: Go writes 1e20 in full."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, int | float) and isinstance(other, int | float):
        return float(one) == float(other)
    return type(one) is type(other) and bool(one == other)
