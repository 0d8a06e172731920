"""What holds of every set of policies."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.facts.network import Identity, Request, Verdict, World
from tests.facts.network.istio.meshes import OUTSIDE, Small, policy, small
from tests.facts.network.istio.naive import Call, allowed

PATHS = ("/healthz", "/healthz*", "/healthz/*", "*/healthz", "*", "/api/{*}", "/api/{**}", "/a%2Fb")
METHODS = ("GET", "P*", "*T", "*", "HEAD")
HOSTS = ("customers", "*.local", "customers:*", "*", "Example.COM")
NAMES = ("x-token", ":path", ":authority", ":method")
VALUES = ("secret", "sec*", "*ret", "*", "/healthz?x", "/healthz*")
BLOCKS = ("10.0.0.0/8", "10.0.2.1", "203.0.113.0/24", "::/0")

CALLERS: tuple[str | World | Identity, ...] = (
    "monitoring/prometheus", "shop/frontend", "shop/legacy", OUTSIDE, Identity("shop", "other"),
)  # fmt: skip


def _some(values: tuple[str, ...]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True)


def _maybe(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


sources = _maybe(
    namespaces=_some(("shop", "monitoring", "m*g")),
    notNamespaces=_some(("shop", "monitoring")),
    principals=_some(("cluster.local/ns/shop/sa/frontend", "*", "*/sa/prometheus")),
    ipBlocks=_some(BLOCKS),
    notRemoteIpBlocks=_some(BLOCKS),
    remoteIpBlocks=_some(BLOCKS),
)
operations = _maybe(
    paths=_some(PATHS),
    notPaths=_some(PATHS),
    methods=_some(METHODS),
    hosts=_some(HOSTS),
    ports=_some(("8080", "5432")),
)
conditions = st.fixed_dictionaries(
    {"key": st.sampled_from([f"request.headers[{name}]" for name in NAMES])},
    optional={"values": _some(VALUES), "notValues": _some(VALUES)},
)
rules = st.fixed_dictionaries(
    {},
    optional={
        "from": st.lists(sources.map(lambda s: {"source": s}), max_size=2),
        "to": st.lists(operations.map(lambda o: {"operation": o}), max_size=2),
        "when": st.lists(conditions, max_size=2),
    },
)


def _specs(*actions: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"action": st.sampled_from(actions), "rules": st.lists(rules, max_size=2)}
    )


policies = st.lists(_specs("ALLOW", "DENY", "AUDIT"), max_size=3)

requests = st.builds(
    Request,
    port=st.sampled_from((8080, 5432, 7000)),
    method=st.sampled_from(("GET", "POST", "PUT", "HEAD")),
    path=st.sampled_from(
        (
            "/healthz", "/healthz/", "/healthzx", "/x/healthz", "/", "/api/x", "/api/x/y",
            "/api/[x]", "/healthz?x", "/a%2Fb", "/a/../healthz", "//healthz", "/%68ealthz", "/api",
        )
    ),
    host=st.sampled_from(("customers", "customers:80", "a.local", "EXAMPLE.com", "", "evil")),
    headers=st.lists(
        st.tuples(
            st.sampled_from(("x-token", "X-Forwarded-For")),
            st.sampled_from(("secret", "secx", "xret", "", "10.0.2.1", "203.0.113.9", "::1")),
        ),
        max_size=2,
    ).map(tuple),
)  # fmt: skip
callers = st.sampled_from(CALLERS)

quick = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _mesh(*specs: dict[str, Any]) -> Small:
    return small(*(policy(spec, f"pii/p{i}") for i, spec in enumerate(specs)))


@quick
@given(policies, rules, callers, requests)
def test_one_more_allow_rule_stops_nothing(
    written: list[dict[str, Any]], rule: dict[str, Any], caller: Any, request: Request
) -> None:
    """A rule more in a policy that allows never takes a request away."""
    allow = {"action": "ALLOW", "rules": []}
    before = _mesh(*written, allow).ask(caller, request).verdict
    after = _mesh(*written, allow | {"rules": [rule]}).ask(caller, request).verdict
    assert before is not Verdict.ALLOWED or after is Verdict.ALLOWED


@quick
@given(policies, _specs("DENY"), callers, requests)
def test_one_more_denying_policy_admits_nothing(
    written: list[dict[str, Any]], deny: dict[str, Any], caller: Any, request: Request
) -> None:
    """What was stopped stays stopped."""
    before = _mesh(*written).ask(caller, request).verdict
    after = _mesh(*written, deny).ask(caller, request).verdict
    assert before is not Verdict.DENIED or after is Verdict.DENIED


@quick
@given(policies, _specs("AUDIT"), callers, requests)
def test_auditing_changes_nothing(
    written: list[dict[str, Any]], audit: dict[str, Any], caller: Any, request: Request
) -> None:
    """A policy that only audits leaves every verdict as it was."""
    assert (
        _mesh(*written).ask(caller, request).verdict
        == _mesh(*written, audit).ask(caller, request).verdict
    )


@quick
@given(policies, st.permutations(range(3)), callers, requests)
def test_the_order_of_policies_decides_nothing(
    written: list[dict[str, Any]], order: list[int], caller: Any, request: Request
) -> None:
    """Nor do their names, by which they are sorted."""
    other = [written[i] for i in order if i < len(written)]
    assert (
        _mesh(*written).ask(caller, request).verdict == _mesh(*other).ask(caller, request).verdict
    )


@settings(quick, max_examples=60)
@given(policies, callers, requests)
def test_every_request_is_judged_as_its_witness(
    written: list[dict[str, Any]], caller: Any, request: Request
) -> None:
    """Some witness stands for it: the policies learn the same of both, and rule the same."""
    mesh = _mesh(*written)
    found = mesh.mesh.witnesses(mesh.target, request.port)
    asked = mesh.mesh.questions(mesh.target)
    how = mesh.mesh.settings.normalization
    signature = asked.signature(request, how)
    alike = [w for w in found.requests if asked.signature(w, how) == signature]
    if found.complete and "http" in mesh.mesh.speaks(mesh.target, request.port):
        assert alike, signature
    for witness in alike:
        assert mesh.ask(caller, witness).verdict == mesh.ask(caller, request).verdict


IDENTITIES = {
    "monitoring/prometheus": ("cluster.local/ns/monitoring/sa/prometheus", "10.0.1.1"),
    "shop/frontend": ("cluster.local/ns/shop/sa/frontend", "10.0.2.1"),
    "shop/legacy": ("", "10.0.2.9"),
    OUTSIDE: ("", "203.0.113.7"),
}
PLAIN = ("/healthz", "/healthz/", "/healthzx", "/x/healthz", "/", "/api/x/y", "/api/[x]", "/a%2Fb")


def _call(caller: str | World, request: Request) -> Call:
    identity, address = IDENTITIES[caller]
    found: dict[str, tuple[str, ...]] = {}
    for name, value in request.headers:
        found[name.lower()] = (*found.get(name.lower(), ()), value)
    try:
        remote = str(ip_address(found.get("x-forwarded-for", ("",))[-1]))
    except ValueError:
        remote = address
    http = request.port != 5432
    return Call(
        http, identity, address, remote if http else address, request.port,
        request.method or "", request.path or "", request.host or "", found,
    )  # fmt: skip


@settings(quick, max_examples=300)
@given(policies, st.sampled_from(tuple(IDENTITIES)), requests, st.sampled_from(PLAIN))
def test_a_second_reading_says_the_same(
    written: list[dict[str, Any]], caller: str | World, request: Request, path: str
) -> None:
    """A few dozen lines that read the manifests anew, without anything that makes them fast."""
    asked = replace(request, path=path + ("?x" if "?" in (request.path or "") else ""))
    verdict = _mesh(*written).ask(caller, asked).verdict
    assert (verdict is Verdict.ALLOWED) == allowed(written, _call(caller, asked))
    assert verdict is not Verdict.UNDEFINED


@quick
@given(policies, st.permutations(CALLERS), requests)
def test_who_is_of_one_class_has_one_ruling(
    written: list[dict[str, Any]], order: list[Any], request: Request
) -> None:
    """Whoever of a class is asked about first, the verdict is that of each one alone."""
    together = _mesh(*written)
    for caller in order:
        alone = _mesh(*written).ask(caller, request)
        assert together.ask(caller, request).verdict is alone.verdict
