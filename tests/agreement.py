"""What other tools' own tests expect of checks that a policy of ours names in `equivalents`.

Each tool gives its expectations in a form of its own; here each becomes a `Question`: files, the
policies of ours that name the check, and which objects fail. Found by METADATA: a new policy, or a
new name in `equivalents`, brings its questions along. Nothing of the tools is kept here.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from auditor.audit import Bench, audit
from auditor.declared import Waiver
from auditor.facts.custom import concerns, opened, role_of
from auditor.model import Finding, Policy, Ref, Resource, Settings, Snapshot
from auditor.policies.engine import compile_policies
from auditor.policies.loader import load
from auditor.sources.files import FileSource
from auditor.terms import KUBERNETES, Server

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("AUDITOR_CONFORMANCE", ROOT / "../shared/conformance"))
SETS = ("regolibrary", "polaris", "kube-linter", "kube-score")

RULES: Mapping[str, str] = {
    "image-not-pinned-to-digest": "kubescape:C-0306",
    "rule-identify-blocklisted-image-registries-v1": "kubescape:C-0001",
    "sudo-in-container-entrypoint": "kubescape:C-0062",
    "set-fsgroup-value": "gatekeeper:fsgroup",
    "set-supplementalgroups-values": "kyverno:check-supplemental-groups",
}
"""Rules of regolibrary that no framework of theirs names, or only one that puts ten into one
control (C-0211): by which name our policies know them. Those of the ten that fail whoever leaves a
field out (set-procmount-default, set-seLinuxOptions, set-runasusername-value) are no check of ours:
our policies fail a bad value, as the checks of Trivy and Kyverno on these fields do."""
MANY = "kubescape:C-0211"

DEMANDED: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "required-label-owner": {"metadata/missing_label": {"labels": ["owner"]}},
    "required-annotation-email": {
        "metadata/missing_annotation": {"annotations": ["email=[^@]+@[^@]+[.][^@]+"]}
    },
}
"""What checks of kube-linter demand that ours demand where it is declared."""

INSTEAD: Mapping[str, tuple[str, ...]] = {
    "workload/writable_host_path": ("workload/sensitive_host_path", "workload/runtime_socket"),
    "workload/writable_root_filesystem": ("workload/privileged_container",),
    "workload/low_user_id": ("workload/runs_as_root_user", "workload/may_run_as_root"),
    "disruption/no_budget": ("disruption/budget_selects_nothing",),
    "health/stateful_set_without_service": ("network/service_without_pods",),
    "resources/memory_beyond_request": ("resources/no_memory_limit",),
}
"""One fault is told once. Policy → those that tell in its place the greater fault of which its own
is a part, or tell it where it was made, as of the budget that misses the pods that it is for: what
they find is an answer to its question."""
EVERYTHING = "access/every_right"
"""Tells of a role in place of every policy that tells of one right."""

BINDINGS = frozenset({"RoleBinding", "ClusterRoleBinding"})

EXEMPT = re.compile("(?:system:.*|gce:podsecuritypolicy:calico-sa)")
"""Names of roles and bindings that the checks of Polaris pass, whatever they give: a list in each
of its checks on rights. Ours exempt nobody for a name; who wants to writes waivers."""

VERSIONS: Mapping[str, int] = {
    "kube-score/stable-version/statefulset-appsv1beta1#2": 104,
    "kube-score/stable-version/cronjob-batchv1beta1#2": 121,
}
"""For which Kubernetes their test judges, where it is another one than `KUBE_SCORE`."""
KUBE_SCORE = 118
"""For which Kubernetes the tests of kube-score judge; it matters to one check alone."""

WARNED = ("container-resources", "container-ephemeral-storage-request-and-limit")
"""Checks of kube-score that fail who has no limit, and warn who writes no request, even where the
limit is the request: our policies on requests are near to them, and those on limits are asked."""

NOT_ASKED: Mapping[str, tuple[str, ...]] = {
    "kube-score/container-resources/pod-test-resources-limits-and-requests-no-cpu-limit#1": (
        "resources/no_cpu_limit",
    ),
    "kube-score/container-resources/pod-test-resources-no-limits#1": (
        "resources/no_cpu_limit",
        "resources/no_memory_limit",
    ),
    "kube-score/deployment-replicas/service-target-deployment-replica-1#2": (
        "spread/single_replica",
    ),
}
"""What an option of their test turns off (IgnoreContainerCpuLimitRequirement and its like, a least
number of replicas of 1), which is in no file of theirs: here those policies are not asked."""

ALL = "*"
"""Stands for an object where a tool says no more than that some object of a file fails."""


@dataclass(frozen=True, slots=True)
class Question:
    """One expectation of a tool."""

    name: str
    """set/check/case"""
    files: tuple[str, ...]
    policies: tuple[Policy, ...]
    failing: frozenset[str]
    """Kind/name of what fails; Kind/* where some object of that kind does; * where some does."""
    by: str
    """object, kind or file: what the verdicts are told of."""
    passing: str = ""
    """Names that begin so are said to pass, where the verdict is of a kind."""
    messages: Mapping[str, int] = field(default_factory=dict)
    """Kind → how often their output speaks of one, where the verdict is of a kind."""
    kinds: frozenset[str] = frozenset()
    """What is judged; none where it is what the policies judge."""
    settings: Settings = field(default_factory=Settings)
    exempt: re.Pattern[str] | None = None
    """The names of what their check passes whatever it says."""
    cluster: bool = False
    """Whether the files hold what a cluster does, and all of it."""
    excuses: tuple[str, ...] = ()
    """The names of the lists above by which its expectation is read in another way."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What both say of one thing."""

    name: str
    """set/check/case/thing"""
    theirs: bool
    """Whether it fails."""
    ours: bool
    excuses: tuple[str, ...] = ()
    """The names of the lists above without which it might be another one."""

    @property
    def agreed(self) -> bool:
        """Whether it is the same."""
        return self.theirs == self.ours


@cache
def _known() -> tuple[tuple[Policy, ...], Mapping[str, str]]:
    return load(ROOT / "policies")


def naming(*checks: str) -> tuple[Policy, ...]:
    """The policies that name one of the checks."""
    return tuple(p for p in _known()[0] if not set(checks).isdisjoint(p.equivalents))


@cache
def _bench(policies: tuple[Policy, ...]) -> Bench:
    modules = {policy.file: policy.module for policy in policies} | dict(_known()[1])
    return Bench(policies, compile_policies("regorus", modules))


def verdicts(question: Question) -> Iterator[Verdict]:
    """Both verdicts of each object that our policies judge, or of the file as a whole."""
    snapshot = _snapshot(question)
    found = audit(snapshot, _bench(_asked(question.policies)), question.settings).open
    asked = {policy.id for policy in question.policies}
    own = [each for each in found if each.policy.id in asked]
    bare = replace(question, exempt=None)
    judged = {_named(each.ref) for each in opened(snapshot).resources if _is_judged(each, question)}
    said, without_others, without_exempt = (
        list(_things(question, judged, _failing(findings, asking)))
        for findings, asking in ((found, question), (own, question), (found, bare))
    )
    for told, alone, strict in zip(said, without_others, without_exempt, strict=True):
        thing, theirs, failing = told
        excuses = [*(["INSTEAD"] if alone != told else []), *(["EXEMPT"] if strict != told else [])]
        yield Verdict(f"{question.name}/{thing}", theirs, failing, (*question.excuses, *excuses))


def _failing(findings: Iterable[Finding], question: Question) -> set[str]:
    """The objects that fail by these findings."""
    ours = {name for each in findings for name in _counted(each, question)}
    return {each for each in ours if not question.kinds or each.split("/")[0] in question.kinds}


def _is_judged(resource: Resource, question: Question) -> bool:
    if question.kinds:
        return resource.ref.kind in question.kinds
    return any(concerns(policy, role_of(resource)) for policy in question.policies)


def _named(ref: Ref) -> str:
    return f"{ref.kind}/{ref.name}"


def _snapshot(question: Question) -> Snapshot:
    with TemporaryDirectory() as folder:
        files = (_with_names(Path(file), Path(folder)) for file in question.files)
        snapshot = FileSource(tuple(map(str, files))).snapshot()
    if not question.cluster:
        return snapshot
    kinds = frozenset(kind for policy in _known()[0] for kind in policy.kinds)
    return replace(snapshot, server=Server(question.settings.kubernetes, kinds))


def _with_names(file: Path, folder: Path) -> Path:
    """The file, or a copy in which what has no name has one: no API server takes an object without,
    and we judge none, but the tools do.
    """
    if file.is_dir():
        return file
    documents = [each for each in yaml.safe_load_all(file.read_text("utf-8")) if each]
    nameless = [each for each in documents if not (each.get("metadata") or {}).get("name")]
    for number, each in enumerate(nameless):
        each["metadata"] = {**(each.get("metadata") or {}), "name": f"nameless-{number}"}
    if not nameless or any(each["kind"].endswith("List") for each in nameless):
        return file
    copy = folder / file.name
    copy.write_text(yaml.safe_dump_all(documents), "utf-8")
    return copy


def _asked(policies: tuple[Policy, ...]) -> tuple[Policy, ...]:
    """The policies, and those that tell of the same fault in their place."""
    others = {each for policy in policies for each in INSTEAD.get(policy.id, ())}
    if any(policy.id.startswith("access/") for policy in policies):
        others.add(EVERYTHING)
    known = {policy.id: policy for policy in _known()[0]}
    return tuple(dict.fromkeys((*policies, *(known[each] for each in sorted(others)))))


def _counted(finding: Finding, question: Question) -> Iterator[str]:
    """The objects that a finding is on: what a role gives, its bindings give."""
    seen = [each.ref for each in finding.evidence if each.ref and each.ref.kind in BINDINGS]
    for ref in (finding.ref, *seen):
        if not question.exempt or not question.exempt.fullmatch(ref.name):
            yield _named(ref)


def _things(
    question: Question, judged: set[str], ours: set[str]
) -> Iterator[tuple[str, bool, bool]]:
    """What a verdict is told of, with theirs and ours."""
    if question.by == "object":
        yield from ((each, each in question.failing, each in ours) for each in sorted(judged))
    elif question.by == "file" and judged:
        yield ALL, ALL in question.failing, bool(ours)
    elif question.by == "kind":
        good = {each for each in judged if each.split("/")[1].startswith(question.passing)}
        yield from ((each, False, each in ours) for each in sorted(good))
        for kind in sorted({each.split("/")[0] for each in judged - good}):
            yield from _of_kind(question, kind, judged - good, ours)


def _of_kind(
    question: Question, kind: str, judged: set[str], ours: set[str]
) -> Iterator[tuple[str, bool, bool]]:
    """One verdict of all objects of a kind; of each where they name as many as there are."""
    of_kind = sorted(each for each in judged if each.startswith(f"{kind}/"))
    if question.messages.get(kind) == len(of_kind):
        yield from ((each, True, each in ours) for each in of_kind)
    else:
        whole = f"{kind}/{ALL}"
        yield whole, whole in question.failing, not ours.isdisjoint(of_kind)


def questions(name: str) -> Iterator[Question]:
    """Those of one set that concern a policy of ours; none where the set is not there."""
    yield from {
        "regolibrary": _regolibrary,
        "polaris": _polaris,
        "kube-linter": _kube_linter,
        "kube-score": _kube_score,
    }[name](DATA / name)


def _regolibrary(folder: Path) -> Iterator[Question]:
    controls = _controls(folder.parent.parent / "frameworks")
    for rule in sorted(path.name for path in (folder / "rules").glob("*")):
        named = {RULES[rule]} if rule in RULES else controls.get(rule, set()) - {MANY}
        policies = naming(*named)
        for expected in sorted((folder / "rules" / rule).glob("test/*/expected.json")):
            inputs = _inputs(expected.with_name("data.json"))
            if policies and expected.with_name("input").is_dir() and not _is_off(inputs):
                yield Question(
                    f"regolibrary/{rule}/{expected.parent.name}",
                    (str(expected.parent / "input"),),
                    policies,
                    frozenset(_alerted(json.loads(expected.read_text("utf-8")))),
                    by="object",
                    settings=_settings(inputs, policies, expected.with_name("input")),
                    cluster=True,
                )


def _controls(folder: Path) -> Mapping[str, set[str]]:
    """Rule → the controls that it serves."""
    found: dict[str, set[str]] = {}
    for file in folder.glob("kubescape-*.json"):
        for control in json.loads(file.read_text("utf-8"))["controls"]:
            for rule in control["rules"]:
                found.setdefault(rule, set()).add(f"kubescape:{control['id']}")
    return found


def _alerted(alerts: Any) -> Iterator[str]:
    for alert in alerts or []:
        subject = alert["alertObject"].get("externalObjects") or {}
        objects = alert["alertObject"].get("k8sApiObjects") or []
        # What is said of a user is said of the role and the binding that give it.
        for found in (*objects, *(subject.get("relatedObjects") or [])):
            yield f"{found['kind']}/{found['metadata'].get('name', '')}"


def _inputs(file: Path) -> Mapping[str, Any]:
    """What a case of theirs configures."""
    said = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    return {**said.get("postureControlInputs", {}), **said.get("dataControlInputs", {})}


def _is_off(inputs: Mapping[str, Any]) -> bool:
    """A rule about the keys of cloud providers asks nothing where it is told of none."""
    return inputs.get("cloudProvider") == ""


def _settings(inputs: Mapping[str, Any], policies: tuple[Policy, ...], folder: Path) -> Settings:
    """Their lists of registries are parts of names; ours are names. What their configuration
    exempts, waivers do.
    """
    listed = inputs.get("imageRepositoryAllowList", [])
    registries = [registry for name in listed for registry in (name, f"*.{name}")]
    parameters = {"image/undeclared_registry": {"registries": registries}} if registries else {}
    waivers = [
        Waiver(policy.id, f"{ref.namespace}/{ref.name}[{ref.kind}]", "exempt by its repository")
        for ref in _of_repositories(folder, inputs.get("imageDigestExemptRepositories", []))
        for policy in policies
    ]
    return Settings(parameters=parameters, waivers=tuple(waivers))


def _of_repositories(folder: Path, repositories: list[str]) -> Iterator[Ref]:
    """The pods whose every image is of one of those."""
    for resource in FileSource((str(folder),)).snapshot().resources if repositories else ():
        containers = resource.manifest.get("spec", {}).get("containers", [])
        if all(each["image"].split("/")[0] in repositories for each in containers):
            yield resource.ref


def _polaris(folder: Path) -> Iterator[Question]:
    for file in sorted(folder.glob("checks/*/*.yaml")):
        policies = naming(f"polaris:{file.parent.name}")
        if policies:
            failing = frozenset({ALL} if file.name.startswith("failure") else ())
            name = f"polaris/{file.parent.name}/{file.stem}"
            kinds = BINDINGS if "binding" in file.parent.name else frozenset()
            yield Question(
                name, (str(file),), policies, failing, by="file", kinds=kinds, exempt=EXEMPT
            )


def _kube_linter(folder: Path) -> Iterator[Question]:
    for case in _listed(folder):
        policies = naming(f"kube-linter:{case['check']}")
        if policies and not case["config"]:
            messages = Counter(each.split(":")[0].split()[0] for each in case["messages"])
            kinds = messages.keys()
            failing = {f"{kind}/{ALL}" for kind in kinds} or ({ALL} if case["count"] else set())
            yield Question(
                f"kube-linter/{case['check']}",
                (str(folder / case["file"]),),
                policies,
                frozenset(failing),
                by="kind" if kinds else "file",
                passing="dont-fire",
                messages=messages,
                # What they say of bindings is asked of bindings.
                kinds=BINDINGS if kinds and kinds <= BINDINGS else frozenset(),
                settings=Settings(parameters=DEMANDED.get(case["check"], {})),
                # What leads nowhere is asked of all that there is: they take the file for it.
                cluster=case["check"].startswith("dangling-"),
            )


def _kube_score(folder: Path) -> Iterator[Question]:
    seen: dict[str, int] = {}
    for case in _listed(folder):
        check = case["check"].lower().replace(" ", "-")
        # Of two files the first is one of a test before it, which expects no grade.
        files = (str(folder / "testdata" / _whole(case["files"][-1])),)
        name = f"kube-score/{check}/{Path(files[0]).stem}"
        seen[name] = seen.get(name, 0) + 1  # the same files, asked again with other options
        name = f"{name}#{seen[name]}"
        left_out = NOT_ASKED.get(name, ())
        policies = tuple(p for p in naming(f"kube-score:{check}") if p.id not in left_out)
        if policies:
            failing = frozenset(() if case["grade"] in _passing(check) else {ALL})
            version = VERSIONS.get(name, KUBE_SCORE if check == "stable-version" else KUBERNETES)
            settings = Settings(kubernetes=version)
            excuses = tuple(
                list_of
                for list_of, is_in in (
                    ("WARNED", check in WARNED and case["grade"] == "GradeWarning"),
                    ("NOT_ASKED", bool(left_out)),
                    ("VERSIONS", name in VERSIONS),
                )
                if is_in
            )
            yield Question(
                name, files, policies, failing, by="file", settings=settings, excuses=excuses
            )


def _passing(check: str) -> tuple[str, ...]:
    """The grades that say nothing against the part of a check that ours stand for."""
    return ("GradeAllOK", "GradeWarning") if check in WARNED else ("GradeAllOK",)


def _whole(file: str) -> str:
    """Their test puts the version of CronJobs before some names: here the one that is served."""
    return f"cronjob-batchv1{file}" if file.startswith("-") else file


def _listed(folder: Path) -> list[dict[str, Any]]:
    file = folder / "expected.json"
    found: list[dict[str, Any]] = json.loads(file.read_text("utf-8")) if file.is_file() else []
    return found
