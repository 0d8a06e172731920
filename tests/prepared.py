"""What a policy is given of an object, for who asks an engine itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.model import Resource
from auditor.policies.judge import Prepared


def prepared(
    resource: Resource,
    facts: Mapping[str, Any],
    kubernetes: int,
    parameters: Mapping[str, Any] | None = None,
) -> bytes:
    """As it is put to one policy alone."""
    return Prepared(resource, siblings=True).document(facts, kubernetes, parameters)
