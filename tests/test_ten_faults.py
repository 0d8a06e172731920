"""Ten faults are found on their lines, and ten faulty files are mended to the byte.

`ten.yaml` marks each of its faults with `# fault: <policy>`. The files of `fixed` are those of
`faulty` with what `CHANGED` says, and not a byte more.
"""

from __future__ import annotations

import difflib
import re
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from .cli.command import ROOT, Command

TEN_FAULTS = ROOT / "fixtures" / "tenfaults"
TEN = TEN_FAULTS / "ten.yaml"
FAULTY = sorted(file.name for file in (TEN_FAULTS / "faulty").iterdir())

TOKENS = {
    "workload/unsafe_sysctls": '"net.core.somaxconn"',
    "workload/runs_as_root_user": "0",
    "workload/host_ports": "8080",
    "workload/host_in_probes": "'localhost'",
    "workload/host_namespaces": "yes",
    "workload/dangerous_capabilities": '"SYS_ADMIN"',
    "workload/host_path_volume": "{path: /var/log, type: Directory}",
    "workload/privileged_container": "true",
    "workload/privilege_escalation": "true",
    "workload/unconfined_seccomp": "Unconfined",
}
"""What the region of each finding holds, as it is written in the file."""

UNCOVERED = {"host.yaml": {25}}
"""Lines of a fault that another one hid: ports that a pod on its node's network opens anyhow."""
LEFT = {"anchors.yaml": 2}
"""Findings of severity high that have no fix: a context that two containers share is not edited."""


GONE = "gone"
KEPT = {"securityContext.allowPrivilegeEscalation": False}
TAMED = {"securityContext.privileged": False, **KEPT}
CHANGED: dict[str, dict[str, dict[str, Any]]] = {
    "anchors.yaml": {"0.spec.template.spec.containers.2": TAMED},
    "capabilities.yaml": {
        "0.spec.initContainers.0": {
            "securityContext.capabilities.add.0": GONE,
            "securityContext.capabilities": {},
            **KEPT,
        },
        "0.spec.containers.0": {"securityContext.capabilities.add.1": GONE, **KEPT},
    },
    "comments.yaml": {
        "0.spec": {"hostPID": False},
        "0.spec.containers.0": {"ports.0.hostPort": GONE, **TAMED},
    },
    "flow.yaml": {
        "0.spec.containers.0": TAMED,
        "0.spec.containers.1": KEPT,
        "0.spec.containers.2": {
            "ports.0.hostPort": GONE,
            "securityContext.capabilities.add.1": GONE,
        },
    },
    "host.yaml": {
        "0.spec.template.spec": {"hostNetwork": False, "hostPID": False, "hostIPC": False},
        "0.spec.template.spec.containers.0": {"ports.0.hostPort": GONE, **KEPT},
    },
    "init.yaml": {
        "0.spec.template.spec.initContainers.0": TAMED,
        "0.spec.template.spec.initContainers.1": {"ports.0.hostPort": GONE, **KEPT},
    },
    "root.yaml": {"0.spec.template.spec.containers.0": KEPT},
    "scripts.yaml": {"1.spec.template.spec.containers.0": TAMED},
    "several.yaml": {
        "1.spec.containers.0": TAMED,
        "3.items.0.spec.containers.0": KEPT,
        "3.items.1.spec": {"hostIPC": False},
        "3.items.1.spec.containers.0": KEPT,
    },
    "windows.yaml": {
        "0.spec": {"hostNetwork": False},
        "0.spec.containers.0": TAMED,
        "0.spec.containers.1": KEPT,
    },
}
"""What is to be another value, by the file and the object in it; all else stays."""


@pytest.fixture
def auditor(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command."""
    return Command(monkeypatch, capsys)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The faulty files, to be written to."""
    return Path(shutil.copytree(TEN_FAULTS / "faulty", tmp_path / "faulty"))


def _findings(auditor: Command, *arguments: str | Path) -> list[dict[str, Any]]:
    findings = auditor("audit", *arguments, "--format", "json").report["findings"]
    return list(findings)


def _fix(auditor: Command, *paths: Path) -> int:
    return auditor("fix", *paths, "--write", "--unsafe").code


def _region(file: Path, finding: Mapping[str, Any]) -> str:
    """What stands between the columns of a finding of one line."""
    assert finding["line"] == finding["endLine"]
    line = file.read_text("utf-8").split("\n")[finding["line"] - 1]
    region: str = line[finding["column"] - 1 : finding["endColumn"] - 1]
    return region


def test_ten_faults_are_found_on_their_ten_lines(auditor: Command) -> None:
    """No script, annotation or comment is taken for a fault, and none is hidden by its style."""
    marked = [
        (number, found[1])
        for number, line in enumerate(TEN.read_text("utf-8").split("\n"), 1)
        if (found := re.search(r"# fault: (\w+/\w+)$", line))
    ]
    select = [word for policy in TOKENS for word in ("--select", policy)]
    findings = _findings(auditor, TEN, "--profile", "strict", *select)
    assert sorted((finding["line"], finding["policy"]) for finding in findings) == marked
    assert len(marked) == 10


def test_each_points_at_the_token_that_says_it(auditor: Command) -> None:
    """The region holds the value, and read as YAML it is what the object says at that path."""
    objects = {
        (one["kind"], one["metadata"]["name"]): one
        for one in yaml.safe_load_all(TEN.read_text("utf-8"))
    }
    select = [word for policy in TOKENS for word in ("--select", policy)]
    findings = _findings(auditor, TEN, "--profile", "strict", *select)
    assert {finding["policy"]: _region(TEN, finding) for finding in findings} == TOKENS
    for finding in findings:
        value = objects[finding["object"]["kind"], finding["object"]["name"]]
        for step in finding["path"]:
            value = value[step]
        assert yaml.safe_load(_region(TEN, finding)) == value, finding["policy"]


@pytest.mark.parametrize("name", FAULTY)
def test_it_is_mended_to_the_byte(auditor: Command, copy: Path, name: str) -> None:
    """Also where a file is mended alone, and not with its neighbours."""
    code = _fix(auditor, copy / name)
    assert code == (1 if name in LEFT else 0)
    assert (copy / name).read_bytes() == (TEN_FAULTS / "fixed" / name).read_bytes()


@pytest.mark.parametrize("name", FAULTY)
def test_only_the_lines_of_the_fixes_change(auditor: Command, copy: Path, name: str) -> None:
    """Every other line stays, with its comments and its line end."""
    edits = [
        edit
        for finding in _findings(auditor, copy / name)
        if finding["fix"] and finding["fix"]["proven"]
        for edit in finding["fix"]["edits"]
    ]
    named = {line for edit in edits for line in range(edit["line"], edit["endLine"] + 1)}
    before = (copy / name).read_bytes().decode().split("\n")
    _fix(auditor, copy / name)
    after = (copy / name).read_bytes().decode().split("\n")
    steps = difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    changed = {line for step in steps for line in _changed(step)}
    assert changed
    assert changed - named == UNCOVERED.get(name, set())
    named |= changed
    rest = Counter(line for number, line in enumerate(before, 1) if number not in named)
    assert rest <= Counter(after)


def _changed(step: tuple[str, int, int, int, int]) -> range:
    """The lines that a step of the difference replaces, or the one it adds something behind."""
    tag, start, end, _, _ = step
    if tag == "equal":
        return range(0)
    return range(start, start + 1) if tag == "insert" else range(start + 1, end + 1)


@pytest.mark.parametrize("name", FAULTY)
def test_the_fixed_files_say_what_was_meant(name: str) -> None:
    """Beside the faults, every object says what it said; whether it does is asked of PyYAML."""
    before, after = (_leaves(TEN_FAULTS / folder / name) for folder in ("faulty", "fixed"))
    changed = {
        path: after.get(path, GONE)
        for path in before.keys() | after.keys()
        if before.get(path, GONE) != after.get(path, GONE)
    }
    assert changed == {
        f"{pod}.{path}": value
        for pod, values in CHANGED[name].items()
        for path, value in values.items()
    }


def _leaves(file: Path) -> dict[str, Any]:
    """Every value of a file that holds no other, by its path, which begins with the document."""
    documents = list(yaml.safe_load_all(file.read_text("utf-8")))
    return dict(_walk(documents, ""))


def _walk(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in inner:
        if item and isinstance(item, dict | list):
            yield from _walk(item, f"{path}{key}.")
        else:
            yield f"{path}{key}", item


@pytest.mark.parametrize("name", FAULTY)
def test_comments_stay(auditor: Command, copy: Path, name: str) -> None:
    """All but those beside a line that goes: they were about what is no longer there."""
    before = (copy / name).read_text("utf-8")
    _fix(auditor, copy / name)
    gone = set(_comments(before)) - set(_comments((copy / name).read_text("utf-8")))
    beside = {"comments.yaml": {"# outside"}, "capabilities.yaml": {"# nobody knows why"}}
    assert gone == beside.get(name, set())


def _comments(text: str) -> list[str]:
    return re.findall(r"(?:^|(?<=\s))#[^\r\n]*", text, re.MULTILINE)


def test_line_ends_of_windows_stay(auditor: Command, copy: Path) -> None:
    """What is added ends like the rest, and no last line end comes from nowhere."""
    _fix(auditor, copy / "windows.yaml")
    data = (copy / "windows.yaml").read_bytes()
    assert data.count(b"\n") == data.count(b"\r\n") > 20
    assert not data.endswith(b"\n")


def test_block_scalars_say_what_they_said(auditor: Command, copy: Path) -> None:
    """Not a letter of a script or an environment value changes."""
    file = copy / "scripts.yaml"
    before = list(yaml.safe_load_all(file.read_text("utf-8")))
    _fix(auditor, file)
    after = list(yaml.safe_load_all(file.read_text("utf-8")))
    pods = [job["spec"]["template"]["spec"]["containers"][0] for job in (before[1], after[1])]
    contexts = [pod.pop("securityContext") for pod in pods]
    assert before == after
    assert contexts == [
        {"privileged": True},
        {"privileged": False, "allowPrivilegeEscalation": False},
    ]


def test_nothing_is_left_that_has_a_proven_fix(auditor: Command, copy: Path) -> None:
    """Of all ten together; what another fault hid is mended in the same run: the ports that a pod
    of the node's network opens are told of only when it has a network of its own.
    """
    _fix(auditor, copy)
    findings = _findings(auditor, copy)
    assert not any(finding["fix"] and finding["fix"]["proven"] for finding in findings)
    high = Counter(Path(f["file"]).name for f in findings if f["severity"] == "high")
    assert high == LEFT


@pytest.mark.parametrize("name", FAULTY)
def test_a_second_run_changes_nothing(auditor: Command, copy: Path, name: str) -> None:
    """What is mended is mended."""
    _fix(auditor, copy / name)
    once = (copy / name).read_bytes()
    _fix(auditor, copy / name)
    assert (copy / name).read_bytes() == once
