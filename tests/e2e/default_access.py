"""The roles and bindings that an API server makes for itself, as `auditor.facts.access` ships them.

``python -m tests.e2e.default_access`` asks the test cluster and writes them anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from .cluster import TestCluster, start

FILE = Path(__file__).parents[2] / "auditor" / "facts" / "access" / "defaults.json"
KINDS = ("clusterroles", "clusterrolebindings", "roles", "rolebindings")
MARK = "kubernetes.io/bootstrapping"
"""The label of what the API server makes."""


def recorded(cluster: TestCluster) -> Mapping[str, Any]:
    """What the server made, without what differs from one server to the next."""
    version = cluster.kubectl("version", "-o", "json", check=True).stdout
    server = orjson.loads(version)["serverVersion"]
    return {
        "version": f"{server['major']}.{server['minor']}",
        "items": [
            _kept(each) for kind in KINDS for each in cluster.objects(kind) if _is_ours(each)
        ],
    }


def _is_ours(manifest: Mapping[str, Any]) -> bool:
    return MARK in (manifest["metadata"].get("labels") or {})


def _kept(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = manifest["metadata"]
    kept = {key: metadata[key] for key in ("name", "namespace", "labels") if key in metadata}
    rest = ("rules", "aggregationRule", "roleRef", "subjects")
    return {
        "apiVersion": manifest["apiVersion"],
        "kind": manifest["kind"],
        "metadata": kept,
        **{key: manifest[key] for key in rest if key in manifest},
    }


def main() -> None:
    """Write the file."""
    cluster = start()
    try:
        text = orjson.dumps(recorded(cluster), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
    finally:
        cluster.stop()
    FILE.write_bytes(text + b"\n")


if __name__ == "__main__":
    main()
