"""A field of a rendered chart is shown at the line that writes it: another text changes it."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from auditor.manifests import at
from auditor.model import Path as Field
from auditor.model import Resource
from auditor.sources import programs
from auditor.sources.building import Building, Rendering
from auditor.sources.files import FileSource
from auditor.sources.supply import supply_of
from auditor.sources.template_tree import template_tree
from auditor.sources.templates import Templated, forget

FIXTURES = Path(__file__).parents[2] / "fixtures" / "sources"
MARK = "mark-of-the-test"


@pytest.fixture(autouse=True)
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the chart, below the current folder."""
    helm = programs.program("helm") or importlib.util.find_spec("helm_python")
    if request.node.get_closest_marker("e2e") and not helm:
        why = "neither helm nor helm-python-sdk is installed"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(why)
    shutil.copytree(FIXTURES / "store", tmp_path / "store")
    monkeypatch.chdir(tmp_path)
    forget()
    return tmp_path / "store"


def rendered(*values: str, sets: tuple[str, ...] = ()) -> list[Resource]:
    """The objects of the chart with these values files."""
    forget()
    files = tuple(os.path.realpath(file) for file in values)
    order = Rendering(values=files, sets=sets)
    told = Building(charts={os.path.realpath("store"): (order,)})
    [variant] = FileSource(("store",), told).variants()
    return list(variant.snapshot.resources)


def object_of(kind: str, name: str) -> Resource:
    """One object of the chart."""
    [found] = [one for one in rendered() if one.ref.kind == kind and one.ref.name.endswith(name)]
    return found


def leaves(value: Any, path: Field = ()) -> Iterator[Field]:
    """The path of every scalar."""
    if isinstance(value, dict):
        for key, inside in value.items():
            yield from leaves(inside, (*path, key))
    elif isinstance(value, list):
        for index, inside in enumerate(value):
            yield from leaves(inside, (*path, index))
    else:
        yield path


def line_of(resource: Resource, *path: str | int) -> str:
    """The line that a field is shown at."""
    span = resource.origin.span(path)
    return Path(resource.origin.uri).read_text("utf-8").split("\n")[span.line - 1].strip()


WEB = ("spec", "template", "spec")
FIRST = (*WEB, "containers", 0)


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((*WEB, "hostNetwork"), "hostNetwork: true # for the old load balancer"),
        ((*WEB, "serviceAccountName"), "spec:"),
        ((*WEB, "securityContext", "runAsNonRoot"), "runAsNonRoot: false"),
        ((*WEB, "securityContext", "fsGroup"), "securityContext:"),
        ((*WEB, "initContainers", 0, "securityContext", "privileged"), "privileged: true"),
        ((*FIRST, "securityContext", "privileged"), "privileged: {{ .Values.privileged }}"),
        ((*FIRST, "securityContext", "runAsUser"), "securityContext:"),
        ((*FIRST, "env", 0, "value"), "value: web"),
        (
            (*FIRST, "resources", "limits", "memory"),
            "resources: {{- toYaml .Values.resources | nindent 12 }}",
        ),
        ((*WEB, "containers", 1, "name"), "- name: {{ . }}"),
        ((*WEB, "containers", 2, "securityContext"), "securityContext:"),
        ((*WEB, "tolerations", 0, "operator"), "tolerations:"),
        (("metadata", "labels", "app.kubernetes.io/name"), "labels:"),
        (("metadata", "labels", "part"), "part: web"),
        ((), "apiVersion: apps/v1"),
    ],
)
def test_a_field_is_shown_at_its_line_or_at_the_one_above_it(path: Field, line: str) -> None:
    """What a helper or a values file writes is shown at the key that it is written under."""
    assert line_of(object_of("Deployment", "web"), *path) == line


@pytest.mark.e2e
def test_an_object_that_several_documents_may_be_is_shown_at_its_file() -> None:
    """Both pods of the file end with what only Helm knows, but for their own ending."""
    assert line_of(object_of("Pod", "two"), "spec", "containers", 0, "image").endswith("two:1")
    assert line_of(object_of("Job", "clean"), *WEB, "hostPID") == "hostPID: true"
    Path("store/templates/jobs.yaml").write_text(
        "{{- range list 1 2 }}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: 'a{{ . }}'}\n"
        "{{- end }}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: 'b'}\n"
    )
    assert object_of("Pod", "a1").origin.span(("metadata",)).line == 1


@pytest.mark.e2e
def test_whoever_changes_the_line_changes_the_field(store: Path) -> None:
    """Every field that is said to be written at a place: another text there, rendered again, is
    another value of that field.
    """
    seen = 0
    for number, resource in enumerate(rendered()):
        for path in leaves(resource.manifest):
            lines = resource.origin.lines
            assert isinstance(lines, Templated)
            line, depth = lines._line(path)
            file = Path(resource.origin.uri)
            if (
                line is None
                or depth < len(path)
                or not line.text
                or path[-1] in ("kind", "apiVersion", "helm.sh/hook")
            ):
                continue
            if line.text[0] in "{[|":
                continue
            before = file.read_text("utf-8")
            start, end = line.value
            file.write_text(before[:start] + MARK + before[end:], "utf-8")
            changed = _same(rendered(), resource, number)
            file.write_text(before, "utf-8")
            assert at(changed.manifest, path) == MARK, (resource.ref, path)
            seen += 1
    assert seen >= 45


def _same(objects: list[Resource], resource: Resource, number: int) -> Resource:
    named = [one for one in objects if one.ref == resource.ref]
    return named[0] if len(named) == 1 else objects[number]


@pytest.mark.e2e
@pytest.mark.parametrize("values", [(), ("store/values-prod.yaml",)])
def test_whoever_changes_the_value_changes_the_field(values: tuple[str, ...]) -> None:
    """The same for the key of the values file that is said to fill a field."""
    seen = set()
    for resource in rendered(*values):
        for path in leaves(resource.manifest):
            supply = supply_of(resource, path)
            if supply is None:
                continue
            file, before = Path(supply.uri), Path(supply.uri).read_text("utf-8")
            source, span = supply.document.source, supply.span
            start = source.offset(span.line, span.column)
            end = source.offset(span.end_line, span.end_column)
            file.write_text(before[:start] + MARK + before[end:], "utf-8")
            [changed] = [one for one in rendered(*values) if one.ref == resource.ref]
            file.write_text(before, "utf-8")
            assert at(changed.manifest, path) == MARK, (resource.ref, path)
            seen.add((supply.uri, supply.path))
    own, top = "store/charts/cache/values.yaml", "store/values.yaml"
    prod = values[0] if values else top
    assert seen >= {
        (prod, ("replicas",)),
        (prod, ("privileged",)),
        (prod, ("security", "readOnlyRootFilesystem")),
        (top, ("security", "runAsUser")),
        (top, ("pod", "fsGroup")),
        (top, ("pullPolicy",)),
        (top, ("resources", "limits", "memory")),
        (top, ("tolerations", 0, "operator")),
        (top, ("global", "tier")),
        (top, ("cache", "allowEscalation")),
        (own, ("port",)),
    }


@pytest.mark.e2e
def test_what_the_command_line_sets_is_said_by_no_file() -> None:
    """An edit of values.yaml would change nothing then."""
    found = rendered(sets=("privileged=true,image.tag=9",))
    [web] = [one for one in found if one.ref.kind == "Deployment"]
    path = (*FIRST, "securityContext", "privileged")
    assert supply_of(web, path) is None
    assert supply_of(web, ("spec", "replicas")) is not None
    assert line_of(web, *path) == "privileged: {{ .Values.privileged }}"


@pytest.mark.parametrize(
    "text",
    [
        "{{",
        "}}",
        "{{ if }}{{ end }}{{ end }}{{ else }}",
        '{{ "' + "a" * 5000,
        "- - - a: b\n  - c",
        "a:\n\tb: {{ x }}\n---\n---\n",
        "{{ `{{ raw }}` }}: x\r\nkey: v\r\n",
        "{{/* " + "{{ " * 200,
    ],
)
def test_whatever_is_in_a_template_is_read(text: str) -> None:
    """Helm has the last word on what a template is."""
    assert isinstance(template_tree(text), list)
