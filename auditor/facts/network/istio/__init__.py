"""The dialect of Istio's sidecars: AuthorizationPolicy and PeerAuthentication, judged exactly.

`mesh` judges a request; `policies` and `peer_authentication` are what is written, `admission` who
would refuse it, `conditions` and `matching` what it asks, `traffic` what the proxy sees, `callers`,
`sidecars` and `settings` what is known of both ends and of the mesh, `witnesses` the requests that
have to be judged to judge them all. Policies of gateways and waypoints (`targetRefs`) mean no
sidecar; what the proxies of ambient namespaces do is not judged.
"""

from auditor.facts.network.istio.mesh import Mesh
from auditor.facts.network.istio.policies import AuthorizationPolicy, Refusal
from auditor.facts.network.istio.witnesses import Witnesses

__all__ = ["AuthorizationPolicy", "Mesh", "Refusal", "Witnesses"]
