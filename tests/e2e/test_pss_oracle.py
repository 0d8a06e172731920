"""Our judgement of 20,000 generated pods is that of Kubernetes' own library: at every version of
the Pod Security Standards, at both levels, check by check.
"""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pytest

from auditor.audit import Bench, audit
from auditor.facts.workloads import TEMPLATES
from auditor.frameworks.catalogue import wanted_controls
from auditor.manifests import at
from auditor.model import Audit, Origin, Ref, Resource, Settings, Snapshot, Span
from auditor.model import Path as Place
from auditor.policies.engine import compile_policies
from auditor.policies.loader import chosen, load
from tests.pods import Pod, random_pods
from tests.prepared import prepared

from .build import PSS, built
from .cluster import NoClusterError

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
SEED = 20261127
PODS = 20_000
LEVELS = ("baseline", "restricted")

CONTROLS = {
    "allowPrivilegeEscalation": "privilege-escalation",
    "appArmorProfile": "app-armor",
    "capabilities_baseline": "capabilities",
    "capabilities_restricted": "capabilities",
    "hostNamespaces": "host-namespaces",
    "hostPathVolumes": "host-path",
    "hostPorts": "host-ports",
    "hostProbesAndHostLifecycle": "host-probes",
    "privileged": "privileged",
    "procMount": "proc-mount",
    "procMount_restricted": "proc-mount",
    "restrictedVolumes": "volume-types",
    "runAsNonRoot": "run-as-non-root",
    "runAsUser": "run-as-user",
    "seLinuxOptions": "se-linux",
    "seccompProfile_baseline": "seccomp",
    "seccompProfile_restricted": "seccomp",
    "sysctls": "sysctls",
    "windowsHostProcess": "windows-host-process",
}
"""The library's name of a check → ours of the control."""

API_VERSIONS = {"": "v1", "extensions": "extensions/v1beta1", "argoproj.io": "argoproj.io/v1alpha1"}

TOLD_ONCE: Mapping[str, frozenset[str]] = {
    "capabilities": frozenset({"privileged"}),
    "host-ports": frozenset({"host-namespaces"}),
    "privilege-escalation": frozenset({"privileged", "capabilities"}),
    "run-as-non-root": frozenset({"run-as-user"}),
    "seccomp": frozenset({"privileged"}),
}
"""Control → those with which it may go untold, since one fault breaks both."""


@dataclass(frozen=True, slots=True)
class Question:
    """A pod to judge at a level as of a version."""

    level: str
    minor: int
    pod: Pod
    kind: tuple[str, str]
    """The API group and kind that we are given it as; the library knows pods alone."""


@dataclass(frozen=True, slots=True)
class NoLines:
    """These manifests are not shown to anyone."""

    def span(self, path: Place) -> Span:
        return Span(1, 1, 1, 1)


@pytest.fixture(scope="module")
def library() -> Path:
    """The program that asks the library."""
    program = built(PSS)
    if program is None:
        raise NoClusterError("no oracle here: build it with `python -m tests.e2e.build pss`")
    return program


def _questions() -> Iterator[Question]:
    """The same ones on every run: a pod, a level, a version and a kind that go through in turns."""
    kinds, levels = cycle(TEMPLATES), cycle(LEVELS)
    minors = cycle(minor for minor in range(38) for _ in LEVELS)
    for pod in islice(random_pods(SEED), PODS):
        yield Question(next(levels), next(minors), pod, next(kinds))


def _expected(program: Path, questions: Sequence[Question]) -> Iterator[frozenset[str]]:
    """The controls that the library finds violated."""
    lines = (
        json.dumps({"level": q.level, "version": f"v1.{q.minor}", "pod": q.pod}) for q in questions
    )
    done = subprocess.run(
        [program], input="\n".join(lines), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for line in done.stdout.splitlines():
        yield frozenset(CONTROLS[check] for check in json.loads(line)["violated"])


def _bench(framework: str) -> Bench:
    policies, library = load(ROOT / "policies")
    asked = chosen(policies, "recommended", (), frozenset(wanted_controls([framework])))
    modules = {policy.file: policy.module for policy in asked} | dict(library)
    return Bench(asked, compile_policies("regorus", modules))


def _resource(question: Question) -> Resource:
    group, kind = question.kind
    version = API_VERSIONS.get(group, f"{group}/v1")
    manifest: dict[str, Any] = {}
    inner = manifest
    for step in TEMPLATES[question.kind]:
        inner = inner.setdefault(str(step), {})
    inner.update(question.pod)
    return Resource(Ref(version, kind, "shop", "generated"), manifest, Origin("x", NoLines()))


def _judged(question: Question, benches: Mapping[str, Bench]) -> Audit:
    snapshot = Snapshot((_resource(question),))
    bench = benches[question.level]
    return audit(snapshot, bench, Settings(kubernetes=100 + question.minor))


def _violated(level: str, answer: Audit) -> frozenset[str]:
    """The controls of the level that our findings name."""
    prefix = f"pss-{level}/"
    named = {c for finding in answer.findings for c in finding.policy.controls}
    found = {c.removeprefix(prefix) for c in named if c.startswith(prefix)}
    # There one check of the library takes the place of the other.
    return frozenset(found - {"host-path"} if level == "restricted" else found)


def _differs(expected: frozenset[str], ours: frozenset[str]) -> bool:
    untold = {control for control in expected - ours if not TOLD_ONCE.get(control, set()) & ours}
    return bool(ours - expected or untold)


def _is_written(answer: Audit) -> bool:
    """Whether each finding points at a field that is there."""
    (resource,) = answer.snapshot.resources
    return all(
        finding.path[-1] in at(resource.manifest, finding.path[:-1])
        if isinstance(finding.path[-1], str)
        else at(resource.manifest, finding.path) is not None
        for finding in answer.findings
    )


def test_kubernetes_judges_alike(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No verdict differs and no control, and every finding points at what is written."""
    questions = list(_questions())
    benches = {level: _bench(f"pss-{level}") for level in LEVELS}
    count: Counter[str] = Counter()
    wrong = []
    for question, expected in zip(questions, _expected(library, questions), strict=True):
        answer = _judged(question, benches)
        ours = _violated(question.level, answer)
        verdict = bool(expected) == bool(answer.findings)
        controls = not _differs(expected, ours)
        count["broken"] += bool(expected)
        count["verdicts"] += verdict
        count["controls"] += controls
        count.update(f"control {control}" for control in expected)
        # That an API server of that version knows no such field is right, and no matter here.
        unasked = [gap for gap in answer.gaps if gap.what.startswith("policy ")]
        if not (verdict and controls and _is_written(answer)) or unasked:
            wrong.append((question, sorted(expected), sorted(ours), unasked))
    with capsys.disabled():
        print(  # noqa: T201 the score
            f"\npss oracle, seed {SEED}: of {len(questions)} pods ({count['broken']} break their "
            f"level) {count['verdicts']} verdicts and {count['controls']} sets of controls agree",
            end="",
        )
    assert not wrong, wrong[:5]
    assert len(questions) == PODS
    assert {f"control {control}" for control in CONTROLS.values()} <= set(count)


def test_opa_says_the_same_of_pods(opa: Path) -> None:
    """Policy by policy, word by word, for pods that break several rules at once."""
    policies, modules = load(ROOT / "policies")
    asked = [policy for policy in policies if policy.id.startswith("workload/")]
    engine = compile_policies("regorus", {p.file: p.module for p in asked} | dict(modules))
    documents = [prepared(_resource(q), {}, 100 + q.minor) for q in islice(_questions(), 400)]
    answers = _opa(opa, documents)
    assert len(answers) == len(documents)
    for document, answer in zip(documents, answers, strict=True):
        for policy in asked:
            folder, name = policy.id.split("/")
            expected = sorted(map(_text, answer[name]["deny"]))
            ours = engine.evaluate(f"policies.{folder}.{name}", document)
            assert sorted(map(_text, ours)) == expected, (policy.id, document)


def _opa(program: Path, documents: Sequence[bytes]) -> list[dict[str, Any]]:
    """What OPA says of each document, asked once for all of them."""
    each = "[said | some document in input; said := data.policies.workload with input as document]"
    done = subprocess.run(
        [program, "eval", "--format", "values", "--stdin-input", "--strict-builtin-errors",
         "--data", ROOT / "policies", "--ignore", "*.yaml", each],
        input=b"[" + b",".join(documents) + b"]", capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    (answers,) = json.loads(done.stdout)
    return list(answers)


def _text(finding: Mapping[str, Any]) -> str:
    return json.dumps(finding, sort_keys=True)
