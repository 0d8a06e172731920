"""`auditor audit --baseline`: what a saved report knows, and what it does not excuse."""

from __future__ import annotations

import json
from pathlib import Path

from .command import Command
from .test_policy_sets import policies

OPEN = """\
apiVersion: v1
kind: Pod
metadata: {name: customers, namespace: shop, labels: {auditor/data: pii}}
spec: {containers: [{name: db, image: "registry.example/db:1.0.0", ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: ads, namespace: shop, labels: {app: ads}}
spec: {containers: [{name: ads, image: "registry.example/ads:1.0.0"}]}
---
apiVersion: v1
kind: Service
metadata: {name: customers, namespace: shop}
spec: {type: LoadBalancer, selector: {auditor/data: pii}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: customers, namespace: shop}
spec:
  podSelector: {matchLabels: {auditor/data: pii}}
  ingress: [{from: [{podSelector: {matchLabels: {app: ads}}}]}]
"""
WIDE_OPEN = OPEN.replace("[{from: [{podSelector: {matchLabels: {app: ads}}}]}]", "[{}]")
EXPOSED = ("--select", "data/personal_data_not_isolated", "--no-fixes")


def _write(folder: Path, text: str) -> Path:
    file = folder / "app.yaml"
    file.write_text(text, "utf-8")
    return file


def test_a_known_fault_that_got_worse_is_new(auditor: Command, folder: Path) -> None:
    """One stranger was let in; now it is the internet. Half a repair is nothing new."""
    old = folder.parent / "old.json"
    for before, after, code in ((OPEN, WIDE_OPEN, 1), (WIDE_OPEN, OPEN, 0)):
        auditor("audit", _write(folder, before), *EXPOSED, "--format", "json", "-o", old)
        said = auditor("audit", _write(folder, after), *EXPOSED, "--baseline", old,
                       "--fail-on", "new")  # fmt: skip
        assert said.code == code, said.out + said.err


def test_a_baseline_of_an_older_version_is_still_one(auditor: Command, folder: Path) -> None:
    """It does not say what the evidence is about, so nothing known can be worse."""
    old = folder.parent / "old.json"
    said = auditor("audit", _write(folder, OPEN), *EXPOSED, "--format", "json")
    report = said.report
    for finding in report["findings"]:
        for reason in finding["evidence"]:
            del reason["anchor"]
    old.write_text(json.dumps(report), "utf-8")
    flags = (*EXPOSED, "--baseline", old, "--fail-on", "new")
    assert auditor("audit", _write(folder, WIDE_OPEN), *flags).code == 0


def _config(folder: Path, text: str) -> None:
    (folder / ".auditor.yaml").write_text(text, "utf-8")


WAIVED = "waivers: [{policy: '*', object: shop/customers, reason: until the move, until: %s}]\n"


def test_a_waiver_that_has_ended_leaves_its_fault_new(auditor: Command, folder: Path) -> None:
    """A baseline that was saved while it held does not go on waiving."""
    old = folder.parent / "old.json"
    _write(folder, OPEN)
    _config(folder, WAIVED % "2099-01-31")
    auditor("audit", folder, *EXPOSED, "--format", "json", "-o", old)
    flags = (*EXPOSED, "--baseline", old)
    assert auditor("audit", folder, *flags, "--fail-on", "new").code == 0
    assert auditor("diff", old, folder, *EXPOSED[:2]).code == 0
    _config(folder, WAIVED % "2020-01-31")
    assert auditor("audit", folder, *flags).code == 1
    assert auditor("audit", folder, *flags, "--fail-on", "new").code == 1
    said = auditor("diff", old, folder, *EXPOSED[:2], "--format", "json")
    told = said.report
    assert (said.code, len(told["new"]), told["remaining"]) == (1, 1, [])


def test_what_is_waived_anew_is_nothing_new(auditor: Command, folder: Path) -> None:
    """Neither is what was waived before, and still is."""
    old = folder.parent / "old.json"
    _write(folder, OPEN)
    for before in ("", WAIVED % "2099-01-31"):
        _config(folder, before)
        auditor("audit", folder, *EXPOSED, "--format", "json", "-o", old)
        _config(folder, WAIVED % "2099-01-31")
        told = auditor("diff", old, folder, *EXPOSED[:2], "--format", "json").report
        assert (told["new"], len(told["remaining"])) == ([], 1)


def test_what_a_pinned_set_only_announced_is_new_with_the_set(
    auditor: Command, folder: Path
) -> None:
    """A baseline that was saved before does not excuse it: nobody has accepted it."""
    old = folder.parent / "old.json"
    own = policies(folder.parent / "own", since=2)
    asked = ("--policies", own, "--select", "team")
    _write(folder, OPEN)
    _config(folder, "policySet: 1\n")
    auditor("audit", folder, *asked, "--format", "json", "-o", old)
    assert auditor("audit", folder, *asked, "--baseline", old, "--fail-on", "new").code == 0
    _config(folder, "policySet: 2\n")
    assert auditor("audit", folder, *asked, "--baseline", old, "--fail-on", "new").code == 1


def test_what_a_baseline_knew_stays_known(auditor: Command, folder: Path) -> None:
    """Saved once more, with the baseline given, it is a baseline still."""
    old, newer = folder.parent / "old.json", folder.parent / "newer.json"
    _write(folder, OPEN)
    save = ("audit", folder, *EXPOSED, "--format", "json", "-o")
    auditor(*save, old)
    auditor(*save, newer, "--baseline", old)
    assert auditor("audit", folder, *EXPOSED, "--baseline", newer, "--fail-on", "new").code == 0
