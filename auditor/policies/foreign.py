"""Waivers of other tools in the manifests, for people who move here: which checks they name, and
which of our policies ask the same (METADATA `equivalents`).

The forms: https://www.checkov.io/2.Basics/Suppressing%20and%20Skipping%20Policies.html,
https://docs.kubelinter.io/#/configuring-kubelinter, https://polaris.docs.fairwinds.com/customization/exemptions/,
https://trivy.dev/docs/latest/configuration/filtering/ and `kubescape.io/skip-controls`
(kubescape #3392). Checkov and kube-linter have room for a reason, and then one has to be given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from functools import partial

from auditor.declared import Ignored, Inline
from auditor.model import Policy, Resource, Snapshot
from auditor.policies.inline import Mark, documents_of, identity_of, notes_of, place_of
from auditor.policies.statements import Statement, is_date
from auditor.values import dataclass

_CHECKOV = re.compile(r"([A-Z0-9_]+)\s*[=:]?\s*(.*)", re.DOTALL)
_CHECKOV_COMMENT = re.compile(r"#+\s*checkov:skip=\s*([A-Z0-9_]+)\s*:?\s*(.*)", re.DOTALL)
_TRUE = ("true", "1", "yes")


@dataclass(frozen=True, slots=True)
class _Skip:
    """A check of another tool that is to be skipped; ``*`` for all of them."""

    check: str
    said: Statement


def foreign_marks(snapshot: Snapshot, asked: Sequence[Policy], inline: Inline) -> Iterator[Mark]:
    """The marks of the tools that are to be honoured, as far as policies of ours ask the same."""
    for tool in inline.tools:
        read = _ANNOTATIONS.get(tool)
        for resource in snapshot.resources if read else ():
            for key, value in notes_of(resource).items():
                for skip in read(key, value, resource) if read else ():
                    yield _annotated(resource, (key, value), skip, _same(asked, tool, skip.check))
    if "checkov" in inline.tools:
        yield from _checkov_comments(snapshot, asked)
    for entry in inline.listed:
        yield _listed(entry, _same(asked, entry.tool, entry.check))


def _annotated(
    resource: Resource, written: tuple[str, str], skip: _Skip, policies: tuple[Policy, ...]
) -> Mark:
    return Mark(
        policies=policies,
        said=skip.said,
        place=place_of(resource, written[0]),
        form=f"annotation {written[0]}",
        identify=partial(identity_of, resource, *written),
        resource=resource,
        foreign=True,
    )


def _same(asked: Sequence[Policy], tool: str, check: str) -> tuple[Policy, ...]:
    wanted = f"{tool}:{check}"
    return tuple(
        policy
        for policy in asked
        for name in policy.equivalents
        if name == wanted or (check == "*" and name.startswith(f"{tool}:"))
    )


def _checkov(key: str, value: str, _: Resource) -> Iterator[_Skip]:
    found = _CHECKOV.fullmatch(value.strip())
    if re.fullmatch(r"checkov\.io/skip\d+", key) and found:
        yield _Skip(found[1], Statement(found[2].strip()))


def _checkov_comments(snapshot: Snapshot, asked: Sequence[Policy]) -> Iterator[Mark]:
    for resources, _, comment in documents_of(snapshot, "checkov:skip"):
        found = _CHECKOV_COMMENT.match(comment.text)
        for resource in resources if found else ():
            whole = resource.origin.span(())
            if found and (len(resources) == 1 or whole.line <= comment.line <= whole.end_line):
                yield Mark(
                    policies=_same(asked, "checkov", found[1]),
                    said=Statement(found[2].strip()),
                    place=f"{resource.origin.uri}:{comment.line}",
                    form=f"comment 'checkov:skip={found[1]}'",
                    identify=partial(identity_of, resource, comment.text),
                    resource=resource,
                    foreign=True,
                )


def _kube_linter(key: str, value: str, _: Resource) -> Iterator[_Skip]:
    prefix, _slash, check = key.partition("/")
    if prefix == "ignore-check.kube-linter.io":
        yield _Skip(check, Statement(value.strip()))
    elif key == "kube-linter.io/ignore-all":
        yield _Skip("*", Statement(value.strip()))


def _polaris(key: str, value: str, _: Resource) -> Iterator[_Skip]:
    prefix, _slash, check = key.partition("/")
    if prefix != "polaris.fairwinds.com" or value.strip().lower() not in _TRUE:
        return
    said = Statement(f"exempted for Polaris ({key})")
    if check == "exempt":
        yield _Skip("*", said)
    elif check.endswith("-exempt"):
        yield _Skip(check.removesuffix("-exempt"), said)


def _kubescape(key: str, value: str, resource: Resource) -> Iterator[_Skip]:
    if key != "kubescape.io/skip-controls":
        return
    others = notes_of(resource)
    reason = others.get("kubescape.io/skip-reason", "").strip()
    expiry = others.get("kubescape.io/skip-expiry", "").strip()
    wrong = "" if not expiry or is_date(expiry[:10]) else f"skip-expiry '{expiry}' is no date"
    said = Statement(reason or f"skipped for kubescape ({key})", expiry[:10], wrong=wrong)
    for control in value.split(","):
        yield _Skip(control.strip(), said)


_ANNOTATIONS: dict[str, Callable[[str, str, Resource], Iterator[_Skip]]] = {
    "checkov": _checkov,
    "kube-linter": _kube_linter,
    "kubescape": _kubescape,
    "polaris": _polaris,
}


def _listed(entry: Ignored, policies: tuple[Policy, ...]) -> Mark:
    return Mark(
        policies=policies,
        said=Statement(entry.reason, entry.until),
        place=entry.origin,
        form=f"{entry.tool} ignores {entry.check}",
        identify=lambda: "\0".join((entry.tool, entry.check, *entry.paths)),
        files=lambda uri: not entry.paths or any(_is_file(uri, p) for p in entry.paths),
        foreign=True,
    )


def _is_file(uri: str, pattern: str) -> bool:
    """Whether the file, as it was named from anywhere above, is one of the pattern."""
    return fnmatchcase(uri, pattern) or fnmatchcase(uri, f"*/{pattern}")
