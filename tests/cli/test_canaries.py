"""No credential of what is audited comes out again, in whatever form and on whatever way."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from auditor.frameworks.catalogue import catalogue
from auditor.reporters import REPORTERS
from tests.canaries import Canaries

from .command import ROOT, Command, Said

FORMATS = ("text", "json", "sarif")


@pytest.fixture
def auditor(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command."""
    return Command(monkeypatch, capsys)


@dataclass(frozen=True, slots=True)
class Planted:
    """What a test plants, where, and where the command may write on its own."""

    canaries: Canaries
    folder: Path
    home: Path

    def nothing_in(self, said: Said) -> None:
        """No token is in what was printed, or in any file that the command wrote."""
        assert self.canaries.planted
        assert self.canaries.in_(said.out, said.err) == []
        assert self.canaries.in_files([self.home]) == []


@pytest.fixture
def canaries(planted: Planted) -> Canaries:
    """What was planted in this test."""
    return planted.canaries


@pytest.fixture(autouse=True)
def planted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Planted:
    """A field for the test, and a home for the command."""
    home = tmp_path / "home"
    for name in ("HOME", "XDG_CACHE_HOME", "AUDITOR_CACHE_DIR", "TMPDIR"):
        folder = home / name.lower()
        folder.mkdir(parents=True)
        monkeypatch.setenv(name, str(folder))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.delenv("AUDITOR_TRACEBACK", raising=False)
    return Planted(Canaries(), tmp_path, home)


FAULT = "securityContext: {privileged: true}"


def _deployment(c: Canaries, name: str) -> str:
    """A workload with a credential at every place, beside faults that have fixes."""

    def at(place: str) -> str:
        return c(f"{place} of {name}")

    applied = json.dumps({"spec": {"env": [{"name": "X", "value": at("last applied")}]}})
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  namespace: shop
  annotations:
    example.com/token: {at("an annotation")}
    example.com/note: called with {at("a note")}
    kubectl.kubernetes.io/last-applied-configuration: '{applied}'
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata:
      labels: {{app: {name}}}
      annotations: {{example.com/secret: {at("an annotation of the template")}}}
    spec:
      hostNetwork: true
      containers:
        - name: app
          image: bot:{at("image")}@registry.example/app
          command: ["serve", "--api-key", "{at("command")}"]
          args:
            - --token={at("args")}
            - --url=https://shop:{at("a URL")}@db.example/?sig={at("a query")}&token={at("token")}
          env:
            - name: DB_PASSWORD
              value: {at("env")} # was {at("a comment")} once
            - {{name: COLOUR, value: {at("env in flow style")}}}
          securityContext:
            privileged: true
          livenessProbe:
            httpGet:
              path: /healthz?key={at("path of a probe")}
              port: 80
              httpHeaders:
                - name: Authorization
                  value: Bearer {at("header of a probe")}
          lifecycle: {{postStart: {{exec: {{command: [curl, -u, "me:{at("lifecycle")}"]}}}}}}
        - {{name: side, env: [{{name: K, value: {at("a")}}}], {FAULT}, args: [{at("b")}]}}
        - name: last
          image: last
          securityContext:
            allowPrivilegeEscalation: true
          env: [{{name: Q, value: "{at("right behind a fault")}"}}]
"""


def _secret(c: Canaries) -> str:
    data = base64.b64encode(c("data of a Secret").encode()).decode()
    return f"""\
apiVersion: v1
kind: Secret
metadata: {{name: keys, namespace: shop}}
data: {{key: {data}}}
stringData:
  other: {c("stringData of a Secret")}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: settings, namespace: shop}}
data:
  colour: {c("data of a ConfigMap")}
  app.properties: |
    db.password={c("a file of a ConfigMap")}
"""


def _broken(c: Canaries) -> str:
    return f"""\
apiVersion: v1
kind: Secret
metadata: {{name: broken}}
stringData:
  a: "{c("a broken document")}
  b: [{c("the broken line")}
---
{c("the beginning of a document")}: {{
---
apiVersion: v1
kind: {c("a kind")}
"""


def _folder(c: Canaries, folder: Path) -> Path:
    folder.mkdir()
    (folder / "app.yaml").write_text(_deployment(c, "web"))
    (folder / "windows.yaml").write_text(
        _deployment(c, "windows").replace("\n", "\r\n"), newline=""
    )
    documents = json.loads(_as_json(_deployment(c, "json")))
    (folder / "app.json").write_text(json.dumps(documents, indent=2))
    (folder / "flat.json").write_text(json.dumps(documents).replace('"json"', '"flat"'))
    (folder / "secret.yaml").write_text(_secret(c))
    (folder / "broken.yaml").write_text(_broken(c))
    (folder / "other.yml").write_bytes(
        f"kind: Pod # \xe9 {c('another encoding')}\n".encode("latin-1")
    )
    return folder


def _as_json(text: str) -> str:
    """The YAML as JSON."""
    import yaml

    return json.dumps(yaml.safe_load(text))


POLICIES = [
    folder
    for folder in sorted((ROOT / "policies").iterdir())
    if folder.is_dir() and folder.name != "lib"
]
EVERYTHING = tuple(f"--framework={name}" for name in catalogue())
CHOICES: dict[str, tuple[str, ...]] = {
    "as it comes": (),
    "strict": ("--profile", "strict"),
    "every policy": tuple(f"--select={folder.name}" for folder in POLICIES),
    "every framework": EVERYTHING,
    "without fixes": ("--no-fixes",),
}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("choice", CHOICES)
def test_no_report_shows_one(auditor: Command, planted: Planted, form: str, choice: str) -> None:
    """In no form, of no choice of policies; and the faults are found all the same."""
    folder = _folder(planted.canaries, planted.folder / "shop")
    said = auditor("audit", folder, "--format", form, *CHOICES[choice])
    assert said.code == 1, said.err
    assert len(planted.canaries.planted) > 60
    planted.nothing_in(said)


def test_no_other_form_shows_one(auditor: Command, planted: Planted, tmp_path: Path) -> None:
    """Those for pipelines and dashboards, all of one run."""
    folder = _folder(planted.canaries, planted.folder / "shop")
    files = {form: tmp_path / f"report.{form}" for form in REPORTERS if form not in FORMATS}
    pairs = [word for form, file in files.items() for word in ("--format", form, "-o", file)]
    said = auditor("audit", folder, *pairs, *CHOICES["every policy"])
    assert said.code == 1, said.err
    for form, file in files.items():
        planted.nothing_in(replace(said, out=file.read_text("utf-8")))
        assert file.stat().st_size > 1000, form


@pytest.mark.parametrize("flags", [(), ("--unsafe",), ("--profile", "strict", "--unsafe")])
def test_no_diff_shows_one(auditor: Command, planted: Planted, flags: tuple[str, ...]) -> None:
    """What `auditor fix` prints hides them; what it says it cannot show, it does not damage."""
    file = planted.folder / "app.yaml"
    file.write_text(_deployment(planted.canaries, "web"))
    said = auditor("fix", file, *flags)
    assert said.out or said.err
    planted.nothing_in(said)


def test_a_diff_beside_credentials_is_applied_by_git(
    auditor: Command, canaries: Canaries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its context leaves them out, and what `git apply` makes is what `--write` makes."""
    if not shutil.which("git"):
        assert os.environ.get("CI") != "true", "git is not installed"
        pytest.skip("needs git, to apply the diff")
    monkeypatch.chdir(tmp_path)
    text = "\n".join(
        line for line in _deployment(canaries, "web").split("\n") if "name: side" not in line
    )
    for name in ("shown", "written"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "app.yaml").write_text(text)
    select = ("--select", "workload/privileged_container", "--unsafe")
    said = auditor("fix", "shown", *select)
    assert canaries.in_(said.out, said.err) == []
    assert "not shown" not in said.err
    (tmp_path / "diff").write_text(said.out)
    subprocess.run(["git", "apply", "diff"], check=True, cwd=tmp_path)
    auditor("fix", "written", "--write", *select)
    written = (tmp_path / "written" / "app.yaml").read_text()
    assert written != text
    assert (tmp_path / "shown" / "app.yaml").read_text() == written


def test_a_diff_that_cannot_show_a_line_says_so(
    auditor: Command, canaries: Canaries, tmp_path: Path
) -> None:
    """In flow style the fault and the credential share a line: it is shown with an ellipsis, and
    only `--write` makes the change.
    """
    file = tmp_path / "app.yaml"
    file.write_text(_deployment(canaries, "web"))
    select = ("--select", "workload/privileged_container", "--unsafe")
    said = auditor("fix", file, *select)
    assert "lines with credentials are not shown, so that the diff may not apply" in said.err
    auditor("fix", file, "--write", *select)
    assert canaries.in_(file.read_text()) == list(canaries.planted), "and loses none of them"


CHART = "apiVersion: v2\nname: shop\nversion: 1.0.0\n"


def _chart(c: Canaries, folder: Path, template: str) -> None:
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text(CHART)
    (folder / "values.yaml").write_text(
        f"password: {c('values')} # {c('comment of values')}\nprivileged: true\n"
    )
    (folder / "templates" / "pod.yaml").write_text(template)


TEMPLATE = """\
apiVersion: v1
kind: Pod
metadata: {name: web, annotations: {p: {{ .Values.password | b64enc }}}}
spec:
  containers:
    - name: app
      image: app
      env: [{name: PASSWORD, value: {{ .Values.password }}}]
      securityContext: {privileged: {{ .Values.privileged }}}
"""


def _kustomization(c: Canaries, folder: Path, patch: str) -> None:
    (folder / "base").mkdir(parents=True)
    (folder / "base" / "app.yaml").write_text(_deployment(c, "web"))
    (folder / "base" / "kustomization.yaml").write_text("resources: [app.yaml]\n")
    (folder / "kustomization.yaml").write_text(
        "resources: [base]\npatches: [{path: patch.yaml}]\n"
        f"secretGenerator: [{{name: s, literals: [k={c('literal of a generator')}]}}]\n"
    )
    (folder / "patch.yaml").write_text(patch)


def _patch(c: Canaries, spec: str) -> str:
    container = f"{{name: app, env: [{{name: P, value: {c('patch')}}}]}}"
    return (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\n"
        f"spec: {{template: {{spec: {{containers: [{container}]}}}}}}\n{spec}"
    )


BUILDS: dict[str, Callable[[Canaries, Path], None]] = {
    "a chart": lambda c, f: _chart(c, f, TEMPLATE),
    "a chart that fails with the value": lambda c, f: _chart(
        c, f, '{{ fail (printf "bad password %s" .Values.password) }}\n'
    ),
    "a chart whose result is no YAML": lambda c, f: _chart(
        c, f, "kind: Pod\nx: [{{ .Values.password }}\ny: {\n"
    ),
    "a template that is broken": lambda c, f: _chart(
        c, f, f"x: {{{{ .Values.{c('in a template')} | nofunction }}}}\n"
    ),
    "an overlay": lambda c, f: _kustomization(c, f, _patch(c, "")),
    "a patch that is no YAML": lambda c, f: _kustomization(c, f, _patch(c, "x: [\n")),
    "a patch of nothing": lambda c, f: _kustomization(
        c, f, _patch(c, "").replace("name: web", f"name: {c('target').lower()}")
    ),
}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("build", BUILDS)
def test_no_build_shows_one(auditor: Command, planted: Planted, build: str, form: str) -> None:
    """Helm and Kustomize quote values and patches where they fail; the reports do not."""
    folder = planted.folder / "built"
    BUILDS[build](planted.canaries, folder)
    said = auditor("audit", folder, "--format", form, "--profile", "strict")
    assert said.code in {1, 4}
    planted.nothing_in(said)
    planted.nothing_in(auditor("fix", folder, "--unsafe"))


def _configuration(text: str) -> tuple[str, str, tuple[str, ...]]:
    return ".auditor.yaml", text, ("audit",)


LIVE = ("audit", "--cluster", "--kubeconfig", "kubeconfig")
WRONG: dict[str, Callable[[Canaries], tuple[str, str, tuple[str, ...]]]] = {
    "a configuration that is no YAML": lambda c: _configuration(f"waivers: [{c('x')}\nb: {{\n"),
    "a configuration with another key": lambda c: _configuration(
        f"topology: {{token: {c('x')}}}\n"
    ),
    "a key of the configuration": lambda c: _configuration(f"{c('x')}: 1\n"),
    "a waiver of a wrong type": lambda c: _configuration(f"waivers: [{{policy: [{c('x')}]}}]\n"),
    "a date that is none": lambda c: _configuration(
        f"waivers: [{{policy: a, object: b, reason: c, until: {c('x')}}}]\n"
    ),
    "a baseline": lambda c: (
        "old.json", f'{{"format": "{c("x")}"}}', ("audit", "--baseline", "old.json"),
    ),
    "a snapshot": lambda c: (
        "old.snapshot", f'{{"format":"auditor-snapshot/{c("x")}"}}', ("audit", "old.snapshot"),
    ),
    "a kubeconfig that is no YAML": lambda c: (
        "kubeconfig", f"users: [{{token: {c('x')}\na: {{\n", LIVE,
    ),
    "a kubeconfig of a wrong type": lambda c: (
        "kubeconfig", f"current-context: {c('x')}\nusers: {c('y')}\n", LIVE,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_no_error_shows_one(
    auditor: Command, planted: Planted, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Whatever file is wrong, the sentence says which and where, and quotes no secret of it."""
    monkeypatch.chdir(planted.folder)
    file, text, command = WRONG[name](planted.canaries)
    (planted.folder / file).write_text(text)
    if command == ("audit",):
        command = ("audit", "--config", file)
    if "--cluster" not in command and file != "old.snapshot":
        command = (*command, str(_folder(planted.canaries, planted.folder / "shop")))
    said = auditor(*command)
    assert said.code == 2
    assert file in said.err
    planted.nothing_in(said)


def _kubeconfig(folder: Path, user: dict[str, object], server: str = "https://127.0.0.1:1") -> Path:
    config = {
        "apiVersion": "v1", "kind": "Config", "current-context": "x",
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
    }  # fmt: skip
    (folder / "kubeconfig").write_text(json.dumps(config))
    return folder / "kubeconfig"


def _plugin(folder: Path, script: str) -> dict[str, object]:
    program = folder / "plugin"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    api = "client.authentication.k8s.io/v1"
    return {"exec": {"apiVersion": api, "command": str(program), "interactiveMode": "Never"}}


USERS: dict[str, Callable[[Canaries, Path], dict[str, object]]] = {
    "a token": lambda c, _: {"token": c("token")},
    "a user with a password": lambda c, _: {"username": c("user"), "password": c("password")},
    "a plugin that fails": lambda c, f: _plugin(f, f"echo token={c('plugin')} >&2; exit 3"),
    "a plugin that talks": lambda c, f: _plugin(f, f"echo '{c('talk')}'"),
    "a plugin with a token": lambda c, f: _plugin(
        f,
        "echo '"
        + json.dumps({
            "kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1",
            "status": {"token": c("plugin's token")},
        })
        + "'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("verb", ["audit", "snapshot"])
@pytest.mark.parametrize("name", USERS)
def test_no_error_shows_who_we_are(
    auditor: Command, planted: Planted, name: str, verb: str
) -> None:
    """Of a cluster that does not answer, with whatever credentials."""
    config = _kubeconfig(planted.folder, USERS[name](planted.canaries, planted.folder))
    more = ("-o", planted.folder / "file") if verb == "snapshot" else ()
    said = auditor(verb, "--cluster", "--kubeconfig", config, *more)
    assert said.code == 2
    planted.nothing_in(said)
    assert not (planted.folder / "file").exists()


def test_a_password_in_the_server_s_address_is_not_shown(
    auditor: Command, planted: Planted
) -> None:
    """The address is named, without it."""
    server = f"https://me:{planted.canaries('server')}@127.0.0.1:1"
    said = auditor("audit", "--cluster", "--kubeconfig", _kubeconfig(planted.folder, {}, server))
    assert said.code == 2
    planted.nothing_in(said)


def test_a_fault_of_ours_shows_none(
    auditor: Command, planted: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sentence names the place in our code, and no value."""
    token = planted.canaries("a value in an exception")

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(f"password={token} {token}")

    monkeypatch.setattr("auditor.audit.audit", fail)
    file = planted.folder / "app.yaml"
    file.write_text("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n")
    said = auditor("audit", file)
    assert said.code == 70
    planted.nothing_in(said)
