"""Which of several PeerAuthentications counts."""

from __future__ import annotations

from auditor.facts.network.istio.peer_authentication import (
    Modes,
    compose,
    parse_peer_authentication,
)
from auditor.facts.selectors import Hidden, Labels
from auditor.model import Resource
from tests.facts.network.istio.meshes import peer

LABELS = Labels({"app": "customers"})
HERE = "selector: {matchLabels: {app: customers}}"


def _made(spec: str, name: str, second: int) -> Resource:
    return peer(f"{{{spec}}}", name, creationTimestamp=f"2026-01-01T00:00:{second:02}Z")


def _modes(*objects: Resource, labels: Labels = LABELS) -> Modes:
    return compose(list(map(parse_peer_authentication, objects)), "istio-system", "pii", labels)


def test_the_narrower_scope_counts() -> None:
    """Workload, then namespace, then mesh; who is unset inherits."""
    mesh = _made("mtls: {mode: STRICT}", "istio-system/a", 1)
    home = _made("mtls: {mode: DISABLE}", "pii/b", 2)
    own = _made(f"{HERE}, mtls: {{mode: UNSET}}", "pii/c", 3)
    assert _modes().default.mode == "PERMISSIVE"
    assert _modes(mesh).default.mode == "STRICT"
    assert _modes(mesh, home).default.mode == "DISABLE"
    assert _modes(mesh, own).default.mode == "STRICT"


def test_the_oldest_of_a_scope_counts_even_where_it_says_nothing() -> None:
    """Then the name decides."""
    unset = _made("mtls: {}", "pii/zz", 1)
    assert _modes(unset, _made("mtls: {mode: STRICT}", "pii/aa", 2)).default.mode == "PERMISSIVE"
    assert _modes(unset, _made("mtls: {mode: STRICT}", "pii/aa", 1)).default.mode == "STRICT"


def test_ports_are_those_of_the_oldest_policy_of_the_workload() -> None:
    """Those of a younger one have no part; an unset one is as the workload."""
    old = _made(
        f"{HERE}, mtls: {{mode: STRICT}}, portLevelMtls: {{80: {{mode: DISABLE}}}}", "pii/a", 1
    )
    young = _made(
        f"{HERE}, portLevelMtls: {{90: {{mode: DISABLE}}, 80: {{mode: UNSET}}}}", "pii/b", 2
    )
    modes = _modes(young, old)
    assert (modes.of(80).mode, modes.of(90).mode) == ("DISABLE", "STRICT")
    assert _modes(young).of(80).mode == "PERMISSIVE"


def test_what_has_no_effect() -> None:
    """A selector in the root namespace, ports without a selector, what cannot be parsed."""
    root = _made(f"{HERE}, mtls: {{mode: STRICT}}", "istio-system/a", 1)
    ports = _made("portLevelMtls: {80: {mode: STRICT}}", "pii/b", 1)
    wrong = _made("mtls: {mode: strict}", "pii/c", 1)
    modes = _modes(root, ports, wrong)
    assert (modes.default.mode, modes.of(80).mode) == ("PERMISSIVE", "PERMISSIVE")


def test_who_says_so() -> None:
    """Each mode names the field that sets it."""
    modes = _modes(_made(f"{HERE}, portLevelMtls: {{80: {{mode: STRICT}}}}", "pii/a", 1))
    reason = modes.of(80).reason
    assert (str(reason.ref), reason.path) == (
        "pii/a[PeerAuthentication]", ("spec", "portLevelMtls", "80", "mode"),
    )  # fmt: skip
    assert modes.default.reason.ref is None


def test_a_label_that_is_not_known_is_a_doubt() -> None:
    """The policy is named that may select."""
    labels = Labels({"app": "customers"}, {"hash": Hidden()})
    one = _made("selector: {matchLabels: {hash: x}}, mtls: {mode: STRICT}", "pii/a", 1)
    assert [str(ref) for ref in _modes(one, labels=labels).unsure] == ["pii/a[PeerAuthentication]"]
