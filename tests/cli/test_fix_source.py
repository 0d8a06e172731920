"""What Kustomize and Helm build is mended in the files it is built from, by the real programs."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from auditor.sources import programs
from tests.cli.command import Command

pytestmark = pytest.mark.e2e

PRIVILEGED = ("--select", "workload/privileged_container")
ESCALATION = ("--select", "workload/privilege_escalation")
POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: {name}
spec:
  containers:
    - name: app
      image: registry.example/app:1.0.0
      securityContext:
        allowPrivilegeEscalation: false
        privileged: {privileged}
"""
BASE = POD.format(name="web", privileged="true # for the old driver")
PATCH = """\
apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
    - name: app # the one of the base
      {}
"""
PATCHED = "resources: [../../base]\npatches: [{path: web.yaml}]\n"
OVERLAYS = {
    "base/kustomization.yaml": "resources: [web.yaml]\n",
    "base/web.yaml": BASE,
    "overlays/dev/kustomization.yaml": "resources: [../../base]\nnamePrefix: dev-\n",
    "overlays/prod/kustomization.yaml": "resources: [../../base]\nnamespace: live\n",
}
CHART = "apiVersion: v2\nname: shop\nversion: 1.0.0\n"
BLOCK = """\
apiVersion: v1
kind: Pod
metadata:
  name: {}
spec:
  containers:
    - name: app
      image: registry.example/app:1.0.0
      securityContext:
        {{{{- toYaml .Values.security | nindent 8 }}}}
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the current one."""
    kustomize = programs.program("kubectl") or programs.program("kustomize")
    helm = programs.program("helm") or importlib.util.find_spec("helm_python")
    if not kustomize or not helm:
        assert os.environ.get("CI") != "true", "kubectl or helm is not installed"
        pytest.skip("kubectl or helm is not installed")
    (tmp_path / "top").mkdir()
    monkeypatch.chdir(tmp_path / "top")
    return tmp_path


def write(files: Mapping[str, str]) -> None:
    """Files, with the folders above them, their line breaks as they are."""
    for name, text in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(text.encode())


def read(name: str) -> str:
    """A file, byte for byte."""
    return Path(name).read_bytes().decode()


def counted_builds(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The folders in which the real program is run, from now on."""
    calls: list[str] = []

    def output(command: Sequence[str], home: str) -> str:
        calls.append(home)
        return programs.output(command, home)

    monkeypatch.setattr("auditor.sources.kustomizations.output", output)
    return calls


def fixes(auditor: Command, *arguments: str) -> list[dict[str, Any]]:
    """The fixes of all findings."""
    report = auditor("audit", *arguments, "--format", "json").report
    return [finding["fix"] for finding in report["findings"]]


def mended(auditor: Command, *arguments: str) -> None:
    """Write all fixes; no finding is left then, and a second run has nothing to do."""
    said = auditor("fix", "--unsafe", "--write", *arguments)
    assert said.code == 0, said.err
    again = auditor("audit", *arguments, "--format", "json").report
    assert again["findings"] == []
    assert "wrote" not in auditor("fix", "--unsafe", "--write", *arguments).out


def test_a_fault_of_a_base_is_mended_there_for_all_its_overlays(auditor: Command) -> None:
    """The comment behind the value stays, and the report says where it comes out otherwise."""
    write(OVERLAYS)
    said = auditor("audit", ".", *PRIVILEGED)
    told = " ".join(said.out.split())
    assert "default/dev-web[Pod]: spec.containers[0].securityContext.privileged = false" in told
    assert "live/web[Pod]: spec.containers[0].securityContext.privileged = false" in told
    assert "(in overlays/dev)" in told
    assert "(in overlays/prod)" in told
    assert read("base/web.yaml") == BASE
    mended(auditor, ".", *PRIVILEGED)
    assert read("base/web.yaml") == BASE.replace("privileged: true", "privileged: false")
    assert all(read(name) == text for name, text in OVERLAYS.items() if name != "base/web.yaml")


def test_an_overlay_that_says_the_fault_again_is_mended_with_its_base(auditor: Command) -> None:
    """Else the finding would stay there. What stands in the patch alone is mended in it alone."""
    patch = PATCH.format("securityContext: {privileged: true, runAsUser: 7}")
    dev = {"overlays/dev/kustomization.yaml": "resources: [../../base]\n"}
    said_twice = {
        "overlays/prod/kustomization.yaml": PATCHED,
        "overlays/prod/web.yaml": patch,
    }
    write({**OVERLAYS, **dev, **said_twice})
    found = fixes(auditor, ".", *PRIVILEGED)
    assert all(fix["proven"] for fix in found)
    touched = {edit["file"] for fix in found for edit in fix["edits"]}
    assert touched == {"base/web.yaml", "overlays/prod/web.yaml"}
    mended(auditor, ".", *PRIVILEGED)
    write({"base/web.yaml": BASE.replace("true", "false")})
    write({"overlays/prod/web.yaml": patch})
    [fix] = fixes(auditor, ".", *PRIVILEGED)
    assert [edit["file"] for edit in fix["edits"]] == ["overlays/prod/web.yaml"]
    mended(auditor, ".", *PRIVILEGED)
    assert read("overlays/prod/web.yaml") == patch.replace("privileged: true", "privileged: false")


def test_an_added_field_goes_into_the_base(auditor: Command) -> None:
    """Where the base is among the files; and into the patch of the overlay where it is not."""
    base = BASE.replace("        allowPrivilegeEscalation: false\n", "").replace("true", "false")
    files = {
        **OVERLAYS,
        "base/web.yaml": base,
        "overlays/prod/kustomization.yaml": PATCHED,
        "overlays/prod/web.yaml": PATCH.format("workingDir: /srv"),
    }
    write(files)
    [fix] = fixes(auditor, "overlays/prod", *ESCALATION)
    assert fix["proven"], fix["proof"]
    assert {edit["file"] for edit in fix["edits"]} == {"overlays/prod/web.yaml"}
    mended(auditor, "overlays/prod", *ESCALATION)
    assert read("base/web.yaml") == base
    assert read("overlays/prod/web.yaml").startswith(files["overlays/prod/web.yaml"])
    write(files)
    mended(auditor, ".", *ESCALATION)
    assert read("overlays/prod/web.yaml") == files["overlays/prod/web.yaml"]
    added = "        allowPrivilegeEscalation: false\n"
    assert added in read("base/web.yaml")
    assert read("base/web.yaml").replace(added, "") == base


def test_a_base_outside_of_what_was_given_is_left_alone(auditor: Command) -> None:
    """Without a patch there is nowhere to mend it: the fix says so, and shows what it would be."""
    write(OVERLAYS)
    said = auditor("audit", "overlays/prod", *PRIVILEGED)
    told = " ".join(said.out.split())
    assert "base/web.yaml, which is outside of what was given" in told
    assert "replace spec.containers[0].securityContext.privileged: false" in told
    said = auditor("fix", "--unsafe", "--write", "overlays/prod", *PRIVILEGED)
    assert (said.code, read("base/web.yaml")) == (1, BASE)


def test_a_patch_inside_of_a_kustomization_is_not_edited(auditor: Command) -> None:
    """It is a text in a text; the finding stays, with the reason."""
    inline = "resources: [../../base]\npatches:\n  - target: {kind: Pod}\n    patch: |\n"
    steps = (
        "      - {op: replace, path: /spec/containers/0/securityContext/privileged, value: true}\n"
    )
    write({**OVERLAYS, "base/web.yaml": POD.format(name="web", privileged="false")})
    write({"overlays/prod/kustomization.yaml": inline + steps})
    [fix] = fixes(auditor, ".", *PRIVILEGED)
    assert not fix["proven"]
    assert fix["edits"] == []
    assert "is said in no one place" in fix["proof"]["unproven"][0]


def test_line_breaks_of_windows_stay(auditor: Command) -> None:
    """In bases, in values and in templates."""
    chart = {"chart/Chart.yaml": CHART, "chart/values.yaml": "# ours\nprivileged: true # why\n"}
    chart["chart/templates/web.yaml"] = POD.format(
        name="rendered", privileged="{{ .Values.privileged }}"
    ).replace("        allowPrivilegeEscalation: false\n", "")
    files = {name: text.replace("\n", "\r\n") for name, text in {**OVERLAYS, **chart}.items()}
    write(files)
    mended(auditor, ".", *PRIVILEGED)
    for name in files:
        assert "\n" not in read(name).replace("\r\n", ""), name
    assert read("chart/values.yaml") == "# ours\r\nprivileged: false # why\r\n"
    assert "        allowPrivilegeEscalation: false\r\n" in read("chart/templates/web.yaml")


def test_the_values_file_that_counts_is_edited(auditor: Command) -> None:
    """That of production, where production alone has the fault; else the chart's own."""
    values = {
        "chart/values.yaml": "privileged: false\n",
        "chart/values-prod.yaml": "privileged: true\n",
    }
    template = POD.format(name="web", privileged="{{ .Values.privileged }}")
    write({"chart/Chart.yaml": CHART, "chart/templates/web.yaml": template, **values})
    [fix] = fixes(auditor, "chart", *PRIVILEGED)
    assert [edit["file"] for edit in fix["edits"]] == ["chart/values-prod.yaml"]
    mended(auditor, "chart", *PRIVILEGED)
    assert read("chart/values.yaml") == "privileged: false\n"
    write({"chart/values.yaml": "privileged: true\n", "chart/values-prod.yaml": "other: 1\n"})
    [fix] = fixes(auditor, "chart", *PRIVILEGED)
    assert [edit["file"] for edit in fix["edits"]] == ["chart/values.yaml"]


def test_sets_of_values_that_come_out_alike_are_looked_at_apart_from_then_on(
    auditor: Command,
) -> None:
    """One that says the fault again would keep it, and no longer be what the first one is."""
    values = {
        "chart/values.yaml": "privileged: true\n",
        "chart/values-dev.yaml": "privileged: true\n",
    }
    template = POD.format(name="web", privileged="{{ .Values.privileged }}")
    write({"chart/Chart.yaml": CHART, "chart/templates/web.yaml": template, **values})
    [fix] = fixes(auditor, "chart", *PRIVILEGED)
    assert not fix["proven"]
    [why] = fix["proof"]["unproven"]
    assert why == "chart with values-dev.yaml would no longer come out as chart"


def test_a_value_of_two_templates_changes_both_and_says_so(auditor: Command) -> None:
    """A key is added below the value that a whole block is made of; its anchor stays."""
    values = (
        "# who may what\nsecurity: &security\n  # nobody\n  runAsUser: 1000\nspare: [1] # more\n"
    )
    files = {
        "chart/Chart.yaml": CHART,
        "chart/values.yaml": values,
        "chart/templates/web.yaml": BLOCK.format("web"),
        "chart/templates/db.yaml": BLOCK.format("db"),
    }
    write(files)
    said = auditor("audit", "chart", *ESCALATION)
    told = " ".join(said.out.split())
    assert "renders as: default/web[Pod]" in told
    assert "renders as: default/db[Pod]" in told
    mended(auditor, "chart", *ESCALATION)
    wanted = values.replace("1000\n", "1000\n  allowPrivilegeEscalation: false\n")
    assert read("chart/values.yaml") == wanted
    assert read("chart/templates/web.yaml") == files["chart/templates/web.yaml"]


def test_a_value_that_others_refer_to_is_not_edited(auditor: Command) -> None:
    """An alias would change with it, and an alias cannot be edited by itself."""
    values = "shared: &shared\n  runAsUser: 1000\nsecurity: *shared\nelsewhere: *shared\n"
    write({"chart/Chart.yaml": CHART, "chart/values.yaml": values})
    write({"chart/templates/web.yaml": BLOCK.format("web")})
    [fix] = fixes(auditor, "chart", *ESCALATION)
    assert not fix["proven"]
    assert "which other places use" in fix["proof"]["unproven"][0]
    assert read("chart/values.yaml") == values


@pytest.mark.parametrize("empty", ["{}", "", "null", "{} # none yet"])
def test_an_empty_block_of_values_is_filled(auditor: Command, empty: str) -> None:
    """As most charts come."""
    template = BLOCK.format("web").replace(
        "      securityContext:\n        {{- toYaml .Values.security | nindent 8 }}\n",
        "      {{- with .Values.security }}\n      securityContext:\n"
        "        {{- toYaml . | nindent 8 }}\n      {{- end }}\n",
    )
    write({"chart/Chart.yaml": CHART, "chart/values.yaml": f"security: {empty}\nmore: 1\n"})
    write({"chart/templates/web.yaml": template})
    mended(auditor, "chart", *ESCALATION)
    assert read("chart/templates/web.yaml") == template
    assert "allowPrivilegeEscalation: false" in read("chart/values.yaml")
    assert ("# none yet" in empty) == ("# none yet" in read("chart/values.yaml"))


def test_what_the_command_line_sets_is_not_edited(auditor: Command) -> None:
    """No file of the chart says it; nor is a file edited that lies outside of what was given."""
    template = POD.format(name="web", privileged="{{ .Values.privileged }}")
    write({"chart/Chart.yaml": CHART, "chart/templates/web.yaml": template})
    write({"chart/values.yaml": "privileged: false\n", "mine.yaml": "privileged: true\n"})
    [fix] = fixes(auditor, "chart", "--set", "privileged=true", *PRIVILEGED)
    assert "by --set" in fix["proof"]["unproven"][0]
    [fix] = fixes(auditor, "chart", "--values", "mine.yaml", *PRIVILEGED)
    assert "mine.yaml, which is outside of what was given" in fix["proof"]["unproven"][0]
    assert read("mine.yaml") == "privileged: true\n"


def test_a_list_of_values_is_edited_and_no_other(auditor: Command) -> None:
    """And the lists beside it, with their comments."""
    values = (
        "security:\n  capabilities:\n    drop:\n      - CHOWN\n    add: # few\n"
        "      - NET_BIND_SERVICE # port 80\n"
    )
    write({"chart/Chart.yaml": CHART, "chart/values.yaml": values})
    write({"chart/templates/web.yaml": BLOCK.format("web")})
    mended(auditor, "chart", "--select", "workload/capabilities_not_dropped")
    assert read("chart/values.yaml") == values.replace("CHOWN", "ALL")


def test_a_condition_on_the_value_is_seen_when_it_is_rendered_again(auditor: Command) -> None:
    """Nothing in the template says the field: what cannot be traced stays as it is."""
    template = POD.format(name="web", privileged='{{ ternary "true" "false" .Values.old }}')
    write({"chart/Chart.yaml": CHART, "chart/templates/web.yaml": template})
    write({"chart/values.yaml": "old: true\n"})
    [fix] = fixes(auditor, "chart", *PRIVILEGED)
    assert not fix["proven"]
    assert "in chart/templates/web.yaml" in fix["proof"]["unproven"][0]


def test_an_object_that_depends_on_the_value_keeps_the_fix_from_being_proven(
    auditor: Command,
) -> None:
    """The edit would take an object away: nobody asked for that."""
    extra = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"
    extra = f"{{{{- if .Values.privileged }}}}\n{extra}{{{{- end }}}}\n"
    template = POD.format(name="web", privileged="{{ .Values.privileged }}")
    write({"chart/Chart.yaml": CHART, "chart/templates/web.yaml": template})
    write({"chart/values.yaml": "privileged: true\n", "chart/templates/x.yaml": extra})
    [fix] = fixes(auditor, "chart", *PRIVILEGED)
    assert fix["proof"]["unproven"] == ["chart would no longer make x[ConfigMap]"]


def test_a_fix_that_brings_a_fault_to_another_object_is_not_proven(auditor: Command) -> None:
    """The value that is bad here is good there: both are judged."""
    other = POD.format(name="other", privileged="{{ not .Values.privileged }}")
    template = POD.format(name="web", privileged="{{ .Values.privileged }}")
    write({"chart/Chart.yaml": CHART, "chart/templates/web.yaml": template})
    write({"chart/values.yaml": "privileged: true\n", "chart/templates/other.yaml": other})
    [fix] = fixes(auditor, "chart", *PRIVILEGED)
    assert not fix["proven"]
    assert fix["proof"]["introduced"] == ["workload/privileged_container default/other[Pod]"]


def test_random_values_of_a_chart_are_no_change(auditor: Command) -> None:
    """A password that is made anew each time comes out otherwise whatever is edited."""
    secret = (
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n"
        "stringData: {password: {{ randAlphaNum 20 | quote }}}\n"
    )
    template = POD.format(name="web", privileged="{{ .Values.privileged }}")
    write({"chart/Chart.yaml": CHART, "chart/templates/web.yaml": template})
    write({"chart/values.yaml": "privileged: true\n", "chart/templates/s.yaml": secret})
    said = auditor("audit", "chart", *PRIVILEGED)
    assert "renders as: default/web[Pod]" in said.out
    assert "[Secret]" not in said.out
    mended(auditor, "chart", *PRIVILEGED)


@pytest.mark.parametrize(
    ("values", "edited"),
    [
        ('"privileged": true\n"a{{ .b }}": "{{ fail `x` }}"\n', None),
        ("{privileged: true, deep: [[[[1]]]]}\n", None),
        ("\ufeffprivileged: true\n", None),
        ("privileged: true\npassword: correct-horse-battery\n", None),
        ("# true\n? privileged\n: true\n", ""),
        ("privileged: &p true\ncopy: *p\n", ""),
        ("privileged: true\n---\nprivileged: true\n", ""),
        ("deep: &d {privileged: true}\n<<: *d\n", ""),
    ],
)
def test_odd_values_are_edited_exactly_or_not_at_all(
    auditor: Command, values: str, edited: str | None
) -> None:
    """Never half, never with a word of what else stands there, and never with a traceback."""
    template = POD.format(name="web", privileged="{{ .Values.privileged }}")
    write({"chart/Chart.yaml": CHART, "chart/templates/web.yaml": template})
    write({"chart/values.yaml": values})
    said = auditor("fix", "--unsafe", "--write", "chart", *PRIVILEGED)
    assert "correct-horse" not in said.out + said.err
    wanted = values if edited == "" else values.replace("privileged: true", "privileged: false")
    wanted = wanted.replace('"privileged": true', '"privileged": false')
    assert (read("chart/values.yaml"), said.code) == (wanted, 0 if edited is None else 1), said.err


def test_a_password_beside_an_edit_is_not_shown(auditor: Command) -> None:
    """In the diff of a values file and of a template, whatever its key is called."""
    values = "env:\n  FIRST: correct-horse\nprivileged: true\nargs: [battery-staple]\n"
    template = POD.format(name="web", privileged="true").replace(
        "      securityContext", "      env: [{name: A, value: tr0ub4dor}]\n      securityContext"
    )
    second = POD.format(name="db", privileged="{{ .Values.privileged }}")
    write({"chart/Chart.yaml": CHART, "chart/templates/web.yaml": template})
    write({"chart/templates/db.yaml": second, "chart/values.yaml": values})
    for said in (
        auditor("audit", "chart", *PRIVILEGED),
        auditor("fix", "--unsafe", "chart", *PRIVILEGED),
    ):
        assert "privileged: false" in said.out
        for word in ("correct-horse", "battery-staple", "tr0ub4dor"):
            assert word not in said.out + said.err


def test_what_is_proven_is_what_the_diff_makes(auditor: Command, here: Path) -> None:
    """SARIF names the source file, and the edits of JSON lead to the same text as --write."""
    write(OVERLAYS)
    said = auditor("audit", ".", *PRIVILEGED, "--format", "sarif")
    changes = [
        change["artifactLocation"]["uri"]
        for result in said.report["runs"][0]["results"]
        for fix in result["fixes"]
        for change in fix["artifactChanges"]
    ]
    assert set(changes) == {"base/web.yaml"}


def test_no_fixes_builds_nothing_again(auditor: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """What proofs cost is not paid by who asks for none."""
    write(OVERLAYS)
    calls = counted_builds(monkeypatch)
    auditor("audit", ".", *PRIVILEGED, "--no-fixes")
    assert len(calls) == 2  # one build of each overlay


def test_faults_of_objects_that_are_built_apart_share_a_build(
    auditor: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is proven all the same, and an overlay with a replacement between them takes more."""
    names = ("a", "b", "c")
    pods = {f"base/{name}.yaml": POD.format(name=name, privileged="true") for name in names}
    base = "resources: [a.yaml, b.yaml, c.yaml]\n"
    write({**OVERLAYS, **pods, "base/kustomization.yaml": base})
    Path("base/web.yaml").unlink()
    calls = counted_builds(monkeypatch)
    found = fixes(auditor, ".", *PRIVILEGED)
    assert [fix["proven"] for fix in found] == [True] * 6
    assert {edit["file"] for fix in found for edit in fix["edits"]} == pods.keys()
    assert len(calls) == 6  # of each overlay: for the audit, with nothing edited, and with all
    copied = (
        f"{base}replacements:\n  - source: {{kind: Pod, name: a, fieldPath: "
        "spec.containers.0.securityContext.privileged}\n    targets: [{select: {name: b}, "
        "fieldPaths: [spec.containers.0.securityContext.privileged]}]\n"
    )
    write({"base/kustomization.yaml": copied, "base/b.yaml": pods["base/b.yaml"]})
    by_object = {
        finding["object"]["name"].removeprefix("dev-"): finding["fix"]
        for finding in auditor("audit", ".", *PRIVILEGED, "--format", "json").report["findings"]
    }
    assert by_object["c"]["proven"]
    assert not by_object["b"]["proven"]
