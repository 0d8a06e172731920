"""Input that means harm, or is merely odd, neither breaks the audit nor hides a finding."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.measured import measured

from .cli.command import PRIVILEGED, Command

ONLY = ("--select", "workload/privileged_container", "--format", "json")
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30)
)


@pytest.fixture
def auditor(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command."""
    return Command(monkeypatch, capsys)


HARM = {
    "a bomb of aliases": f"kind: ConfigMap\napiVersion: v1\nmetadata: {{name: a}}\n{BOMB}",
    "a bomb of merges": "kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\nb0: &b0 {x: 1}\n"
    + "".join(f"b{n}: &b{n} {{<<: [*b{n - 1}, *b{n - 1}], k: *b{n - 1}}}\n" for n in range(1, 40)),
    "lists in lists": "x: " + "[" * 20_000 + "]" * 20_000,
    "mappings in mappings": "\n".join(" " * n + f"k{n}:" for n in range(3_000)),
    "JSON in JSON": '{"kind": "Pod", "x": ' + '{"a":' * 20_000 + "1" + "}" * 20_000 + "}",
    "an unknown kind": "apiVersion: example.com/v1\nkind: Wonder\nmetadata: {name: a}\nspec: 3\n",
    "a kind that is a list": "apiVersion: v1\nkind: [Pod]\nmetadata: {name: a}\n",
    "a number of a million digits": "apiVersion: v1\nkind: Pod\nmetadata: "
    f"{{name: a, x: {'9' * 10**6}}}",
    "a line of a million columns": f"# {'x' * 10**6}\nkind: [",
    "containers null": "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: null}\n",
    "a spec that is a text": "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: none\n",
    "labels a number": "apiVersion: v1\nkind: Service\nmetadata: {name: a, labels: 3}\n"
    "spec: {ports: 1}\n",
    "a name of control characters": 'apiVersion: v1\nkind: Pod\nmetadata: {name: "\\e[31m"}\n',
}  # fmt: skip


@pytest.mark.parametrize("name", HARM)
@pytest.mark.parametrize("form", ["text", "json", "sarif"])
def test_harm_takes_nothing_with_it(auditor: Command, tmp_path: Path, name: str, form: str) -> None:
    """The pod in the same file, before and after it, and the one beside it are all found."""
    first, last = PRIVILEGED, PRIVILEGED.replace("name: web", "name: last")
    (tmp_path / "harm.yaml").write_text(f"{first}---\n{HARM[name]}\n---\n{last}")
    (tmp_path / "other.yaml").write_text(PRIVILEGED.replace("name: web", "name: other"))
    said = auditor("audit", tmp_path, *ONLY[:2], "--format", form)
    assert said.code == 1, said.err
    for each in ("web", "last", "other"):
        assert f"{each}" in said.out
    if form == "json":
        names = {finding["object"]["name"] for finding in said.report["findings"]}
        assert {"web", "last", "other"} <= names


@pytest.mark.parametrize("wrap", ["list", "stream"])
def test_a_hundred_megabytes_are_read_in_bounded_memory(tmp_path: Path, wrap: str) -> None:
    """As one List or as many documents: the privileged pod at the end is found on its line, and
    the process stays below 2 GB.
    """
    filler = "x" * 1000
    with (tmp_path / "large.yaml").open("w") as file:
        if wrap == "list":
            file.write("apiVersion: v1\nkind: List\nitems:\n")
        for number in range(1000):
            data = "".join(
                f"{'    ' if wrap == 'list' else '  '}k{n}: {filler}\n" for n in range(100)
            )
            name = f"metadata: {{name: c{number}, namespace: shop}}"
            if wrap == "list":
                file.write(f"  - apiVersion: v1\n    kind: ConfigMap\n    {name}\n    data:\n")
                file.write(data.replace("    k", "      k"))
            else:
                file.write(f"apiVersion: v1\nkind: ConfigMap\n{name}\ndata:\n{data}---\n")
        if wrap == "list":
            pod = PRIVILEGED.rstrip().replace("\n", "\n    ")
            file.write(f"  - {pod}\n")
        else:
            file.write(PRIVILEGED)
    assert (tmp_path / "large.yaml").stat().st_size > 100_000_000
    command = [str(Path(sys.executable).with_name("auditor")), "audit", str(tmp_path), *ONLY]
    took = measured(tmp_path / "report.txt", *command)
    assert took.code == 1
    (finding,) = json.loads((tmp_path / "report.txt").read_text())["findings"]
    lines = (tmp_path / "large.yaml").read_text().split("\n")
    assert "privileged: true" in lines[finding["line"] - 1]
    assert took.megabytes < 2000
