"""Marks in manifests that are lists, are built, or live."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor.audit import Bench, audit
from auditor.declared import Inline
from auditor.model import Audit, Policy, Resource, Settings, Snapshot, Status
from auditor.policies.engine import compile_policies
from auditor.policies.inline import PREFIX
from auditor.policies.loader import load
from auditor.sources.cluster import live_resource
from auditor.sources.files import FileSource
from auditor.sources.kinds import KINDS

POLICIES, LIBRARY = load()
ASKED = tuple(p for p in POLICIES if p.id == "workload/privileged_container")
BENCH = Bench(
    ASKED,
    compile_policies("regorus", {p.file: p.module for p in ASKED} | dict(LIBRARY)),
    (),
    POLICIES,
)
SETTINGS = Settings(inline=Inline(allowed=("*",)))
MARK = "# auditor: waive workload/privileged_container: why"


def pod(name: str, annotation: str = "") -> dict[str, Any]:
    """A privileged pod."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": "shop",
            "annotations": {"auditor/waive.workload.privileged_container": annotation}
            if annotation
            else {},
        },
        "spec": {"containers": [{"name": "app", "securityContext": {"privileged": True}}]},
    }


def judged(found: Snapshot) -> Audit:
    """With every inline waiver allowed."""
    return audit(found, BENCH, SETTINGS)


def statuses(answer: Audit) -> dict[str, Status]:
    """What became of the fault of each object."""
    return {finding.ref.name: finding.status for finding in answer.findings}


def test_a_comment_in_a_list_is_about_its_item(tmp_path: Path) -> None:
    """The other items have their own."""
    items = yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": [pod("a"), pod("b")]})
    first, _, rest = items.partition("privileged: true")
    (tmp_path / "a.yaml").write_text(f"{first}privileged: true {MARK}{rest}", "utf-8")
    answer = judged(FileSource((str(tmp_path),)).snapshot())
    assert statuses(answer) == {"a": Status.WAIVED, "b": Status.OPEN}
    assert answer.gaps == ()


@pytest.mark.parametrize(("value", "status"), [("why", Status.WAIVED), ("until=x", Status.OPEN)])
def test_a_live_object_has_annotations_alone(value: str, status: Status) -> None:
    """And is named where a file would be."""
    kind = next(kind for kind in KINDS if kind.kind == "Pod")
    live = live_resource(kind, pod("web", annotation=value))
    assert isinstance(live, Resource)
    answer = judged(Snapshot((live,)))
    assert statuses(answer) == {"web": status}
    assert [gap.what.startswith("shop/web[Pod]: ") for gap in answer.gaps] == (
        [] if status is Status.WAIVED else [True]
    )


@pytest.mark.parametrize(
    "annotations",
    [
        None,
        3,
        [],
        {"auditor/waive.": "x"},
        {"auditor/waive.workload.privileged_container": 3},
    ],
)
def test_whatever_stands_in_the_annotations_waives_nothing(annotations: Any) -> None:
    """Hostile input breaks nothing off."""
    manifest = pod("web")
    manifest["metadata"]["annotations"] = annotations
    kind = next(kind for kind in KINDS if kind.kind == "Pod")
    live = live_resource(kind, manifest)
    assert isinstance(live, Resource)
    assert statuses(judged(Snapshot((live,)))) == {"web": Status.OPEN}


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.id)
def test_the_api_server_takes_the_annotation(policy: Policy) -> None:
    """A qualified name: 63 characters behind the prefix, and of these signs alone
    (k8s.io/apimachinery, validation.IsQualifiedName).
    """
    name = (PREFIX + policy.id.replace("/", ".")).partition("/")[2]
    assert re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?", name)
