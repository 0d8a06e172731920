"""The report for people: the screen stands in the test."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from auditor.model import Audit, Evidence, Finding, Gap, Proof, Resource, Snapshot, Unseen
from auditor.reporters import render

from . import world
from .world import Screen

_NAMES = "data/not_isolated\0\0workload/literal_password\0\0workload/privileged_container\0\0"
POLICIES = f"policies sha256:{hashlib.sha256(_NAMES.encode()).hexdigest()[:12]}"
EVIDENCE = f"evidence: k8s on 2026-01-01, {POLICIES}; 0 of 3 questions not assessed\n"
NOTHING = (
    "no findings; no gaps; 2 objects judged by 3 policies for Kubernetes 1.36 with regorus 0.13.0\n"
) + EVIDENCE


def screen(audit: Audit, paths: tuple[str, ...] = ("k8s",)) -> str:
    """What a file would hold."""
    return render("text", audit, paths=paths, terminal=None)


def of(resource: Resource, *findings: Finding) -> Audit:
    """The answer about one object alone."""
    return replace(world.audit(*findings), snapshot=Snapshot((resource,)))


def test_a_finding_shows_its_line_its_fix_and_what_was_proven() -> None:
    """Whoever reads it needs no other page to decide."""
    fix = world.unprivileged()
    assert screen(world.audit(world.privileged(fix=fix))) == (
        """\
high[workload/privileged_container]: container 'app' runs privileged
  --> k8s/web.yaml:16:25  shop/web[Deployment]
   |
16 |             privileged: true  # for the profiler
   |                         ^^^^
   = fix: run it unprivileged (may change behaviour)
   = proven: the finding is gone · 2 pods can be scheduled
   = schedules: web-0 → node-a, web-1 → node-b
   |
   | --- a/k8s/web.yaml
   | +++ b/k8s/web.yaml
   | @@ -13,4 +13,4 @@
   |              - name: PASSWORD
   |                value: …
   |            securityContext:
   | -            privileged: true  # for the profiler
   | +            privileged: false  # for the profiler

1 finding: 1 high; 1 with a proven fix; no gaps; 2 objects judged by 3 policies for Kubernetes \
1.36 with regorus 0.13.0
EVIDENCEnext: auditor fix --unsafe k8s  # shows 1 proven fix, which may change behaviour
next: auditor fix --unsafe --write k8s  # writes it
""".replace("EVIDENCE", EVIDENCE)
    )


def test_a_new_object_is_shown_before_the_one_that_it_guards() -> None:
    """A long list of flows is cut, and says by how much."""
    assert screen(world.audit(world.exposed(fix=world.guarded()))) == (
        """\
critical[data/not_isolated]: holds PII, and web reaches it without being its client
  --> k8s/db.yaml:7:19  shop/db[StatefulSet]
   |
 7 |     auditor/data: pii
   |                   ^^^
   = why: web reaches it on every port (k8s/web.yaml:10:11)
   = fix: admit its clients alone (safe)
   = proven: the finding is gone · keeps 5 flows · closes 1 flow
   = keeps: client-1 → db: TCP 5432, client-2 → db: TCP 5432, client-3 → db: TCP 5432, and 2 more
   = closes: web → db: every port
   |
   | --- a/k8s/db.yaml
   | +++ b/k8s/db.yaml
   | @@ -1,3 +1,13 @@
   | +apiVersion: networking.k8s.io/v1
   | +kind: NetworkPolicy
   | +metadata:
   | +  name: db
   | +  namespace: shop
   | +spec:
   | +  podSelector: {}
   | +  policyTypes:
   | +  - Ingress
   | +---
   |  apiVersion: apps/v1
   |  kind: StatefulSet
   |  metadata:

1 finding: 1 critical; 1 with a proven fix; no gaps; 2 objects judged by 3 policies for Kubernetes \
1.36 with regorus 0.13.0
EVIDENCEnext: auditor fix k8s  # shows 1 proven fix
next: auditor fix --write k8s  # writes it
""".replace("EVIDENCE", EVIDENCE)
    )


def test_a_live_object_is_named_by_its_field() -> None:
    """It stands in no file: there is no line to go to, and its fix is a step and no diff."""
    fix = world.unprivileged(world.WEB_LIVE)
    found = world.privileged(world.WEB_LIVE, fix=fix)
    assert screen(world.audit(found, live=True), ()) == (
        """\
high[workload/privileged_container]: container 'app' runs privileged
  --> shop/web[Deployment] spec.template.spec.containers[0].securityContext.privileged
   |
   | privileged: true  # for the profiler
   |             ^^^^
   = fix: run it unprivileged (may change behaviour)
   = proven: the finding is gone · 2 pods can be scheduled
   = schedules: web-0 → node-a, web-1 → node-b
   |
   | replace spec.template.spec.containers[0].securityContext.privileged: false

1 finding: 1 high; 1 with a proven fix; no gaps; 2 objects judged by 3 policies for Kubernetes \
1.36 with regorus 0.13.0
EVIDENCEnext: auditor audit --cluster --format json  # each fix as a JSON Patch
""".replace("EVIDENCE", EVIDENCE.replace("k8s", "a cluster"))
    )


def test_a_clean_report_says_what_was_looked_at() -> None:
    """And nothing more: it has not seen what it has not seen."""
    assert screen(world.audit()) == NOTHING


def test_gaps_are_shown_in_full_and_counted() -> None:
    """A clean report with gaps does not look clean."""
    assert screen(world.audit(gaps=(world.NOT_KNOWN, world.NOT_READ))) == (
        """\
could not be seen (1 gap):
  k8s/broken.yaml: line 3: a mapping ends in the middle

cannot be told from what was read (1 gap):
  namespace shop: its labels are not among the manifests

no findings; 2 gaps; 2 objects judged by 3 policies for Kubernetes 1.36 with regorus 0.13.0
"""
        + EVIDENCE.replace("assessed", "assessed, nor what 2 gaps may hide")
    )


def test_what_is_waived_or_known_is_counted_and_not_shown() -> None:
    """A waiver does not make a fault disappear."""
    audit = world.audit(world.waived(world.privileged()), world.known(world.exposed()))
    assert screen(audit).startswith("no findings; 1 waived; 1 in the baseline; no gaps; 2 objects")


def test_objects_that_no_policy_asks_about_are_not_called_judged() -> None:
    """Two objects were read, one met a policy."""
    assert "1 of 2 objects judged" in screen(replace(world.audit(), judged=1))


def test_the_worst_comes_first() -> None:
    """In whatever order the findings were made."""
    text = screen(world.audit(world.literal(), world.privileged(), world.exposed()))
    assert text.index("critical[") < text.index("high[") < text.index("low[")
    assert "3 findings: 1 critical, 1 high, 1 low;" in text


def test_credentials_are_not_shown() -> None:
    """The log of a pipeline has more readers than the manifest."""
    text = screen(world.audit(world.literal()))
    assert "hunter2" not in text
    assert "14 |               value: …  (value not shown)" in text


def test_credentials_beside_the_field_are_not_shown_either() -> None:
    """Where a manifest is JSON on one line, or in braces, the line holds more than the field."""
    text = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: a, "
        "env: [{name: A, value: hunter2}], securityContext: {privileged: true}}]}\n"
    )
    pod = world.resource(text, "pod.yaml")
    path = ("spec", "containers", 0, "securityContext", "privileged")
    shown = screen(of(pod, world.privileged(pod, path=path)))
    assert "value: …}], securityContext: {privileged: true}" in shown
    assert "hunter2" not in shown


@pytest.mark.parametrize(
    ("proof", "why"),
    [
        (Proof(resolved=False), "the finding would stay"),
        (
            Proof(resolved=True, introduced=("a/b shop/web[Deployment]",)),
            "would bring a/b shop/web",
        ),
        (Proof(resolved=True, cut=("web → db: TCP 5432",)), "would cut web → db: TCP 5432"),
        (Proof(resolved=True, opened=("x → db: TCP 1",)), "would open x → db: TCP 1"),
        (Proof(resolved=True, unschedulable=("web-0: full",)), "without a node web-0: full"),
        (Proof(resolved=True, stable=False), "applied twice it changes more"),
        (Proof(resolved=True, exact=False), "the edited text is not the patched object"),
        (Proof(resolved=True, unproven=("no Node is given",)), "no Node is given"),
    ],
)
def test_a_fix_that_is_not_proven_says_why(proof: Proof, why: str) -> None:
    """And is not offered: neither as a diff nor as a command."""
    text = screen(world.audit(world.privileged(fix=world.unprivileged(proof=proof))))
    line = next(line for line in text.splitlines() if "not proven" in line)
    assert why in line
    assert "+++" not in text
    assert "auditor fix" not in text
    assert "next: auditor explain workload/privileged_container" in text


def test_a_fix_that_was_not_tried_is_not_called_proven() -> None:
    """As with --no-fixes."""
    text = screen(world.audit(world.privileged(remedy=world.REMEDY)))
    assert "   = fix: run it unprivileged (not tried)\n" in text
    assert "proven" not in text


def test_many_reasons_are_cut() -> None:
    """The first five tell enough; the JSON report has all."""
    reasons = tuple(Evidence(f"reason {n}") for n in range(8))
    text = screen(world.audit(world.privileged(evidence=reasons)))
    assert "   = why: reason 4\n   = why: and 3 more\n" in text
    assert "reason 5" not in text


def test_what_a_hostile_name_says_does_not_reach_the_terminal() -> None:
    """An escape sequence in a message, a file name or a manifest is shown and not obeyed."""
    web = world.resource(
        world.WEB.replace("# for the profiler", "# \u202etxet\u202c"), "k8s/\x1b[2Jx\nhigh.yaml"
    )
    finding = world.privileged(web, message="container '\x1b]0;owned\x07' runs\r\nprivileged")
    gap = Gap("\x9b31mred", "a\x00b\u2028c", Unseen.INCOMPLETE)
    audit = replace(of(web, finding), gaps=(gap,))
    text = render("text", audit, paths=("\x1b[31m",), terminal=None)
    assert "container '\\x1b]0;owned\\x07' runs\\r\\nprivileged\n" in text
    assert "k8s/\\x1b[2Jx\\nhigh.yaml:16:25" in text
    assert "# \\u202etxet\\u202c" in text
    assert "  \\x9b31mred: a\\x00b\\u2028c\n" in text
    assert all(line.isprintable() for line in text.split("\n"))


def test_a_huge_line_is_cut_around_the_field() -> None:
    """A manifest of one megabyte on one line does not become a report of one."""
    text = '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","labels":{"a":"%s"}},"x":true}'
    pod = world.resource(text % ("y" * 1_000_000), "pod.json")
    finding = world.privileged(pod, path=("x",))
    shown = screen(of(pod, finding))
    assert len(shown) < 1000
    assert '"x":true' in shown
    assert max(map(len, shown.splitlines())) <= 130


def test_carets_stand_under_wide_characters() -> None:
    """A Chinese character takes two columns of a screen."""
    pod = world.resource(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nx: {名: 密, b: true}\n", "p.yaml"
    )
    finding = world.privileged(pod, path=("x", "b"))
    shown = screen(of(pod, finding))
    line, carets = shown.splitlines()[3:5]
    assert line == " 4 | x: {名: 密, b: true}"
    assert carets.index("^") == line.index("true") + 2


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that says nothing about colours."""
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TERM"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize(
    ("stream", "environment", "coloured"),
    [
        (Screen(), {}, True),
        (Screen(), {"NO_COLOR": "1"}, False),
        (Screen(), {"TERM": "dumb"}, False),
        (Screen(), {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        (world.Pipe(), {}, False),
        (world.Pipe(), {"FORCE_COLOR": "1"}, True),
        (None, {"FORCE_COLOR": "1"}, False),
    ],
    ids=["screen", "NO_COLOR", "dumb", "both", "pipe", "FORCE_COLOR", "file"],
)
def test_colours_go_where_they_are_wanted(
    monkeypatch: pytest.MonkeyPatch,
    stream: Screen | None,
    environment: dict[str, str],
    coloured: bool,
) -> None:
    """Never into a file, and not onto a screen that was told otherwise."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    text = render("text", world.audit(world.privileged()), paths=("k8s",), terminal=stream)
    assert ("\x1b[" in text) is coloured


@pytest.mark.usefixtures("plain")
def test_a_narrow_terminal_breaks_at_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe gets whole lines instead, so that grep finds them."""
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("NO_COLOR", "1")
    text = render("text", world.audit(world.exposed()), paths=("k8s",), terminal=Screen())
    assert text.startswith(
        "critical[data/not_isolated]: holds PII, and web reaches it\n    without being its client\n"
    )
    assert max(map(len, text.splitlines())) <= 60


@pytest.mark.usefixtures("plain")
def test_a_terminal_without_unicode_gets_escapes() -> None:
    """A report that cannot be written would be the worst of all."""
    audit = world.audit(world.privileged(fix=world.unprivileged()))
    text = render("text", audit, paths=("k8s",), terminal=Screen("ascii"))
    assert text.isascii()
    assert "web-0 \\u2192 node-a" in text


def test_it_never_says_more_than_was_proven() -> None:
    """No report calls anything compliant, certified, secure or passed."""
    audits = (world.audit(), world.audit(world.privileged(fix=world.unprivileged())))
    text = "".join(map(screen, audits)).lower()
    assert not any(word in text for word in ("complian", "certif", "secure ", "passed"))
