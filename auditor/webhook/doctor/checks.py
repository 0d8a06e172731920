"""What can be wrong with webhooks, one function each.

Rules: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/ and
https://kubernetes.io/docs/concepts/cluster-administration/admission-webhooks-good-practices/.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from auditor.facts.selectors import Truth
from auditor.grades import Severity
from auditor.manifests import mapping, sequence
from auditor.values import dataclass
from auditor.webhook.break_glass import broken, policies_before
from auditor.webhook.doctor.hooks import LONGEST_SECONDS, Around, Hook

RENEWAL_SECONDS = 10
"""Within which a leader renews its lease: --leader-elect-renew-deadline of the controllers."""
SOON_DAYS = 30
SYSTEM = "kube-system"


@dataclass(frozen=True, slots=True)
class Danger:
    """Something that is wrong with one webhook."""

    check: str
    severity: Severity
    hook: Hook
    message: str
    remedy: str


Check = Callable[[Hook, Sequence[Hook], Around], Iterator[Danger]]


def dangers(hooks: Sequence[Hook], around: Around) -> list[Danger]:
    """All that is wrong, worst first."""
    found = [each for hook in hooks for check in CHECKS for each in check(hook, hooks, around)]
    return sorted(
        found, key=lambda d: (d.severity.rank, d.hook.configured_in, d.hook.name, d.check)
    )


def every_resource(hook: Hook, _all: Sequence[Hook], _around: Around) -> Iterator[Danger]:
    """It is asked about what keeps the cluster alive."""
    for rule in hook.rules:
        resources = {str(each) for each in sequence(rule.get("resources"))}
        groups = {str(each) for each in sequence(rule.get("apiGroups"))}
        if "*" in groups and resources & {"*", "*/*"}:
            yield Danger(
                "every-resource",
                Severity.HIGH if hook.fails else Severity.MEDIUM,
                hook,
                "is asked about every resource of every group, leases and events among them",
                "name the groups and resources in its rules",
            )
            return


def system_not_exempt(hook: Hook, _all: Sequence[Hook], around: Around) -> Iterator[Danger]:
    """Fail, and the system has no exemption."""
    if not hook.fails or SYSTEM in hook.conditions:
        return
    if hook.selects(SYSTEM, around.namespaces.get(SYSTEM)) is not Truth.YES:
        return
    if not any(str(rule.get("scope", "*")) != "Cluster" for rule in hook.rules):
        return
    yield Danger(
        "system-not-exempt",
        Severity.HIGH,
        hook,
        f"has failurePolicy Fail and is asked about {SYSTEM}: while it is down, the cluster's own"
        " parts cannot be started or repaired",
        "leave the namespace out by kubernetes.io/metadata.name in its namespaceSelector",
    )


def nodes_wait(hook: Hook, _all: Sequence[Hook], _around: Around) -> Iterator[Danger]:
    """Fail, on what a cluster needs to start and no namespace can except."""
    needed = (("", "nodes", "CREATE"), ("", "nodes", "UPDATE"), ("", "nodes/status", "UPDATE"))
    stopped = [each for each in needed if hook.asked(*each)]
    if hook.fails and stopped and not re.search(r"system:node|nodes", hook.conditions):
        yield Danger(
            "nodes-wait",
            Severity.HIGH,
            hook,
            f"has failurePolicy Fail and is asked about {stopped[0][1]}: while it is down, no node"
            " can join or become ready, and its own pods may have nowhere to run",
            "leave out the group system:nodes and the node controller in its matchConditions",
        )


def asks_about_itself(hook: Hook, _all: Sequence[Hook], around: Around) -> Iterator[Danger]:
    """It would have to answer before it can start."""
    namespace = str(hook.service.get("namespace") or "")
    if not namespace or not any(hook.asked(*each) for each in _STARTING):
        return
    if namespace in hook.conditions:
        return
    if hook.selects(namespace, around.namespaces.get(namespace)) is Truth.YES:
        yield Danger(
            "asks-about-itself",
            Severity.HIGH if hook.fails else Severity.LOW,
            hook,
            f"is asked about pods of {namespace}, where it runs itself: "
            + ("it can never start again once it is down" if hook.fails else "it delays its start"),
            f"leave {namespace} out by kubernetes.io/metadata.name in its namespaceSelector",
        )


_STARTING = (("", "pods", "CREATE"), ("apps", "replicasets", "CREATE"))


def leases_wait(hook: Hook, every: Sequence[Hook], around: Around) -> Iterator[Danger]:
    """Leaders lose their leases while the API server waits for webhooks, one after the other."""
    asked = [each for each in every if _about_leases(each, around)]
    if hook not in asked or (hook is not asked[0]):
        return
    serial = sum(each.seconds for each in asked if each.mutating)
    longest = max((each.seconds for each in asked if not each.mutating), default=0)
    if serial + longest >= RENEWAL_SECONDS:
        names = ", ".join(each.name for each in asked)
        yield Danger(
            "leases-wait",
            Severity.HIGH,
            hook,
            f"a lease of {SYSTEM} may wait {serial + longest} s for {names}, and a leader gives up"
            f" after {RENEWAL_SECONDS} s",
            "leave the group coordination.k8s.io out of the rules",
        )


def _about_leases(hook: Hook, around: Around) -> bool:
    asked = hook.asked("coordination.k8s.io", "leases", "UPDATE")
    selected = hook.selects(SYSTEM, around.namespaces.get(SYSTEM)) is Truth.YES
    return asked and selected and not re.search(r"coordination|leases|kube-system", hook.conditions)


def waits_long(hook: Hook, _all: Sequence[Hook], _around: Around) -> Iterator[Danger]:
    """Each request may wait longer than its sender."""
    if RENEWAL_SECONDS < hook.seconds <= LONGEST_SECONDS:
        yield Danger(
            "waits-long",
            Severity.LOW,
            hook,
            f"may hold every request for {hook.seconds} s",
            "set timeoutSeconds to 5 or less",
        )


def bundle(hook: Hook, _all: Sequence[Hook], _around: Around) -> Iterator[Danger]:
    """The certificates by which its server is known are none, or at their end."""
    if hook.trust is None:
        return
    ends = _ends(hook.trust.bundle)
    if ends is None:
        message, severity = "has a caBundle that is no PEM certificates", Severity.HIGH
    elif max(ends) < 0:
        message, severity = "has a caBundle whose certificates have all expired", Severity.HIGH
    elif max(ends) < SOON_DAYS:
        message = f"has a caBundle that expires in {max(ends):.0f} days"
        severity = Severity.MEDIUM
    else:
        return
    yield Danger("ca-bundle", severity, hook, message, "publish the CA that signs for its server")


def _ends(pem: bytes) -> list[float] | None:
    from cryptography import x509

    from auditor.webhook.authority import days_until

    try:
        return [days_until(each) for each in x509.load_pem_x509_certificates(pem)]
    except ValueError:
        return None


def served(hook: Hook, _all: Sequence[Hook], around: Around) -> Iterator[Danger]:
    """What its server shows is not what the API server would believe."""
    if why := around.served.get(hook.key):
        yield Danger(
            "served-certificate",
            Severity.HIGH,
            hook,
            f"shows a certificate that its caBundle does not verify: {why}",
            "publish the CA that signs for its server, the old one beside it until all have it",
        )


def left_over(hook: Hook, _all: Sequence[Hook], around: Around) -> Iterator[Danger]:
    """Nobody is there to answer."""
    if not hook.service:
        return
    key = (str(hook.service.get("namespace")), str(hook.service.get("name")))
    severity = Severity.HIGH if hook.fails else Severity.MEDIUM
    there = around.services.get(key)
    if there is None:
        if around.whole:
            text = f"calls Service {'/'.join(key)}, which is missing"
            yield Danger("left-over", severity, hook, text, _GONE)
    elif not _has_port(there, hook.service.get("port", 443)):
        port = hook.service.get("port", 443)
        text = f"calls port {port} of Service {'/'.join(key)}, which has no such port"
        yield Danger("left-over", severity, hook, text, "call a port of the Service")
    elif around.ready is not None and not around.ready.get(key):
        yield _unanswered(hook, key, severity, around.coming.get(key, 0))


_GONE = "delete the configuration if its owner is gone, or bring the owner back"
YOUNG_MINUTES = 10
"""Younger than this, a webhook may still have to start: an image has to be pulled."""


def _unanswered(hook: Hook, key: tuple[str, str], severity: Severity, coming: int) -> Danger:
    """Nothing is ready behind the Service; what to do depends on whether anything will be."""
    called = "/".join(key)
    look = f"kubectl get pods -n {key[0]}"
    age = hook.age_minutes
    if age is not None and age < YOUNG_MINUTES:
        text = f"calls Service {called}, behind which nothing is ready yet: it is {age:.0f} min old"
        remedy = f"wait until its pods are ready; {look} says how far they are"
        return Danger("not-ready-yet", severity if hook.fails else Severity.LOW, hook, text, remedy)
    if coming:
        text = f"calls Service {called}, behind which none of {coming} is ready"
        return Danger("left-over", severity, hook, text, f"{look} says what they lack")
    text = f"calls Service {called}, behind which nothing is ready"
    return Danger("left-over", severity, hook, text, _GONE)


def _has_port(service: object, port: object) -> bool:
    ports = sequence(mapping(mapping(service).get("spec")).get("ports"))
    return any(mapping(each).get("port") == port for each in ports)


def debuggers(hook: Hook, _all: Sequence[Hook], _around: Around) -> Iterator[Danger]:
    """Containers get into a pod by a way that it is not asked about."""
    asked = hook.asked("", "pods", "CREATE") or hook.asked("", "pods", "UPDATE")
    if asked and not hook.mutating and not hook.asked("", "pods/ephemeralcontainers", "UPDATE"):
        yield Danger(
            "debuggers-unasked",
            Severity.MEDIUM,
            hook,
            "is asked about pods and not about pods/ephemeralcontainers: what it forbids gets in"
            " with kubectl debug",
            "add pods/ephemeralcontainers to the resources of its rule",
        )


def exact(hook: Hook, _all: Sequence[Hook], _around: Around) -> Iterator[Danger]:
    """Another version of the same API is a way around it."""
    if hook.webhook.get("matchPolicy") == "Exact":
        yield Danger(
            "exact-versions",
            Severity.MEDIUM,
            hook,
            "has matchPolicy Exact: a request by another version of the same API passes it by",
            "set matchPolicy to Equivalent",
        )


def side_effects(hook: Hook, _all: Sequence[Hook], _around: Around) -> Iterator[Danger]:
    """A dry run would not be one."""
    said = hook.webhook.get("sideEffects")
    if said not in ("None", "NoneOnDryRun"):
        yield Danger(
            "side-effects",
            Severity.MEDIUM,
            hook,
            f"has sideEffects {said}: every dry run about it fails",
            "have it do nothing on a dry run, and say NoneOnDryRun",
        )


def not_asked_again(hook: Hook, every: Sequence[Hook], _around: Around) -> Iterator[Danger]:
    """It does not see what those after it add."""
    if not hook.mutating or hook.webhook.get("reinvocationPolicy") == "IfNeeded":
        return
    about_pods = hook.asked("", "pods", "CREATE")
    after = [
        e for e in every if e.mutating and e.order > hook.order and e.asked("", "pods", "CREATE")
    ]
    if about_pods and after:
        names = ", ".join(each.name for each in after)
        yield Danger(
            "not-asked-again",
            Severity.LOW,
            hook,
            f"changes pods and never sees what {names} adds after it",
            "set reinvocationPolicy to IfNeeded, if it changes nothing on what it changed itself",
        )


def glass(hook: Hook, _all: Sequence[Hook], _around: Around) -> Iterator[Danger]:
    """Somebody broke the glass and did not come back."""
    found = broken(hook.configuration)
    if found is None:
        return
    if found.holds:
        severity = Severity.MEDIUM
        text = f"lets everything in: its break-glass is open until {found.until}"
    else:
        severity = Severity.HIGH
        was = policies_before(hook.configuration).get(hook.name, "what it was")
        text = (
            f"has a break-glass that was over at {found.until} and never ended: its failurePolicy"
            f" stays Ignore, and {was} comes back by --end alone"
        )
    remedy = "auditor webhook break-glass --end"
    yield Danger("break-glass", severity, hook, f"{text} ({found.reason})", remedy)


CHECKS: tuple[Check, ...] = (
    every_resource,
    system_not_exempt,
    nodes_wait,
    asks_about_itself,
    leases_wait,
    waits_long,
    bundle,
    served,
    left_over,
    debuggers,
    exact,
    side_effects,
    not_asked_again,
    glass,
)
