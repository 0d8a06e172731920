"""The declared scope over one snapshot: which objects are within it, and what is then told.

Facts know everything that was read, since a network's answer needs the whole cluster. Findings, and
gaps about an object or a file, are told of what is within.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cached_property

from auditor.errors import NothingToAuditError
from auditor.facts.platform import Part, part_of
from auditor.facts.workloads import Workload, resources_by_uid, workload_of
from auditor.manifests import at, texts
from auditor.model import About, Audit, Finding, Gap, Ref, Resource, Snapshot, Status, Unseen
from auditor.scope.authors import authored
from auditor.scope.labels import LabelSelector, parse
from auditor.terms import Scope

FILES = (".yaml", ".yml", ".json", "/")
"""How a pattern ends that is one of files: as in ``vendor/`` or ``*.tmpl.yaml``."""


class Territory:
    """The part of `snapshot` that `scope` names: everything where there is none.

    Raises:
        UsageError: its label selector is none.
    """

    def __init__(self, snapshot: Snapshot, scope: Scope | None) -> None:
        self.snapshot = snapshot
        self.scope = scope or Scope()
        self._selector = parse(self.scope.selector)
        self._limits = self.scope.limits
        self._parts: dict[int, Part | None] = {}

    def holds(self, resource: Resource) -> bool:
        """Whether it is within the scope, by its namespace, labels, name, file and nature."""
        if not self._limits:
            return True
        return (
            self._in_namespace(resource)
            and _selected(resource, self._selector)
            and (not self.scope.include or _fits_any(resource, self.scope.include))
            and not _fits_any(resource, self.scope.exclude)
            and self._of_nature(resource)
        )

    def _in_namespace(self, resource: Resource) -> bool:
        """A Namespace is where its objects are; other objects of the cluster are nowhere."""
        ref = resource.ref
        where = ref.name if ref.kind == "Namespace" and not ref.group else ref.namespace
        wanted = self.scope.namespaces
        return not wanted or any(fnmatchcase(where, _literal(each)) for each in wanted)

    def _of_nature(self, resource: Resource) -> bool:
        return self.scope.workloads != "platform" or self.part_of(resource) is not None

    def part_of(self, resource: Resource) -> Part | None:
        """Which part of the platform it is of, or was made by."""
        if id(resource) not in self._parts:
            self._parts[id(resource)] = part_of(resource, self.owners)
        return self._parts[id(resource)]

    @cached_property
    def owners(self) -> Mapping[str, Resource]:
        """Every object by its uid."""
        return resources_by_uid(self.snapshot)

    @cached_property
    def resources(self) -> tuple[Resource, ...]:
        """The objects within."""
        if not self._limits:
            return self.snapshot.resources
        return tuple(filter(self.holds, self.snapshot.resources))

    def within(self, workloads: Iterable[Workload]) -> tuple[Ref, ...]:
        """Those of the workloads that are within."""
        if not self._limits:
            return tuple([workload.ref for workload in workloads])
        return tuple(workload.ref for workload in workloads if self.holds(workload.resource))

    @property
    def outside(self) -> int:
        """How many objects are not."""
        return len(self.snapshot.resources) - len(self.resources)

    def concerns(self, gap: Gap) -> bool:
        """Whether a gap is told: any that is not about a single object or file outside."""
        if gap.ref is not None:
            resource = self.snapshot.find(gap.ref)
            return resource is None or self.holds(resource)
        if gap.about is not About.READING:
            return True
        patterns = [each for each in self.scope.exclude if _of_files(each)]
        return not any(_fits_file(gap.what.split(":")[0], each) for each in patterns)

    def idle(self) -> Iterator[Gap]:
        """A gap for each pattern that fits nothing: most likely it is mistyped."""
        namespaces = _namespaces(self.snapshot)
        for wanted in self.scope.namespaces:
            if not any(fnmatchcase(name, _literal(wanted)) for name in namespaces):
                why = f"no object that was read is in such a namespace{_meant(wanted, namespaces)}"
                yield Gap(f"namespace '{wanted}' of the scope", why, Unseen.UNKNOWN)
        for title, patterns in (("include", self.scope.include), ("exclude", self.scope.exclude)):
            for each in patterns:
                if not any(_fits(resource, each) for resource in self.snapshot.resources):
                    why = "it fits no object that was read"
                    yield Gap(f"pattern '{each}' of scope.{title}", why, Unseen.UNKNOWN)


def check(snapshot: Snapshot, scope: Scope) -> None:
    """See to it that there is anything to be told. Where something could not be read at all, that
    is told instead: what is within the scope may be there.

    Raises:
        UsageError: the label selector is none.
        NothingToAuditError: nothing that was read is within the scope; an empty answer would pass
            for a clean one.
    """
    territory = Territory(snapshot, scope)
    unread = any(gap.severity is Unseen.INCOMPLETE for gap in snapshot.gaps)
    if not scope.limits or territory.resources or unread:
        return
    hints = "".join(f"; {gap.what}: {gap.why}" for gap in territory.idle())
    limits = words(scope).removeprefix("within scope: ")
    number = len(snapshot.resources)
    raise NothingToAuditError(
        f"none of {number} objects that were read is in the scope ({limits}){hints}"
    )


def words(scope: Scope | None) -> str:
    """The limits of a scope in words, ``within scope: namespace shop``; empty without any."""
    if scope is None or not scope.limits:
        return ""
    parts = [f"namespace {' or '.join(scope.namespaces)}"] if scope.namespaces else []
    parts += [f"labels {scope.selector}"] if scope.selector else []
    parts += [" or ".join(scope.include)] if scope.include else []
    parts += [f"not {' nor '.join(scope.exclude)}"] if scope.exclude else []
    parts += ["platform workloads"] if scope.workloads == "platform" else []
    return f"within scope: {'; '.join(parts)}"


def within(answer: Audit, territory: Territory) -> Audit:
    """The audit as it is told: what is outside of the scope set apart, what the platform needs
    folded, and every live finding with who keeps its object.
    """
    told, beyond = _parted(answer, territory)
    live = any(resource.origin.live for resource in answer.snapshot.resources)
    named = authored(told, territory.owners) if live else list(told)
    if territory.scope.workloads == "workloads":
        named = _folded(named, territory)
    return replace(
        answer,
        findings=tuple(named),
        beyond=tuple(beyond),
        gaps=(*filter(territory.concerns, answer.gaps), *territory.idle()),
        scope=territory.scope,
        outside=territory.outside,
    )


def _parted(answer: Audit, territory: Territory) -> tuple[Sequence[Finding], Sequence[Finding]]:
    """The findings within, and those outside: none without limits."""
    if not territory.scope.limits:
        return answer.findings, ()
    told: list[Finding] = []
    beyond: list[Finding] = []
    for finding in answer.findings:
        resource = finding.resource or answer.snapshot.find(finding.ref)
        held = resource is None or territory.holds(resource)
        (told if held else beyond).append(finding)
    return told, beyond


def _folded(findings: Sequence[Finding], territory: Territory) -> list[Finding]:
    """The findings, with those folded that a platform workload has by its nature."""
    if not any(map(territory.part_of, territory.snapshot.resources)):
        return list(findings)
    return [
        _folded_as(finding, territory.part_of(finding.resource) if finding.resource else None)
        for finding in findings
    ]


def _folded_as(finding: Finding, part: Part | None) -> Finding:
    """What was added to the running pods of a workload is none of its nature, and what somebody
    waived is answered for already.
    """
    if part is None or finding.status is not Status.OPEN or finding.pods:
        return finding
    if not part.explains(finding.policy.id):
        return finding
    return replace(finding, status=Status.PLATFORM, reason=part.reason)


def _selected(resource: Resource, selector: LabelSelector) -> bool:
    """By its own labels, as kubectl selects, or by those that it gives its pods."""
    if not selector.conditions or selector.fits(_labels(resource)):
        return True
    workload = workload_of(resource)
    return bool(workload and selector.fits(workload.labels))


def _labels(resource: Resource) -> Mapping[str, str]:
    return texts(at(resource.manifest, ("metadata", "labels")))


def _fits_any(resource: Resource, patterns: Sequence[str]) -> bool:
    return any(_fits(resource, pattern) for pattern in patterns)


def _fits(resource: Resource, pattern: str) -> bool:
    if _of_files(pattern):
        return not resource.origin.live and _fits_file(resource.origin.uri, pattern)
    full = str(resource.ref)
    short = full.removesuffix(f"[{resource.ref.kind}]")
    return any(fnmatchcase(name, _literal(pattern)) for name in (full, short))


def _of_files(pattern: str) -> bool:
    return pattern.endswith(FILES) or pattern.startswith(("./", "../", "/")) or "**" in pattern


def _fits_file(uri: str, pattern: str) -> bool:
    """``**`` stands for any folders, ``*`` for part of a name; a folder for all that is in it. A
    pattern that does not begin at the root fits at any depth, as one of .gitignore does.
    """
    pattern = pattern.removeprefix("./")
    body = "".join(map(_as_expression, re.split(r"(\*\*/?|\*|\?)", pattern)))
    start = "" if pattern.startswith(("/", "../")) else "(?:.*/)?"
    rest = ".*" if pattern.endswith("/") else ""
    return re.fullmatch(start + body + rest, uri.removeprefix("./"), re.DOTALL) is not None


def _as_expression(piece: str) -> str:
    wild = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return wild.get(piece) or re.escape(piece)


def _literal(pattern: str) -> str:
    """For fnmatch: ``*`` and ``?`` stand for others, brackets for themselves."""
    return pattern.replace("[", "[[]")


def _namespaces(snapshot: Snapshot) -> Sequence[str]:
    declared = [resource.ref.name for resource in snapshot.of_kind("Namespace")]
    used = [r.ref.namespace for r in snapshot.resources if r.ref.namespace]
    return list(dict.fromkeys((*declared, *used)))


def _meant(wanted: str, names: Sequence[str]) -> str:
    close = difflib.get_close_matches(wanted, names, n=1)
    return f"; did you mean '{close[0]}'?" if close else ""
