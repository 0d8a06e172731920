"""Policies are found by their path, and their METADATA is read strictly."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.errors import PolicyError
from auditor.model import Policy, Severity
from auditor.policies.engine import compile_policies
from auditor.policies.loader import chosen, load

METADATA = """# METADATA
# title: A title
# description: |
#   What it is about,
#   and why.
# custom:
#   severity: low
#   fix: none
"""

POLICY = (
    METADATA
    + """package policies.workload.one

deny contains {"path": [], "message": "x"} if input.object.bad
"""
)


def test_words_are_as_json_writes_them(tmp_path: Path) -> None:
    """Others would never be found in an object."""
    words = POLICY.replace(
        "#   fix: none\n", "#   fix: none\n#   mentions: [etcd, kube-apiserver]\n"
    )
    write(tmp_path, words)
    assert load(tmp_path)[0][0].mentions == ("etcd", "kube-apiserver")
    write(tmp_path, words.replace("etcd,", '"a word",'))
    with pytest.raises(
        PolicyError, match=r"one\.rego: METADATA custom\.mentions\.0: String should"
    ):
        load(tmp_path)


def write(root: Path, text: str, name: str = "workload/one") -> Path:
    """A policy in its place below `root`."""
    file = root / f"{name}.rego"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode())
    return file


def one(root: Path, text: str, name: str = "workload/one") -> Policy:
    """The policy of this text."""
    write(root, text, name)
    return load(root)[0][0]


def test_a_policy_is_named_by_its_place(tmp_path: Path) -> None:
    """Nothing is registered: the path is the name, and METADATA says the rest."""
    policy = one(tmp_path, POLICY)
    assert policy.id == "workload/one"
    assert policy.title == "A title"
    assert policy.description == "What it is about,\nand why."
    assert policy.severity is Severity.LOW
    assert policy.profile == "recommended"
    assert "Deployment" in policy.kinds
    assert "Pod" in policy.kinds


@pytest.mark.parametrize(
    "text",
    [
        POLICY.replace("\n", "\r\n"),
        "\ufeff" + POLICY,
        POLICY.replace("package policies.workload.one", "package policies.workload.one # here"),
        POLICY.replace("package policies", "package  policies"),
    ],
    ids=["line ends of Windows", "byte order mark", "comment", "two spaces"],
)
def test_how_an_editor_saves_a_policy_does_not_matter(tmp_path: Path, text: str) -> None:
    """It is the same policy, and the engines compile it."""
    policy = one(tmp_path, text)
    assert policy.id == "workload/one"
    engine = compile_policies("both", {policy.file: policy.module})
    assert engine.evaluate("policies.workload.one", b'{"object": {"bad": true}}') != []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("severity: low", "severity: LOW", "METADATA custom.severity: "),
        ("severity: low", "severty: low", "METADATA custom.sever"),
        ("title: A title", "title: ''", "METADATA title: "),
        ("title: A title", "titel: A title", "METADATA tit"),
        ("fix: none", "fix: maybe", "METADATA custom.fix: "),
        (
            "fix: none",
            "fix: none\n#   profile: optional",
            "METADATA custom: Value error, 'contested' says",
        ),
        ("fix: none", "fix: none\n#   contested: a row", "METADATA custom: Value error"),
        ("fix: none", "fix: none\n#   kinds: Pod", "METADATA custom.kinds: "),
        ("fix: none", "fix: none\n#   kinds: []", "METADATA custom.kinds: "),
        ("fix: none", "fix: none\n#   kinds: [Deploymnt]", "did you mean 'Deployment'?"),
        ("fix: none", "fix: none\n#   kinds: [Pods]", "did you mean 'Pod'?"),
        ("fix: none", "fix: none\n#   kinds: [pod]", "no kind 'pod'"),
        ("fix: none", "fix: none\n#   facts: [exposures]", "no fact 'exposures' (there is "),
        ("fix: none", "fix: none\n#   facts: [exposure]\n#   kinds: [Service]", "workloads alone"),
        ("fix: none", "fix: none\n#   severity: high", "'severity' is written twice"),
        ("severity: low", "severity: [", "METADATA is no YAML: "),
        ("# METADATA", "# Metadata", ":1: the file must start with"),
        ("policies.workload.one", "policies.workload.two", ":9: the place of a policy"),
        ("package policies.workload.one", "", ":1: the place of a policy"),
    ],
)
def test_what_is_wrong_is_named_with_the_file(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    """Nothing in METADATA is passed over because it is spelled in another way."""
    assert old in POLICY
    with pytest.raises(PolicyError) as caught:
        one(tmp_path, POLICY.replace(old, new))
    text = str(caught.value)
    assert text.startswith(str(tmp_path / "workload" / "one.rego"))
    assert said in text
    assert "\n" not in text


@pytest.mark.parametrize(
    "name", ["workload/One", "workload/host-network", "Workload/one", "workload/1st", "a.b/one"]
)
def test_a_file_that_rego_could_not_name_is_refused(tmp_path: Path, name: str) -> None:
    """The package is the path, and a package has no dash; capitals differ on some disks only."""
    with pytest.raises(PolicyError, match="lower-case"):
        one(tmp_path, POLICY, name)


def test_a_kind_of_somebodys_own_is_fine(tmp_path: Path) -> None:
    """A policy may be about a custom resource that we never heard of."""
    assert one(tmp_path, POLICY.replace("none", "none\n#   kinds: [CloneSet]")).kinds == (
        "CloneSet",
    )


@pytest.mark.parametrize("alias", ["workload/two", "workload/one", "old/name"])
def test_two_policies_cannot_have_one_name(tmp_path: Path, alias: str) -> None:
    """Else a waiver would silence both."""
    write(tmp_path, POLICY.replace("none", f"none\n#   aliases: [{alias}]"))
    second = POLICY.replace("one", "two").replace("ntwo", "none")
    write(tmp_path, second.replace("none", "none\n#   aliases: [old/name]"), "workload/two")
    with pytest.raises(PolicyError, match="already the name of"):
        load(tmp_path)


def test_a_folder_without_policies_is_an_error(tmp_path: Path) -> None:
    """An audit by nobody would find nothing."""
    write(tmp_path, "package lib.help\n", "lib/help")
    with pytest.raises(PolicyError, match="no policy"):
        load(tmp_path)


def test_a_file_that_is_no_text_is_an_error(tmp_path: Path) -> None:
    """And the error names it."""
    (tmp_path / "one.rego").write_bytes(b"# METADATA\n\xff")
    with pytest.raises(PolicyError, match=r"one\.rego: cannot be read"):
        load(tmp_path)


def test_policies_are_chosen_by_name_folder_alias_or_equivalent() -> None:
    """People know them by the names of other tools, too."""
    policies, _ = load()

    def names(*select: str) -> list[str]:
        return [policy.id for policy in chosen(policies, "essential", select, frozenset())]

    assert names("workload/privileged_container") == ["workload/privileged_container"]
    assert "workload/privileged_container" in names("workload")
    assert "workload/privileged_container" in names("workload/")
    assert names("trivy:KSV-0017", "workload/privileged_container") == [
        "workload/privileged_container"
    ]
    with pytest.raises(PolicyError, match="did you mean 'workload/privileged_container'"):
        names("workload/priviledged")


def test_a_profile_holds_the_smaller_ones() -> None:
    """Whoever asks for more does not lose the essentials."""
    policies, _ = load()
    by_profile = [
        {policy.id for policy in chosen(policies, profile, (), frozenset())}
        for profile in ("essential", "recommended", "strict")
    ]
    assert by_profile[0] <= by_profile[1] <= by_profile[2]
    uncontested = {policy.id for policy in policies if not policy.contested}
    assert by_profile[2] == uncontested


def test_a_check_that_is_near_finds_the_policy(tmp_path: Path) -> None:
    """By its name; what it asks is not the same."""
    write(tmp_path, POLICY.replace("none", "none\n#   near: [kube-linter:some-check]"))
    (policy,) = load(tmp_path)[0]
    assert (policy.equivalents, policy.near) == ((), ("kube-linter:some-check",))
    assert chosen((policy,), "strict", ("kube-linter:some-check",), frozenset()) == (policy,)


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("near: [some-check]", "METADATA custom.near"),
        ("near: ['kube-linter:']", "METADATA custom.near"),
        ("near: kube-linter:a", "METADATA custom.near"),
        ("near: [trivy:a]\n#   equivalents: [trivy:a]", "'trivy:a' is in 'equivalents' as well"),
    ],
)
def test_a_check_that_is_near_is_named_as_a_tool_does(
    tmp_path: Path, written: str, why: str
) -> None:
    """And it is not the same as well."""
    write(tmp_path, POLICY.replace("none", f"none\n#   {written}"))
    with pytest.raises(PolicyError, match=why):
        load(tmp_path)


def test_a_contested_policy_is_asked_only_by_name(tmp_path: Path) -> None:
    """No profile has it, and it says why."""
    why = "profile: optional\n#   contested: it helps one and harms another"
    policy = one(tmp_path, POLICY.replace("fix: none", f"fix: none\n#   {why}"))
    assert policy.contested == "it helps one and harms another"
    assert chosen((policy,), "strict", (), frozenset()) == ()
    assert chosen((policy,), "strict", (policy.id,), frozenset()) == (policy,)


def test_a_framework_asks_its_policies_whatever_the_profile() -> None:
    """Selecting a framework selects what covers its controls."""
    policies, _ = load()
    found = chosen(policies, "essential", (), frozenset({"pss-baseline/privileged"}))
    assert [policy.id for policy in found] == ["workload/privileged_container"]
