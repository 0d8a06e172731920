"""Roles that keep what was used: nothing that was used is lost, nothing is gained."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.facts.access import Authorizer, Request
from auditor.facts.access.smallest import smallest
from auditor.fixes.smallest_role import Minimized, minimized
from auditor.model import Snapshot
from tests.bench import judged, objects

WEB = "system:serviceaccount:shop:web"
ACCOUNTS = frozenset(("system:serviceaccounts", "system:authenticated"))
RIGHTS = """
    apiVersion: rbac.authorization.k8s.io/v1
    kind: ClusterRole
    metadata: {name: all}
    rules:
      - {apiGroups: ["*"], resources: ["*"], verbs: ["*"]}
      - {nonResourceURLs: ["*"], verbs: ["*"]}
    ---
    apiVersion: rbac.authorization.k8s.io/v1
    kind: ClusterRoleBinding
    metadata: {name: admins, labels: {team: ops}, resourceVersion: "7"}
    roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: all}
    subjects:
      - {kind: ServiceAccount, name: web, namespace: shop}
      - {kind: Group, apiGroup: rbac.authorization.k8s.io, name: ops}
"""


def _asked(verb: str, resource: str, namespace: str = "", name: str = "", **more: str) -> Request:
    return Request(WEB, ACCOUNTS, verb, namespace, more.get("group", ""), resource, name=name)


def _snapshot(*texts: str) -> Snapshot:
    return Snapshot(tuple(each for text in texts for each in objects(text)))


def _rules(answer: Minimized) -> dict[str, list[str]]:
    """By the namespace of each role that is made, its rules, on one line each."""
    roles = [each for each in answer.objects if each.ref.kind in ("Role", "ClusterRole")]
    return {
        each.ref.namespace: [yaml.safe_dump(rule, default_flow_style=True, width=999).strip()
                             for rule in each.manifest["rules"]]
        for each in roles
    }  # fmt: skip


def test_what_was_used_is_kept_as_narrow_as_it_was() -> None:
    """By namespace; an object is named where every request names one; paths too."""
    used = [
        _asked("get", "secrets", "shop", "db"),
        _asked("get", "secrets", "shop", "tls"),
        _asked("list", "pods", "shop"),
        _asked("get", "pods", "shop", "web-0"),
        _asked("get", "pods", "shop"),
        _asked("list", "nodes"),
        Request(WEB, ACCOUNTS, "get", path="/metrics"),
    ]
    answer = minimized(_snapshot(RIGHTS), used)
    assert _rules(answer) == {
        "": [
            "{apiGroups: [''], resources: [nodes], verbs: [list]}",
            "{nonResourceURLs: [/metrics], verbs: [get]}",
        ],
        "shop": [
            "{apiGroups: [''], resources: [pods], verbs: [get, list]}",
            "{apiGroups: [''], resourceNames: [db, tls], resources: [secrets], verbs: [get]}",
        ],
    }


def test_objects_that_come_back_under_other_names_need_not_be_named() -> None:
    """As far as that was allowed: a rule for one object stays one for it."""
    used = [_asked("get", "pods", "shop", "web-x7"), _asked("get", "secrets", "shop", "db")]
    wide = minimized(_snapshot(RIGHTS), used, any_name=("pods",))
    assert _rules(wide)["shop"] == [
        "{apiGroups: [''], resources: [pods], verbs: [get]}",
        "{apiGroups: [''], resourceNames: [db], resources: [secrets], verbs: [get]}",
    ]
    one = 'resources: [pods], resourceNames: [web-x7], verbs: ["*"]'
    narrow = RIGHTS.replace('resources: ["*"], verbs: ["*"]', one)
    kept = minimized(_snapshot(narrow), used, any_name=("pods",))
    assert _rules(kept)["shop"] == [
        "{apiGroups: [''], resourceNames: [web-x7], resources: [pods], verbs: [get]}"
    ]


def test_the_old_binding_keeps_everybody_else_and_comes_last() -> None:
    """It is given before it is taken; of a live object, only what somebody wrote is applied."""
    answer = minimized(_snapshot(RIGHTS), [_asked("list", "pods", "shop")])
    *made, old = answer.objects
    assert [each.ref.kind for each in made] == ["Role", "RoleBinding"]
    assert [each["name"] for each in old.manifest["subjects"]] == ["ops"]
    assert old.manifest["metadata"] == {"name": "admins", "labels": {"team": "ops"}}
    assert [each.name for each in answer.unused] == ["ops"]


def test_the_fault_of_the_old_role_is_nobodys_any_more() -> None:
    """Its finding was high; what is left of it is a role that binds nobody, which is named."""
    alone = "\n".join(line for line in RIGHTS.splitlines() if "name: ops" not in line)
    before = _snapshot(alone)
    answer = minimized(before, [_asked("list", "pods", "shop")])
    policies = ("access/every_right", "access/wildcards")
    was = judged(before.resources, *policies)
    now = judged(before.replacing(*answer.objects).resources, *policies)
    assert [finding.severity.value for finding in was.findings] == ["high"]
    assert [finding.severity.value for finding in now.findings] == ["low"]
    assert [ref.name for ref in answer.idle] == ["admins", "all"]


def test_what_the_cluster_keeps_needs_no_role_in_a_namespace() -> None:
    used = [_asked("list", "pods"), _asked("list", "pods", "shop")]
    assert _rules(minimized(_snapshot(RIGHTS), used)).keys() == {""}


def test_what_was_not_allowed_is_not_given() -> None:
    reader = RIGHTS.replace('resources: ["*"], verbs: ["*"]', "resources: [pods], verbs: [list]")
    used = [_asked("list", "pods", "shop"), _asked("get", "secrets", "shop", "db")]
    answer = minimized(_snapshot(reader), used)
    assert [each.combined for each in answer.denied] == ["secrets"]
    assert _rules(answer)["shop"] == ["{apiGroups: [''], resources: [pods], verbs: [list]}"]


def test_what_everybody_may_do_is_no_reason_for_a_role() -> None:
    answer = minimized(_snapshot(RIGHTS), [Request(WEB, ACCOUNTS, "get", path="/healthz")])
    assert (answer.by_default, answer.objects) == (1, ())


def test_a_group_keeps_what_its_members_used() -> None:
    ann = Request("ann", frozenset(("ops", "system:authenticated")), "list", "shop", "", "pods")
    (one,) = minimized(_snapshot(RIGHTS), [ann]).offered
    assert (one.subject.kind, one.subject.name) == ("Group", "ops")


def test_a_user_whose_name_begins_as_that_of_an_account_is_none() -> None:
    name = "system:serviceaccount:shop"
    rights = RIGHTS.replace("{kind: ServiceAccount, name: web, namespace: shop}",
                            f'{{kind: User, name: "{name}"}}')  # fmt: skip
    used = Request(name, frozenset(("system:authenticated",)), "list", "shop", "", "pods")
    answer = minimized(_snapshot(rights), [used])
    assert [each.objections for each in answer.proposals] == [()]
    binding = next(each for each in answer.objects if each.ref.kind == "RoleBinding")
    [subject] = binding.manifest["subjects"]
    assert (subject["kind"], subject["name"]) == ("User", name)


def test_whoever_hands_on_rights_is_not_cut_by_a_log() -> None:
    """That it had to hold them, or to bind, shows in no request."""
    used = [_asked("create", "rolebindings", "shop", group="rbac.authorization.k8s.io")]
    answer = minimized(_snapshot(RIGHTS), used)
    assert answer.objects == ()
    assert "hands on rights" in answer.proposals[0].objections[0]


def test_an_aggregate_that_would_take_the_new_role_in_is_an_objection() -> None:
    """Its holders would get what they did not have."""
    greedy = """
        apiVersion: rbac.authorization.k8s.io/v1
        kind: ClusterRole
        metadata: {name: greedy}
        aggregationRule:
          clusterRoleSelectors: [{matchExpressions: [{key: x, operator: DoesNotExist}]}]
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: ClusterRoleBinding
        metadata: {name: greedy}
        roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: greedy}
        subjects: [{kind: User, apiGroup: rbac.authorization.k8s.io, name: eve}]
    """
    labelled = RIGHTS.replace("{name: all}", "{name: all, labels: {x: y}}")
    snapshot = _snapshot(labelled, greedy)
    wide = _asked("list", "nodes")
    answer = minimized(snapshot, [wide], assume_defaults=False)
    assert answer.objects == ()
    assert "User eve would hold more than before" in answer.proposals[0].objections
    narrow = Request("ann", frozenset(("ops",)), "list", "shop", "", "pods")
    both = minimized(snapshot, [wide, narrow], assume_defaults=False)
    assert [each.subject.name for each in both.offered] == ["ops"], "it makes no ClusterRole"
    assert both.proposals[0].objections == ("User eve would hold more than before",)


def test_doing_it_again_changes_nothing() -> None:
    """With the same log, in the cluster as it then is."""
    used = [_asked("list", "pods", "shop"), _asked("list", "nodes")]
    before = _snapshot(RIGHTS)
    once = minimized(before, used)
    again = minimized(before.replacing(*once.objects), used)
    made = {each.ref: each.manifest for each in once.objects if each.ref.name != "admins"}
    assert {each.ref: each.manifest for each in again.objects} == made


USERS = (WEB, "ann", "bob")
VERBS, RESOURCES, SPACES, NAMES = ("get", "list"), ("pods", "secrets"), ("", "shop", "x"), ("", "a")
UNIVERSE = [
    Request(user, ACCOUNTS if user == WEB else frozenset(("ops",)), verb, space, "", kind, "", name)
    for user, verb, kind, space, name in product(USERS, VERBS, RESOURCES, SPACES, NAMES)
] + [Request(user, frozenset(), "get", path=path) for user in USERS for path in ("/a/b", "/c")]
RULES = st.fixed_dictionaries(
    {
        "apiGroups": st.sampled_from([[""], ["*"]]),
        "resources": st.sampled_from([["pods"], ["secrets"], ["*"], ["pods", "secrets"]]),
        "verbs": st.sampled_from([["get"], ["list"], ["*"], ["get", "list"]]),
        "resourceNames": st.sampled_from([[], ["a"], ["b"]]),
    }
) | st.just({"nonResourceURLs": ["/a/*"], "verbs": ["get"]})
SUBJECTS = (
    {"kind": "ServiceAccount", "name": "web", "namespace": "shop"},
    {"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "ann"},
    {"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "bob"},
    {"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "ops"},
)
BOUND = st.tuples(
    st.lists(RULES, min_size=1, max_size=3),
    st.sampled_from(["", "shop", "x"]),
    st.lists(st.sampled_from(SUBJECTS), unique_by=lambda each: each["name"], min_size=1),
)


def _written(number: int, rules: list[dict[str, object]], space: str, who: object) -> str:
    rbac = "rbac.authorization.k8s.io"
    kept = [rule for rule in rules if not space or "nonResourceURLs" not in rule]
    role, prefix = f"r{number}", "" if space else "Cluster"
    metadata = {"name": role, **({"namespace": space} if space else {})}
    reference = {"apiGroup": rbac, "kind": "ClusterRole", "name": role}
    made: list[dict[str, object]] = [
        {"kind": "ClusterRole", "metadata": {"name": role}, "rules": kept},
        {"kind": f"{prefix or ''}{'RoleBinding'}", "metadata": metadata, "roleRef": reference,
         "subjects": who},
    ]  # fmt: skip
    return yaml.safe_dump_all({"apiVersion": f"{rbac}/v1", **each} for each in made)


@settings(max_examples=60, deadline=None)
@given(st.lists(BOUND, max_size=4), st.lists(st.sampled_from(UNIVERSE), max_size=12))
def test_nothing_used_is_lost_and_nothing_is_gained(
    bound: list[tuple[list[dict[str, object]], str, object]], used: list[Request]
) -> None:
    """Request by request, over everything that anybody here could ask."""
    before = _snapshot(*(_written(number, *each) for number, each in enumerate(bound)))
    answer = minimized(before, used, assume_defaults=False)
    assert [each.objections for each in answer.proposals if each.objections] == []
    was = Authorizer.of(before, assume_defaults=False)
    now = Authorizer.of(before.replacing(*answer.objects), assume_defaults=False)
    kept = {r for r in used if was.answer(r).allowed}
    for request in UNIVERSE:
        allowed = now.answer(request).allowed
        assert allowed <= was.answer(request).allowed
        assert allowed or request not in kept


@given(st.lists(st.sampled_from(UNIVERSE), max_size=10))
def test_the_rules_allow_what_was_asked_and_nothing_beside_it(used: list[Request]) -> None:
    """Of one who was seen, everything is allowed that differs from nothing that was asked: an
    object of another name counts where one was asked for without a name, another namespace where
    it was asked of all.
    """
    rules = smallest(used)
    for request in UNIVERSE:
        held = [*rules.get(None, ()), *(rules.get(request.namespace or None, ()))]
        assert any(rule.allows(request) for rule in held) == _is_used(request, used)


def _is_used(request: Request, used: Iterable[Request]) -> bool:
    return any(
        (one.verb, one.resource, one.path) == (request.verb, request.resource, request.path)
        and one.namespace in ("", request.namespace)
        and one.name in ("", request.name)
        for one in used
    )
