"""The Pod Security Standards against the test data of Kubernetes' own library: 4,537 pods, each at
one level as of one version, which it keeps or breaks.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from auditor.audit import Bench, audit
from auditor.frameworks.catalogue import uncovered, wanted_controls
from auditor.model import Audit, Settings
from auditor.policies.engine import compile_policies
from auditor.policies.loader import chosen, load
from auditor.sources.files import FileSource

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("AUDITOR_CONFORMANCE", ROOT / "../shared/conformance")) / "pss"
LEVELS = ("baseline", "restricted")

pytestmark = pytest.mark.conformance


@pytest.fixture(scope="module")
def benches() -> Mapping[str, Bench]:
    """Level → the policies that its framework chooses."""
    return {level: _bench(f"pss-{level}") for level in LEVELS}


def _bench(framework: str) -> Bench:
    policies, library = load(ROOT / "policies")
    controls = wanted_controls([framework])
    asked = chosen(policies, "recommended", (), frozenset(controls))
    modules = {policy.file: policy.module for policy in asked} | dict(library)
    return Bench(asked, compile_policies("regorus", modules), uncovered(controls, asked))


def _pods(level: str, kept: bool) -> Iterator[Path]:
    yield from sorted((DATA / level).glob(f"v1.*/{'pass' if kept else 'fail'}/*.yaml"))


def _judged(file: Path, bench: Bench) -> Audit:
    minor = int(file.parents[1].name.removeprefix("v1."))
    return audit(FileSource((str(file),)).snapshot(), bench, Settings(kubernetes=100 + minor))


def test_every_control_is_covered(benches: Mapping[str, Bench]) -> None:
    """Nothing of a level is left unassessed."""
    assert [gap for bench in benches.values() for gap in bench.gaps] == []


def test_every_pod_is_judged_as_kubernetes_does(
    benches: Mapping[str, Bench], capsys: pytest.CaptureFixture[str]
) -> None:
    """What breaks a level has a finding, what keeps it has none, and every file can be read."""
    count: Counter[str] = Counter()
    wrong = []
    for level, bench in benches.items():
        for kept in (True, False):
            for file in _pods(level, kept):
                answer = _judged(file, bench)
                agrees = bool(answer.findings) != kept and not answer.gaps and answer.judged == 1
                count[level] += 1
                count["agree"] += agrees
                if not agrees:
                    told = [finding.policy.id for finding in answer.findings]
                    wrong.append((file.relative_to(DATA).as_posix(), told, answer.gaps))
    if not count:
        why = f"no recorded answers in {DATA}; set AUDITOR_CONFORMANCE"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(why)
    pods = count["baseline"] + count["restricted"]
    with capsys.disabled():
        print(f"\npss: {count['agree']} of {pods} pods agree", end="")  # noqa: T201 the score
    assert not wrong, wrong[:20]
    assert pods == 4537
