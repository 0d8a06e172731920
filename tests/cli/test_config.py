"""The configuration is read strictly, and what is wrong is named with file, line and field."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema_rs
import pytest
import yaml

from auditor.cli.config import Config, load
from auditor.errors import ConfigError

ROOT = Path(__file__).parents[2]


def wrong(folder: Path, text: str) -> str:
    """What is said of a wrong configuration."""
    (folder / ".auditor.yaml").write_text(text, "utf-8")
    with pytest.raises(ConfigError) as caught:
        load(None, folder)
    return str(caught.value).removeprefix(f"{folder}/")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("inlineWaiver: []\n", "1: inlineWaiver: there is no such key; did you mean 'inlineW"),
        ("\n\nwaivers:\n  - policy: a\n    object: b\n", "4: waivers.0.reason: field required"),
        ("waivers:\n  - {policy: a, object: b, reason: ' '}\n", "2: waivers.0.reason: "),
        ("waivers:\n  - {policy: a, object: b, reson: c}\n", "2: waivers.0.reson: there is no"),
        ("acknowledged:\n  - {gap: a, resn: c}\n", "did you mean 'reason'?"),
        ("acknowledged:\n  - {gap: a}\n", "2: acknowledged.0.reason: field required"),
        ("waiversExpireWithin: 12\n", "1: waiversExpireWithin: write a number of days like 365d"),
        ("waiversExpireWithin: 0d\n", "1: waiversExpireWithin: "),
        ("policySet: 0\n", "1: policySet: "),
        ("policySet: one\n", "1: policySet: "),
        ("honourWaiversOf: [snyk]\n", "1: honourWaiversOf.0: "),
        ("inlineWaivers: all\n", "1: inlineWaivers: "),
        ("policies: {a: b}\n", "1: policies: "),
        ("policySet: 1\npolicySet: 1\n", "'policySet' is written twice"),
        (
            "admission: {mod: deny}\n",
            "1: admission.mod: there is no such key; did you mean 'mode'?",
        ),
        ("admission:\n  mode: block\n", "2: admission.mode: "),
        ("admission:\n  failOn: urgent\n", "2: admission.failOn: "),
        ("admission:\n  rules:\n  - {policies: [a]}\n", "3: admission.rules.0.mode: field"),
        (
            "admission:\n  rules:\n  - mode: deny\n    namespace: [a]\n",
            "4: admission.rules.0.namespace: there is no such key; did you mean 'namespaces'?",
        ),
        ("admission: {rules: [{mode: deny, policies: []}]}\n", "1: admission.rules.0.policies: "),
        ("admission: {rules: [{mode: deny, policies: a}]}\n", "1: admission.rules.0.policies: "),
        ("admission:\n  mutate: always\n", "2: admission.mutate: write true or false, or which"),
        (
            "admission:\n  mutate:\n    policy: [a]\n",
            "3: admission.mutate.policy: there is no such key; did you mean 'policies'?",
        ),
        ("admission: {mutate: {policies: []}}\n", "1: admission.mutate.policies: "),
        (
            "admission:\n  maxStaleness:\n  - {seconds: 5}\n",
            "3: admission.maxStaleness.0.seconds: ",
        ),
        (
            "admission:\n  maxStaleness:\n  - {second: 30}\n",
            "3: admission.maxStaleness.0.second: there is no such key; did you mean 'seconds'?",
        ),
        ("a: &a [*a]\n", "1: a: there is no such key"),
        ("waivers: &a\n  - *a\n", ": waivers.0: must be a mapping"),
    ],
)
def test_what_is_wrong_is_named(folder: Path, text: str, said: str) -> None:
    """In one line."""
    told = wrong(folder, text)
    assert told.startswith(".auditor.yaml:")
    assert said in told
    assert "\n" not in told


def test_every_key_is_in_the_manual() -> None:
    """Whoever reads it knows all that can be said."""
    manual = (ROOT / "docs" / "configuration.md").read_text("utf-8")
    for name, field in Config.model_fields.items():
        assert f"{field.alias or name}:" in manual


def test_the_example_of_the_manual_is_one(folder: Path) -> None:
    """Every key of it, as it stands there."""
    manual = (ROOT / "docs" / "configuration.md").read_text("utf-8")
    example = manual.partition("```yaml\n")[2].partition("```")[0]
    (folder / ".auditor.yaml").write_text(example, "utf-8")
    declared = load(None, folder)
    assert declared.waivers[0].anchor == "mount"
    line = 1 + example[: example.index("- gap:")].count("\n")
    assert declared.acknowledged[0].origin.endswith(f".auditor.yaml:{line}")


def test_the_schema_for_editors_says_the_same() -> None:
    """It takes the example of the manual, and no key that we do not know."""
    schema = jsonschema_rs.validator_for(Config.model_json_schema())
    manual = (ROOT / "docs" / "configuration.md").read_text("utf-8")
    example = yaml.safe_load(manual.partition("```yaml\n")[2].partition("```")[0])
    schema.validate(json.loads(json.dumps(example, default=str)))
    assert not schema.is_valid({"waiversExpireWithin": 365})
    assert not schema.is_valid({"inlineWaiver": []})
