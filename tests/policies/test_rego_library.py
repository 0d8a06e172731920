"""What policies ask of policies/lib: quantities as Kubernetes reads them, images as runtimes do."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.facts.placement.quantities import UNIT, parse
from auditor.policies.engine import PolicyEngine, compile_policies
from auditor.policies.loader import load

_, LIBRARY = load()
ENGINES = ("regorus", "regopy")

QUANTITIES = """
package policies.test.quantities

import data.lib.quantities

deny contains {"value": quantities.value(input.quantity)} if true
"""

IMAGES = """
package policies.test.images

import data.lib.images

deny contains finding if {
	finding := {
		"name": images.name(input.text),
		"registry": images.registry(input.text),
		"latest": latest,
		"pinned": pinned,
	}
}

latest if images.asks_latest(input.text)

latest := false if not images.asks_latest(input.text)

pinned if images.is_pinned(input.text)

pinned := false if not images.is_pinned(input.text)
"""


@cache
def _program(engine: str, text: str) -> PolicyEngine:
    return compile_policies(engine, {"test.rego": text, **LIBRARY})


def _asked(engine: str, text: str, document: dict[str, Any]) -> Any:
    package = text.split()[1]
    answer = _program(engine, text).evaluate(package, json.dumps(document).encode())
    return answer[0] if answer else None


def _value(engine: str, quantity: Any) -> Any:
    answer = _asked(engine, QUANTITIES, {"quantity": quantity})
    return None if answer is None else answer["value"]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("quantity", "value"),
    [
        (2, 2),
        (0.5, 0.5),
        ("0", 0),
        ("0.0", 0),
        ("0Mi", 0),
        (None, 0),
        ("1500m", 1.5),
        ("1Ki", 1024),
        ("1.5Gi", 1610612736),
        ("1G", 1000000000),
        ("1E", 10**18),
        ("2e3", 2000),
        ("1E6", 1000000),
        ("much", None),
        ("", None),
        (True, None),
        ([1], None),
    ],
)
def test_a_quantity_has_the_value_that_kubernetes_gives_it(
    engine: str, quantity: Any, value: Any
) -> None:
    """https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/"""
    assert _value(engine, quantity) == (None if value is None else pytest.approx(value))


SUFFIXES = ("", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")


@given(st.integers(0, 9999), st.integers(0, 999), st.sampled_from(SUFFIXES))
def test_it_is_the_value_that_the_simulated_scheduler_counts(
    whole: int, part: int, suffix: str
) -> None:
    """Two readers of the same rules; the other is measured against the real scheduler. It rounds
    what is finer than a billionth.
    """
    text = f"{whole}.{part:03}{suffix}"
    expected = parse(text) / UNIT
    if expected < 9e18:  # there it caps
        assert _value("regorus", text) == pytest.approx(expected, rel=1e-12, abs=1e-9)


DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("nginx", "docker.io/library/nginx latest"),
        ("nginx:1.29", "docker.io/library/nginx"),
        ("team/app", "docker.io/team/app latest"),
        ("docker.io/nginx", "docker.io/library/nginx latest"),
        ("index.docker.io/team/app:1", "docker.io/team/app"),
        ("localhost/app:1", "localhost/app"),
        ("localhost:5000/app", "localhost:5000/app latest"),
        ("localhost:5000", "docker.io/library/localhost"),
        ("r.example:5000/a/b:v1", "r.example:5000/a/b"),
        ("Team/app:1", "Team/app"),
        (f"nginx@{DIGEST}", "docker.io/library/nginx pinned"),
        (f"nginx:latest@{DIGEST}", "docker.io/library/nginx latest pinned"),
        (f"r.example:5000/a@{DIGEST}", "r.example:5000/a pinned"),
        (f"nginx@{DIGEST[:-1]}", "docker.io/library/nginx"),
        (f"nginx@{DIGEST.upper()}", "docker.io/library/nginx"),
    ],
)
def test_an_image_is_read_as_container_runtimes_do(engine: str, text: str, meant: str) -> None:
    """Name with registry, whether the tag latest is asked for, and whether a digest pins it:
    https://pkg.go.dev/github.com/distribution/reference#ParseNormalizedNamed
    """
    said = _asked(engine, IMAGES, {"text": text})
    words = [word for word in ("latest", "pinned") if said[word]]
    assert " ".join((said["name"], *words)) == meant
    assert said["registry"] == said["name"].split("/")[0]
