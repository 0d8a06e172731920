"""The custom resources of others that policies of the network and reports are written in, as their
authors publish them: with schema and CEL rules, so that a real API server can say what it takes.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent

WHERE = {
    "github.com/kyverno/kyverno": ("config/crds/policyreport/*.yaml",),
    "github.com/openreports/reports-api": ("config/crd/*.yaml",),
    "github.com/openshift/api": ("security/v1/zz_generated.crd-manifests/*.crd.yaml",),
    "istio.io/api": ("kubernetes/customresourcedefinitions.gen.yaml",),
    "sigs.k8s.io/gateway-api": ("config/crd/standard/*.yaml",),
    "sigs.k8s.io/network-policy-api": ("config/crd/standard/*.yaml",),
}
"""Go module (its version is in go.mod, its checksum in go.sum) → where its definitions are."""


@lru_cache
def definitions(module: str) -> tuple[dict[str, Any], ...]:
    """The CustomResourceDefinitions of one of these modules.

    Raises subprocess.CalledProcessError where the module cannot be had.
    """
    return tuple(_read(_folder(module), WHERE[module]))


def _folder(module: str) -> Path:
    done = subprocess.run(
        ["go", "mod", "download", "-json", module],
        cwd=HERE,
        check=True,
        capture_output=True,
        text=True,
    )
    return Path(json.loads(done.stdout)["Dir"])


def _read(folder: Path, patterns: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    for file in sorted(file for pattern in patterns for file in folder.glob(pattern)):
        for document in yaml.load_all(file.read_text("utf-8"), Loader=yaml.CSafeLoader):
            if isinstance(document, dict) and document.get("kind") == "CustomResourceDefinition":
                yield document
