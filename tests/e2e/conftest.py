"""The fixtures of the e2e tests; what they give is described in ``cluster.py``.

A test that needs what this machine does not have is skipped with a line that says what would help;
with ``CI=true`` it fails, so that a green run means that it ran. When a test fails, the logs of the
clusters that ran are kept, and its report names their folder.
"""

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from . import cluster as test_cluster
from .browser import Browser
from .browser import browser as a_browser
from .browser import program as browser_program
from .build import OPA, built
from .cluster import NoClusterError, Options, Route, TestCluster
from .cluster_route import route

Starter = Callable[[Options], TestCluster]

# The clusters that run just now, for the report of a test that fails.
_running: list[TestCluster] = []


@contextmanager
def _running_cluster(options: Options | None = None) -> Iterator[TestCluster]:
    cluster = test_cluster.start(options)
    _running.append(cluster)
    try:
        yield cluster
    finally:
        _running.remove(cluster)
        cluster.stop()


@pytest.fixture(scope="session")
def _session_cluster() -> Iterator[TestCluster]:
    """The one cluster of a run, where starting another for each module would take too long."""
    with _running_cluster() as cluster:
        yield cluster


@contextmanager
def _clean_cluster(request: pytest.FixtureRequest) -> Iterator[TestCluster]:
    if route() is Route.BUILT:
        with _running_cluster() as cluster:
            yield cluster
        return
    shared: TestCluster = request.getfixturevalue("_session_cluster")
    try:
        yield shared
    finally:
        shared.reset()


@pytest.fixture(scope="module")
def cluster(request: pytest.FixtureRequest) -> Iterator[TestCluster]:
    """A cluster for the tests of one module, clean when the first of them starts."""
    with _clean_cluster(request) as made:
        yield made


@pytest.fixture
def fresh_cluster(request: pytest.FixtureRequest) -> Iterator[TestCluster]:
    """A clean cluster for one test. Not together with ``cluster``: lent, they would be the same."""
    with _clean_cluster(request) as made:
        yield made


@pytest.fixture
def start_cluster() -> Iterator[Starter]:
    """Starts clusters with flags or stages of the test's own; they end with the test."""
    with ExitStack() as stack:
        yield lambda options: stack.enter_context(_running_cluster(options))


@pytest.fixture(scope="session")
def opa() -> Path:
    """The real OPA, as its own module builds it."""
    program = built(OPA)
    if program is None:
        raise NoClusterError("no OPA here: build it with `python -m tests.e2e.build opa`")
    return program


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A real browser for the tests of one module."""
    if browser_program() is None:
        raise NoClusterError("no Chromium here: `python -m tests.e2e.browser` installs it")
    with a_browser(tmp_path_factory.mktemp("browser")) as made:
        yield made


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Generator[None, object, object]:
    """A fixture that this machine cannot give skips the test."""
    try:
        return (yield)
    except NoClusterError as reason:
        _unavailable(str(reason))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    """So does what the test itself asks of a cluster that may not be given it."""
    try:
        return (yield)
    except NoClusterError as reason:
        _unavailable(str(reason))


def _unavailable(reason: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """The report of a failed test names the logs of the clusters that ran."""
    report = yield
    if report.failed:
        for cluster in _running:
            cluster.keep_logs = True
            report.sections.append(("test cluster", f"its logs are kept in {cluster.logs}"))
    return report
