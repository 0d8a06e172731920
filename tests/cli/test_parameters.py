"""`parameters:` of .auditor.yaml, as somebody meets it who runs an audit."""

from __future__ import annotations

from pathlib import Path

import pytest

from .command import HARMLESS, Command

TRUSTED = """\
parameters:
  image/undeclared_registry:
    registries: [{}]
"""


def _audited(auditor: Command, folder: Path, config: str) -> tuple[int, str]:
    (folder / "pod.yaml").write_text(HARMLESS, "utf-8")
    (folder / ".auditor.yaml").write_text(config, "utf-8")
    said = auditor("audit", folder, "--select", "image", "--fail-on", "medium")
    return said.code, said.out + said.err


def test_an_image_from_elsewhere_is_found_once_registries_are_declared(
    auditor: Command, folder: Path
) -> None:
    """And not before, nor where it is from one of them."""
    assert _audited(auditor, folder, "waivers: []")[0] == 0
    assert _audited(auditor, folder, TRUSTED.format("registry.example"))[0] == 0
    code, said = _audited(auditor, folder, TRUSTED.format("ghcr.io"))
    assert code == 1
    assert "takes its image from registry.example" in said


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ("parameters: 3", "parameters"),
        ("parameters: {image/undeclared_registry: 3}", "parameters.image/undeclared_registry"),
        ("parameters: {image/undeclared_registry: {registries: x}}", "registries"),
        ("parameters: {image/registries: {}}", "parameters.image/registries"),
    ],
)
def test_what_is_wrong_is_named_with_file_and_field(
    auditor: Command, folder: Path, config: str, field: str
) -> None:
    """Exit code 2, and no audit."""
    code, said = _audited(auditor, folder, config)
    assert code == 2
    assert ".auditor.yaml" in said
    assert field in said
