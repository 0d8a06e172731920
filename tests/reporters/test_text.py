"""The report for people: the screen stands in the test."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from auditor.model import (
    Audit,
    Change,
    Evidence,
    Finding,
    Gap,
    Operation,
    Proof,
    Resource,
    Snapshot,
    Span,
    TextEdit,
    Unseen,
)
from auditor.reporters import render

from . import world
from .world import Screen

_NAMES = "data/not_isolated\0\0workload/literal_password\0\0workload/privileged_container\0\0"
POLICIES = f"policies sha256:{hashlib.sha256(_NAMES.encode()).hexdigest()[:12]}"
EVIDENCE = f"evidence: k8s on 2026-01-01, {POLICIES}; not assessed: 0 of 3 questions\n"
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
EVIDENCEnext: auditor fix --unsafe --cluster  # shows 1 proven fix, which may change behaviour
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
        + EVIDENCE.replace("questions", "questions, and what 2 gaps may hide")
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


def test_reasons_that_are_cut_are_named() -> None:
    """Whoever reads of nine workloads counts names, and not reasons."""
    about = [f"web-{n}" for n in range(7)] + ["any pod of a new namespace"]
    reasons = tuple(Evidence(f"{name} reaches it", anchor=name) for name in about)
    text = screen(world.audit(world.privileged(evidence=reasons)))
    assert "   = why: and 3 more: web-5, web-6, any pod of a new namespace\n" in text


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


def _shop(number: int, folder: str = "k8s") -> Resource:
    """One more application with the fault of the first."""
    text = world.WEB.replace("name: web", f"name: web{number}").replace(
        "name: app", f"name: c{number}"
    )
    return world.resource(text, f"{folder}/web{number}.yaml")


def _faults(web: Resource, container: str) -> tuple[Finding, Finding]:
    message = f"container '{container}' runs privileged"
    first = replace(world.privileged(web), anchor=container, message=message)
    return first, replace(world.literal(web), anchor=container)


def test_an_object_with_several_faults_shows_its_lines_once() -> None:
    """Each fault has a number at its place, as good compilers do it."""
    fix = world.unprivileged()
    audit = world.audit(world.literal(), world.privileged(fix=fix))
    assert screen(audit).partition("   |\n   | ---")[0] == (
        """\
shop/web[Deployment]: 1 high, 1 low
  --> k8s/web.yaml:16:25
   |
14 |               value: …  (value not shown)
   |                      ^ (2)
 …
16 |             privileged: true  # for the profiler
   |                         ^^^^ (1)
(1) high[workload/privileged_container]: container 'app' runs privileged
   = fix: run it unprivileged (may change behaviour)
   = proven: the finding is gone · 2 pods can be scheduled
   = schedules: web-0 → node-a, web-1 → node-b
(2) low[workload/literal_password]: variable PASSWORD holds a password itself
   = fix: none is known
   = change: the fix (may change behaviour)
"""
    )


def test_two_faults_of_one_field_share_its_carets() -> None:
    """One line of the file, one line of carets, two numbers."""
    other = replace(world.literal(), path=world.PRIVILEGED)
    text = screen(world.audit(world.privileged(), other))
    assert text.count("privileged: true  # for the profiler") == 1
    assert "                         ^^^^ (1) (2)\n" in text


def test_the_same_fault_of_many_containers_is_told_once() -> None:
    """Each container is named, and the way out is told once."""
    second = world.privileged(path=world.CONTAINER, message="container 'b' runs privileged")
    text = screen(world.audit(world.privileged(), replace(second, anchor="b")))
    assert "runs privileged\n    … container 'b' runs privileged\n   = fix:" in text
    assert text.count("= fix") == 1


def test_the_same_faults_of_many_objects_are_one_block() -> None:
    """The first is shown, every other is named with its places and containers: nothing is lost."""
    shops = [_shop(number) for number in range(3)]
    found = [one for number, web in enumerate(shops) for one in _faults(web, f"c{number}")]
    audit = replace(world.audit(*found), snapshot=Snapshot(tuple(shops)))
    text = screen(audit)
    assert text.count("high[") == 1
    assert (
        "   = same: in 2 other objects:\n"
        "     k8s/web1.yaml:16:25, 14:22  shop/web1[Deployment] 'c1'\n"
        "     k8s/web2.yaml:16:25, 14:22  shop/web2[Deployment] 'c2'\n"
    ) in text
    assert "6 findings: 3 high, 3 low;" in text


def test_what_is_said_in_other_words_is_said() -> None:
    """A folded object whose message differs by more than its container's name keeps its message."""
    shops = [_shop(number) for number in range(2)]
    first, second = (world.privileged(web) for web in shops)
    second = replace(second, message="container 'app' runs privileged, and on the host's network")
    text = screen(replace(world.audit(first, second), snapshot=Snapshot(tuple(shops))))
    assert (
        "       high[workload/privileged_container]: container 'app' runs privileged, and" in text
    )


def test_other_folders_have_causes_of_their_own() -> None:
    """Whoever wrote the one did not write the other."""
    shops = (_shop(0, "one"), _shop(1, "two"))
    audit = replace(world.audit(*map(world.privileged, shops)), snapshot=Snapshot(shops))
    assert screen(audit).count("high[workload/privileged_container]") == 2


def test_a_fault_with_a_story_stands_alone() -> None:
    """Its reasons are its own: folding it would hide who reaches what."""
    shops = (_shop(0), _shop(1))
    found = [world.exposed(web, web) for web in shops]
    text = screen(replace(world.audit(*found), snapshot=Snapshot(shops)))
    assert text.count("critical[data/not_isolated]") == 2
    assert text.count("= why: web reaches it") == 2


def test_fixes_of_one_object_are_one_diff() -> None:
    """As they would be written together; each is proven alone."""
    first = world.unprivileged()
    step = Operation("replace", (*world.CONTAINER, "image"), "registry.example/web:1.0.1")
    image = TextEdit("k8s/web.yaml", Span(11, 18, 11, 44), "registry.example/web:1.0.1")
    second = replace(first, title="take the newer", edits=(image,),
                     changes=(Change(world.WEB_FILE, (step,)),))  # fmt: skip
    newer = replace(world.literal(), path=(*world.CONTAINER, "image"), fix=second)
    text = screen(world.audit(world.privileged(fix=first), newer))
    assert "   = change: the 2 fixes (may change behaviour)\n" in text
    assert text.count("--- a/k8s/web.yaml") == 1
    assert "| +            privileged: false" in text
    assert "| +          image: registry.example/web:1.0.1" in text


def test_a_brief_report_has_a_line_for_each_finding() -> None:
    """For grep, and for an editor that jumps to places."""
    audit = world.audit(world.literal(), world.privileged())
    text = render("text", audit, paths=("k8s",), terminal=None, brief=True)
    assert text.splitlines()[0] == (
        "k8s/web.yaml:16:25: high[workload/privileged_container]: "
        "container 'app' runs privileged (shop/web[Deployment])"
    )
    assert len(text.splitlines()) == 2 + 3


@pytest.mark.usefixtures("plain")
def test_forty_columns_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is to be copied is longer: commands, and the paths of files."""
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("NO_COLOR", "1")
    shops = [_shop(number) for number in range(3)]
    found = [one for number, web in enumerate(shops) for one in _faults(web, f"c{number}")]
    audit = replace(world.audit(*found, world.exposed(fix=world.guarded())),
                    snapshot=Snapshot((*shops, world.DB_FILE, world.WEB_FILE)))  # fmt: skip
    text = render("text", audit, paths=("k8s",), terminal=Screen())
    assert [line for line in text.splitlines() if len(line) > 40 and "next: " not in line] == []


def test_what_has_no_answer_is_counted() -> None:
    """A policy that could not be asked, one that failed on an object, and what was not read."""
    gaps = (
        Gap.of_policy("data/not_isolated", "not assessed: no list"),
        Gap.of_policy(world.LITERAL.id, "failed", ref=world.WEB_FILE.ref),
        world.NOT_READ,
    )
    text = screen(world.audit(gaps=gaps))
    assert "; not assessed: 2 of 3 questions (66.7 %), and what 1 gap may hide\n" in text
