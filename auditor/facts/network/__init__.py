"""Who can reach what: the network policies of a snapshot, judged exactly.

One module for each dialect of policies; today that is NetworkPolicy v1 (`policies`, `judge`).
"""

from auditor.facts.network.answers import (
    Direction,
    Entrance,
    InvalidPolicy,
    Listening,
    Peer,
    Reach,
    Reason,
    Rule,
    Stranger,
    World,
)
from auditor.facts.network.engine import Network
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
    "Network",
    "Peer",
    "PortSet",
    "Profile",
    "Reach",
    "Reason",
    "Request",
    "Rule",
    "Ruling",
    "Stranger",
    "Verdict",
    "World",
    "matches",
]
