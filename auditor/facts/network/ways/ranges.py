"""Lists of addresses and ranges, as Services and Gateways write them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from ipaddress import ip_network
from typing import Any

from auditor.facts.network.outside import IPNetwork
from auditor.manifests import sequence


def networks(value: Any) -> Iterator[IPNetwork]:
    """The addresses or ranges of a list that can be read."""
    for text in sequence(value):
        if isinstance(text, str):
            with suppress(ValueError):
                yield ip_network(text.strip(), strict=False)
