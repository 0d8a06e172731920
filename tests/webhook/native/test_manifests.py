"""What is exported: the policies, what they are about and what becomes of their faults. Whether
they say what our audit says is asked of a real API server: tests/e2e/test_native_floor.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.declared import Admission, AdmissionRule, Mode, Waiver
from auditor.facts.workloads import TEMPLATES
from auditor.grades import Severity
from auditor.model import Manifest, Policy, Settings
from auditor.policies.loader import load
from auditor.sources.kinds import KINDS
from auditor.webhook import registration
from auditor.webhook.native import manifests
from auditor.webhook.native.bindings import bindings
from auditor.webhook.native.manifests import Export, Terms, name_of
from auditor.webhook.registration import registered

POLICIES = {policy.id: policy for policy in load()[0]}
EVERYTHING = Admission(Mode.AUDIT, Severity.INFO)
PARAMETERS = {"image/undeclared_registry": {"registries": ["registry.example"]}}
SETTINGS = Settings(kubernetes=136, parameters=PARAMETERS)
PRIVILEGED = POLICIES["workload/privileged_container"]


def export(
    policies: Iterable[Policy], settings: Settings, terms: Admission, *, static: bool = False
) -> Export:
    """What is exported for these terms."""
    return manifests.export(policies, Terms(settings, terms, static))


@pytest.fixture(scope="module")
def everything() -> Export:
    """All that can be exported."""
    return export(POLICIES.values(), SETTINGS, EVERYTHING)


def policies_of(done: Export) -> Iterator[Manifest]:
    """Without the bindings."""
    return (each for each in done.manifests if each["kind"] == "ValidatingAdmissionPolicy")


def test_the_same_is_said_each_time(everything: Export) -> None:
    """In the same order, so that it can be kept under version control."""
    again = export(reversed(POLICIES.values()), SETTINGS, EVERYTHING)
    assert again == everything


def test_every_policy_is_exported_or_named(everything: Export) -> None:
    """With why it is not, in one line."""
    left = {each.policy: each.why for each in everything.left}
    done = {each["metadata"]["annotations"]["auditor/policy"] for each in policies_of(everything)}
    assert done | left.keys() == POLICIES.keys()
    assert not done & left.keys()
    assert all(why and "\n" not in why for why in left.values())


def test_every_control_of_the_pod_security_standards_is_exported(everything: Export) -> None:
    """Each policy that answers for one has its CEL form."""
    of_standards = {p.id for p in POLICIES.values() if any("pss-" in c for c in p.controls)}
    done = {each["metadata"]["annotations"]["auditor/policy"] for each in policies_of(everything)}
    assert of_standards <= done


def test_variables_are_defined_before_they_are_used(everything: Export) -> None:
    """The API server refuses a policy that looks ahead."""
    for policy in policies_of(everything):
        known: set[str] = set()
        for variable in policy["spec"]["variables"]:
            assert set(re.findall(r"variables\.(\w+)", variable["expression"])) <= known
            known.add(variable["name"])
        assert known >= {"found", "before", "added"}


def test_the_old_state_is_read_where_there_is_one_alone(everything: Export) -> None:
    """Variables of the old object are used by each other and behind the question whether it is."""
    for policy in policies_of(everything):
        for variable in policy["spec"]["variables"]:
            if variable["name"] == "before":
                assert variable["expression"].startswith("oldObject == null ? [] : ")
            elif (
                "variables.old_" in variable["expression"]
                or "(oldObject)" in variable["expression"]
            ):
                assert variable["name"].startswith("old_")


def test_every_kind_of_pods_is_matched() -> None:
    """With the subresources by which a pod changes, and whatever version is asked for."""
    [policy, _] = export([PRIVILEGED], SETTINGS, EVERYTHING).manifests
    constraints = policy["spec"]["matchConstraints"]
    matched = {
        (group, resource)
        for rule in constraints["resourceRules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    served = {(k.group, k.plural) for k in KINDS if (k.group, k.kind) in TEMPLATES}
    assert matched == served | {("", "pods/ephemeralcontainers"), ("", "pods/resize")}
    assert constraints["matchPolicy"] == "Equivalent"
    assert {op for rule in constraints["resourceRules"] for op in rule["operations"]} == {
        "CREATE", "UPDATE",
    }  # fmt: skip


def test_facts_cannot_be_exported() -> None:
    """An expression sees one object; which facts are missing is said."""
    [left] = export([POLICIES["workload/default_service_account"]], SETTINGS, EVERYTHING).left
    assert left.why == "an expression sees one object, and it asks of the cluster: identity"


def test_parameters_are_compiled_in() -> None:
    """And without any, there is nothing to ask."""
    policy = POLICIES["image/undeclared_registry"]
    [done, _] = export([policy], SETTINGS, EVERYTHING).manifests
    told = {each["name"]: each["expression"] for each in done["spec"]["variables"]}
    assert told["parameters"] == '{"registries": ["registry.example"]}'
    [left] = export([policy], Settings(), EVERYTHING).left
    assert left.why == "nothing is declared for it: registries"


def test_a_parameter_cannot_become_an_expression() -> None:
    """Whatever is in it stays a text."""
    registries = ['"] + object.x + ["', "a\\", "b\n'", "\N{WHALE}"]
    hostile = {"image/undeclared_registry": {"registries": registries}}
    settings = Settings(parameters=hostile)
    [done, _] = export([POLICIES["image/undeclared_registry"]], settings, EVERYTHING).manifests
    told = {each["name"]: each["expression"] for each in done["spec"]["variables"]}
    assert told["parameters"] == (  # CEL has no escapes for halves of a character
        '{"registries": ["\\"] + object.x + [\\"", "a\\\\", "b\\n\'", "\N{WHALE}"]}'
    )


@pytest.mark.parametrize(
    ("mode", "action"), [("deny", "Deny"), ("warn", "Warn"), ("audit", "Audit")]
)
def test_the_mode_is_that_of_the_binding(mode: str, action: str) -> None:
    """One binding where it is the same everywhere."""
    [policy, binding] = export([PRIVILEGED], SETTINGS, Admission(Mode(mode))).manifests
    assert binding["spec"] == {
        "policyName": policy["metadata"]["name"],
        "validationActions": [action],
    }


def test_names_of_files_have_their_suffix() -> None:
    """The API server takes no other names from files, and these from nobody else."""
    [policy, binding] = export([PRIVILEGED], SETTINGS, EVERYTHING, static=True).manifests
    name = "auditor.workload.privileged-container.static.k8s.io"
    assert policy["metadata"]["name"] == binding["metadata"]["name"] == name
    assert binding["spec"]["policyName"] == name
    assert name == name_of("workload/privileged_container", static=True)


def test_patterns_over_namespaces_cannot_be_exported() -> None:
    """A binding selects whole names."""
    terms = Admission(rules=(AdmissionRule(Mode.DENY, namespaces=("team-*",)),))
    [left] = export([PRIVILEGED], SETTINGS, terms).left
    assert left.why == "a binding selects namespaces by their whole names, and not by 'team-*'"


NAMESPACES = ("shop", "diets", "lab", "other")
SOME = st.lists(st.sampled_from(NAMESPACES[:3]), max_size=2).map(tuple)
RULES = st.builds(
    AdmissionRule,
    mode=st.sampled_from(Mode),
    policies=st.sampled_from([(), ("workload",), ("image/*",), (PRIVILEGED.id,)]),
    namespaces=SOME,
    severity=st.sampled_from([None, *Severity]),
)
TERMS = st.builds(
    Admission, st.sampled_from(Mode), st.sampled_from(Severity), st.lists(RULES).map(tuple)
)


@given(TERMS, st.sampled_from([PRIVILEGED, POLICIES["image/latest_tag"]]))
def test_bindings_say_what_the_webhook_would_do(terms: Admission, policy: Policy) -> None:
    """In every namespace the same mode, once."""
    for namespace in NAMESPACES:
        fitting = [
            bound.mode
            for bound in bindings(policy, terms)
            if (namespace in bound.namespaces) == (bound.operator == "In")
        ]
        wanted = terms.mode_of(policy.names, policy.severity, namespace)
        assert fitting == ([wanted] if wanted else [])


def test_bindings_of_one_policy_have_names_of_their_own() -> None:
    """And each selects its namespaces."""
    rules = (AdmissionRule(Mode.DENY, namespaces=("shop",)),)
    done = export([PRIVILEGED], SETTINGS, Admission(rules=rules))
    [_, denied, told] = done.manifests
    assert denied["metadata"]["name"] != told["metadata"]["name"]
    assert denied["spec"]["validationActions"] == ["Deny"]
    [chosen] = denied["spec"]["matchResources"]["namespaceSelector"]["matchExpressions"]
    assert (chosen["operator"], chosen["values"]) == ("In", ["shop"])
    [others] = told["spec"]["matchResources"]["namespaceSelector"]["matchExpressions"]
    assert (others["operator"], others["values"]) == ("NotIn", ["shop"])


def _found(waiver: Waiver) -> str:
    settings = Settings(kubernetes=136, waivers=(waiver,))
    policy, _ = export([PRIVILEGED], settings, EVERYTHING).manifests
    said = {each["name"]: each["expression"] for each in policy["spec"]["variables"]}
    assert ("filter(anchor, " in said["before"]) == ("filter(anchor, " in said["found"])
    found: str = said["found"]
    return found


def test_what_somebody_answers_for_is_no_fault() -> None:
    """A central waiver is written into the policy, as far as it is about it and holds today."""
    waived = _found(Waiver("workload/*", "shop/web-?[Pod]", "known", anchor="a.b"))
    assert r"matches('(?s)^shop/web-.\\x{5b}Pod\\x{5d}$')" in waived
    assert r"anchor.matches('(?s)^a\\x{2e}b$')" in waived
    for other in (
        Waiver("image/*", "*", "another policy"),
        Waiver("workload/*", "*", "it has ended", until="2020-01-01"),
        Waiver("workload/*", "*", "the object's own word", inline=True),
    ):
        assert "filter(anchor, " not in _found(other)


def test_an_object_without_a_namespace_can_be_waived() -> None:
    """Nothing is asked for that such an object lacks: the server takes an error for a fault."""
    waived = _found(Waiver("workload/*", "cluster-wide", "known"))
    assert "has(dyn(object).metadata.namespace) ? " in waived
    assert "request.namespace" not in waived


def test_no_waiver_becomes_an_expression() -> None:
    """Whatever is in it stays a text."""
    waived = _found(Waiver("*", "') || true || ('\\", "hostile"))
    assert "') || true" not in waived
    assert r"\\x{27}\\x{29}" in waived


def test_how_long_a_waiver_holds_is_written_down() -> None:
    """The server knows no calendar: the policies have to be exported again."""
    settings = Settings(waivers=(Waiver("*", "*", "for now", until="2999-01-01"),))
    policy, _ = export([PRIVILEGED], settings, EVERYTHING).manifests
    assert policy["metadata"]["annotations"]["auditor/waived-until"] == "2999-01-01"


def test_the_same_namespaces_and_users_as_by_the_webhook_are_left_out() -> None:
    """So that a cluster starts."""
    [policy, _] = export([PRIVILEGED], SETTINGS, EVERYTHING).manifests
    [webhook] = registered(None, registration.Terms(), service="auditor/auditor")["webhooks"]
    [ours] = policy["spec"]["matchConstraints"]["namespaceSelector"]["matchExpressions"]
    [theirs] = webhook["namespaceSelector"]["matchExpressions"]
    assert set(theirs["values"]) - set(ours["values"]) == {"auditor"}  # its own
    assert policy["spec"]["matchConditions"] == webhook["matchConditions"]
