"""Policies of users beside ours; sets of policies, pinned and compared."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .command import PRIVILEGED, Command
from .test_waivers import POLICY, git, statuses, write

OWN = """\
# METADATA
# title: No team
# description: Nobody knows whom to ask about it.
# custom:
#   severity: high
#   fix: manual
#   kinds: [Pod]
package policies.team.{name}

import data.lib.ours

deny contains finding if {{
	not input.object.metadata.labels.team
	finding := {{"path": ["metadata"], "message": ours.said("no team")}}
}}
"""
LIBRARY = "package lib.ours\n\nsaid(text) := text\n"


def policies(root: Path, name: str = "no_team", **custom: object) -> Path:
    """A folder with one policy and a library."""
    lines = "".join(f"#   {key}: {value}\n" for key, value in custom.items())
    text = OWN.format(name=name).replace("#   kinds", f"{lines}#   kinds")
    files = {f"team/{name}.rego": text, "lib/ours.rego": LIBRARY}
    for place, content in files.items():
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        (root / place).write_text(content, "utf-8")
    return root


def asked(report: dict[str, list[dict[str, str]]]) -> set[str]:
    """The policies that found something."""
    return {finding["policy"] for finding in report["findings"]}


def test_policies_of_a_folder_are_asked_beside_ours(
    auditor: Command, folder: Path, tmp_path: Path
) -> None:
    """Or alone, where somebody says so."""
    write(folder, PRIVILEGED, "")
    own = policies(tmp_path / "own")
    said = auditor("audit", folder, "--policies", own, "--format", "json", "--no-fixes")
    assert asked(said.report) >= {"team/no_team", POLICY}
    said = auditor("audit", folder, "--policies", own, "--no-builtin-policies", "--format", "json")
    assert asked(said.report) == {"team/no_team"}
    listed = auditor("policies", "list", "--policies", own, "--format", "json")
    assert {"team/no_team", POLICY} <= {row["id"] for row in json.loads(listed.out)}
    explained = auditor("policies", "explain", "team/no_team", "--policies", own)
    assert "whom to ask" in explained.out


def test_the_configuration_names_folders_from_where_it_stands(
    auditor: Command, folder: Path
) -> None:
    """Wherever the command is run; and one that is not there is an error."""
    policies(folder / "audit" / "own")
    write(folder, PRIVILEGED, "policies: [audit/own]\n")
    said = auditor("audit", folder, "--select", "team", "--format", "json")
    assert asked(said.report) == {"team/no_team"}
    write(folder, PRIVILEGED, "policies: [audit/other]\n")
    said = auditor("audit", folder)
    assert said.code == 2
    assert "audit/other" in said.err


def test_two_policies_of_one_name_are_an_error(auditor: Command, tmp_path: Path) -> None:
    """That names both files."""
    first, second = policies(tmp_path / "a"), policies(tmp_path / "b")
    said = auditor("policies", "list", "--policies", first, "--policies", second)
    assert said.code == 2
    assert str(first / "team" / "no_team.rego") in said.err
    assert str(second / "team" / "no_team.rego") in said.err


def test_two_libraries_of_one_name_are_an_error(auditor: Command, tmp_path: Path) -> None:
    """One would change what the other's policies say."""
    first, second = policies(tmp_path / "a"), policies(tmp_path / "b", "other")
    said = auditor("policies", "list", "--policies", first, "--policies", second)
    assert said.code == 2
    assert str(first / "lib" / "ours.rego") in said.err
    assert str(second / "lib" / "ours.rego") in said.err


def test_a_library_cannot_change_a_policy(auditor: Command, tmp_path: Path) -> None:
    """Its package is its place."""
    own = policies(tmp_path)
    sly = "package policies.workload.privileged_container\n\ndeny contains 1 if false\n"
    (own / "lib" / "sly.rego").write_text(sly, "utf-8")
    said = auditor("policies", "list", "--policies", own)
    assert said.code == 2
    assert "lib/sly.rego:1: " in said.err


def test_a_policy_of_a_user_reads_no_environment(
    auditor: Command, folder: Path, tmp_path: Path
) -> None:
    """Nor anything else beside its input."""
    own = policies(tmp_path)
    file = own / "team" / "no_team.rego"
    file.write_text(
        file.read_text("utf-8").replace('ours.said("no team")', 'opa["runtime"]()'), "utf-8"
    )
    write(folder, PRIVILEGED, "")
    said = auditor("audit", folder, "--policies", own)
    assert said.code == 2
    assert "no_team.rego:14: " in said.err


def test_without_ours_there_has_to_be_a_folder(auditor: Command, folder: Path) -> None:
    """An audit by nobody would find nothing."""
    write(folder, PRIVILEGED, "")
    assert auditor("audit", folder, "--no-builtin-policies").code == 2
    assert auditor("policies", "list", "--no-builtin-policies").code == 2


def test_a_policy_newer_than_the_pinned_set_only_warns(
    auditor: Command, folder: Path, tmp_path: Path
) -> None:
    """In every report; without a pin it fails."""
    own = policies(tmp_path / "own", since=2)
    run = ("audit", folder, "--policies", own, "--select", "team")
    write(folder, PRIVILEGED, "")
    assert auditor(*run).code == 1
    write(folder, PRIVILEGED, "policySet: 1\n")
    said = auditor(*run, "--format", "json")
    assert (said.code, statuses(said)) == (0, ["upcoming"])
    text = auditor(*run).out
    assert "upcoming (1 policy):" in text
    assert "team/no_team: 1 finding, which fail from policy set 2 on" in text
    assert "1 upcoming" in text
    [result] = auditor(*run, "--format", "sarif").report["runs"][0]["results"]
    assert result["level"] == "note"
    write(folder, PRIVILEGED, "policySet: 2\n")
    assert auditor(*run).code == 1


def test_a_set_that_is_not_there_yet_cannot_be_pinned(auditor: Command, folder: Path) -> None:
    """It would pin nothing."""
    write(folder, PRIVILEGED, "policySet: 99\n")
    said = auditor("audit", folder)
    assert said.code == 2
    assert "policySet: there is no set 99" in said.err


def test_previews_are_asked_on_request(auditor: Command, folder: Path, tmp_path: Path) -> None:
    """With a flag, or by name."""
    own = policies(tmp_path / "own", preview="true")
    write(folder, PRIVILEGED, "")
    run = ("audit", folder, "--policies", own, "--no-builtin-policies", "--format", "json")
    assert asked(auditor(*run).report) == set()
    assert asked(auditor(*run, "--preview").report) == {"team/no_team"}
    assert asked(auditor(*run, "--select", "team/no_team").report) == {"team/no_team"}
    assert asked(auditor(*run, "--select", "team").report) == set()


def test_a_waiver_knows_a_policy_by_its_old_name(
    auditor: Command, folder: Path, tmp_path: Path
) -> None:
    """So do --select, comments, annotations and a baseline."""
    before = policies(tmp_path / "before")
    after = policies(tmp_path / "after", "teamless", aliases="[team/no_team]")
    write(folder, PRIVILEGED, "")
    old = auditor("audit", folder, "--policies", before, "--select", "team", "--format", "json")
    (tmp_path / "old.json").write_text(old.out, "utf-8")
    run = ("audit", folder, "--policies", after, "--select", "team/no_team", "--format", "json")
    assert asked(auditor(*run).report) == {"team/teamless"}
    known = auditor(*run, "--baseline", tmp_path / "old.json")
    assert statuses(known) == ["baseline"]
    write(folder, PRIVILEGED, "waivers: [{policy: team/no_team, object: shop/web, reason: r}]\n")
    assert statuses(auditor(*run)) == ["waived"]
    marked = PRIVILEGED.replace("metadata:\n", "metadata: # auditor: waive team/no_team: r\n")
    write(folder, marked, "inlineWaivers: [team/no_team]\n")
    assert statuses(auditor(*run)) == ["waived"]


def diff(auditor: Command, *arguments: str | Path) -> list[tuple[str, str, str | None]]:
    """The changes between two sets."""
    said = auditor("policies", "diff", *arguments, "--format", "json")
    assert said.code == 0, said.err
    rows = json.loads(said.out)["changes"]
    return [(row["change"], row["policy"], row["severityBefore"]) for row in rows]


def test_two_folders_of_policies_are_compared(
    auditor: Command, folder: Path, tmp_path: Path
) -> None:
    """What appears, goes and changes severity; a new name is no change."""
    write(folder, PRIVILEGED, "")
    before = policies(tmp_path / "before")
    assert diff(auditor, before, before, folder) == []
    renamed = policies(tmp_path / "renamed", "teamless", aliases="[team/no_team]")
    assert diff(auditor, before, renamed, folder) == []
    other = policies(tmp_path / "other", "other")
    assert diff(auditor, before, other, folder) == [
        ("appears", "team/other", None),
        ("goes", "team/no_team", None),
    ]
    milder = policies(tmp_path / "milder")
    file = milder / "team" / "no_team.rego"
    file.write_text(file.read_text("utf-8").replace("severity: high", "severity: low"), "utf-8")
    assert diff(auditor, before, milder, folder) == [("changes", "team/no_team", "high")]
    text = auditor("policies", "diff", before, milder, folder).out
    assert "~ high → low team/no_team shop/web[Pod]: no team" in text
    assert "0 appear, 0 go, 1 change severity" in text


def test_a_revision_of_a_folder_is_compared(
    auditor: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what the folder holds now."""
    write(folder, PRIVILEGED, "")
    policies(folder / "own")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "one")
    monkeypatch.chdir(folder)
    policies(folder / "own", "other")
    assert diff(auditor, "main:own", "own", "web.yaml") == [("appears", "team/other", None)]
    said = auditor("policies", "diff", "main:nothing", "own", "web.yaml")
    assert said.code == 2
    assert "main:nothing: no policy" in said.err


@pytest.mark.parametrize("side", ["0", "99", "nowhere", "nowhere:policies"])
def test_a_side_that_is_none_is_an_error(auditor: Command, folder: Path, side: str) -> None:
    """And names what there is."""
    write(folder, PRIVILEGED, "")
    assert auditor("policies", "diff", side, "1", folder).code == 2


def test_the_folders_of_the_configuration_are_those_of_the_revision(
    auditor: Command, folder: Path
) -> None:
    """A change cannot weaken the policy that finds its fault."""
    policies(folder / "own")
    write(folder, PRIVILEGED, "policies: [own]\n")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "one")
    file = folder / "own" / "team" / "no_team.rego"
    file.write_text(
        file.read_text("utf-8").replace("not input", "not not_there\n\tnot input"), "utf-8"
    )
    run = ("audit", folder, "--select", "team", "--format", "json", "--config-from", "main")
    assert asked(auditor(*run).report) == {"team/no_team"}


def test_what_is_critical_is_never_waived_in_a_manifest(
    auditor: Command, folder: Path, tmp_path: Path
) -> None:
    """Whatever the configuration allows there; it waives it itself, or nobody does."""
    own = policies(tmp_path)
    file = own / "team" / "no_team.rego"
    file.write_text(
        file.read_text("utf-8").replace("severity: high", "severity: critical"), "utf-8"
    )
    run = ("audit", folder, "--policies", own, "--select", "team", "--format", "json")
    marked = PRIVILEGED.replace("metadata:\n", "metadata: # auditor: waive team/no_team: r\n")
    write(folder, marked, "inlineWaivers: ['*']\n")
    said = auditor(*run)
    assert statuses(said) == ["open"]
    assert "is critical: only .auditor.yaml may waive it" in said.report["gaps"][0]["why"]
    central = "waivers: [{policy: 'team/*', object: shop/web, reason: r}]\n"
    write(folder, PRIVILEGED, central)
    assert statuses(auditor(*run)) == ["waived"]


TRUSTING = "parameters: {image/undeclared_registry: {registries: [registry.example]}}\n"


def test_a_comparison_knows_what_the_configuration_declares(
    auditor: Command, folder: Path, tmp_path: Path
) -> None:
    """As an audit does: what single policies are told, and what is left out; no waiver."""
    own = policies(tmp_path / "own")
    for place in ("", "vendor"):
        (folder / place).mkdir(exist_ok=True)
        (folder / place / "web.yaml").write_text(PRIVILEGED, "utf-8")
    scope = "scope: {exclude: [vendor/]}\nwaivers: [{policy: '*', object: '*', reason: r}]\n"
    (folder / ".auditor.yaml").write_text(TRUSTING + scope, "utf-8")
    assert diff(auditor, own, own, folder) == []
    found = diff(auditor, "1", own, folder)
    assert ("goes", POLICY, None) in found
    assert found.count(("appears", "team/no_team", None)) == 1


def test_a_configuration_that_was_a_link_is_no_absent_one(auditor: Command, folder: Path) -> None:
    """Without it, the policies that it names would silently not be asked."""
    policies(folder / "own")
    write(folder, PRIVILEGED, "policies: [own]\n")
    (folder / ".auditor.yaml").rename(folder / "real.yaml")
    (folder / ".auditor.yaml").symlink_to("real.yaml")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "one")
    said = auditor("audit", folder, "--config-from", "main")
    assert (said.code, said.out) == (2, "")
    assert "main:.auditor.yaml: is a symbolic link" in said.err
