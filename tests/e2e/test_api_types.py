"""What we know of the API's types, against what a real API server says of itself."""

from __future__ import annotations

import json

import pytest

from auditor.facts.schema.derive import derived_of
from auditor.facts.schema.types import types

from .cluster import TestCluster

pytestmark = pytest.mark.e2e


def test_the_types_are_those_of_the_server(cluster: TestCluster) -> None:
    """Every kind, every field, what type it is and which are required."""
    version = json.loads(cluster.kubectl("get", "--raw", "/version").stdout)
    number = 100 * int(version["major"]) + int(version["minor"].rstrip("+"))
    told = json.loads(cluster.kubectl("get", "--raw", "/openapi/v2").stdout)["definitions"]
    theirs = derived_of(told)
    ours = types()
    assert len(theirs.kinds) > 40
    for api_version, name in theirs.kinds.items():
        assert ours.kinds[api_version] == name
    for name, shape in theirs.shapes.items():
        known = ours.shape(name, number)
        assert known is not None, name
        assert (known.fields or {}) == shape.get("fields", {}), name
        assert sorted(known.required) == shape.get("required", []), name
