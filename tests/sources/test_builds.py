"""Kustomize folders and Helm charts: what is built is audited, and what is not is named."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import sys
import threading
from pathlib import Path

import pytest

from auditor.fixes.patch import CannotEditError, edits
from auditor.model import Gap, Operation, Resource, Snapshot, Unseen
from auditor.reporters.places import text_of
from auditor.sources import programs
from auditor.sources.files import FileSource

FIXTURES = Path(__file__).parents[2] / "fixtures" / "sources"
POD = "apiVersion: v1\nkind: Pod\nmetadata: {{name: {}}}\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the fixtures that is the current folder."""
    shutil.copytree(FIXTURES, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def kubectl() -> None:
    """The real program."""
    if not programs.program("kubectl") and not programs.program("kustomize"):
        assert os.environ.get("CI") != "true", "neither kubectl nor kustomize is installed"
        pytest.skip("neither kubectl nor kustomize is installed")


@pytest.fixture
def no_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which none of them is installed."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")


@pytest.fixture
def helm() -> None:
    """The real program, or its package."""
    if not programs.program("helm") and not importlib.util.find_spec("helm_python"):
        why = "neither helm nor helm-python-sdk is installed"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(why)


def write(path: str, text: str) -> None:
    """A file, with the folders above it."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, "utf-8")


def read(*paths: str) -> Snapshot:
    """What the files say."""
    return FileSource(paths).snapshot()


def names(snapshot: Snapshot) -> list[str]:
    """The objects as people write them."""
    return sorted(str(resource.ref) for resource in snapshot.resources)


def only(snapshot: Snapshot, kind: str) -> Resource:
    """The one object of that kind."""
    (found,) = snapshot.of_kind(kind)
    return found


def only_gap(snapshot: Snapshot) -> Gap:
    """The one thing that could not be seen; nothing of its folder was audited."""
    (gap,) = snapshot.gaps
    assert gap.severity is Unseen.INCOMPLETE
    assert gap.kinds == ("*",)
    assert "\n" not in gap.why
    assert snapshot.resources == ()
    return gap


def privileged(container: int) -> tuple[str | int, ...]:
    """The field that the patch of the overlay changes in the first container."""
    containers = ("spec", "template", "spec", "containers", container)
    return (*containers, "securityContext", "privileged")


kustomize = pytest.mark.usefixtures("kubectl")


@pytest.mark.e2e
@kustomize
def test_only_what_no_other_one_uses_is_built() -> None:
    """The base alone is never deployed, and neither is a patch; what else lies there counts."""
    write("kustomize/base/stray.yaml", POD.format("stray"))
    snapshot = read("kustomize")
    stray, flags, *built = names(snapshot)
    assert stray == "default/stray[Pod]"
    assert flags.startswith("shop/eu-flags-")
    assert built == ["shop/eu-web[Deployment]", "shop/eu-web[Service]"]
    assert snapshot.gaps == ()


@pytest.mark.e2e
@kustomize
def test_a_field_that_was_kept_is_shown_where_it_is_written() -> None:
    """Line 30 of the base is the proxy's; the build only renamed the object around it."""
    deployment = only(read("kustomize"), "Deployment")
    assert deployment.origin.uri == "kustomize/base/web.yaml"
    assert deployment.origin.span(privileged(1)).line == 30
    assert "annotations" not in deployment.manifest["metadata"]


@pytest.mark.e2e
@kustomize
def test_a_field_that_was_changed_is_shown_at_its_object() -> None:
    """The base says the opposite, so that its line would mislead; its value is not shown."""
    deployment = only(read("kustomize"), "Deployment")
    assert deployment.manifest["spec"]["template"]["spec"]["containers"][0]["securityContext"] == {
        "privileged": True
    }
    assert deployment.origin.span(privileged(0)).line == 10
    text = text_of(deployment.origin.lines)
    assert "privileged: false" not in text
    assert "privileged: true" in text


@pytest.mark.e2e
@kustomize
def test_a_generated_object_is_shown_at_its_kustomization() -> None:
    """There is no other file for it."""
    flags = only(read("kustomize"), "ConfigMap")
    assert flags.manifest["data"] == {"colour": "blue"}
    assert flags.origin.uri == "kustomize/overlays/shop/kustomization.yaml"
    assert flags.origin.span(("data", "colour")).line == 1


@pytest.mark.e2e
@kustomize
def test_what_is_built_is_not_edited() -> None:
    """An edit of the base may do nothing, or change other overlays."""
    deployment = only(read("kustomize"), "Deployment")
    with pytest.raises(CannotEditError, match="built by kustomize from kustomize/overlays/shop"):
        edits(deployment, [Operation("replace", privileged(1), False)])


@pytest.mark.e2e
@kustomize
def test_a_base_may_lie_outside_of_what_is_audited() -> None:
    """People audit one overlay of many; the same folder by another way is the same."""
    snapshot = read("kustomize/overlays/shop")
    assert only(snapshot, "Deployment").origin.uri == "kustomize/base/web.yaml"
    again = read("kustomize/overlays/shop")
    shown = [(r.ref, r.manifest, r.origin.uri) for r in snapshot.resources]
    assert shown == [(r.ref, r.manifest, r.origin.uri) for r in again.resources]


@pytest.mark.e2e
@kustomize
@pytest.mark.parametrize("name", ["kustomization.yml", "Kustomization"])
def test_every_name_of_a_kustomization_counts(name: str) -> None:
    """Kustomize knows three."""
    write(f"own/{name}", "namePrefix: my-\nresources: [a.yaml]\n")
    write("own/a.yaml", POD.format("a"))
    assert names(read("own")) == ["default/my-a[Pod]"]


@pytest.mark.e2e
@kustomize
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("resources: [../../../../../../../../etc/hosts]\n", "security"),
        ("resources: [../missing]\n", "missing"),
        ("resources: [a.yaml]\npatches: [{path: b.yaml}]\n", "patch"),
        ("resources: [\n", "did not find"),
        ("resources: [../own]\n", "cycle"),
        ("generators: [g.yaml]\n", "plugin"),
    ],
    ids=["outside", "missing", "broken patch", "broken", "itself", "plugin"],
)
def test_what_cannot_be_built_says_why(text: str, why: str) -> None:
    """And a patch is not taken for an object then."""
    write("own/kustomization.yaml", text)
    write("own/a.yaml", POD.format("a"))
    write("own/b.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: a\n")
    write("own/g.yaml", "apiVersion: example.com/v1\nkind: Own\nmetadata: {name: a}\n")
    snapshot = read("own")
    gaps = [gap for gap in snapshot.gaps if gap.what == "own"]
    assert len(gaps) == 1
    assert gaps[0].severity is Unseen.INCOMPLETE
    assert why in gaps[0].why
    assert gaps == [gap for gap in read("own").gaps if gap.what == "own"]


@pytest.mark.e2e
@kustomize
def test_a_folder_by_a_link_is_built_as_its_own() -> None:
    """The link is a name for it; its base is found from where it truly lies."""
    Path("near").symlink_to("kustomize/overlays/shop")
    deployment = only(read("near"), "Deployment")
    assert Path(deployment.origin.uri).resolve() == Path("kustomize/base/web.yaml").resolve()


@pytest.mark.e2e
@kustomize
def test_bases_that_use_each_other_are_named() -> None:
    """Neither is a root, and still they are not lost."""
    write("loop/a/kustomization.yaml", "resources: [../b]\n")
    write("loop/b/kustomization.yaml", "resources: [../a]\n")
    gap = only_gap(read("loop"))
    assert gap.what == "loop/a"
    assert "cycle" in gap.why


@pytest.mark.parametrize(
    "name",
    [
        "https://example.com/a.yaml",
        "github.com/example/app?ref=v1",
        "git@example.com:app.git",
        "git::https://example.com/app",
        "example.com/app.git//base",
    ],
)
def test_nothing_is_fetched(name: str) -> None:
    """Not even through a base: it is named before any program runs."""
    write("far/base/kustomization.yaml", f"Resources: [{json.dumps(name)}]\n")
    write("far/top/kustomization.yaml", "resources: [../base]\n")
    gap = only_gap(read("far"))
    assert gap.what == "far/top"
    assert f"would have to be fetched: {name}" in gap.why


def test_charts_inside_of_a_kustomization_are_named() -> None:
    """Kustomize would download them."""
    write("far/kustomization.yaml", "helmCharts: [{name: redis}]\n")
    assert "helmCharts" in only_gap(read("far")).why


@pytest.mark.parametrize(
    "text",
    [
        'resources: ["\\ud83d"]',
        f"resources: [{'a' * 5000}]",
        'resources: ["a\\0b", 1, null, {path: 3}]',
        "resources: 7\npatches: x\nconfigMapGenerator: {files: 3}",
        "[1, 2]",
        "a: &a [*a]",
    ],
)
def test_an_odd_kustomization_is_a_gap(text: str) -> None:
    """Whatever is in it."""
    write("odd/kustomization.yaml", text)
    assert only_gap(read("odd")).what == "odd"


@pytest.mark.usefixtures("no_programs")
def test_without_the_program_nothing_is_guessed() -> None:
    """The base as it stands is not what is deployed."""
    gap = only_gap(read("kustomize"))
    assert gap.what == "kustomize/overlays/shop"
    assert "neither kubectl nor kustomize is on PATH" in gap.why


def test_a_program_without_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """A build may not hold up the audit."""
    monkeypatch.setattr(programs, "SECONDS", 0.1)
    with pytest.raises(programs.BuildError, match="longer than"):
        programs.output((sys.executable, "-c", "import time; time.sleep(600)"), ".")


def test_a_program_that_writes_without_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor fill the memory."""
    monkeypatch.setattr(programs, "MOST_BYTES", 1000)
    with pytest.raises(programs.BuildError, match="more than 1000 bytes"):
        programs.output((sys.executable, "-c", "while True: print('a' * 100)"), ".")


def test_a_program_does_not_outlive_an_interrupted_run(tmp_path: Path) -> None:
    """Who presses Ctrl-C waits for nothing, and leaves neither a build nor its clock behind."""
    code = "import os, signal, time; open('pid', 'w').write(str(os.getpid())); "
    code += "os.kill(os.getppid(), signal.SIGINT); time.sleep(600)"
    # Whatever was started in the background is deaf to it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            programs.output((sys.executable, "-c", code), str(tmp_path))
    finally:
        signal.signal(signal.SIGINT, before)
    clocks = [one for one in threading.enumerate() if isinstance(one, threading.Timer)]
    try:
        with pytest.raises(ProcessLookupError):
            os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
        assert clocks == []
    finally:
        for clock in clocks:
            clock.cancel()


def test_a_program_sees_no_credential(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither in its environment nor in the home of the user."""
    monkeypatch.setenv("GIT_ASKPASS", "/bin/secret")
    told = programs.output(
        (sys.executable, "-c", "import json, os; print(json.dumps(dict(os.environ)))"),
        str(tmp_path),
    )
    seen = json.loads(told)
    assert "GIT_ASKPASS" not in seen
    assert (seen["HOME"], seen["PATH"]) == (str(tmp_path), "")
    assert seen["GIT_ALLOW_PROTOCOL"] == "none"


@pytest.mark.e2e
@pytest.mark.usefixtures("helm")
def test_a_chart_is_rendered_with_its_own_values() -> None:
    """Each object is shown at its template."""
    pod = only(read("chart"), "Pod")
    assert str(pod.ref) == "default/release-name-web[Pod]"
    assert pod.manifest["spec"]["containers"][0]["securityContext"] == {"privileged": True}
    assert (pod.origin.uri, pod.origin.span(()).line) == ("chart/templates/web.yaml", 1)
    with pytest.raises(CannotEditError, match="it is built by Helm from chart"):
        edits(pod, [Operation("add", ("metadata", "labels"), {})])


@pytest.mark.e2e
@pytest.mark.usefixtures("helm")
@pytest.mark.parametrize(
    ("chart", "template", "why"),
    [
        ("dependencies: [{name: redis, version: 1.0.0}]\n", "", "redis"),
        ("", '{{ fail "no way" }}', "no way"),
        ("", "{{ if }}", "web.yaml"),
        ("dependencies: 7\n", "", ""),
    ],
)
def test_a_chart_that_cannot_be_rendered_says_why(chart: str, template: str, why: str) -> None:
    """Dependencies are not downloaded."""
    with Path("chart/Chart.yaml").open("a", encoding="utf-8") as file:
        file.write(chart)
    write("chart/templates/web.yaml", template)
    gap = only_gap(read("chart"))
    assert gap.what == "chart"
    assert why in gap.why


@pytest.mark.usefixtures("no_programs")
def test_a_chart_without_helm_is_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    """As before."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    why = only_gap(read("chart")).why
    assert "one template is not rendered: helm is not on PATH; install it" in why
