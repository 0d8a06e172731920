"""What a sidecar does with a request: each rule that people get wrong, with both sides."""

from __future__ import annotations

import pytest

from auditor.facts.network import Identity, Request, Stranger, Verdict
from tests.facts.network import cluster
from tests.facts.network.istio.meshes import (
    OUTSIDE,
    configuration,
    get,
    of,
    peer,
    pod,
    policy,
    small,
    tcp,
)

MONITOR, SHOP, LEGACY = "monitoring/prometheus", "shop/frontend", "shop/legacy"

HEALTH = """
action: ALLOW
rules:
- from: [{source: {namespaces: [monitoring]}}]
  to: [{operation: {methods: [GET], paths: [/healthz]}}]
"""


def test_without_policies_everything_passes() -> None:
    """A sidecar alone takes mTLS and plain text from everybody."""
    mesh = small()
    assert [mesh.get(caller, "/") for caller in (MONITOR, LEGACY, OUTSIDE)] == ["allowed"] * 3


def test_an_allow_policy_closes_what_it_does_not_name() -> None:
    """The monitor is left with its path; all else is closed, also on ports that are no HTTP."""
    mesh = small(HEALTH)
    assert mesh.get(MONITOR, "/healthz") == "allowed"
    assert mesh.get(MONITOR, "/healthz?full=1") == "allowed"
    assert mesh.get(MONITOR, "/customers/../healthz") == "allowed"
    for path in ("/healthz/", "//healthz", "/HEALTHZ", "/healthz%2F", "/export"):
        assert mesh.get(MONITOR, path) == "denied", path
    assert mesh.get(MONITOR, "/healthz", method="POST") == "denied"
    assert mesh.get(SHOP, "/healthz") == "denied"
    assert mesh.ask(MONITOR, tcp()).verdict == "denied"


def test_the_reasons_name_policy_and_rule() -> None:
    """Who is admitted sees the rule that does it; who is not, the policies that close."""
    mesh = small(HEALTH)
    admitted, closed = mesh.ask(MONITOR, get("/healthz")), mesh.ask(MONITOR, tcp())
    assert [(str(r.ref), r.path) for r in admitted.reasons] == [
        ("pii/policy[AuthorizationPolicy]", ("spec", "rules", 0))
    ]
    assert [r.path for r in closed.reasons] == [("spec",), ("spec", "rules", 0)]
    assert "which only HTTP has" in closed.reasons[1].text


@pytest.mark.parametrize(
    ("spec", "verdict"),
    [
        ("{}", "denied"),
        ("{rules: []}", "denied"),
        ("{rules: [{}]}", "allowed"),
        ("{rules: [{from: []}]}", "allowed"),
        ("{action: DENY}", "allowed"),
        ("{action: DENY, rules: [{}]}", "denied"),
        ("{action: AUDIT, rules: [{}]}", "allowed"),
        ("{action: CUSTOM, provider: {name: nobody}, rules: [{}]}", "denied"),
        ("{targetRefs: [{kind: Service, name: customers}]}", "allowed"),
        ("{selector: {matchLabels: {app: other}}}", "allowed"),
        ("{selector: {matchLabels: {}}}", "denied"),
        ("{action: deny, rules: [{}]}", "allowed"),
    ],
)
def test_a_policy_without_conditions(spec: str, verdict: str) -> None:
    """Nothing, an empty rule, and an empty list mean different things with each action."""
    assert small(spec).get(SHOP, "/") == verdict


def test_a_dry_run_changes_nothing_unless_it_is_misspelt() -> None:
    """Only a boolean asks for a dry run; "yes" is none, and enforces."""
    for value, verdict in (("true", "allowed"), ("yes", "denied"), ("false", "denied")):
        trial = policy("{}", annotations={"istio.io/dry-run": value})
        assert small(trial).get(SHOP, "/") == verdict, value


def test_a_policy_of_the_root_namespace_means_every_namespace() -> None:
    """With a selector too; one of another namespace means nobody here."""
    spec = "{selector: {matchLabels: {app: customers}}}"
    assert small(policy(spec, "istio-system/all")).get(SHOP, "/") == "denied"
    assert small(policy(spec, "shop/all")).get(SHOP, "/") == "allowed"
    moved = small(policy(spec, "mesh/all"), mesh="rootNamespace: mesh")
    assert moved.get(SHOP, "/") == "denied"


def test_a_negative_source_lets_plain_text_in() -> None:
    """Who proves no identity is not the one that is shut out; a positive source misses it."""
    allow = small("{rules: [{from: [{source: {notNamespaces: [shop]}}]}]}")
    assert [allow.get(c, "/") for c in (MONITOR, SHOP, LEGACY)] == ["allowed", "denied", "allowed"]
    deny = small("{action: DENY, rules: [{from: [{source: {namespaces: [shop]}}]}]}")
    assert [deny.get(c, "/") for c in (MONITOR, SHOP, LEGACY)] == ["allowed", "denied", "allowed"]
    strict = peer("{mtls: {mode: STRICT}}")
    closed = small("{action: DENY, rules: [{from: [{source: {namespaces: [shop]}}]}]}", strict)
    assert [closed.get(c, "/") for c in (MONITOR, SHOP, LEGACY)] == ["allowed", "denied", "denied"]


def test_strict_mtls_refuses_plain_text_and_says_which_policy_does() -> None:
    """On the port that has its own mode, that mode counts."""
    mesh = small(
        peer(
            "{selector: {matchLabels: {app: customers}}, mtls: {mode: STRICT},"
            " portLevelMtls: {7000: {mode: PERMISSIVE}}}"
        )
    )
    refused = mesh.ask(LEGACY, get())
    assert refused.verdict == "denied"
    assert refused.reasons[0].path == ("spec", "mtls", "mode")
    assert mesh.ask(LEGACY, get(port=7000)).verdict == "allowed"
    assert mesh.mesh.modes(mesh.target) == {7000: "PERMISSIVE", "default": "STRICT"}


def test_where_mtls_is_off_nobody_has_an_identity() -> None:
    """A rule by principal then denies even whom it names."""
    spec = "{rules: [{from: [{source: {principals: [cluster.local/ns/shop/sa/frontend]}}]}]}"
    assert small(spec).get(SHOP, "/") == "allowed"
    assert small(spec, peer("{mtls: {mode: DISABLE}}")).get(SHOP, "/") == "denied"


@pytest.mark.parametrize(
    ("principal", "admits"),
    [
        ("cluster.local/ns/shop/sa/frontend", True),
        ("spiffe://cluster.local/ns/shop/sa/frontend", False),
        ("*/ns/shop/sa/frontend", True),
        ("*/ns/shop/sa/*", False),
        ("cluster.local/ns/shop/*", True),
        ("cluster.local/ns/sho*/sa/frontend", False),
        ("*", True),
        ("Cluster.local/ns/shop/sa/frontend", False),
    ],
)
def test_how_a_principal_is_written(principal: str, *, admits: bool) -> None:
    """A star counts at one end alone, and a principal has no scheme."""
    mesh = small(policy({"rules": [{"from": [{"source": {"principals": [principal]}}]}]}))
    assert (mesh.get(SHOP, "/") == "allowed") is admits
    assert mesh.get(LEGACY, "/") == "denied"


def test_trust_domains_of_the_mesh_stand_for_each_other() -> None:
    """In a whole principal any of them means all; a foreign one does not even connect."""
    mesh = small(
        "{rules: [{from: [{source: {principals: [old.domain/ns/shop/sa/frontend]}}]}]}",
        mesh="trustDomain: cluster.local\ntrustDomainAliases: [old.domain]",
    )
    assert mesh.get(SHOP, "/") == "allowed"
    assert mesh.get(Identity("shop", "frontend", trust_domain="old.domain"), "/") == "allowed"
    assert mesh.get(Identity("shop", "frontend", trust_domain="other"), "/") == "denied"
    part = small(
        "{rules: [{from: [{source: {principals: [old.domain/ns/shop/*]}}]}]}",
        mesh="trustDomainAliases: [old.domain]",
    )
    assert part.get(SHOP, "/") == "denied"


def test_a_service_account_is_one_of_the_policys_namespace() -> None:
    """Unless it is written with its own."""
    for account, verdict in (("frontend", "denied"), ("shop/frontend", "allowed")):
        spec = f"{{rules: [{{from: [{{source: {{serviceAccounts: [{account}]}}}}]}}]}}"
        assert small(spec).get(SHOP, "/") == verdict


def test_hosts_are_compared_with_their_port() -> None:
    """A denied host is reached by naming the port as well."""
    mesh = small("{action: DENY, rules: [{to: [{operation: {hosts: [example.com]}}]}]}")
    asked = {host: mesh.get(SHOP, "/", host=host) for host in ("EXAMPLE.com", "example.com:8080")}
    assert asked == {"EXAMPLE.com": "denied", "example.com:8080": "allowed"}
    absolute = mesh.get(SHOP, "http://example.com/x", host="customers")
    assert absolute == "denied"


def test_fields_of_http_on_a_port_that_is_none() -> None:
    """An ALLOW rule goes as a whole; a DENY rule loses the field and becomes wider."""
    allow = small(
        "{rules: [{to: [{operation: {methods: [GET]}}, {operation: {ports: ['5432']}}]}]}"
    )
    assert allow.ask(SHOP, tcp()).verdict == "denied"
    deny = small("{action: DENY, rules: [{to: [{operation: {paths: [/admin]}}]}]}")
    assert deny.ask(SHOP, tcp()).verdict == "denied"
    assert deny.get(SHOP, "/export") == "allowed"
    ported = "{action: DENY, rules: [{to: [{operation: {methods: [GET], ports: ['8080']}}]}]}"
    assert small(ported).ask(SHOP, tcp()).verdict == "allowed"


def test_a_sniffed_port_is_judged_by_what_is_sent() -> None:
    """The same policy gives two answers on one port."""
    mesh = small("{action: DENY, rules: [{to: [{operation: {paths: [/x]}}]}]}")
    assert mesh.ask(SHOP, get("/healthz", port=7000)).verdict == "allowed"
    assert mesh.ask(SHOP, tcp(7000)).verdict == "denied"


def test_bytes_that_are_no_http_do_not_pass_a_port_of_http() -> None:
    """The proxy answers them itself; on a TCP port HTTP is only bytes."""
    mesh = small()
    assert mesh.ask(SHOP, tcp(8080)).verdict == "denied"
    assert mesh.ask(SHOP, get(port=5432)).verdict == "allowed"


def test_ports_are_those_of_the_pod() -> None:
    """A rule on the port of the Service means nothing."""
    rule = "{{rules: [{{to: [{{operation: {{ports: ['{}']}}}}]}}]}}"
    assert small(rule.format(80)).get(SHOP, "/") == "denied"
    assert small(rule.format(8080)).get(SHOP, "/") == "allowed"


def test_a_header_says_who_calls_and_may_lie() -> None:
    """What `remoteIpBlocks` asks about is what the header says last; `ipBlocks` asks who sends."""
    lie = (("X-Forwarded-For", "1.2.3.4, 10.9.9.9"),)
    remote = small("{rules: [{from: [{source: {remoteIpBlocks: [10.9.0.0/16]}}]}]}")
    assert remote.get(OUTSIDE, "/") == "denied"
    assert remote.get(OUTSIDE, "/", headers=lie) == "allowed"
    direct = small("{rules: [{from: [{source: {ipBlocks: [10.9.0.0/16]}}]}]}")
    assert direct.get(OUTSIDE, "/", headers=lie) == "denied"


def test_headers_line_by_line() -> None:
    """Each line is compared alone; a name that proxies write may be there unseen."""
    spec = "{{rules: [{{when: [{{key: 'request.headers[{}]', values: [{}]}}]}}]}}"
    token = small(spec.format("X-Token", "secret"))
    assert token.get(SHOP, "/", headers=(("x-token", "other"), ("x-token", " secret"))) == "allowed"
    assert token.get(SHOP, "/", headers=(("x-token", "SECRET"),)) == "denied"
    assert token.get(SHOP, "/") == "denied"
    ours = small(spec.format("x-request-id", "'*'")).ask(SHOP, get())
    assert ours.verdict == "undefined"
    assert ours.unknown == (
        "it cannot be told whether pii/policy[AuthorizationPolicy] admits the request",
    )


def test_what_cannot_be_read_widens_a_deny_and_narrows_an_allow() -> None:
    """A bad value drops the rule of an ALLOW, and only itself from a DENY."""
    for action in ("ALLOW", "DENY"):
        spec = f"{{action: {action}, rules: [{{from: [{{source: {{ipBlocks: [nonsense]}}}}]}}]}}"
        assert small(spec).get(SHOP, "/") == "denied"
    unknown = "{action: DENY, rules: [{when: [{key: nothing, values: [x]}]}]}"
    assert small(unknown).get(SHOP, "/") == "allowed"


@pytest.mark.parametrize(
    ("key", "verdict"),
    [
        ("request.auth.claims[a", "denied"),
        ("request.auth.claims", "allowed"),
        ("request.auth.claims[a][b]", "allowed"),
        ("request.headers", "denied"),
        ("request.headers[x]", "allowed"),
        ("experimental.envoy.filters.a", "denied"),
        ("experimental.envoy.filters.a[b]", "undefined"),
        ("source.labels", "allowed"),
    ],
)
def test_keys_of_conditions_that_istio_reads_or_not(key: str, verdict: str) -> None:
    """What it cannot read leaves a DENY without the condition; what it does not know, without the
    rule.
    """
    spec = {"action": "DENY", "rules": [{"when": [{"key": key, "values": ["v"]}]}]}
    assert small(policy(spec)).get(SHOP, "/") == verdict


def test_a_policy_that_envoy_cannot_load_decides_nothing() -> None:
    """It passes every check, and leaves the proxy with what it had before."""
    mesh = small("{rules: [{to: [{operation: {paths: ['foo/{*}']}}]}]}")
    answer = mesh.ask(SHOP, get("/foo/x"))
    assert answer.verdict == "undefined"
    assert "Envoy cannot load pii/policy" in answer.unknown[0]
    assert [refusal.by for refusal in mesh.mesh.refused] == ["envoy"]


def test_tokens_that_nobody_reads_are_none() -> None:
    """Without RequestAuthentication nobody has a request principal; with it a token may be one."""
    spec = "{rules: [{from: [{source: {requestPrincipals: ['*']}}]}]}"
    bearer = (("Authorization", "Bearer x"),)
    assert small(spec).get(SHOP, "/", headers=bearer) == "denied"
    reading = cluster.resource(
        {
            "apiVersion": "security.istio.io/v1",
            "kind": "RequestAuthentication",
            "metadata": {"name": "jwt", "namespace": "pii"},
            "spec": {"jwtRules": [{"issuer": "someone"}]},
        }
    )
    mesh = small(spec, reading)
    assert mesh.get(SHOP, "/", headers=bearer) == "undefined"
    assert mesh.get(SHOP, "/") == "denied"


def test_a_known_provider_decides_itself() -> None:
    """One that the mesh does not have lets nobody through; an ALLOW is still needed besides."""
    spec = "{action: CUSTOM, provider: {name: authz}, rules: [{to: [{operation: {paths: [/a]}}]}]}"
    providers = "extensionProviders: [{name: authz, envoyExtAuthzGrpc: {service: a, port: 9000}}]"
    mesh = small(spec, mesh=providers)
    assert (mesh.get(SHOP, "/a"), mesh.get(SHOP, "/b")) == ("undefined", "allowed")
    assert (small(spec).get(SHOP, "/a"), small(spec).get(SHOP, "/b")) == ("denied", "allowed")


def test_where_no_sidecar_is_nothing_is_enforced() -> None:
    """A pod without one, a port past it, and what is no TCP."""
    bare = of(
        pod("pii/customers", "10.0.0.1", proxied=False),
        pod("shop/frontend", "10.0.2.1"),
        policy("{}"),
    )
    assert bare.get("shop/frontend", "/") == "allowed"
    assert bare.mesh.modes(bare.target) == {}
    mesh = small("{}")
    assert mesh.ask(SHOP, get(port=15020)).verdict == "allowed"
    assert mesh.ask(SHOP, Request(53, "UDP")).verdict == "allowed"


def test_ambient_is_not_judged() -> None:
    """The answer says so by name, also of connections over HBONE."""
    home = cluster.namespace("pii")
    home.manifest["metadata"]["labels"]["istio.io/dataplane-mode"] = "ambient"
    mesh = of(home, pod("pii/customers", "10.0.0.1", proxied=False), policy("{}"))
    answer = mesh.ask(OUTSIDE, get())
    assert (answer.verdict, "ambient" in answer.unknown[0]) == (Verdict.UNDEFINED, True)
    tunnel = small().ask(SHOP, get(transport="hbone"))
    assert (tunnel.verdict, "HBONE" in tunnel.unknown[0]) == (Verdict.UNDEFINED, True)


def test_a_doubt_that_does_not_matter_is_none() -> None:
    """A stranger may have a sidecar or not; only where that decides is the answer undefined."""
    stranger = Stranger("shop", {"app": "new"})
    assert small("{}").get(stranger, "/") == "denied"
    assert small().get(stranger, "/") == "allowed"
    named = "{rules: [{from: [{source: {namespaces: [shop]}}]}]}"
    assert small(named).get(stranger, "/") == "undefined"
    assert small(named).get(Stranger("", {}), "/") == "denied"


@pytest.mark.parametrize(
    ("principal", "verdict"),
    [
        ("cluster.local/ns/monitoring/sa/prometheus", "denied"),
        ("cluster.local/ns/shop/sa/frontend", "undefined"),
        ("cluster.local/ns/shop/*", "allowed"),
        ("cluster.local/ns/shop/sa/f*", "undefined"),
        ("*/ns/shop/sa/frontend", "undefined"),
        ("*/ns/monitoring/sa/frontend", "denied"),
        ("*frontend", "undefined"),
        ("*", "allowed"),
    ],
)
def test_a_stranger_is_of_its_namespace_whatever_its_account(principal: str, verdict: str) -> None:
    """Over mTLS it may be any account of its own namespace, and none of another."""
    mesh = small(policy({"rules": [{"from": [{"source": {"principals": [principal]}}]}]}))
    assert mesh.get(Stranger("shop", {}), "/", transport="mtls") == verdict


@pytest.mark.parametrize(
    ("source", "verdict"),
    [
        ({"namespaces": ["shop"]}, "allowed"),
        ({"namespaces": ["s*"]}, "allowed"),
        ({"namespaces": ["monitoring"]}, "denied"),
        ({"serviceAccounts": ["shop/frontend"]}, "undefined"),
        ({"serviceAccounts": ["frontend"]}, "denied"),
        ({"trustDomains": ["cluster.local"]}, "allowed"),
        ({"notNamespaces": ["shop"]}, "denied"),
    ],
)
def test_what_is_told_of_a_stranger_by_its_namespace(
    source: dict[str, list[str]], verdict: str
) -> None:
    """Its namespace and trust domain are known."""
    mesh = small(policy({"rules": [{"from": [{"source": source}]}]}))
    assert mesh.get(Stranger("shop", {}), "/", transport="mtls") == verdict


def test_a_port_of_no_service_has_policies_too() -> None:
    """Whether a caller then uses mTLS is not known, and is said where it matters."""
    assert small("{}").ask(SHOP, tcp(9999)).verdict == "denied"
    named = small("{rules: [{from: [{source: {namespaces: [shop]}}]}]}")
    assert named.ask(SHOP, tcp(9999)).verdict == "undefined"
    assert named.ask(SHOP, tcp(9999, transport="mtls")).verdict == "allowed"
    assert named.ask(SHOP, tcp(9999, transport="plaintext")).verdict == "denied"


@pytest.mark.parametrize(
    ("namespace", "spec", "verdict"),
    [
        ("pii", {"host": "customers", "trafficPolicy": {"tls": {"mode": "DISABLE"}}}, "undefined"),
        ("shop", {"host": "customers", "trafficPolicy": {"tls": {}}}, "allowed"),
        ("shop", {"host": "customers.pii", "trafficPolicy": {"tls": {}}}, "undefined"),
        (
            "mesh",
            {"host": "*.local", "subsets": [{"trafficPolicy": {"tls": {"mode": "SIMPLE"}}}]},
            "undefined",
        ),
        (
            "pii",
            {"host": "customers", "trafficPolicy": {"tls": {"mode": "ISTIO_MUTUAL"}}},
            "allowed",
        ),
        ("pii", {"host": "customers", "trafficPolicy": {"loadBalancer": {}}}, "allowed"),
        ("pii", {"host": "api.example.com", "trafficPolicy": {"tls": {}}}, "allowed"),
        ("pii", {"host": 3, "trafficPolicy": "x", "subsets": [None]}, "allowed"),
    ],
)
def test_who_may_be_told_to_call_in_plain_text(
    namespace: str, spec: dict[str, object], verdict: str
) -> None:
    """A DestinationRule for this very Service, that asks for anything but Istio's own mTLS."""
    rule = cluster.resource(
        {
            "apiVersion": "networking.istio.io/v1",
            "kind": "DestinationRule",
            "metadata": {"name": "customers", "namespace": namespace},
            "spec": spec,
        }
    )
    assert small(peer("{mtls: {mode: STRICT}}"), rule).get(SHOP, "/") == verdict


def test_a_mesh_in_which_nobody_uses_mtls_of_himself() -> None:
    """Whether a caller does is then not known."""
    strict = peer("{mtls: {mode: STRICT}}")
    assert small(strict, mesh="enableAutoMtls: false").get(SHOP, "/") == "undefined"


def test_what_envoy_answers_itself_reaches_nobody() -> None:
    """Whatever policies say."""
    mesh = small()
    for request in (
        get("healthz"), get("/é"), get("/%00"), get(method="get"), get(method="FOO"),
        get("*", method="OPTIONS"), get(host=None),
    ):  # fmt: skip
        assert mesh.ask(SHOP, request).verdict == "denied", request


def test_what_may_change_sidecars_is_a_gap() -> None:
    """An EnvoyFilter has no part in the answer, and that is said."""
    other = cluster.resource(
        {
            "apiVersion": "networking.istio.io/v1alpha3",
            "kind": "EnvoyFilter",
            "metadata": {"name": "lua", "namespace": "pii"},
            "spec": {},
        }
    )
    assert [gap.what for gap in small(other).mesh.gaps] == ["pii/lua[EnvoyFilter]"]
    assert small().mesh.gaps == ()


def test_a_snapshot_without_istio_says_so() -> None:
    """Nothing has to be asked of it then."""
    assert not small().mesh.present
    assert small("{}").mesh.present


def test_callers_and_targets_that_nothing_tells_apart_are_one() -> None:
    """So that cost follows what policies ask."""
    mesh = of(
        *(pod(f"pii/customers{i}", f"10.0.0.{i}", account="same") for i in range(3)),
        *(pod(f"shop/web{i}", f"10.0.1.{i}") for i in range(3)),
        policy("{rules: [{from: [{source: {namespaces: [shop], principals: ['*']}}]}]}"),
        policy("{selector: {matchLabels: {app: customers2}}}", "pii/one"),
    )
    callers = {mesh.mesh.caller(mesh.workloads[f"shop/web{i}"]) for i in range(3)}
    kinds = {mesh.mesh.kind(mesh.workloads[f"pii/customers{i}"]) for i in range(3)}
    assert (len(callers), len(kinds)) == (1, 2)


def test_settings_of_a_revision_count_and_two_that_differ_are_a_gap() -> None:
    """Whatever else the control plane keeps beside them."""
    root = policy("{}", "mesh/all")
    other = configuration("rootNamespace: mesh", "istio-1-31")
    assert small(root, other).get(SHOP, "/") == "denied"
    both = small(root, other, mesh="rootNamespace: istio-system")
    assert both.get(SHOP, "/") == "allowed"
    assert [gap.what for gap in both.mesh.gaps] == ["istio-system/istio[ConfigMap]"]


@pytest.mark.parametrize("mesh", ["[", "3", "trustDomain: 3\ntrustDomainAliases: x", "{a: *b}"])
def test_settings_that_cannot_be_read_are_istios_own(mesh: str) -> None:
    """What is no mapping is a gap besides."""
    assert small("{}", mesh=mesh).get(SHOP, "/") == "denied"
    assert bool(small(mesh=mesh).mesh.gaps) == (not mesh.startswith("trust"))
