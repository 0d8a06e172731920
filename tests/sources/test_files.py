"""Whatever lies in a folder: every object comes out of it, and what does not is named."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest
import yaml

from auditor.errors import UsageError
from auditor.model import Gap, Snapshot, Unseen
from auditor.sources.files import FileSource
from auditor.sources.folders import shown
from auditor.sources.hidden import MOST_FILES

POD = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {}\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: str, text: str | bytes) -> None:
    """A file, with the folders above it."""
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode() if isinstance(text, str) else text)


def read(*paths: str) -> Snapshot:
    """What the files say."""
    return FileSource(paths or (".",)).snapshot()


def names(snapshot: Snapshot) -> list[str]:
    """The objects as people write them."""
    return [str(resource.ref) for resource in snapshot.resources]


def only_gap(snapshot: Snapshot) -> Gap:
    """The one thing that could not be seen."""
    (gap,) = snapshot.gaps
    return gap


def pod(name: str = "a", **metadata: str) -> str:
    """A pod as JSON, which is YAML."""
    meta = {"name": name, **metadata}
    return json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": meta})


def test_folders_are_read_whole_and_in_order() -> None:
    """Every YAML and JSON file, in sub-folders too, whatever the case of its ending."""
    write("b/z.YML", pod("four"))
    write("b/a.json", pod("three"))
    write("a.yaml", pod("one") + "\n---\n" + pod("two"))
    write("readme.md", pod("no"))
    snapshot = read()
    assert names(snapshot) == [f"default/{n}[Pod]" for n in ("one", "two", "three", "four")]
    assert [r.origin.uri for r in snapshot.resources] == ["a.yaml", "a.yaml", "b/a.json", "b/z.YML"]
    assert snapshot.gaps == ()


@pytest.mark.parametrize("folder", [".git", "node_modules", ".venv", ".hidden", "x/.git"])
def test_folders_of_tools_are_skipped(folder: str) -> None:
    """What lies there is not the user's, unless the folder is named."""
    write(f"{folder}/a.yaml", pod())
    assert names(read()) == []
    assert names(read(folder)) == ["default/a[Pod]"]


@pytest.mark.parametrize("text", [POD, pod(), "{{ if .Values.a }}\n" + POD, "- " + pod()])
def test_a_hidden_folder_with_manifests_is_a_gap(text: str) -> None:
    """Who keeps them there is told that they were not audited, and how they would be."""
    write("hid/.k8s/deep/a.yaml", text)
    [gap] = read("hid").gaps
    assert (gap.what, gap.severity) == ("hid/.k8s", Unseen.UNKNOWN)
    assert "name it to audit it" in gap.why
    assert not [gap for gap in read("hid", "hid/.k8s").gaps if gap.what == "hid/.k8s"]


@pytest.mark.parametrize(
    "path",
    [".k8s/notes.md", ".k8s/values.yaml", ".github/a.yaml", ".git/a.yaml", "node_modules/a.yaml",
     ".k8s/node_modules/a.yaml", ".k8s/.git/a.yaml", "..2026/a.yaml"],
)  # fmt: skip
def test_a_hidden_folder_without_manifests_of_the_user_is_none(path: str) -> None:
    """Most are of tools: what lies there is theirs."""
    write(path, "replicas: 1\nkinds: []\n" if "values" in path else pod())
    assert read() == Snapshot(())


def test_a_hidden_folder_that_is_too_large_to_look_into_is_a_gap() -> None:
    """Nobody can say that there is no manifest."""
    for number in range(MOST_FILES + 1):
        write(f".data/{number}.json", "{}")
    [gap] = read().gaps
    assert f"more than {MOST_FILES} files" in gap.why


def test_an_empty_folder_is_an_empty_snapshot() -> None:
    """Whether that is an error is for the caller to say."""
    assert read() == Snapshot(())


def test_a_path_that_does_not_exist_is_named() -> None:
    """With what was probably meant."""
    write("k8s/deploy.yaml", pod())
    with pytest.raises(
        UsageError, match=r"'k8s/deplyo\.yaml' does not exist; did you mean 'k8s/dep"
    ):
        read("k8s/deplyo.yaml")
    with pytest.raises(UsageError, match="'k9s' does not exist; did you mean 'k8s'"):
        read("k9s")
    with pytest.raises(UsageError, match=r"'nowhere/at/all' does not exist$"):
        read("nowhere/at/all")


def test_patterns_that_the_shell_left_alone_are_expanded() -> None:
    """As in Windows, or behind quotes."""
    write("a/1.yaml", pod("one"))
    write("a/b/2.yaml", pod("two"))
    write("[x].yaml", pod("three"))
    assert names(read("a/*.yaml")) == ["default/one[Pod]"]
    assert names(read("a/**/*.yaml")) == ["default/one[Pod]", "default/two[Pod]"]
    assert names(read("[x].yaml")) == ["default/three[Pod]"]
    with pytest.raises(UsageError, match=r"nothing matches 'b/\*'"):
        read("b/*")


def test_standard_input_is_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """`helm template … | auditor audit -`."""
    stdin = io.TextIOWrapper(io.BytesIO(pod().encode()))
    monkeypatch.setattr("sys.stdin", stdin)
    (resource,) = read("-").resources
    assert resource.origin.uri == "<stdin>"


def test_nothing_is_read_twice() -> None:
    """Not even if it is named twice, or linked to."""
    write("a/1.yaml", pod())
    Path("a/2.yaml").symlink_to("1.yaml")
    Path("a/loop").symlink_to(".")
    os.link("a/1.yaml", "a/3.yaml")
    snapshot = read("a", "a/1.yaml", "./a")
    assert [r.origin.uri for r in snapshot.resources] == ["a/1.yaml"]
    assert snapshot.gaps == ()


def test_links_inside_of_hidden_folders_are_followed() -> None:
    """Kubernetes mounts a ConfigMap like this."""
    write("..2026/a.yaml", pod())
    Path("..data").symlink_to("..2026")
    Path("a.yaml").symlink_to("..data/a.yaml")
    assert names(read()) == ["default/a[Pod]"]


def test_links_that_leave_the_folder_are_not_followed() -> None:
    """A repository could otherwise have us read anything."""
    write("outside/secret.yaml", pod("secret"))
    write("in/a.yaml", pod())
    Path("in/b.yaml").symlink_to("../outside/secret.yaml")
    Path("in/c").symlink_to("../outside")
    Path("in/d.yaml").symlink_to("nowhere")
    snapshot = read("in")
    assert names(snapshot) == ["default/a[Pod]"]
    whys = {gap.what: gap.why for gap in snapshot.gaps}
    assert whys.keys() == {"in/b.yaml", "in/c", "in/d.yaml"}
    assert "leaves the folder" in whys["in/b.yaml"]
    assert "leaves the folder" in whys["in/c"]
    assert "leads nowhere" in whys["in/d.yaml"]


def test_what_is_no_regular_file_does_not_block() -> None:
    """A pipe in a folder would be waited for."""
    os.mkfifo("a.yaml")
    assert "no regular file" in only_gap(read()).why


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_named() -> None:
    """It was to be audited."""
    write("a/a.yaml", pod())
    Path("a").chmod(0)
    gap = only_gap(read())
    Path("a").chmod(0o700)
    assert (gap.what, gap.severity) == ("a", Unseen.INCOMPLETE)


@pytest.mark.parametrize(
    "text",
    [
        f"kind: List\napiVersion: v1\nitems:\n- {pod()}\n",
        "kind: PodList\napiVersion: v1\nitems:\n- metadata: {name: a}\n",
        f"kind: PodList\napiVersion: v1\nitems:\n- {pod()}\n",
        (
            "kind: List\napiVersion: v1\nitems:\n- kind: PodList\n  apiVersion: v1\n"
            "  items: [\n   {metadata: {name: a}}]\n"
        ),
    ],
)
def test_lists_are_opened(text: str) -> None:
    """Each item is an object of its own, at its own line."""
    write("a.yaml", text)
    (resource,) = read().resources
    assert str(resource.ref) == "default/a[Pod]"
    assert resource.manifest["kind"] == "Pod"
    assert resource.manifest["apiVersion"] == "v1"
    line = next(n for n, line in enumerate(text.splitlines(), 1) if "name" in line)
    assert resource.origin.span(("metadata", "name")).line == line


def test_empty_lists_are_nothing() -> None:
    """`kubectl get` writes them."""
    write(
        "a.yaml", "apiVersion: v1\nkind: List\nitems: []\n---\napiVersion: v1\nkind: List\nitems:\n"
    )
    assert read() == Snapshot(())


@pytest.mark.parametrize(
    ("api_version", "kind", "namespace", "expected"),
    [
        ("v1", "Pod", "", "default/a[Pod]"),
        ("v1", "Pod", "shop", "shop/a[Pod]"),
        ("v1", "Namespace", "shop", "a[Namespace]"),
        ("rbac.authorization.k8s.io/v1", "ClusterRole", "", "a[ClusterRole]"),
        ("rbac.authorization.k8s.io/v1", "Role", "", "default/a[Role]"),
        ("cilium.io/v2", "CiliumNetworkPolicy", "", "default/a[CiliumNetworkPolicy]"),
        ("projectcalico.org/v3", "GlobalNetworkPolicy", "", "a[GlobalNetworkPolicy]"),
        ("example.com/v1", "Thing", "", "a[Thing]"),
        ("example.com/v1", "Thing", "shop", "shop/a[Thing]"),
    ],
)
def test_objects_are_in_the_namespace_they_would_get(
    api_version: str, kind: str, namespace: str, expected: str
) -> None:
    """`default` where none is written, none for the kinds of the cluster itself."""
    metadata = {"name": "a"} | ({"namespace": namespace} if namespace else {})
    write("a.json", json.dumps({"apiVersion": api_version, "kind": kind, "metadata": metadata}))
    assert names(read()) == [expected]


@pytest.mark.parametrize(("scope", "expected"), [("Namespaced", "default/"), ("Cluster", "")])
def test_a_definition_says_where_its_objects_are(scope: str, expected: str) -> None:
    """Whichever file comes first."""
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.example.com"},
        "spec": {"group": "example.com", "names": {"kind": "Thing"}, "scope": scope},
    }
    write("z.json", json.dumps(definition))
    write("a.yaml", "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: a}\n")
    assert names(read())[0] == f"{expected}a[Thing]"


def test_files_of_other_tools_are_passed_over() -> None:
    """A folder holds more than manifests; none of this was meant for a cluster."""
    write("values.yaml", "image: x\n")
    write("docker-compose.yml", "services: {web: {image: x}}\n")
    write("package.json", '{"name": "x"}')
    write("list.yaml", "- 1\n- 2\n")
    write("broken.json", "// comment\n{")
    write("kubeconfig.yaml", "apiVersion: v1\nkind: Config\nclusters: []\n")
    write("kind.yaml", "apiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\n")
    write("chart/Chart.yaml", "apiVersion: v2\nname: x\nversion: 1.0.0\n")
    assert read() == Snapshot(())


def test_a_file_that_was_named_should_hold_objects() -> None:
    """Whoever names it expects something of it."""
    write("values.yaml", "# values\nimage: x\n")
    gap = only_gap(read("values.yaml"))
    assert gap.what == "values.yaml:2"
    assert "neither apiVersion nor kind" in gap.why


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("kind: Pod\nmetadata: {name: a}\n", "its apiVersion is missing"),
        ("apiVersion: v1\nmetadata: {name: a}\n", "its kind is missing"),
        ("apiVersion: 1\nkind: Pod\n", "its apiVersion is no text"),
        ("apiVersion: v1\nkind: [Pod]\n", "its kind is no text"),
        ("apiVersion: v1\nkind: ''\n", "empty"),
        ("apiVersion: v1\nkind: Pod\n", "metadata is missing"),
        ("apiVersion: v1\nkind: Pod\nmetadata: 3\n", "metadata is no mapping"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {labels: []}\n", "metadata.name is missing"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: []}\n", "metadata.name is missing"),
        ("apiVersion: v1\nkind: List\nitems: 3\n", "its items are no list"),
        ("apiVersion: v1\nkind: List\nitems: [3]\n", "it is no mapping"),
    ],
)
def test_half_an_object_is_named(text: str, why: str) -> None:
    """It was meant to be one, and the API server would refuse it."""
    write("a.yaml", "# head\n" + text)
    gap = only_gap(read())
    assert gap.what in ("a.yaml:2", "a.yaml:4")
    assert gap.severity is Unseen.INCOMPLETE
    assert why in gap.why


@pytest.mark.parametrize(
    "field",
    ["labels: []", "annotations: 3", "namespace: [x]", "labels: {a: [1]}", "ownerReferences: x"],
)
def test_wrong_types_do_not_hide_an_object(field: str) -> None:
    """The object is there; what is wrong in it is for policies to say."""
    write("a.yaml", f"apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  {field}\nspec: 3\n")
    assert names(read()) == ["default/a[Pod]"]


def test_generated_names_are_names() -> None:
    """`kubectl create` takes them, any number of times."""
    text = "apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: run-}\n"
    write("a.yaml", f"{text}---\n{text}")
    snapshot = read()
    assert names(snapshot) == ["default/run-*[Job]"] * 2
    assert snapshot.gaps == ()


def test_a_broken_document_hides_nothing_else() -> None:
    """It is named with its place, and any kind may be missing if its own is unknown."""
    write("a.yaml", f"{POD.format('a')}---\nkind: Pod\nx: [\n---\n{POD.format('b')}")
    write("b.yaml", "kind: List\nitems: [\n")
    snapshot = read()
    assert names(snapshot) == ["default/a[Pod]", "default/b[Pod]"]
    first, second = snapshot.gaps
    assert first.what in ("a.yaml:7:1", "a.yaml:8:1")
    assert first.kinds == ("Pod",)
    assert second.kinds == ("*",)


def test_a_fault_of_the_form_is_named_with_its_column() -> None:
    """Counted in characters from 1, as editors do."""
    write("a.yaml", "kind: Pod\nmetadata: {name: ümlaut}\nspec: {containers: [x}\n")
    gap = only_gap(read())
    assert gap.what == "a.yaml:3:22"
    assert gap.why.startswith("it is no YAML: ")


def test_keys_that_stand_twice_are_named() -> None:
    """The object is judged as kubectl would read it."""
    write("a.yaml", POD.format("a") + "spec: 1\nspec: 2\n")
    snapshot = read()
    assert snapshot.resources[0].manifest["spec"] == 2
    gap = only_gap(snapshot)
    assert (gap.what, gap.severity) == ("a.yaml:6", Unseen.UNKNOWN)


def test_two_objects_of_one_name_are_both_kept() -> None:
    """Only one of them can be in the cluster; we cannot know which."""
    write("a.yaml", POD.format("a"))
    write("b.yaml", f"# head\n{POD.format('a')}")
    snapshot = read()
    assert names(snapshot) == ["default/a[Pod]"] * 2
    gap = only_gap(snapshot)
    assert gap.severity is Unseen.UNKNOWN
    assert "a.yaml:1 and b.yaml:2" in gap.why


def test_many_objects_of_one_name_are_counted() -> None:
    """The lines of the first are named, also where all of them stand in one."""
    write(
        "a.json",
        json.dumps(
            {"apiVersion": "v1", "kind": "List", "items": [yaml.safe_load(POD.format("a"))] * 7}
        ),
    )
    assert "it is written 7 times, first at a.json:1: only" in only_gap(read()).why


@pytest.mark.parametrize(
    "path", ["a", "./a", ".//a", "././a", "b/a", "b//a", "/a", "/b/a", "b/.", "b/"]
)
def test_a_file_is_named_as_python_names_a_path(path: str) -> None:
    """However somebody wrote it."""
    assert shown(path) == Path(path).as_posix()


def test_charts_are_not_taken_for_manifests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Helm is not installed, templates are no YAML; those that are, are manifests."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    write("shop/Chart.yaml", "apiVersion: v2\nname: shop\n")
    write("shop/values.yaml", "a: 1\n")
    write("shop/templates/a.yaml", "{{ if .Values.a }}\nkind: Pod\n{{ end }}\n")
    write("shop/templates/sub/b.yaml", 'apiVersion: v1\nkind: Pod\nmetadata: {name: "{{ .a }}"}\n')
    write("shop/templates/c.yaml", POD.format("plain"))
    snapshot = read()
    assert names(snapshot) == ["default/plain[Pod]"]
    gap = only_gap(snapshot)
    assert gap.what == "shop"
    assert "2 templates are not rendered" in gap.why
    assert gap.severity is Unseen.INCOMPLETE


def test_templates_without_a_chart_are_told_from_mistakes() -> None:
    """The reader should not look for a syntax error."""
    write("a.yaml", "kind: Pod\nspec:\n  {{- toYaml . }}\n")
    assert "a template that is not rendered" in only_gap(read()).why


def test_components_that_no_build_uses_are_named() -> None:
    """Their patches are no objects, and what they make depends on who uses them."""
    write("base/kustomization.yaml", "kind: Component\nresources: [a.yaml]\n")
    write("base/a.yaml", pod())
    snapshot = read()
    assert names(snapshot) == []
    gap = only_gap(snapshot)
    assert gap.severity is Unseen.UNKNOWN
    assert gap.what == "base/kustomization.yaml"
    assert "no kustomization here uses" in gap.why


def test_utf_16_is_read_as_kubectl_reads_it() -> None:
    """Windows editors and PowerShell write it."""
    for encoding in ("utf-16-le", "utf-16-be"):
        write(f"{encoding}.yaml", f"\ufeff{POD.format(encoding)}".encode(encoding))
    snapshot = read()
    assert names(snapshot) == ["default/utf-16-be[Pod]", "default/utf-16-le[Pod]"]
    assert snapshot.gaps == ()


def test_bytes_that_are_no_text_are_named() -> None:
    """The rest of the file is there, as kubectl would read it."""
    write("a.yaml", POD.format("a").encode() + b"  # caf\xe9\n")
    snapshot = read()
    assert names(snapshot) == ["default/a[Pod]"]
    gap = only_gap(snapshot)
    assert gap.what == "a.yaml:5"
    assert "byte 52 is 0xe9" in gap.why


@pytest.mark.parametrize("text", ["--- # comment\n", "---  \n", "---\n", "...\n---\n"])
def test_nothing_is_lost_between_documents(text: str) -> None:
    """Other tools lose objects at such markers."""
    write("a.yaml", POD.format("a") + text + POD.format("b"))
    assert names(read()) == ["default/a[Pod]", "default/b[Pod]"]


def test_an_empty_path_beside_a_full_one_is_no_clean_one() -> None:
    """Whoever names two folders wants both audited; one was misspelt, or is not checked out."""
    write("full/a.yaml", pod())
    write("values/values.yaml", "replicas: 3\n")
    Path("empty").mkdir()
    snapshot = read("full", "empty", "values", "full/a.yaml")
    assert names(snapshot) == ["default/a[Pod]"]
    assert [(gap.what, gap.severity) for gap in snapshot.gaps] == [
        ("empty", Unseen.INCOMPLETE),
        ("values", Unseen.INCOMPLETE),
    ]


def test_a_path_whose_files_another_one_builds_is_not_empty() -> None:
    """A base is in what its overlay makes."""
    write("base/kustomization.yaml", "resources: [a.yaml]\n")
    write("base/a.yaml", pod())
    write("prod/kustomization.yaml", "resources: [../base]\nnamePrefix: prod-\n")
    assert not [gap for gap in read("base", "prod").gaps if "no Kubernetes object" in gap.why]
