"""What every test has."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")  # how long an example takes says only how busy the machine is


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Tests on a control plane start one for each file: two at a time, and on one that somebody
    lends, or that is too dear to start often, one file after the other. Others: one for each core.
    """
    from tests.e2e.cluster_route import Route, route

    if config.option.markexpr != "e2e":
        return None
    return 2 if route() is Route.BUILT else 1


LONGEST = (
    "test_native_floor", "test_live_size", "test_webhook_operation", "test_applied_fixes",
    "test_each_fix", "test_watch", "test_soak", "test_ci_templates", "test_snapshot",
)  # fmt: skip
"""The modules of the e2e tests that take a minute or more, the longest first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins first, so that no process is left alone with it in the end."""
    order = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path.stem, len(order)))


@pytest.fixture(scope="module", autouse=True)
def tidy() -> Iterator[None]:
    """What a module left behind is let go: what is built counts as old at once, and the collector
    of a process that goes on for long would seldom look there.
    """
    yield
    gc.collect()


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache that is not that of the person who runs the tests."""
    folder = tmp_path_factory.mktemp("cache") / "auditor"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "AUDITOR_CACHE_DIR", str(folder))
        yield folder
