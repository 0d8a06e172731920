"""No way of writing a manifest hides a privileged container: each on its line, or a gap.

In what is written here, `# here` marks the line that a finding must name.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent

import pytest

from .cli.command import Command

ONLY = ("--select", "workload/privileged_container", "--format", "json")


@pytest.fixture
def auditor(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command."""
    return Command(monkeypatch, capsys)


def _pod(name: str, privileged: str = "true # here") -> str:
    return f"""\
apiVersion: v1
kind: Pod
metadata:
  name: {name}
spec:
  containers:
    - name: app
      image: registry.example/app:1.0.0
      securityContext:
        privileged: {privileged}
"""


A, B = _pod("a"), _pod("b")
SPEC = A[A.index("spec:") :]
CONTAINERS = SPEC.removeprefix("spec:\n")


def _item(text: str) -> str:
    """The text as an item of a list in a `kind: List`."""
    return "  - " + indent(text, "    ")[4:]


def _owner(api_version: str, kind: str, *, template: str = "spec.template") -> str:
    """An object whose pods follow the template at that place."""
    text = f"metadata:\n  labels: {{app: a}}\n{SPEC}"
    for key in reversed(template.split(".")):
        text = f"{key}:\n{indent(text, '  ')}"
    return f"apiVersion: {api_version}\nkind: {kind}\nmetadata:\n  name: a\n{text}"


@dataclass(frozen=True, slots=True)
class Case:
    """One file, and what must be told of it."""

    text: str
    gaps: tuple[str, ...] = ()
    """What each gap says, in order."""
    file: str = "given.yaml"


JSON_POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "a"},
    "spec": {"containers": [{"name": "app", "securityContext": {"privileged": True}}]},
}
JSON_TEXT = json.dumps(JSON_POD, indent=2)
JSON_OTHER = JSON_TEXT.replace('"name": "a"', '"name": "other"')
BROKEN = "apiVersion: v1\nkind: Service\nmetadata: {name: [b\n"

ROWS = {
    "a comment behind the marker": Case(f"{A}--- # the second\n{B}"),
    "spaces behind the marker": Case(f"{A}---   \n{B}"),
    "a List": Case(f"apiVersion: v1\nkind: List\nitems:\n{_item(A)}"),
    "an ephemeral container": Case(
        _pod("a", "false")
        + "  ephemeralContainers:\n    - name: debugger\n      image: registry.example/sh:1.0.0\n"
        + "      securityContext: {privileged: true} # here\n"
    ),
    "a broken document between two": Case(f"{A}---\n{BROKEN}---\n{B}", ("it is no YAML",)),
    "yes": Case(_pod("a", "yes # here")),
    "a duplicate key": Case(
        A.replace("        privileged", "        privileged: false\n        privileged"),
        ("privileged",),
    ),
    "a YAML directive": Case(f"%YAML 1.1\n---\n{A}---\n{B}"),
    "JSON": Case(JSON_TEXT, file="given.json"),
    "an upper-case ending": Case(A, file="GIVEN.YML"),
    "an Argo Rollout": Case(_owner("argoproj.io/v1alpha1", "Rollout")),
    "a PodTemplate": Case(_owner("v1", "PodTemplate", template="template")),
    "a ReplicationController": Case(_owner("v1", "ReplicationController")),
    "a ReplicaSet": Case(_owner("apps/v1", "ReplicaSet")),
}

MERGED = """\
apiVersion: v1
kind: Pod
metadata:
  name: a
spec:
  initContainers:
    - &base
      name: first
      image: registry.example/app:1.0.0
      securityContext:
        privileged: true # here
  containers:
    - <<: *base # here
      name: app
"""
ANCHORED = """\
apiVersion: v1
kind: Pod
metadata:
  name: a
  annotations: {example.com/root: &root "yes"}
spec:
  initContainers:
    - name: first
      image: registry.example/app:1.0.0
      securityContext: &context
        privileged: &wanted true # here
  containers:
    - name: app
      image: registry.example/app:1.0.0
      securityContext: *context # here
    - name: other
      image: registry.example/app:1.0.0
      securityContext: {privileged: *wanted} # here
"""
DUMPED = """\
apiVersion: v1
items:
- apiVersion: v1
  kind: Pod
  metadata:
    annotations:
      kubectl.kubernetes.io/last-applied-configuration: |
        {"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"privileged":true}}
    creationTimestamp: "2026-03-01T10:00:00Z"
    managedFields:
    - apiVersion: v1
      fieldsType: FieldsV1
      fieldsV1:
        f:spec:
          f:containers:
            k:{"name":"app"}:
              .: {}
              f:securityContext:
                f:privileged: {}
      manager: kubectl
      operation: Update
    name: a
    namespace: shop
    resourceVersion: "81"
    uid: 6d1f7c1e-58a8-4a3e-8f5e-7b8a3d0c2f11
  spec:
    containers:
    - image: registry.example/app:1.0.0
      name: app
      securityContext:
        privileged: true # here
      terminationMessagePath: /dev/termination-log
    nodeName: node-1
  status:
    conditions:
    - lastProbeTime: null
      status: "True"
      type: Ready
    containerStatuses:
    - name: app
      state:
        running:
          startedAt: "2026-03-01T10:00:04Z"
    phase: Running
kind: List
metadata:
  resourceVersion: ""
"""
NAMELESS = A.replace("  name: a\n", "  labels: {app: a}\n").replace(" # here", "")
MORE = {
    "line ends of Windows": Case(f"{A}---\n{B}".replace("\n", "\r\n")),
    "a broken neighbour with Windows' line ends": Case(
        f"{A}---\n{BROKEN}---\n{B}".replace("\n", "\r\n"), ("it is no YAML",)
    ),
    "a byte order mark": Case(f"\ufeff{A}---\n{B}"),
    "a byte order mark in the middle, of files that were joined": Case(f"{A}---\n\ufeff{B}"),
    "a tab in the neighbour": Case(
        f"{A}---\napiVersion: v1\nkind: Service\nmetadata:\n\tname: b\n---\n{B}",
        ("it is no YAML",),
    ),
    "a neighbour without a marker's end": Case(
        f"{A}---\nkind: Pod\nmetadata: 'open\n---\n{B}", ("it is no YAML",)
    ),
    "a template beside it": Case(
        f"{A}---\nkind: Pod\nmetadata: {{{{ .Values.name }}}}\n---\n{B}", ("template",)
    ),
    "values beside it": Case(f"{A}---\nreplicas: 3\n---\n{B}"),
    "an end of the document": Case(f"{A}...\n---\n{B}...\n"),
    "empty documents": Case(f"---\n---\n# nothing\n---\n{A}---\n---\nnull\n---\n{B}---\n"),
    "no containers in the neighbour": Case(
        f"{A}---\napiVersion: v1\nkind: Pod\nmetadata: {{name: x}}\nspec: {{containers: null}}\n"
        f"---\n{B}",
        ("without any container",),
    ),
    "labels that are a number": Case(
        A.replace("  name: a\n", "  name: a\n  labels: 3\n"), ("must be a mapping",)
    ),
    "a name that is a number": Case(_pod("1"), ("must be string",)),
    "two objects with one name": Case(f"{A}---\n{A}", ("written more than once",)),
    "four objects with one name": Case("---\n".join([A] * 4), ("given.yaml:34: only one",)),
    "six objects with one name": Case("---\n".join([A] * 6), ("it is written 6 times, first at ",)),
    "no name beside a good object": Case(f"{NAMELESS}---\n{B}", ("without a name",)),
    "no kind beside a good object": Case(
        f"{B}---\n" + _pod("nokind", "true").replace("kind: Pod\n", ""), ("its kind is missing",)
    ),
    "a List in a List": Case(
        "apiVersion: v1\nkind: List\nitems:\n"
        + _item(f"apiVersion: v1\nkind: List\nitems:\n{_item(A)}")
        + _item(B)
    ),
    "a List with a null and a text": Case(
        f"apiVersion: v1\nkind: List\nitems:\n  - null\n{_item(A)}  - text\n{_item(B)}",
        ("no mapping", "no mapping"),
    ),
    "a bare list of objects": Case(
        f"{A}---\n{indent(_pod('x', 'true'), '  ').replace('  ', '- ', 1)}---\n{B}",
        ("it is no mapping",),
    ),
    "a version of YAML that is none": Case(
        f"{A}...\n%YAML 2.0\n---\n{BROKEN}---\n{B}", ("no YAML",)
    ),
    "a tag behind the marker": Case(f"--- !!map\n{A}---\n{B}"),
    "a marker that lacks its space": Case(
        f"{A}---\n{_pod('x', 'true')}---# no\n---\n{B}", ("no YAML",)
    ),
    "nesting without an end": Case(f"{A}---\nkind: Pod\nx: {'[' * 5000}\n---\n{B}", ("nesting",)),
    "an anchor that contains itself": Case(
        f"{A}---\nkind: Pod\nmetadata: &m {{name: x, self: *m}}\n---\n{B}", ("itself",)
    ),
    "a control character": Case(f"{A}---\nkind: Pod\nx: \0\n---\n{B}", ("control characters",)),
    "line separators of Unicode": Case(
        A.replace("spec:", '  annotations: {x: "\u2028\u0085"}\nspec:') + f"---\n{B}"
    ),
    "a List of JSON objects in YAML": Case(
        "apiVersion: v1\nkind: List\nitems:\n  - " + json.dumps(JSON_POD) + f" # here\n{_item(B)}"
    ),
    "several JSON objects": Case(f"{JSON_TEXT}\n{JSON_OTHER}\n", file="given.json"),
    "JSON on one line": Case(json.dumps(JSON_POD), file="given.json"),
    "JSON between YAML": Case(f"{A}---\n{JSON_OTHER}\n---\n{B}"),
    "quoted keys": Case(A.replace("privileged", '"privileged"').replace("spec:", "'spec':")),
    "a key as JSON escapes it": Case(A.replace("privileged:", '"privil\\u0065ged":')),
    "an explicit key": Case(
        A.replace("        privileged: true", "        ? privileged\n        : true")
    ),
    "flow style": Case(
        "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [\n"
        "  {name: app, securityContext: {\n    privileged: true # here\n}}]}}\n"
    ),
    "a tag": Case(_pod("a", '!!bool "true" # here')),
    "the value on a line of its own": Case(
        A.replace("privileged: true", "privileged:\n          true")
    ),
    "an ephemeral, an init and a plain container": Case(
        A
        + "".join(
            f"  {key}:\n" + CONTAINERS.split("\n", 1)[1].replace("app", key.lower()[:4])
            for key in ("initContainers", "ephemeralContainers")
        )
    ),
    "a CronJob": Case(_owner("batch/v1", "CronJob", template="spec.jobTemplate.spec.template")),
    "a merge": Case(MERGED),
    "aliases": Case(ANCHORED),
    "what the cluster dumped": Case(DUMPED),
    "a name that YAML takes for false": Case(
        f"{A}---\n{_pod('no', 'true')}---\n{B}", ("what is written there is no text",)
    ),
}

LISTS = {
    "Pod": ("v1", None),
    "PodTemplate": ("v1", "template"),
    "ReplicationController": ("v1", "spec.template"),
    "ReplicaSet": ("apps/v1", "spec.template"),
    "Deployment": ("apps/v1", "spec.template"),
    "StatefulSet": ("apps/v1", "spec.template"),
    "DaemonSet": ("apps/v1", "spec.template"),
    "Job": ("batch/v1", "spec.template"),
    "CronJob": ("batch/v1", "spec.jobTemplate.spec.template"),
    "Rollout": ("argoproj.io/v1alpha1", "spec.template"),
}


def _marked(text: str) -> list[int]:
    """The lines that are marked; in JSON, which has no comments, those that say it."""
    marks = ("# here", '"privileged": true')
    return [
        number
        for number, line in enumerate(text.split("\n"), 1)
        if any(mark in line for mark in marks)
    ]


def _lines(auditor: Command, folder: Path, case: Case) -> list[int]:
    """The lines of the findings in that file, which is looked for in its folder."""
    (folder / case.file).write_bytes(case.text.encode())
    said = auditor("audit", folder, *ONLY)
    report = said.report
    assert said.code == 1, said.err
    whys = [gap["why"] for gap in report["gaps"]]
    assert len(whys) == len(case.gaps), whys
    assert all(part in why for part, why in zip(case.gaps, whys, strict=True)), whys
    assert {Path(finding["file"]).name for finding in report["findings"]} == {case.file}
    return sorted(finding["line"] for finding in report["findings"])


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in ROWS.items()])
def test_what_others_lose_is_found(auditor: Command, tmp_path: Path, case: Case) -> None:
    """Each of these hid a privileged container from one of seven other tools, mostly in silence."""
    assert _lines(auditor, tmp_path, case) == _marked(case.text)


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in MORE.items()])
def test_nothing_else_hides_it(auditor: Command, tmp_path: Path, case: Case) -> None:
    """Whatever kubectl would apply is found, and what it would refuse takes nothing with it."""
    assert _lines(auditor, tmp_path, case) == _marked(case.text)


@pytest.mark.parametrize("kind", LISTS)
def test_lists_of_one_kind_are_opened(auditor: Command, tmp_path: Path, kind: str) -> None:
    """Their items have no kind of their own, as the API server sends them."""
    api_version, template = LISTS[kind]
    text = _owner(api_version, kind, template=template) if template else A
    bare = text.split("\n", 2)[2]
    both = _item(bare) + _item(bare.replace("  name: a\n", "  name: b\n"))
    case = Case(f"apiVersion: {api_version}\nkind: {kind}List\nmetadata: {{}}\nitems:\n{both}")
    assert _lines(auditor, tmp_path, case) == _marked(case.text)
    assert len(_marked(case.text)) == 2


def test_standard_input_loses_nothing_either(
    auditor: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broken document between two good ones, through a pipe."""
    file = tmp_path / "piped"
    file.write_text(f"{A}---\n{BROKEN}---\n{B}", "utf-8")
    with file.open("r", encoding="utf-8") as pipe:
        monkeypatch.setattr("sys.stdin", pipe)
        said = auditor("audit", "-", *ONLY)
    assert said.code == 1
    assert [finding["line"] for finding in said.report["findings"]] == [10, 25]
    assert [gap["what"].split(":")[1:] for gap in said.report["gaps"]] == [["15", "1"]], (
        "where the list should have ended"
    )


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_what_an_editor_of_windows_saves_is_read(
    auditor: Command, tmp_path: Path, encoding: str
) -> None:
    """In the encodings that it marks by the first bytes."""
    (tmp_path / "pod.yaml").write_bytes(f"{A}---\n{B}".replace("\n", "\r\n").encode(encoding))
    said = auditor("audit", tmp_path, *ONLY)
    assert said.code == 1
    assert [finding["line"] for finding in said.report["findings"]] == _marked(f"{A}---\n{B}")
    assert said.report["gaps"] == []


def test_one_byte_of_another_encoding_takes_nothing_with_it(
    auditor: Command, tmp_path: Path
) -> None:
    """Such as an accent in a comment from long ago; it is named, and the objects are found."""
    text = f"{A}---\n{B}".replace("app:1.0.0", "app:1.0.0 # caf\u00e9", 1)
    (tmp_path / "pod.yaml").write_bytes(text.encode("latin-1"))
    said = auditor("audit", tmp_path, *ONLY)
    assert said.code == 1
    assert [finding["line"] for finding in said.report["findings"]] == _marked(text)
    assert ["not UTF-8" in gap["why"] for gap in said.report["gaps"]] == [True]
