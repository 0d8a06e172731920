"""What a ConfigMap says of kubelets and kube-proxy, and what of one that says nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.facts import Facts
from auditor.facts.component_config import component_config
from auditor.model import Settings
from auditor.sources.files import FileSource

KUBELET = "kind: KubeletConfiguration"


def told(folder: Path, text: str, namespace: str = "kube-system") -> tuple[object, list[str]]:
    """What the fact says of a ConfigMap with such a text, and the gaps."""
    lines = "".join(f"    {line}\n" for line in text.splitlines())
    head = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: kubelet-config\n"
    file = folder / "config.yaml"
    file.write_text(f"{head}  namespace: {namespace}\ndata:\n  kubelet: |\n{lines}", "utf-8")
    facts = Facts(FileSource((str(file),)).snapshot(), Settings())
    said = component_config(facts, facts.snapshot.resources[0])
    return said, [gap.what for gap in facts.gaps.values()]


def test_fields_are_told_by_their_whole_name(tmp_path: Path) -> None:
    """And no other than those that are read."""
    text = f"{KUBELET}\nreadOnlyPort: 0\nauthorization: {{mode: Webhook}}\nsecret: x\n"
    said, gaps = told(tmp_path, text)
    assert said == {
        "kind": "KubeletConfiguration",
        "key": "kubelet",
        "settings": {"readOnlyPort": 0, "authorization.mode": "Webhook"},
    }
    assert gaps == []


def test_what_is_no_yaml_is_a_gap(tmp_path: Path) -> None:
    """Silence would say that all is well."""
    assert told(tmp_path, f"{KUBELET}\nreadOnlyPort: [0") == (
        None,
        ["data.kubelet of kube-system/kubelet-config[ConfigMap]"],
    )


@pytest.mark.parametrize(
    ("text", "namespace"),
    [
        ("- KubeletConfiguration", "kube-system"),
        ("kind: Other # KubeletConfiguration", "kube-system"),
        (KUBELET, "shop"),
    ],
)
def test_what_is_no_configuration_says_nothing(text: str, namespace: str, tmp_path: Path) -> None:
    """Nor does one that no node is given."""
    assert told(tmp_path, text, namespace) == (None, [])


def test_values_of_other_forms_are_not_told(tmp_path: Path) -> None:
    """A mapping where a word belongs, or aliases that would grow without end."""
    text = f"{KUBELET}\nreadOnlyPort: {{a: 1}}\na: &a [x, x]\ntlsCipherSuites: [*a, *a]\n"
    said, _ = told(tmp_path, text)
    assert said == {"kind": "KubeletConfiguration", "key": "kubelet", "settings": {}}
