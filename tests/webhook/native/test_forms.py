"""The CEL forms of policies: what they may say, and what is said of a wrong one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from auditor.declared import Admission, Mode
from auditor.errors import PolicyError
from auditor.grades import Severity
from auditor.model import Policy, Settings
from auditor.policies.loader import load
from auditor.policies.ours import bundled
from auditor.webhook.native.forms import ENDING, Forms
from auditor.webhook.native.manifests import Export, Terms, export

REGO = """\
# METADATA
# title: Loud
# description: It is loud.
# custom:
#   severity: high
#   fix: manual
package policies.own.loud

deny contains finding if {
	input.object.loud == true
	finding := {"path": ["loud"], "message": "is loud"}
}
"""
EVERYTHING = Admission(Mode.WARN, Severity.INFO)


def policy(folder: Path, form: str, lib: str = "") -> tuple[Policy, ...]:
    """A policy of somebody's own with this CEL form, and definitions beside our own."""
    (folder / "own").mkdir()
    (folder / "lib").mkdir()
    (folder / "own" / "loud.rego").write_text(REGO, "utf-8")
    (folder / "own" / "loud.cel.yaml").write_text(form, "utf-8")
    (folder / "lib" / "loud.cel.yaml").write_text(lib, "utf-8")
    return load(folder)[0]


def exported(policies: tuple[Policy, ...], kubernetes: int = 136) -> Export:
    """All that CEL can express of them."""
    return export(policies, Terms(Settings(kubernetes=kubernetes), EVERYTHING))


def variables(done: Export) -> dict[str, str]:
    """Name → CEL of the first policy that was exported."""
    return {each["name"]: each["expression"] for each in done.manifests[0]["spec"]["variables"]}


def test_a_form_beside_the_policy_is_all_that_is_needed(tmp_path: Path) -> None:
    """Of whoever wrote the policy. What it does not use is not written."""
    form = "deny: [{for: [container in containers], when: container.name == 'a'}]\n"
    found = variables(exported(policy(tmp_path, form)))
    assert "contexts" not in found
    assert found["found"] == (
        "variables.containers.filter(container, container.name == 'a').map(container, '')"
    )
    assert "variables.old_containers.filter" in found["before"]


def test_the_form_that_the_documents_show_works(tmp_path: Path) -> None:
    """Copied as it stands."""
    page = (Path(__file__).parents[3] / "docs" / "native-floor.md").read_text("utf-8")
    [form] = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    found = variables(exported(policy(tmp_path, form)))
    assert found["loud"] == "['ALL', 'SYS_ADMIN']"
    assert "filter(name, name in variables.loud)" in found["found"]


def test_names_in_texts_and_fields_stay_as_they_are(tmp_path: Path) -> None:
    """Only the names themselves are variables."""
    form = "let: {word: \"'pod'\"}\ndeny:\n  - when: pod.pod == 'pod' && pod.?word == word\n"
    found = variables(exported(policy(tmp_path, form)))
    wanted = "variables.pod.pod == 'pod' && variables.pod.?word == variables.word"
    assert found["found"] == f"({wanted} ? [''] : [])"
    assert "old_word" not in found  # it says nothing of the object


def test_definitions_of_the_folder_are_shared(tmp_path: Path) -> None:
    """As the Rego of lib/ is, and ours with them."""
    form = "deny: [{when: deafening && windows}]\n"
    found = variables(exported(policy(tmp_path, form, "let: {deafening: object.loud}\n")))
    assert found["deafening"] == "dyn(object).loud"
    assert found["old_deafening"] == "dyn(oldObject).loud"


def test_rules_hold_for_versions(tmp_path: Path) -> None:
    """A rule that is not asked for the version is left out, and a policy without any, too."""
    form = "deny: [{when: 'kubernetes > 1', since: 130, until: 135}]\n"
    policies = policy(tmp_path, form)
    assert variables(exported(policies, 130))["found"] == "(130 > 1 ? [''] : [])"
    assert not exported(policies, 136).manifests
    assert exported(policies, 129).left[0].why == "it asks nothing of Kubernetes 1.29"


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ("deny: [", "is no YAML"),
        ("deny: 3", "loud.cel.yaml: deny: "),
        ("deny: [{when: 'true', where: x}]", "loud.cel.yaml: deny.0.where: "),
        ("{}", "either 'deny' or 'inexpressible'"),
        ("{inexpressible: no, deny: []}", "loud.cel.yaml: inexpressible: "),
        ("deny: [{when: 'true', for: [container of containers]}]", "is not 'NAME in LIST'"),
        ("deny: [{when: 'true', for: ['pod in [1]']}]", "no loop can have it: pod"),
        ("deny: [{when: '[1].all(pod, pod > 0)'}]", "no loop can have it: pod"),
        ("let: {each: '1'}\ndeny: [{when: each > 0}]", "no loop can have it: each"),
        ("let: {a: b, b: a}\ndeny: [{when: a}]", "defined in a circle: a, b"),
        ("let: {windows: 'true'}\ndeny: [{when: windows}]", "defined in lib/ already: windows"),
        ("let: {pod: 'true'}\ndeny: [{when: pod}]", "every form has it already: pod"),
    ],
)
def test_a_wrong_form_is_told_with_its_file(tmp_path: Path, form: str, why: str) -> None:
    """And nothing is exported."""
    with pytest.raises(PolicyError, match=r"loud\.cel\.yaml") as error:
        exported(policy(tmp_path, form))
    assert why in str(error.value)


def test_two_definitions_of_one_name_are_told(tmp_path: Path) -> None:
    """One would change what ours mean."""
    with pytest.raises(PolicyError, match="defined twice: windows"):
        exported(policy(tmp_path, "deny: [{when: windows}]", "let: {windows: 'true'}"))


def test_every_form_of_ours_is_one_of_a_policy() -> None:
    """Beside it: a form that is nobody's would never be read."""
    forms = [file for file in bundled().rglob(f"*{ENDING}") if file.parent.name != "lib"]
    assert len(forms) > 70
    for file in forms:
        assert file.with_name(file.name.replace(ENDING, ".rego")).is_file(), file


def test_no_shared_definition_is_idle() -> None:
    """Each is used by some form."""
    parameters = {"image/undeclared_registry": {"registries": ["registry.example"]}}
    settings = Settings(kubernetes=136, parameters=parameters)
    done = export(load()[0], Terms(settings, EVERYTHING)).manifests
    policies = [each for each in done if each["kind"] == "ValidatingAdmissionPolicy"]
    used = {each["name"] for policy in policies for each in policy["spec"]["variables"]}
    assert Forms(()).shared.keys() <= used
