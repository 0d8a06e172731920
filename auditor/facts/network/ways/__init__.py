"""The ways into the cluster, and on to pods: Services, Ingress, the Gateway API, ports of nodes.

One module reads Services (`services`), one the Gateway API (`gateway`), one says which routes hold
where (`attachments`), one to which backend a request goes (`routing`), and one puts it all together
(`entrances`).
"""

from auditor.facts.network.ways.entrances import (
    Ways,
    is_public_load_balancer,
    source_ranges,
    source_rules,
)
from auditor.facts.network.ways.routing import Routed
from auditor.facts.network.ways.services import (
    Endpoint,
    Leads,
    Services,
    external_name,
    is_headless,
    listening,
    selector_of,
)

__all__ = [
    "Endpoint",
    "Leads",
    "Routed",
    "Services",
    "Ways",
    "external_name",
    "is_headless",
    "is_public_load_balancer",
    "listening",
    "selector_of",
    "source_ranges",
    "source_rules",
]
