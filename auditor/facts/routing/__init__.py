"""Which instances the clients of a Service reach, and what that costs: hops, zones, load.

`traffic` reads what a Service says of it, `endpoints` decides as kube-proxy does, `instances` knows
where the pods behind a Service stand, `load` and `cost` measure, `what_if` says what would be, and
`services` and `clientele` put it together for policies.
"""

from auditor.facts.routing.cost import latency_of, price_a_month
from auditor.facts.routing.endpoints import Endpoint, Endpoints
from auditor.facts.routing.instances import Served, served_by
from auditor.facts.routing.load import Load, load_of
from auditor.facts.routing.traffic import Traffic, traffic_of

__all__ = [
    "Endpoint",
    "Endpoints",
    "Load",
    "Served",
    "Traffic",
    "latency_of",
    "load_of",
    "price_a_month",
    "served_by",
    "traffic_of",
]
