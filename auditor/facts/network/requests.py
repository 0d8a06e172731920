"""What is asked of the network beyond a port, and how it is answered."""

from __future__ import annotations

from typing import Literal

from auditor.facts.network.answers import Reason
from auditor.values import Word, dataclass

Transport = Literal["mtls", "plaintext", "hbone"]


class Verdict(Word):
    """What becomes of a connection or of a request."""

    ALLOWED = "allowed"
    DENIED = "denied"
    UNDEFINED = "undefined"
    """The specification, or what is known of the cluster, decides neither."""


@dataclass(frozen=True, slots=True)
class Request:
    """One connection, and what is sent on it first."""

    port: int
    """Of the target's pod, not of a Service."""
    protocol: str = "TCP"
    method: str | None = None
    """None: what is sent is no HTTP."""
    path: str | None = None
    """As sent: the query and a fragment are part of it."""
    host: str | None = None
    """The Host header, with its port if it has one; None: none is sent."""
    headers: tuple[tuple[str, str], ...] = ()
    """Further header lines, in order; a name may stand more than once."""
    sni: str | None = None
    transport: Transport | None = None
    """None: what the settings of both ends make of it."""
    app_protocol: str | None = None
    """What the caller speaks (``http``, ``tcp``), where that is not told by `method`."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A caller known by the identity that it proves, not by a pod of the snapshot."""

    namespace: str
    account: str
    address: str = ""
    """Empty where it is not known."""
    trust_domain: str = ""
    """Empty: that of the mesh."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """The answer to one request."""

    verdict: Verdict
    reasons: tuple[Reason, ...] = ()
    """What admits or stops it, in the order in which it is asked."""
    unknown: tuple[str, ...] = ()
    """Why the verdict is undefined, a sentence each, without full stop."""
