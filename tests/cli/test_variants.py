"""Overlays of one base and charts with several values files are alternatives, and one answer."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from auditor.sources import programs
from auditor.sources.files import FileSource
from tests.cli.command import Command

pytestmark = pytest.mark.e2e

POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
    - name: app
      image: registry.example/app:1.0.0
      securityContext:
        privileged: {}
"""
ONE = ("--select", "workload/privileged_container")
CHART = "apiVersion: v2\nname: shop\nversion: 1.0.0\n"
OVERLAYS = {
    "base/kustomization.yaml": "resources: [web.yaml]\n",
    "base/web.yaml": POD.format("true"),
    "overlays/dev/kustomization.yaml": "resources: [../../base]\n",
    "overlays/prod/kustomization.yaml": """\
resources: [../../base]
patches:
  - path: host.yaml
""",
    "overlays/prod/host.yaml": """\
apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  hostNetwork: true
""",
    "namespace.yaml": "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n",
}
STORE = {
    "chart/Chart.yaml": CHART,
    "chart/values.yaml": "privileged: false\nname: web\n",
    "chart/values-prod.yaml": "privileged: true\n",
    "chart/templates/web.yaml": POD.format("{{ .Values.privileged }}"),
}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder that is the current one."""
    if not programs.program("kubectl") and not programs.program("kustomize"):
        assert os.environ.get("CI") != "true", "neither kubectl nor kustomize is installed"
        pytest.skip("neither kubectl nor kustomize is installed")
    (tmp_path / "top").mkdir()
    monkeypatch.chdir(tmp_path / "top")


def write(files: Mapping[str, str]) -> None:
    """Files, with the folders above them."""
    for name, text in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, "utf-8")


def test_overlays_of_one_base_are_judged_apart_and_told_together(auditor: Command) -> None:
    """The fault of the base is one finding; that of an overlay is in its patch, and says where."""
    write(OVERLAYS)
    said = auditor("audit", ".", "--framework", "pss-baseline", "--format", "json")
    found = {finding["policy"]: finding for finding in said.report["findings"]}
    assert len(said.report["findings"]) == len(found) == 2
    base = found["workload/privileged_container"]
    assert (base["file"], base["line"], base["evidence"]) == ("base/web.yaml", 10, [])
    host = found["workload/host_namespaces"]
    assert (host["file"], host["line"]) == ("overlays/prod/host.yaml", 6)
    told = [reason["message"] for reason in host["evidence"]]
    assert told[-1] == "only in 1 of 2 variants: overlays/prod"
    assert not [gap for gap in said.report["gaps"] if "more than once" in gap["why"]]
    assert said.code == 1


def test_every_values_file_beside_a_chart_is_rendered(auditor: Command) -> None:
    """What its own values hide, those of production show; at the line of the template."""
    write(STORE)
    said = auditor("audit", "chart", *ONE, "--format", "json")
    [finding] = said.report["findings"]
    assert finding["policy"] == "workload/privileged_container"
    assert (finding["file"], finding["line"]) == ("chart/templates/web.yaml", 10)
    told = [reason["message"] for reason in finding["evidence"]]
    assert told == ["only in 1 of 2 variants: chart with values-prod.yaml"]
    assert said.code == 1


def test_the_command_line_chooses_the_values(auditor: Command) -> None:
    """Then that is the one way in which the chart is rendered."""
    write({**STORE, "mine.yaml": "privileged: true\n"})
    assert auditor("audit", "chart", "--set", "privileged=false").code == 0
    said = auditor("audit", "chart", *ONE, "--values", "mine.yaml", "--format", "json")
    assert [len(said.report["findings"]), said.code] == [1, 1]
    said = auditor("audit", "chart", "--values", "mine.yaml", "--set", "privileged=false")
    assert said.code == 0


def test_values_without_a_chart_are_an_error(auditor: Command) -> None:
    """They would change nothing."""
    write({"web.yaml": POD.format("false")})
    said = auditor("audit", "web.yaml", "--set", "a=b")
    assert (said.code, said.out) == (2, "")
    assert "--values and --set need a chart" in said.err


def test_the_configuration_declares_how_a_chart_is_deployed(auditor: Command) -> None:
    """In the place of the files that lie beside it; what is not there is named."""
    declared = {"helm": {"chart": [{"values": ["eu.yaml"], "release": "eu", "namespace": "shop"}]}}
    write({**STORE, "eu.yaml": "privileged: true\n", ".auditor.yaml": json.dumps(declared)})
    said = auditor("audit", ".", *ONE, "--format", "json")
    [finding] = said.report["findings"]
    assert finding["object"]["namespace"] == "shop"
    assert finding["evidence"] == []
    declared["helm"]["chart"].append({"values": ["../../etc/passwd"]})
    write({".auditor.yaml": json.dumps(declared)})
    said = auditor("audit", ".", *ONE, "--format", "json")
    [gap] = said.report["gaps"]
    assert "the values file passwd leaves" in gap["why"]
    assert len(said.report["findings"]) == 1


def test_a_chart_that_demands_values_is_seen_with_those_that_its_tests_have(
    auditor: Command,
) -> None:
    """Without any, it was not seen; with them, the failure of its bare form is a remark."""
    needy = STORE["chart/templates/web.yaml"].replace(
        "name: web", "name: {{ required `who` .Values.who }}"
    )
    write({**STORE, "chart/templates/web.yaml": needy})
    Path("chart/values-prod.yaml").unlink()
    said = auditor("audit", "chart", *ONE, "--format", "json")
    assert (said.code, [gap["severity"] for gap in said.report["gaps"]]) == (4, ["incomplete"])
    assert "who" in said.report["gaps"][0]["why"]
    write({"chart/ci/full-values.yaml": "who: web\n"})
    said = auditor("audit", "chart", *ONE, "--format", "json")
    assert (said.code, [gap["severity"] for gap in said.report["gaps"]]) == (0, ["unknown"])
    assert "with its own values alone" in said.report["gaps"][0]["why"]


def test_a_library_is_no_application(auditor: Command) -> None:
    """Nothing is made of it."""
    write({**STORE, "chart/Chart.yaml": CHART + "type: library\n", "a.yaml": POD.format("false")})
    said = auditor("audit", ".", *ONE, "--format", "json")
    assert (said.code, said.report["gaps"], said.report["summary"]["objectsJudged"]) == (0, [], 1)


def test_a_chart_is_rendered_for_the_version_that_is_judged_for(auditor: Command) -> None:
    """Charts ask for it."""
    asks = '{{ if semverCompare "<1.30" .Capabilities.KubeVersion.Version }}true'
    asks += "{{ else }}false{{ end }}"
    write({**STORE, "chart/templates/web.yaml": POD.format(asks)})
    Path("chart/values-prod.yaml").unlink()
    assert auditor("audit", "chart").code == 0
    assert auditor("audit", "chart", "--kubernetes-version", "1.29").code == 1


def test_a_link_that_leaves_the_chart_is_not_followed(auditor: Command) -> None:
    """Helm would put the file of whoever audits it into an object."""
    write({**STORE, "../secret.txt": "canary"})
    Path("chart/note.txt").symlink_to("../../secret.txt")
    said = auditor("audit", "chart", *ONE, "--format", "json")
    assert "a symbolic link leaves it: note.txt" in said.report["gaps"][0]["why"]
    assert said.code == 4


def test_no_link_behind_a_link_leaves_the_repository(auditor: Command, tmp_path: Path) -> None:
    """A folder of the repository that a link leads to may hold another link."""
    (tmp_path / "secret.txt").write_text("not yours", "utf-8")
    read = 'data: {note: {{ .Files.Get "files/deep/note.txt" | quote }}}\n'
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n" + read
    write({"chart/Chart.yaml": CHART, "chart/templates/a.yaml": text, "other/deep/README": ""})
    Path(".git").mkdir()
    Path("chart/files").symlink_to("../other")
    Path("other/deep/note.txt").write_text("of the repository", "utf-8")
    assert auditor("audit", ".", "--format", "json").report["gaps"] == []
    Path("other/deep/note.txt").unlink()
    Path("other/deep/note.txt").symlink_to(tmp_path / "secret.txt")
    said = auditor("audit", ".", "--format", "json")
    why = [gap["why"] for gap in said.report["gaps"] if gap["what"] == "chart"]
    assert "a symbolic link leaves it: files/deep/note.txt" in "".join(why)
    Path("other/loop").symlink_to("../chart")
    again = auditor("audit", ".", "--format", "json")
    assert [gap["why"] for gap in again.report["gaps"] if gap["what"] == "chart"] == why


def test_what_is_written_beside_alternatives_is_fixed_once(auditor: Command) -> None:
    """The proof holds in every variant. The chart is mended in the values that have the fault."""
    own = POD.replace("name: web", "name: own").format("true")
    write({**STORE, "own.yaml": own})
    said = auditor("fix", ".", "--unsafe")
    assert said.out.count("-        privileged: true") == 1
    auditor("fix", ".", "--unsafe", "--write")
    assert "privileged: true" not in Path("own.yaml").read_text("utf-8")
    assert Path("chart/values-prod.yaml").read_text("utf-8") == "privileged: false\n"
    assert Path("chart/values.yaml").read_text("utf-8") == STORE["chart/values.yaml"]


def test_a_waiver_that_fits_in_one_variant_is_no_idle_one(auditor: Command) -> None:
    """It would be told as useless for each of the others."""
    waiver = {"policy": "workload/privileged_container", "object": "*", "reason": "known"}
    write({**STORE, ".auditor.yaml": json.dumps({"waivers": [waiver]})})
    said = auditor("audit", "chart", *ONE, "--format", "json")
    assert (said.code, said.report["gaps"]) == (0, [])
    write({"chart/values-prod.yaml": "privileged: false\n"})
    assert "it fits no finding" in str(
        auditor("audit", "chart", *ONE, "--format", "json").report["gaps"]
    )


def test_applications_with_one_label_are_in_one_cluster(auditor: Command) -> None:
    """The production of the web and that of its database are there together."""
    other = POD.replace("name: web", "name: db").format("true")
    trees = {f"db/{name}": text.replace("name: web", "name: db") for name, text in OVERLAYS.items()}
    write({**OVERLAYS, **trees, "db/base/web.yaml": other})
    found = {
        one.name: sorted(str(r.ref) for r in one.snapshot.of_kind("Pod"))
        for one in FileSource((".",)).variants()
    }
    both = ["default/db[Pod]", "default/web[Pod]"]
    assert found == {
        "db/overlays/dev, overlays/dev": both,
        "db/overlays/prod, overlays/prod": both,
    }
