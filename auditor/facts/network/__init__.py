"""Who can reach what: the network policies of a snapshot, judged exactly.

One module for each dialect: NetworkPolicy v1 (`policies`, `namespaced`), the cluster-wide policies
(`cluster_policies`, `cluster_wide`), and Istio's sidecars (`istio`).
"""

from auditor.facts.network.answers import (
    Direction,
    Entrance,
    InvalidPolicy,
    Listening,
    Machine,
    Peer,
    Reach,
    Reason,
    Rule,
    Stranger,
    World,
)
from auditor.facts.network.engine import Network
from auditor.facts.network.outside import Span
from auditor.facts.network.passing import Sent
from auditor.facts.network.ports import PortSet
from auditor.facts.network.profiles import SPEC, Profile
from auditor.facts.network.requests import Identity, Request, Ruling, Verdict
from auditor.facts.selectors import matches

__all__ = [
    "SPEC",
    "Direction",
    "Entrance",
    "Identity",
    "InvalidPolicy",
    "Listening",
    "Machine",
    "Network",
    "Peer",
    "PortSet",
    "Profile",
    "Reach",
    "Reason",
    "Request",
    "Rule",
    "Ruling",
    "Sent",
    "Span",
    "Stranger",
    "Verdict",
    "World",
    "matches",
]
