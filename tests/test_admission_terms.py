"""What is declared of admission: the first rule that fits a fault counts."""

from __future__ import annotations

import pytest

from auditor.declared import Admission, AdmissionRule, Mode
from auditor.grades import Severity

NAMES = ("data/personal_data_not_isolated", "data/old_name")
STRICT_IN_SHOP = Admission(
    rules=(
        AdmissionRule(Mode.AUDIT, policies=("data/personal_*",), namespaces=("shop-old",)),
        AdmissionRule(Mode.DENY, policies=("data",), namespaces=("shop*",)),
        AdmissionRule(Mode.WARN, severity=Severity.MEDIUM),
    )
)


@pytest.mark.parametrize(
    ("severity", "namespace", "mode"),
    [
        (Severity.HIGH, "shop", Mode.DENY),
        (Severity.HIGH, "shop-old", Mode.AUDIT),
        (Severity.HIGH, "other", Mode.WARN),
        (Severity.HIGH, "", Mode.WARN),
        (Severity.MEDIUM, "shop", Mode.WARN),  # the rules before say no severity: from high on
        (Severity.LOW, "shop", None),
    ],
)
def test_the_first_rule_that_fits_counts(
    severity: Severity, namespace: str, mode: Mode | None
) -> None:
    """By policy, namespace and severity together."""
    assert STRICT_IN_SHOP.mode_of(NAMES, severity, namespace) is mode


@pytest.mark.parametrize("pattern", ["data", "data/", "data/*", "*", "data/old_name", "*/old_*"])
def test_a_rule_names_a_policy_a_folder_or_a_pattern(pattern: str) -> None:
    """An old name of a policy goes on being one."""
    assert AdmissionRule(Mode.DENY, (pattern,)).is_of(NAMES)
    assert not AdmissionRule(Mode.DENY, ("dat", "data/personal", "network")).is_of(NAMES)


def test_without_a_word_nothing_is_denied() -> None:
    """Nobody turns on denying by installing."""
    assert Admission().mode_of(NAMES, Severity.CRITICAL, "shop") is Mode.AUDIT
    assert Admission().mode_of(NAMES, Severity.MEDIUM, "shop") is None
    assert Admission().strictest() is Mode.AUDIT


def test_what_cannot_be_read_is_held_to_the_strictest_that_it_could_meet() -> None:
    """Otherwise whoever may break the reading may choose the mode."""
    assert STRICT_IN_SHOP.strictest() is Mode.DENY
    assert STRICT_IN_SHOP.strictest(namespace="other") is Mode.WARN
    assert STRICT_IN_SHOP.strictest(NAMES, Severity.HIGH) is Mode.DENY
    assert STRICT_IN_SHOP.strictest(NAMES, Severity.HIGH, "shop-old") is Mode.AUDIT
    assert STRICT_IN_SHOP.strictest(("x/y",), Severity.HIGH) is Mode.WARN
    assert STRICT_IN_SHOP.strictest(("x/y",), Severity.LOW) is Mode.AUDIT


def test_a_rule_behind_one_that_fits_all_is_never_met() -> None:
    """What the first rule lets pass, no later one denies."""
    rules = (AdmissionRule(Mode.AUDIT, severity=Severity.INFO), AdmissionRule(Mode.DENY))
    assert Admission(Mode.DENY, rules=rules).strictest() is Mode.AUDIT
