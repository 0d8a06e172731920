"""Waivers that stand in the manifests, as annotations and comments: which there are, whether the
central configuration lets them count, and what they waive.

A mark that does not count is told with its place, and waives nothing. Those of other tools are
read by `foreign`, and follow the same rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from auditor.declared import Inline, Settings, Waiver
from auditor.manifests import mapping, texts
from auditor.model import (
    About,
    Finding,
    Gap,
    Lines,
    Policy,
    Resource,
    Severity,
    Snapshot,
    Status,
    Unseen,
)
from auditor.policies.statements import Statement, lapsed, statement
from auditor.policies.waivers import like
from auditor.sources.comments import Comment, is_commented, is_derived
from auditor.values import dataclass

PREFIX = "auditor/waive."
WORD = "auditor:"
_COMMENT = re.compile(
    r"#+\s*auditor:\s*(waive\w*|ignore|skip|disable|suppress)\b\s*(.*)", re.DOTALL
)
_NAMED = re.compile(r"([\w/.-]+)(?:\s*:\s*|\s+|$)(.*)", re.DOTALL)


@dataclass(frozen=True, eq=False)
class Mark:
    """One waiver in a manifest, or in a file of another tool."""

    policies: tuple[Policy, ...]
    """What it waives, of the policies that were asked."""
    said: Statement
    place: str
    """The file and line, or the live object."""
    form: str
    """How it is written, as a person would look for it."""
    identify: Callable[[], str]
    """Says what is the same for the same mark in two versions of a folder."""
    resource: Resource | None = None
    """The one object that it is about; None where `files` or `lines` say more."""
    lines: Lines | None = None
    line: int = 0
    """With `lines`: the one line of that document that it is about."""
    files: Callable[[str], bool] | None = None
    foreign: bool = False
    name: str = ""
    """The policy as it is written."""
    unknown: str = ""
    """What is wrong with the form, before any rule is asked."""

    def fits(self, finding: Finding) -> bool:
        """Whether the finding is what it is about."""
        if finding.policy not in self.policies:
            return False
        if self.said.anchor and self.said.anchor != finding.anchor:
            return False
        judged = finding.resource
        if judged is None:
            return False
        if self.files is not None:
            return self.files(judged.origin.uri)
        if self.lines is not None:
            there = as_written(judged).origin.lines is self.lines
            return there and judged.origin.span(finding.path).line == self.line
        return self.resource is judged or self.resource is as_written(judged)

    @property
    def written(self) -> Waiver:
        """The same as a waiver, whatever it fits."""
        names = ", ".join(policy.id for policy in self.policies) or self.name
        about = str(self.resource.ref) if self.resource else self.place
        said = self.said
        origin = f"{self.form} ({self.place})"
        return Waiver(names, about, said.reason, said.until, said.anchor, origin, inline=True)

    def waiver(self, finding: Finding) -> Waiver:
        """The same as a waiver of the finding."""
        inline = self.files is None
        return replace(
            self.written, policy=finding.policy.id, object=str(finding.ref), inline=inline
        )


def marked_inline(
    findings: Sequence[Finding], marks: Sequence[Mark], settings: Settings, inline: Inline
) -> tuple[list[Finding], list[Gap]]:
    """The findings, those that a mark waives marked so; and a gap for each mark that may not
    waive, or waives nothing. One of another tool is told only where it would have waived.
    """
    result = list(findings)
    if not marks:
        return result, []
    by_policy: dict[str, list[int]] = {}
    for number, finding in enumerate(findings):
        by_policy.setdefault(finding.policy.id, []).append(number)
    gaps = []
    for mark in marks:
        numbers = (i for policy in mark.policies for i in by_policy.get(policy.id, ()))
        fitting = [i for i in numbers if mark.fits(findings[i])]
        against = _against(mark, settings, inline)
        if not against:
            for i in fitting:
                if result[i].status is Status.OPEN:
                    waiver = mark.waiver(result[i])
                    reason = mark.said.reason
                    result[i] = replace(
                        result[i], status=Status.WAIVED, reason=reason, waiver=waiver
                    )
        if against and (fitting or not mark.foreign):
            gaps.append(_gap(mark, f"it waives nothing: {against}"))
        elif not fitting and not mark.foreign:
            gaps.append(_gap(mark, "it fits no finding: remove it"))
    return result, gaps


def _gap(mark: Mark, why: str) -> Gap:
    ref = mark.resource.ref if mark.resource else None
    return Gap(f"{mark.place}: {mark.form}", why, Unseen.UNKNOWN, ref=ref, about=About.MARK)


def _against(mark: Mark, settings: Settings, inline: Inline) -> str:
    """Why a mark may not waive, in words; empty where it may."""
    said = mark.said
    forbidden = (_forbidden(policy, inline) for policy in mark.policies)
    return (
        mark.unknown
        or next(filter(None, forbidden), "")
        or said.wrong
        or ("" if said.reason else "it gives no reason")
        or lapsed(said.until, settings.expire_within)
    )


def _forbidden(policy: Policy, inline: Inline) -> str:
    if policy.severity is Severity.CRITICAL:
        return f"{policy.id} is critical: only .auditor.yaml may waive it"
    if not policy.inline:
        return f"only .auditor.yaml may waive {policy.id} (METADATA says 'waivable: central')"
    if not any(like(name, pattern) for pattern in inline.allowed for name in policy.names):
        return f"no pattern of inlineWaivers in .auditor.yaml allows it for {policy.id}"
    return ""


def marks(snapshot: Snapshot, asked: Sequence[Policy], known: Sequence[Policy]) -> Iterator[Mark]:
    """Every mark of ours in the manifests, apart from those about policies that exist and were
    not asked.
    """
    by_name = {name: policy for policy in asked for name in policy.names}
    others = {name for policy in known for name in policy.names} - by_name.keys()
    for mark in (*_annotated(snapshot, by_name), *_commented(snapshot, by_name)):
        if mark.name not in others:
            yield mark


def notes_of(resource: Resource) -> Mapping[str, str]:
    """Those of the object itself, as far as they are text."""
    return texts(mapping(resource.manifest.get("metadata")).get("annotations"))


def place_of(resource: Resource, key: str) -> str:
    """Where an annotation stands."""
    if resource.origin.live:
        return str(resource.ref)
    line = resource.origin.span(("metadata", "annotations", key)).line
    return f"{resource.origin.uri}:{line}"


def identity_of(resource: Resource, *parts: str) -> str:
    """The same for the same words about the same object, wherever that is written: by its name
    as it is written, before a build or a default gives it another.
    """
    ref = as_written(resource).ref
    metadata = mapping(as_written(resource).manifest.get("metadata"))
    return "\0".join((ref.group, ref.kind, str(metadata.get("namespace")), ref.name, *parts))


def _annotated(snapshot: Snapshot, by_name: Mapping[str, Policy]) -> Iterator[Mark]:
    for resource in snapshot.resources:
        for key, value in notes_of(resource).items():
            if not key.startswith(PREFIX):
                continue
            name = key.removeprefix(PREFIX).replace(".", "/")
            policy = by_name.get(name)
            yield Mark(
                policies=(policy,) if policy else (),
                said=statement(value),
                place=place_of(resource, key),
                form=f"annotation {key}",
                identify=partial(identity_of, resource, key, value),
                resource=resource,
                name=name,
                unknown="" if policy else f"there is no policy {name}",
            )


def as_written(resource: Resource) -> Resource:
    """The object as a file has it, where a program built something of it."""
    lines = resource.origin.lines
    return lines.written if is_derived(lines) else resource


def documents_of(
    snapshot: Snapshot, *words: str
) -> Iterator[tuple[list[Resource], Lines, Comment]]:
    """Every comment of a document that has one of the words, with the objects written there."""
    written: dict[int, list[Resource]] = {}
    for resource in map(as_written, snapshot.resources):
        if is_commented(resource.origin.lines):
            written.setdefault(id(resource.origin.lines), []).append(resource)
    for resources in written.values():
        lines = resources[0].origin.lines
        assert is_commented(lines)
        for comment in lines.comments(*words):
            yield resources, resources[0].origin.lines, comment


def _commented(snapshot: Snapshot, by_name: Mapping[str, Policy]) -> Iterator[Mark]:
    for resources, lines, comment in documents_of(snapshot, WORD):
        found = _COMMENT.match(comment.text)
        if not found:
            continue
        named = _NAMED.fullmatch(found[2].strip()) if found[1] == "waive" else None
        name = named[1] if named else ""
        policy = by_name.get(name)
        unknown = "" if policy else f"there is no policy {name}"
        if named is None:
            unknown = "it is not understood; write '# auditor: waive POLICY: reason; until=DATE'"
        owner = _owner(resources, comment.about)
        yield Mark(
            policies=(policy,) if policy else (),
            said=statement(named[2] if named else ""),
            place=f"{resources[0].origin.uri}:{comment.line}",
            form=f"comment '{f'auditor: {found[1]} {name}'.rstrip()}'",
            identify=partial(_identity_of_comment, owner, comment),
            resource=owner,
            lines=lines,
            line=comment.about,
            name=name,
            unknown=unknown,
        )


def _owner(resources: Sequence[Resource], line: int) -> Resource:
    """The object of a document that a line belongs to."""
    for resource in resources if len(resources) > 1 else ():
        whole = resource.origin.span(())
        if whole.line <= line <= whole.end_line:
            return resource
    return resources[0]


def _identity_of_comment(resource: Resource, comment: Comment) -> str:
    return identity_of(resource, _field(resource, comment.about), comment.text)


def _field(resource: Resource, line: int) -> str:
    """The outermost field that begins at the line, by names and not by counts."""
    level: list[tuple[tuple[str | int, ...], str, object]] = [((), "", resource.manifest)]
    while level:
        below: list[tuple[tuple[str | int, ...], str, object]] = []
        for path, named, value in level:
            if resource.origin.span(path).line == line and path:
                return named
            if isinstance(value, dict):
                below += [((*path, key), f"{named}.{key}", v) for key, v in value.items()]
            elif isinstance(value, list):
                below += [
                    ((*path, i), f"{named}[{mapping(item).get('name', i)}]", item)
                    for i, item in enumerate(value)
                ]
        level = below
    return ""
