"""Who answers for a fault or a gap, where that may be written down, and what a run says of it."""

from __future__ import annotations

import os
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from auditor.sources import programs

from .command import PRIVILEGED, Command, Said

POLICY = "workload/privileged_container"
ONLY = ("--select", POLICY, "--format", "json")
ALLOWED = "inlineWaivers: [workload/*]\n"
COMMENT = PRIVILEGED.replace(
    "# for now", f"# auditor: waive {POLICY}: until the move; until=2099-01-31"
)
ANNOTATED = PRIVILEGED.replace(
    "  namespace: shop\n",
    "  namespace: shop\n  annotations:\n"
    '    auditor/waive.workload.privileged_container: "until the move; until=2099-01-31"\n',
)


def write(folder: Path, manifest: str, config: str = ALLOWED) -> None:
    """A manifest and a configuration beside it."""
    (folder / "web.yaml").write_text(manifest, "utf-8")
    (folder / ".auditor.yaml").write_text(config, "utf-8")


def in_days(days: int) -> str:
    """A date from today."""
    return (datetime.now(UTC).date() + timedelta(days=days)).isoformat()


def statuses(said: Said) -> list[str]:
    """What became of each finding."""
    return [finding["status"] for finding in said.report["findings"]]


def whys(said: Said) -> list[str]:
    """What each gap says."""
    return [f"{gap['what']}: {gap['why']}" for gap in said.report["gaps"]]


@pytest.mark.parametrize("manifest", [COMMENT, ANNOTATED], ids=["comment", "annotation"])
def test_a_mark_waives_where_the_configuration_allows_it(
    auditor: Command, folder: Path, manifest: str
) -> None:
    """And the report says why, until when, and where that is written."""
    write(folder, manifest)
    said = auditor("audit", folder, *ONLY)
    assert (said.code, statuses(said), whys(said)) == (0, ["waived"], [])
    [finding] = said.report["findings"]
    assert finding["waiver"]["reason"] == "until the move"
    assert finding["waiver"]["until"] == "2099-01-31"
    line = 1 + manifest[: manifest.index("until the move")].count("\n")
    assert f"web.yaml:{line}" in finding["waiver"]["origin"]
    text = auditor("audit", folder, "--select", POLICY).out
    assert "waived (1 finding):" in text
    assert "until the move, until 2099-01-31" in text


def test_sarif_says_that_it_is_suppressed_in_the_source(auditor: Command, folder: Path) -> None:
    """As opposed to one in the configuration."""
    write(folder, COMMENT)
    said = auditor("audit", folder, "--select", POLICY, "--format", "sarif")
    [result] = said.report["runs"][0]["results"]
    assert result["suppressions"] == [
        {"kind": "inSource", "status": "accepted", "justification": "until the move"}
    ]


def test_a_comment_above_the_line_is_as_good(auditor: Command, folder: Path) -> None:
    """Also with other comments between."""
    mark = f"      # auditor: waive {POLICY} the move\n      # more words\n      securityC"
    write(folder, PRIVILEGED.replace("      securityC", mark))
    said = auditor("audit", folder, *ONLY)
    assert statuses(said) == ["open"]  # the finding is on `privileged`, a line further down
    mark = f"        # auditor: waive {POLICY}: the move\n\n        # more\n        privileged"
    write(folder, PRIVILEGED.replace("        privileged", mark))
    assert statuses(auditor("audit", folder, *ONLY)) == ["waived"]


def test_a_comment_waives_its_own_line_alone(auditor: Command, folder: Path) -> None:
    """The next container has to answer for itself."""
    second = """\
    - name: second
      image: registry.example/app:1.0.0
      securityContext:
        privileged: true
"""
    write(folder, COMMENT + second)
    said = auditor("audit", folder, *ONLY)
    assert sorted(statuses(said)) == ["open", "waived"]
    assert said.code == 1


def test_an_annotation_may_name_one_container(auditor: Command, folder: Path) -> None:
    """Behind `anchor=`."""
    for anchor, status in (("app", "waived"), ("other", "open")):
        write(folder, ANNOTATED.replace("until the move;", f"until the move; anchor={anchor};"))
        assert statuses(auditor("audit", folder, *ONLY)) == [status]


@pytest.mark.parametrize(
    ("manifest", "config", "why"),
    [
        (COMMENT, "", "no pattern of inlineWaivers in .auditor.yaml allows it"),
        (ANNOTATED, "inlineWaivers: [network/*]\n", "no pattern of inlineWaivers"),
        (COMMENT.replace("until the move; ", ""), ALLOWED, "it gives no reason"),
        (COMMENT.replace(": until the move; until=2099-01-31", ""), ALLOWED, "no reason"),
        (ANNOTATED.replace("2099", "2020"), ALLOWED, "it ended on 2020-01-31"),
        (ANNOTATED.replace("2099-01-31", "soon"), ALLOWED, "'until=soon' is no date"),
        (COMMENT.replace("2099-01-31", "2099-02-30"), ALLOWED, "is no date"),
        (COMMENT, ALLOWED + "waiversExpireWithin: 365d\n", "the last day that is allowed"),
        (
            COMMENT.replace("; until=2099-01-31", ""),
            ALLOWED + "waiversExpireWithin: 365d\n",
            "it has no end",
        ),
        (COMMENT.replace("privileged_container", "privileged"), ALLOWED, "there is no policy"),
        (ANNOTATED.replace("privileged_container", "privilegd"), ALLOWED, "there is no policy"),
        (COMMENT.replace("waive", "ignore"), ALLOWED, "it is not understood"),
        (
            COMMENT.replace(f"waive {POLICY}: until the move; ", "waive"),
            ALLOWED,
            "is not understood",
        ),
    ],
)
def test_a_mark_that_does_not_count_is_told_with_its_place(
    auditor: Command, folder: Path, manifest: str, config: str, why: str
) -> None:
    """It waives nothing, and nobody is left to believe that it does."""
    write(folder, manifest, config)
    said = auditor("audit", folder, *ONLY)
    assert (said.code, statuses(said)) == (1, ["open"])
    [told] = whys(said)
    assert "web.yaml:" in told
    assert why in told


@pytest.mark.parametrize("manifest", [COMMENT, ANNOTATED], ids=["comment", "annotation"])
def test_a_mark_that_fits_nothing_is_told(auditor: Command, folder: Path, manifest: str) -> None:
    """Else it would wait for the next fault."""
    write(folder, manifest.replace("privileged: true", "privileged: false"))
    assert "it fits no finding: remove it" in whys(auditor("audit", folder, *ONLY))[0]


@pytest.mark.parametrize(
    ("manifest", "config", "told"),
    [
        (
            ANNOTATED.replace("2099", "2020"),
            ALLOWED,
            "it ended on 2020-01-31",
        ),
        (
            COMMENT.replace("# auditor", "# other"),
            f"waivers: [{{policy: {POLICY}, object: shop/none, reason: r, until: 2020-01-01}}]\n",
            "it ended on 2020-01-01",
        ),
        (
            COMMENT.replace("# auditor", "# other"),
            "waivers: [{policy: workload/none, object: shop/none, reason: r}]\n",
            "there is no such policy",
        ),
    ],
)
def test_a_waiver_of_no_use_is_under_a_heading_of_its_own(
    auditor: Command, folder: Path, manifest: str, config: str, told: str
) -> None:
    """Nothing about it is left to be told: not in a report for people, nor where fixes are."""
    write(folder, manifest, config)
    for verb in ("audit", "fix"):
        said = auditor(verb, folder, "--select", POLICY)
        text = " ".join((said.out + said.err).split())
        assert "cannot be told" not in text
        assert re.search(r"declared, and of no use( \(1 gap\))?: [^=]*" + told, text)


def test_marks_of_policies_that_were_not_asked_are_left_alone(
    auditor: Command, folder: Path
) -> None:
    """Whoever asks one policy does not hear of the others' waivers."""
    write(folder, ANNOTATED.replace("# for now", COMMENT[COMMENT.index("# auditor") :]))
    said = auditor("audit", folder, "--select", "workload/host_ports", "--format", "json")
    assert whys(said) == []


def test_what_only_looks_like_a_mark_is_none(auditor: Command, folder: Path) -> None:
    """In a text, and in a block of text."""
    text = f"# auditor: waive {POLICY}: no"
    write(
        folder,
        PRIVILEGED.replace("privileged: true # for now", "privileged: true").replace(
            "  namespace: shop\n",
            f'  namespace: shop\n  annotations:\n    a: "{text}"\n    b: |\n      {text}\n',
        ),
    )
    said = auditor("audit", folder, *ONLY)
    assert (statuses(said), whys(said)) == (["open"], [])


def test_personal_data_is_never_waived_in_a_manifest(auditor: Command, folder: Path) -> None:
    """The policy itself says so; the configuration still can."""
    deployment = """\
apiVersion: v1
kind: Pod
metadata:
  name: db
  namespace: shop
  labels: {app: db}
  annotations:
    auditor/data: pii
    auditor/waive.data.personal_data_not_isolated: we know
spec:
  containers:
    - name: db
      image: registry.example/db:1
      ports: [{containerPort: 80}]
"""
    only = ("--select", "data/personal_data_not_isolated", "--format", "json", "--no-fixes")
    write(folder, deployment, "inlineWaivers: ['*']\n")
    said = auditor("audit", folder, *only)
    assert statuses(said) == ["open"]
    assert any("only .auditor.yaml may waive" in why for why in whys(said))
    central = "waivers: [{policy: 'data/*', object: shop/db, reason: we know}]\n"
    write(folder, deployment, central)
    assert statuses(auditor("audit", folder, *only)) == ["waived"]


def test_a_waiver_may_name_one_container(auditor: Command, folder: Path) -> None:
    """The others of the object stay as they are."""
    entry = f"waivers: [{{policy: {POLICY}, object: shop/web, anchor: X, reason: r}}]\n"
    write(folder, PRIVILEGED, entry.replace("X", "app"))
    assert statuses(auditor("audit", folder, *ONLY)) == ["waived"]
    write(folder, PRIVILEGED, entry.replace("X", "other"))
    assert statuses(auditor("audit", folder, *ONLY)) == ["open"]


def test_what_was_not_looked_at_makes_no_waiver_useless(auditor: Command, folder: Path) -> None:
    """Neither another policy, nor another file; all of it does."""
    entries = (
        f"waivers:\n  - {{policy: {POLICY}, object: shop/gone, reason: r}}\n"
        "  - {policy: workload/host_ports, object: shop/web, reason: r}\n"
    )
    write(folder, PRIVILEGED, entries)
    assert whys(auditor("audit", folder / "web.yaml", *ONLY)) == []
    [gone] = whys(auditor("audit", folder, *ONLY))
    assert "there is no such object" in gone
    assert ".auditor.yaml:2" in gone
    both = whys(auditor("audit", folder, *ONLY, "--select", "workload/host_ports"))
    assert [why.rpartition(": ")[0].rpartition(": ")[2] for why in both] == [
        "there is no such object",
        "it fits no finding",
    ]


@pytest.mark.parametrize(
    ("until", "said"), [("", "it has no end"), (in_days(40), "the last day that is allowed")]
)
def test_a_configuration_holds_itself_to_its_own_limit(
    auditor: Command, folder: Path, until: str, said: str
) -> None:
    """With file, line and field."""
    end = f", until: {until}" if until else ""
    entry = f"waiversExpireWithin: 30d\nwaivers:\n  - {{policy: '*', object: a, reason: r{end}}}\n"
    write(folder, PRIVILEGED, entry)
    told = auditor("audit", folder)
    assert told.code == 2
    assert ".auditor.yaml:3: waivers.0.until: " in told.err
    assert said in told.err


def test_within_the_limit_a_waiver_holds(auditor: Command, folder: Path) -> None:
    """The last day is one of the days."""
    entry = f"{{policy: '*', object: shop/web, reason: r, until: {in_days(30)}}}"
    write(folder, PRIVILEGED, f"waiversExpireWithin: 30d\nwaivers: [{entry}]\n")
    assert statuses(auditor("audit", folder, *ONLY)) == ["waived"]


BROKEN = "apiVersion: v1\nkind: Pod\nmetadata: [\n"


def gaps_of(auditor: Command, folder: Path, config: str) -> Said:
    """An audit of a folder with a file that is no YAML."""
    write(folder, PRIVILEGED.replace("true", "false"), config)
    (folder / "broken.yaml").write_text(BROKEN, "utf-8")
    return auditor("audit", folder, *ONLY)


def test_an_acknowledged_gap_stays_told_and_fails_nothing(auditor: Command, folder: Path) -> None:
    """In every report."""
    assert gaps_of(auditor, folder, "").code == 4
    config = "acknowledged:\n  - {gap: '*/broken.yaml:*', reason: 'a template of others'}\n"
    said = gaps_of(auditor, folder, config)
    assert said.code == 0
    [gap] = said.report["gaps"]
    assert gap["acknowledged"] == "a template of others"
    assert said.report["summary"]["gaps"]["incomplete"] == 1
    text = auditor("audit", folder, "--select", POLICY).out
    assert "acknowledged (1 gap):" in text
    assert "1 gap (1 acknowledged)" in text
    sarif = auditor("audit", folder, "--select", POLICY, "--format", "sarif").report
    [invocation] = sarif["runs"][0]["invocations"]
    assert invocation["executionSuccessful"] is True
    [notification] = invocation["toolExecutionNotifications"]
    assert notification["level"] == "note"
    assert "a template of others" in notification["message"]["text"]


@pytest.mark.parametrize(
    ("entry", "code", "why"),
    [
        ("{gap: '*/other.yaml:*', reason: r}", 4, "it fits no gap: remove it"),
        ("{gap: '*/broken.yaml:*', reason: r, until: 2020-01-01}", 4, "it ended on 2020-01-01"),
        ("{gap: '*/broken.yaml:*', why: 'forbidden*', reason: r}", 4, "it fits no gap"),
    ],
)
def test_an_acknowledgement_of_no_use_is_told(
    auditor: Command, folder: Path, entry: str, code: int, why: str
) -> None:
    """And the gap fails as before."""
    said = gaps_of(auditor, folder, f"acknowledged:\n  - {entry}\n")
    assert said.code == code
    assert any(why in told and ".auditor.yaml:2" in told for told in whys(said))


FOREIGN = {
    "checkov": '    checkov.io/skip1: "CKV_K8S_16=the move"\n',
    "kube-linter": '    ignore-check.kube-linter.io/privileged-container: "the move"\n',
    "kubescape": (
        '    kubescape.io/skip-controls: "C-0001, C-0057"\n'
        '    kubescape.io/skip-reason: "the move"\n'
        '    kubescape.io/skip-expiry: "2099-12-31T23:59:59Z"\n'
    ),
    "polaris": '    polaris.fairwinds.com/runAsPrivileged-exempt: "true"\n',
}


def foreign(annotation: str) -> str:
    """The pod with an annotation of another tool."""
    return PRIVILEGED.replace(
        "  namespace: shop\n", f"  namespace: shop\n  annotations:\n{annotation}"
    )


@pytest.mark.parametrize("tool", FOREIGN)
def test_waivers_of_other_tools_count_on_request(auditor: Command, folder: Path, tool: str) -> None:
    """By the check that they name, as METADATA `equivalents` know it."""
    write(folder, foreign(FOREIGN[tool]))
    assert statuses(auditor("audit", folder, *ONLY)) == ["open"]
    said = auditor("audit", folder, *ONLY, "--honour-waivers-of", tool)
    assert statuses(said) == ["waived"]
    waiver = said.report["findings"][0]["waiver"]
    assert "web.yaml:7" in waiver["origin"]
    assert "the move" in waiver["reason"] or tool == "polaris"
    write(folder, foreign(FOREIGN[tool]), f"{ALLOWED}honourWaiversOf: [{tool}]\n")
    assert statuses(auditor("audit", folder, *ONLY)) == ["waived"]


@pytest.mark.parametrize("tool", FOREIGN)
def test_waivers_of_other_tools_follow_our_rules(auditor: Command, folder: Path, tool: str) -> None:
    """Where the configuration does not allow it, they are told and waive nothing."""
    write(folder, foreign(FOREIGN[tool]), f"honourWaiversOf: [{tool}]\n")
    said = auditor("audit", folder, *ONLY)
    assert statuses(said) == ["open"]
    assert "no pattern of inlineWaivers" in whys(said)[0]


@pytest.mark.parametrize(
    "annotation",
    [
        '    checkov.io/skip1: "CKV_K8S_17=the move"\n',
        '    ignore-check.kube-linter.io/host-ipc: "the move"\n',
        '    kubescape.io/skip-controls: "C-0001"\n',
        '    polaris.fairwinds.com/runAsPrivileged-exempt: "false"\n',
        '    polaris.fairwinds.com/hostIPCSet-exempt: "true"\n',
    ],
)
def test_a_skip_of_another_check_waives_nothing(
    auditor: Command, folder: Path, annotation: str
) -> None:
    """And is none of our business."""
    write(folder, foreign(annotation), f"{ALLOWED}honourWaiversOf: [{', '.join(FOREIGN)}]\n")
    said = auditor("audit", folder, *ONLY)
    assert (statuses(said), whys(said)) == (["open"], [])


def test_a_skip_without_its_reason_waives_nothing(auditor: Command, folder: Path) -> None:
    """Where the other tool has room for one."""
    write(folder, foreign("    checkov.io/skip1: CKV_K8S_16\n"))
    said = auditor("audit", folder, *ONLY, "--honour-waivers-of", "checkov")
    assert statuses(said) == ["open"]
    assert "it gives no reason" in whys(said)[0]


def test_a_comment_of_checkov_is_about_its_object(auditor: Command, folder: Path) -> None:
    """Wherever in the object it stands, and not about the next document."""
    skipped = PRIVILEGED.replace("spec:\n", "spec: # checkov:skip=CKV_K8S_16:the move\n")
    write(folder, skipped + "---\n" + PRIVILEGED.replace("name: web", "name: other"))
    said = auditor("audit", folder, *ONLY, "--honour-waivers-of", "checkov")
    assert {f["object"]["name"]: f["status"] for f in said.report["findings"]} == {
        "web": "waived",
        "other": "open",
    }


@pytest.mark.parametrize(
    ("name", "text", "status"),
    [
        (".trivyignore", "# why\nAVD-KSV-0017 exp:2099-01-01\n", "waived"),
        (".trivyignore", "KSV017\n", "waived"),
        (".trivyignore", "AVD-KSV-0018\n", "open"),
        (".trivyignore", "AVD-KSV-0017 exp:2020-01-01\n", "open"),
        (
            ".trivyignore.yaml",
            "misconfigurations:\n  - {id: AVD-KSV-0017, paths: [web.yaml], statement: known}\n",
            "waived",
        ),
        (
            ".trivyignore.yaml",
            "misconfigurations:\n  - {id: AVD-KSV-0017, paths: [other/*.yaml]}\n",
            "open",
        ),
        (
            ".trivyignore.yaml",
            "misconfigurations:\n  - {id: AVD-KSV-0017, expired_at: 2020-01-01}\n",
            "open",
        ),
    ],
)
def test_the_lists_of_trivy_are_read(
    auditor: Command, folder: Path, name: str, text: str, status: str
) -> None:
    """With paths and expiry."""
    write(folder, PRIVILEGED)
    (folder / name).write_text(text, "utf-8")
    said = auditor("audit", folder, *ONLY, "--honour-waivers-of", "trivy")
    assert statuses(said) == [status]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (".trivyignore", "AVD-KSV-0017 exp:soon\n", ".trivyignore:1: 'exp:soon'"),
        (".trivyignore.yaml", "misconfigurations: 3\n", "misconfigurations"),
        (".trivyignore.yaml", "misconfigurations: [\n", ".trivyignore.yaml: "),
    ],
)
def test_a_list_of_trivy_that_is_none_is_an_error(
    auditor: Command, folder: Path, name: str, text: str, said: str
) -> None:
    """With its name and line."""
    write(folder, PRIVILEGED)
    (folder / name).write_text(text, "utf-8")
    told = auditor("audit", folder, *ONLY, "--honour-waivers-of", "trivy")
    assert told.code == 2
    assert said in told.err


def git(folder: Path, *arguments: str) -> None:
    """A command of git in a repository of its own."""
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run(["git", "-C", folder, *identity, *arguments], check=True, capture_output=True)


@pytest.fixture
def repository(folder: Path) -> Path:
    """A repository whose first commit, `main`, has a faulty pod and allows inline waivers."""
    write(folder, PRIVILEGED)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "one")
    return folder


FROM = (*ONLY, "--config-from", "main")
CENTRAL = f"waivers: [{{policy: {POLICY}, object: '*', reason: trust me}}]\n"


def added(said: Said) -> list[dict[str, Any]]:
    """The waivers that the change adds."""
    waivers: list[dict[str, Any]] = said.report["waiversAdded"]
    return waivers


def test_a_change_does_not_waive_its_own_fault(auditor: Command, repository: Path) -> None:
    """Neither in the configuration nor in the manifest; what it tries is listed."""
    write(repository, COMMENT, ALLOWED + CENTRAL)
    assert auditor("audit", repository, *ONLY).code == 0
    said = auditor("audit", repository, *FROM)
    assert (said.code, statuses(said)) == (1, ["open"])
    assert [(w["policy"], w["object"], w["reason"]) for w in added(said)] == [
        (POLICY, "*", "trust me"),
        (POLICY, "shop/web[Pod]", "until the move"),
    ]
    text = auditor("audit", repository, "--select", POLICY, "--config-from", "main").out
    assert "added by this change, and not counted (2 waivers):" in text
    sarif = auditor(
        "audit", repository, "--select", POLICY, "--config-from", "main", "--format", "sarif"
    ).report
    told = sarif["runs"][0]["invocations"][0]["toolExecutionNotifications"]
    assert [one["descriptor"]["id"] for one in told] == ["waiver-added", "waiver-added"]


@pytest.mark.parametrize("manifest", [COMMENT, ANNOTATED], ids=["comment", "annotation"])
def test_what_was_waived_before_stays_waived(
    auditor: Command, repository: Path, manifest: str
) -> None:
    """Also after lines have moved, and in a file of another name."""
    write(repository, manifest)
    git(repository, "commit", "-qam", "two")
    (repository / "web.yaml").rename(repository / "other.yml")
    (repository / "other.yml").write_text("# moved\n\n" + manifest, "utf-8")
    said = auditor("audit", repository, *FROM)
    assert (said.code, statuses(said), added(said)) == (0, ["waived"], [])


def test_a_comment_that_moves_to_another_container_is_a_new_one(
    auditor: Command, repository: Path
) -> None:
    """The same words about another fault."""
    second = COMMENT[COMMENT.index("    - name: app") :].replace("app\n", "second\n", 1)
    plain = PRIVILEGED[PRIVILEGED.index("    - name: app") :]
    write(repository, COMMENT)
    git(repository, "commit", "-qam", "two")
    write(repository, COMMENT[: COMMENT.index("    - name: app")] + plain + second)
    said = auditor("audit", repository, *FROM)
    assert statuses(said) == ["open", "open"]
    assert len(added(said)) == 1


def test_a_stricter_configuration_of_the_change_does_not_count_either(
    auditor: Command, repository: Path
) -> None:
    """There is one configuration, that of the target."""
    write(repository, COMMENT)
    git(repository, "commit", "-qam", "two")
    write(repository, COMMENT, "")
    assert statuses(auditor("audit", repository, *FROM)) == ["waived"]


def test_waivers_of_other_tools_are_compared_as_well(auditor: Command, repository: Path) -> None:
    """Annotations and Trivy's files."""
    write(repository, foreign(FOREIGN["checkov"]))
    (repository / ".trivyignore").write_text("KSV017\n", "utf-8")
    asked = (*FROM, "--honour-waivers-of", "checkov", "--honour-waivers-of", "trivy")
    said = auditor("audit", repository, *asked)
    assert (statuses(said), len(added(said))) == (["open"], 1)
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "two")
    said = auditor("audit", repository, *asked)
    assert (statuses(said), added(said)) == (["waived"], [])


def test_the_baseline_is_the_one_of_the_target(auditor: Command, repository: Path) -> None:
    """A change that saves its own fault as known is found out."""
    file = repository / "known.json"
    clean = auditor("audit", repository, "--select", "workload/host_ports", "--format", "json")
    file.write_text(clean.out, "utf-8")
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "two")
    file.write_text(auditor("audit", repository, *ONLY).out, "utf-8")
    asked = ("audit", repository, "--baseline", file)
    assert statuses(auditor(*asked, *ONLY)) == ["baseline"]
    assert statuses(auditor(*asked, *FROM)) == ["open"]
    new = repository / "new.json"
    new.write_text(file.read_text("utf-8"), "utf-8")
    said = auditor("audit", repository, "--baseline", new, *FROM)
    assert said.code == 2
    assert "is not in main" in said.err


def test_fix_believes_the_target_as_well(auditor: Command, repository: Path) -> None:
    """What a change waives anew is still offered its fix."""
    write(repository, PRIVILEGED, CENTRAL)
    asked = ("fix", repository, "--select", POLICY, "--unsafe")
    assert "privileged: false" not in auditor(*asked).out
    assert "-        privileged: true" in auditor(*asked, "--config-from", "main").out


@pytest.mark.parametrize("revision", ["nowhere", "--output=/tmp/x", "main:web.yaml", ""])
def test_a_revision_that_is_none_is_an_error(
    auditor: Command, repository: Path, revision: str
) -> None:
    """And is never an option of git."""
    said = auditor("audit", repository, *ONLY, f"--config-from={revision}")
    assert said.code == 2
    assert "no git revision" in said.err


def test_outside_a_repository_there_is_no_revision(auditor: Command, folder: Path) -> None:
    """And the message says what was looked for."""
    write(folder, PRIVILEGED)
    said = auditor("audit", folder, *FROM)
    assert said.code == 2
    assert "not a git repository" in said.err


def test_without_git_there_is_no_revision(
    auditor: Command, repository: Path, tmp_path: Path
) -> None:
    """And the message says what is missing."""
    said = auditor("audit", repository, *FROM, env={"PATH": str(tmp_path)})
    assert said.code == 2
    assert "no git here to read a revision with" in said.err


def test_nothing_of_the_repository_is_run(auditor: Command, repository: Path) -> None:
    """No hook, filter, text conversion or monitor, and the working tree stays as it is."""
    touched = repository / "touched"
    script = repository / "run.sh"
    script.write_text(f"#!/bin/sh\ntouch {touched}\ncat\n", "utf-8")
    script.chmod(0o755)
    (repository / ".gitattributes").write_text("* filter=x diff=x\n", "utf-8")
    for key in ("filter.x.smudge", "filter.x.clean", "diff.x.textconv", "core.fsmonitor"):
        git(repository, "config", key, str(script))
    hooks = repository / ".git" / "hooks"
    for hook in ("post-checkout", "reference-transaction", "post-index-change"):
        (hooks / hook).write_text(script.read_text("utf-8"), "utf-8")
        (hooks / hook).chmod(0o755)
    write(repository, COMMENT)
    assert statuses(auditor("audit", repository, *FROM)) == ["open"]
    assert not touched.exists()


def base(folder: Path) -> Path:
    """A Kustomize overlay over a base with a faulty pod and a comment."""
    if not programs.program("kubectl") and not programs.program("kustomize"):
        assert os.environ.get("CI") != "true", "neither kubectl nor kustomize is installed"
        pytest.skip("neither kubectl nor kustomize is installed")
    (folder / "base").mkdir()
    (folder / "over").mkdir()
    write(folder, "", ALLOWED)
    (folder / "base" / "web.yaml").write_text(COMMENT.replace("  namespace: shop\n", ""), "utf-8")
    (folder / "base" / "kustomization.yaml").write_text("resources: [web.yaml]\n", "utf-8")
    over = "resources: [../base]\nnamePrefix: my-\nnamespace: other\n"
    (folder / "over" / "kustomization.yaml").write_text(over, "utf-8")
    return folder


def test_a_comment_in_a_base_counts_in_what_is_built(auditor: Command, folder: Path) -> None:
    """At the line that the report names; and known again in a revision."""
    base(folder)
    said = auditor("audit", folder, *ONLY)
    assert [(f["object"]["name"], f["status"]) for f in said.report["findings"]] == [
        ("my-web", "waived")
    ]
    assert whys(said) == []
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "one")
    said = auditor("audit", folder, *FROM)
    assert (statuses(said), added(said)) == (["waived"], [])


def test_a_comment_of_checkov_in_a_base_counts_as_well(auditor: Command, folder: Path) -> None:
    """It is about the object, whatever the build makes of its name."""
    file = base(folder) / "base" / "web.yaml"
    skipped = PRIVILEGED.replace("spec:\n", "spec: # checkov:skip=CKV_K8S_16:the move\n")
    file.write_text(skipped, "utf-8")
    said = auditor("audit", folder, *ONLY, "--honour-waivers-of", "checkov")
    assert statuses(said) == ["waived"]


def test_a_report_says_nothing_of_the_folders_above(
    auditor: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a waiver is written is said as seen from here."""
    write(folder, PRIVILEGED, CENTRAL)
    monkeypatch.chdir(folder)
    said = auditor("audit", ".", *ONLY)
    assert said.report["findings"][0]["waiver"]["origin"] == ".auditor.yaml:1"
    assert str(folder) not in said.out
