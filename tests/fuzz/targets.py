"""What is fuzzed: each target takes bytes, and raises where a promise is broken."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import orjson

from auditor.audit import audit
from auditor.cli.config import load as load_config
from auditor.declared import Inline
from auditor.errors import AuditorError
from auditor.fixes.offer import with_fixes
from auditor.model import Audit, Settings, Snapshot, Unseen
from auditor.reporters import render
from auditor.sources.files import FileSource
from tests.bench import bench
from tests.webhook.planted import evaluator, with_fault

NEIGHBOUR = b"""
---
apiVersion: v1
kind: Pod
metadata: {name: neighbour, namespace: fuzz}
spec:
  containers:
    - name: main
      image: example.com/app:1
      securityContext: {privileged: true}
"""
PRIVILEGED = "workload/privileged_container"
TOOLS = ("checkov", "kube-linter", "kubescape", "polaris")
SETTINGS = Settings(inline=Inline(allowed=("*",), tools=TOOLS))


@cache
def _folder() -> Path:
    """A folder for the files, in memory where the system has such a place."""
    shared = Path("/dev/shm")  # noqa: S108 - a folder of ours below it
    return Path(tempfile.mkdtemp(prefix="auditor-fuzz-", dir=shared if shared.is_dir() else None))


def _read(data: bytes, name: str = "fuzzed.yaml") -> Snapshot:
    file = _folder() / name
    file.write_bytes(data)
    return FileSource((str(file),)).snapshot()


def _judged(snapshot: Snapshot) -> Audit:
    return audit(snapshot, bench(PRIVILEGED), SETTINGS)


def neighbours(data: bytes) -> None:
    """What stands beside anything at all is found, or something is said to be unseen."""
    answer = _judged(_read(data + NEIGHBOUR))
    found = any(f.ref.name == "neighbour" for f in answer.findings)
    unseen = any(gap.severity is Unseen.INCOMPLETE for gap in answer.gaps)
    assert found or unseen or _is_no_text(data), "the neighbour is lost without a word"


def _is_no_text(data: bytes) -> bool:
    """UTF-16 of its own, in which the neighbour is none."""
    return data[:2] in {b"\xff\xfe", b"\xfe\xff"}


def reports(data: bytes) -> None:
    """Every policy is asked, every fix is tried, and every report is written."""
    snapshot = _read(data)
    answer = with_fixes(audit(snapshot, bench(), SETTINGS), bench(), SETTINGS)
    for form in ("text", "json", "sarif"):
        render(form, answer, paths=("fuzzed.yaml",), terminal=None)


def configuration(data: bytes) -> None:
    """A configuration is taken, or refused with a sentence."""
    file = _folder() / ".auditor.yaml"
    file.write_bytes(data)
    try:
        load_config(file, _folder())
    except AuditorError as error:
        if str(file) not in str(error):
            raise AssertionError("the error does not name the file") from error


def reviews(data: bytes) -> None:
    """Whatever is sent as a review is answered to its uid, or refused with a status."""
    status, body = evaluator().answer(data)
    if status == 200:
        response = orjson.loads(body)["response"]
        assert response["uid"].encode() in data, "an answer to nobody"
        assert isinstance(response["allowed"], bool)
    else:
        assert status in {400, 413}, f"{status} depends on what was sent"


def planted(data: bytes) -> None:
    """A fault is denied, whatever else the object and its review hold."""
    try:
        noise = orjson.loads(data)
    except orjson.JSONDecodeError:
        noise = data.decode("utf-8", "replace")
    status, body = evaluator().answer(with_fault(noise))
    assert status == 200, body
    assert orjson.loads(body)["response"]["allowed"] is False, "the fault got in"


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    "neighbours": neighbours,
    "reports": reports,
    "configuration": configuration,
    "reviews": reviews,
    "planted": planted,
}
