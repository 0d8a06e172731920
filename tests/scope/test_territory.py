"""A declared scope limits what is told, never what is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from auditor.audit import audit
from auditor.errors import NothingToAuditError
from auditor.fixes.offer import with_fixes
from auditor.model import Audit, Gap, Origin, Resource, Settings, Snapshot, Unseen
from auditor.scope.territory import Territory, check, words
from auditor.sources.files import FileSource
from auditor.terms import Scope
from tests.bench import bench, told
from tests.cli.command import PEAPODS
from tests.company import OBJECTS, made
from tests.facts.network.cluster import NOWHERE, NoLines, namespace, resource

PRIVILEGED = "workload/privileged_container"


def scoped(objects: Any, *names: str, **limits: Any) -> Audit:
    return audit(Snapshot(tuple(objects)), bench(*names), Settings(scope=Scope(**limits)))


def at(one: Resource, uri: str) -> Resource:
    return replace(one, origin=Origin(uri, NoLines()))


WEB = made("Deployment", "web", "", {"app": "web"}, bad=True)
API = made("Deployment", "api", "", {"app": "api"}, bad=True)
ELSEWHERE = resource(
    {**WEB.manifest, "metadata": {"name": "web", "namespace": "lab", "labels": {"app": "web"}}}
)
NODE = resource({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}})
ALL = (WEB, API, ELSEWHERE, NODE, namespace("shop"), namespace("lab"))


@pytest.mark.parametrize(
    ("limits", "names"),
    [
        ({}, ["lab/web", "shop/api", "shop/web"]),
        ({"namespaces": ("shop",)}, ["shop/api", "shop/web"]),
        ({"namespaces": ("s*", "none")}, ["shop/api", "shop/web"]),
        ({"selector": "app=web"}, ["lab/web", "shop/web"]),
        ({"namespaces": ("shop",), "selector": "app!=web"}, ["shop/api"]),
        ({"include": ("shop/web[Deployment]",)}, ["shop/web"]),
        ({"include": ("shop/w?b", "lab/*")}, ["lab/web", "shop/web"]),
        ({"include": ("shop/*[Pod]",)}, []),
        ({"exclude": ("*/web",)}, ["shop/api"]),
        ({"include": ("shop/*",), "exclude": ("shop/web",)}, ["shop/api"]),
    ],
)
def test_findings_are_told_within_the_scope(limits: Any, names: list[str]) -> None:
    """Each way to limit it narrows what the others leave."""
    answer = scoped(ALL, PRIVILEGED, **limits)
    assert sorted(str(f.ref).partition("[")[0] for f in answer.findings) == names
    assert answer.judged == len(names)


def test_objects_outside_are_counted() -> None:
    """A node is in no namespace; a Namespace is where its objects are."""
    assert scoped(ALL, PRIVILEGED, namespaces=("shop",)).outside == 3
    assert scoped(ALL, PRIVILEGED).outside == 0


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        ("vendor/", ["vendor/a.yaml", "k8s/vendor/b/c.yaml"]),
        ("./vendor/", ["vendor/a.yaml", "k8s/vendor/b/c.yaml"]),
        ("k8s/**", ["k8s/vendor/b/c.yaml", "k8s/x.prod.yaml"]),
        ("*.prod.yaml", ["k8s/x.prod.yaml"]),
        ("k8s/*.yaml", ["k8s/x.prod.yaml"]),
        ("k8s/**/c.yaml", ["k8s/vendor/b/c.yaml"]),
        ("vendor", []),
    ],
)
def test_a_pattern_of_files_fits_as_gitignore_does(pattern: str, fits: list[str]) -> None:
    """One star stays within a folder, two do not, and a folder is all that is in it."""
    uris = ("vendor/a.yaml", "k8s/vendor/b/c.yaml", "k8s/x.prod.yaml")
    objects = [at(WEB, uri) for uri in uris]
    territory = Territory(Snapshot(tuple(objects)), Scope(include=(pattern,)))
    assert [r.origin.uri for r in objects if territory.holds(r)] == fits


def test_a_broken_file_that_is_excluded_is_no_gap() -> None:
    """Who leaves a folder out does not want to hear of it."""
    broken = Gap("vendor/x.yaml:3", "no YAML", Unseen.INCOMPLETE, ("*",))
    snapshot = Snapshot((at(WEB, "k8s/web.yaml"), at(API, "vendor/y.yaml")), (broken,))
    for exclude, gaps in (((), (broken,)), (("vendor/",), ())):
        settings = Settings(scope=Scope(exclude=exclude))
        assert audit(snapshot, bench(PRIVILEGED), settings).gaps == gaps


def test_the_labels_of_a_template_select_its_workload() -> None:
    """Nobody who selects pods may miss what makes them."""
    bare = resource({**WEB.manifest, "metadata": {"name": "web", "namespace": "shop"}})
    assert told(scoped([bare], PRIVILEGED, selector="app=web")) == [
        f"{PRIVILEGED} shop/web[Deployment]"
    ]


def test_facts_know_what_is_outside() -> None:
    """Whoever reaches the data from another namespace is still told."""
    exposed = "data/personal_data_not_isolated"
    company = FileSource((str(PEAPODS),)).snapshot()
    whole = audit(company, bench(exposed), Settings())
    within = audit(company, bench(exposed), Settings(scope=Scope(namespaces=("customers",))))
    assert [f.evidence for f in within.findings] == [
        f.evidence for f in whole.findings if f.ref.namespace == "customers"
    ]
    assert within.findings


def test_a_fix_is_proven_against_what_is_outside() -> None:
    """What is wrong elsewhere already is nothing that a fix brings; its proof holds as it did."""
    whole = audit(Snapshot(OBJECTS), bench(), Settings())
    limited = Settings(scope=Scope(namespaces=("customers",)))
    within = audit(Snapshot(OBJECTS), bench(), limited)
    before = {f.fingerprint: f.fix for f in with_fixes(whole, bench(), Settings()).findings}
    for finding in with_fixes(within, bench(), limited).findings:
        assert finding.fix == before[finding.fingerprint]


def test_a_scope_that_fits_nothing_is_no_clean_answer() -> None:
    """A mistyped namespace has no findings; the right one is proposed."""
    with pytest.raises(NothingToAuditError, match=r"namespace shpo.*did you mean 'shop'\?"):
        check(Snapshot(ALL), Scope(namespaces=("shpo",)))
    check(Snapshot(ALL), Scope(namespaces=("shop",)))
    check(Snapshot(ALL), Scope())


def test_where_something_could_not_be_read_that_is_told_instead() -> None:
    """What is within the scope may be there."""
    broken = Gap("x.yaml", "no YAML", Unseen.INCOMPLETE, ("*",))
    check(Snapshot(ALL, (broken,)), Scope(namespaces=("shpo",)))


def test_one_pattern_of_several_that_fits_nothing_is_told() -> None:
    """The rest of the scope is audited."""
    answer = scoped(ALL, PRIVILEGED, namespaces=("shop", "lba"), exclude=("shop/old",))
    assert [(gap.what, gap.severity) for gap in answer.gaps] == [
        ("namespace 'lba' of the scope", Unseen.UNKNOWN),
        ("pattern 'shop/old' of scope.exclude", Unseen.UNKNOWN),
    ]
    assert "did you mean 'lab'?" in answer.gaps[0].why


def test_gaps_of_objects_outside_are_not_told() -> None:
    """A pod that cannot be read elsewhere says nothing of this namespace."""
    ill = resource(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "x", "namespace": "lab"},
            "spec": {"containers": 3},
        }
    )
    assert len(scoped([WEB, ill], PRIVILEGED).gaps) == 1
    assert scoped([WEB, ill], PRIVILEGED, namespaces=("shop",)).gaps == ()


def test_a_scope_is_said_in_words() -> None:
    """Once, and only where there is one."""
    scope = Scope(("shop", "lab"), "app=web", ("shop/*",), ("vendor/",), "platform")
    assert words(scope) == (
        "within scope: namespace shop or lab; labels app=web; shop/*; not vendor/; "
        "platform workloads"
    )
    assert words(Scope()) == words(None) == ""
    assert NOWHERE.authorship.tool == ""
