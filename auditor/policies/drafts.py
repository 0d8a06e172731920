"""Checks what a policy answers: the form of a finding, before it is known of which object.

Objects that are written alike get one answer. It is checked once, and its parts are shared by the
findings on all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from auditor.grades import Severity
from auditor.memory import builder
from auditor.model import (
    Evidence,
    Finding,
    Operation,
    Path,
    Policy,
    Ref,
    Remedy,
    Resource,
    Safety,
)
from auditor.policies.answers import Answer
from auditor.policies.engine import EvaluationError, RawFinding
from auditor.values import dataclass


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Step(_Strict):
    op: str = Field(pattern="^(add|replace|remove)$")
    path: list[str | int]
    value: Any = None


class _Fix(_Strict):
    title: str
    safety: Safety
    patch: list[_Step] = []
    synthesize: str = ""


class _Place(_Strict):
    message: str
    object: dict[str, str] | None = None
    path: list[str | int] = []
    anchor: str = ""
    within: list[str] = []


class _Answer(_Strict):
    path: list[str | int]
    message: str = Field(min_length=1)
    anchor: str = ""
    evidence: list[_Place] = []
    fix: _Fix | None = None
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A finding without its object."""

    policy: Policy
    path: Path
    anchor: str
    message: str
    evidence: tuple[Evidence, ...]
    remedy: Remedy | None
    grade: Severity | None = None
    """How much it matters, where the policy tells that by the effect."""

    def on(self, resource: Resource) -> Finding:
        """The finding on that object."""
        return _finding(
            self.policy, resource.ref, self.path, self.anchor, self.message, self.evidence,
            self.remedy, resource, self.grade,
        )  # fmt: skip


_finding = builder(
    Finding,
    "policy", "ref", "path", "anchor", "message", "evidence", "remedy", "resource", "grade",
)  # fmt: skip


Said = tuple[Policy, tuple[Draft, ...] | EvaluationError]
"""A policy, and its findings, or why it could not be evaluated or gave a wrong answer."""


MOST = 4096
"""So many answers are remembered; after that, all are forgotten."""


class Checked:
    """The drafts of one audit. What a policy says of all pods of one template is mostly the same:
    it is checked once, and its drafts are shared.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, bytes], tuple[Draft, ...]] = {}

    def drafts(
        self, policies: Sequence[Policy], packages: Sequence[str], answer: Answer
    ) -> tuple[Said, ...]:
        """What the policies say, in their order, apart from those with nothing to say."""
        return tuple(
            (policy, self._of(policy, answer[package]))
            for policy, package in zip(policies, packages, strict=True)
            if answer[package]
        )

    def _of(
        self, policy: Policy, said: list[RawFinding] | EvaluationError
    ) -> tuple[Draft, ...] | EvaluationError:
        if isinstance(said, EvaluationError):
            return said
        try:
            key = policy.id, orjson.dumps(said)
        except TypeError:  # a number that only Python can hold
            return _drafts(policy, said)
        if key in self._known:
            return self._known[key]
        found = _drafts(policy, said)
        if not isinstance(found, EvaluationError):
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[key] = found
        return found


def _drafts(policy: Policy, said: list[RawFinding]) -> tuple[Draft, ...] | EvaluationError:
    try:
        return tuple(_draft(policy, raw) for raw in said)
    except EvaluationError as error:
        return error


def _draft(policy: Policy, raw: Mapping[str, Any]) -> Draft:
    try:
        answer = _Answer.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise EvaluationError(
            f"{policy.file}: deny gave a wrong {field}: {first['msg']}"
        ) from error
    return Draft(
        policy=policy,
        path=tuple(answer.path),
        anchor=answer.anchor,
        message=answer.message,
        evidence=tuple(_evidence(place) for place in answer.evidence),
        remedy=_remedy(answer.fix),
        grade=_grade(policy, answer.severity),
    )


def _grade(policy: Policy, told: Severity | None) -> Severity | None:
    """What admission exports, explains and lists of a policy is its severity, and so no finding
    may be graver.
    """
    if told is not None and told.rank < policy.severity.rank:
        raise EvaluationError(
            f"{policy.file}: deny gave severity {told}, and METADATA says at most {policy.severity}"
        )
    return told


def _evidence(place: _Place) -> Evidence:
    return Evidence(
        message=place.message,
        ref=_ref(place.object) if place.object else None,
        path=tuple(place.path),
        anchor=place.anchor,
        within=tuple(place.within),
    )


def _ref(named: Mapping[str, str]) -> Ref:
    known = {key: named.get(key, "") for key in ("kind", "namespace", "name")}
    return Ref(api_version=named.get("apiVersion", ""), **known)


def _remedy(fix: _Fix | None) -> Remedy | None:
    if fix is None:
        return None
    steps = tuple(Operation(step.op, tuple(step.path), step.value) for step in fix.patch)
    return Remedy(fix.title, fix.safety, steps, fix.synthesize)
