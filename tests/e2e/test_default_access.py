"""The roles and bindings that we take for granted are those of a real API server."""

from __future__ import annotations

import orjson
import pytest

from .cluster import TestCluster
from .default_access import FILE, recorded

pytestmark = pytest.mark.e2e


def test_the_defaults_are_those_that_an_api_server_makes(cluster: TestCluster) -> None:
    shipped, real = orjson.loads(FILE.read_bytes()), recorded(cluster)
    if shipped["version"] != real["version"]:
        pytest.skip(f"the cluster is {real['version']}, and the defaults are of 1.36")
    assert shipped == real
