"""Quantities mean what apimachinery says they mean."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.facts.placement.quantities import LARGEST, QuantityError, milli, parse, units


@pytest.mark.parametrize(
    ("written", "value"),
    [
        pytest.param("0", 0, id="nothing"),
        pytest.param("128974848", 128974848, id="plain"),
        pytest.param("129e6", 129_000_000, id="exponent"),
        pytest.param("129M", 129_000_000, id="decimal suffix"),
        pytest.param("123Mi", 128974848, id="binary suffix"),
        pytest.param("128974848000m", 128974848, id="thousandths"),
        pytest.param("1.5Gi", 1610612736, id="a fraction of a binary suffix"),
        pytest.param(".5Mi", 524288, id="no digit before the point"),
        pytest.param("1.", 1, id="no digit after the point"),
        pytest.param("+7", 7, id="a plus sign"),
        pytest.param(" 7 ", 7, id="spaces around"),
        pytest.param("5E", 5 * 10**18, id="exa is no exponent"),
        pytest.param("5E3", 5000, id="a capital exponent"),
        pytest.param("1e-3", 1, id="part of a unit counts as one"),
        pytest.param("100Ei", LARGEST, id="capped"),
        pytest.param("1e999999999", LARGEST, id="absurdly large"),
        pytest.param(512, 512, id="a YAML integer"),
        pytest.param(0.5, 1, id="a YAML float"),
        pytest.param(None, 0, id="null"),
    ],
)
def test_a_quantity_is_counted_in_whole_units(written: Any, value: int) -> None:
    """Units, rounded up: the examples of the Kubernetes documentation and of apimachinery."""
    assert units(parse(written)) == value


@pytest.mark.parametrize(
    ("written", "value"),
    [
        pytest.param("500m", 500, id="half a CPU"),
        pytest.param("0.5", 500, id="half a CPU, decimal"),
        pytest.param("0.1m", 1, id="finer than a thousandth is rounded up"),
        pytest.param("1u", 1, id="a millionth"),
        pytest.param("1e-999999999", 1, id="absurdly small, yet not nothing"),
        pytest.param("2", 2000, id="two"),
    ],
)
def test_cpu_is_counted_in_thousandths(written: str, value: int) -> None:
    """CPU, in thousandths, rounded up."""
    assert milli(parse(written)) == value


@pytest.mark.parametrize(
    "written",
    [
        "",
        "1.1.M",
        "1+1.0M",
        "0.1mi",
        "0.1am",
        "aoeu",
        ".5i",
        "1i",
        "-3.01i",
        "-3.01e-",
        "1 Gi",
        "٣",
    ],
)
def test_the_api_server_refuses_other_texts(written: str) -> None:
    """What apimachinery's own tests list as invalid, and digits of other scripts."""
    with pytest.raises(QuantityError):
        parse(written)


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(True, id="a truth"),
        pytest.param([], id="a list"),
        pytest.param({}, id="a mapping"),
        pytest.param(float("nan"), id="not a number"),
        pytest.param(16**6000, id="a number too long to print"),
        pytest.param("1" * 5000, id="a text of that length"),
    ],
)
def test_what_is_no_text_and_no_number_is_refused(written: Any) -> None:
    """Other types, and numbers of absurd length, are no quantities."""
    with pytest.raises(QuantityError):
        parse(written)
