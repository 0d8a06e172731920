"""Who may do what through the API server: RBAC, as its authorizer answers.

`rules` matches, `roles` reads roles and aggregates them, `subjects` knows whom a binding means,
`authorizer` answers. `defaults.json` holds what an API server 1.36 makes for itself; a test asks a
real one.
"""

from auditor.facts.access.authorizer import Answer, Authorizer, Grant
from auditor.facts.access.requests import Request, RequestError, request_of

__all__ = ["Answer", "Authorizer", "Grant", "Request", "RequestError", "request_of"]
