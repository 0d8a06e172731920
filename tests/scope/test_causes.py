"""What changed a running pod is read off the difference."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from auditor.facts.workloads import workload_of
from auditor.model import Origin, Path, Resource, Snapshot
from auditor.scope.causes import Running, cause_of
from auditor.terms import Authorship, Writer
from tests.facts.network.cluster import NoLines, pod, resource, workload

TOP = workload_of(
    workload("Deployment", "web", containers=[{"name": "main", "image": "a"}], volumes=[])
)
LIMITS = resource(
    {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "small"}, "spec": {}}
)
RESOURCES: Path = ("spec", "containers", 0, "resources", "limits")


def said(path: Path, *others: Resource, subresource: str = "", **fields: Any) -> str:
    assert TOP
    running = pod("web-1", **{"containers": [{"name": "main", "image": "a"}], **fields})
    writers = (Writer("kubectl-patch", "Update", subresource),)
    origin = Origin("x", NoLines(), authorship=Authorship(writers=writers))
    running = replace(running, origin=origin)
    return cause_of(path, Running(running, TOP, Snapshot((running, *others)))).words


def test_a_limit_range_of_its_namespace_set_the_resources() -> None:
    """The LimitRanger fills in what the template leaves out."""
    assert said(RESOURCES, LIMITS) == (
        "the resources of container 'main' were set by default/small[LimitRange]"
    )
    assert "mutating admission" in said(RESOURCES)


def test_who_resized_a_running_pod_is_named() -> None:
    """Field managers tell of a subresource, where a LimitRange cannot have been."""
    assert said(RESOURCES, LIMITS, subresource="resize") == (
        "container 'main' was resized by kubectl-patch"
    )


@pytest.mark.parametrize(
    ("name", "by"),
    [("kube-api-access-x7k2p", "the ServiceAccount admission"), ("certs", "mutating admission")],
)
def test_a_volume_that_the_template_lacks_was_added(name: str, by: str) -> None:
    """The token of the service account by the API server, any other by somebody."""
    words = said(("spec", "volumes", 0, "projected"), volumes=[{"name": name}])
    assert words.startswith(f"volume '{name}' was added by ")
    assert by in words


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (("spec", "nodeSelector"), "nodeSelector was set by the PodNodeSelector admission"),
        (("spec", "hostNetwork"), "hostNetwork was changed by a mutating admission webhook"),
        (
            ("spec", "containers", 0, "securityContext"),
            "container 'main' was changed by a mutating",
        ),
        ((), "it was changed by a mutating admission"),
    ],
)
def test_any_other_field_is_named(path: Path, words: str) -> None:
    """With the admission that is known for it, where one is."""
    assert said(path).startswith(words)
