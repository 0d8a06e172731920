"""Asks the policies about one object at a time, and checks what they answer."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from auditor.facts import Facts
from auditor.facts.workloads import workload_of
from auditor.model import (
    Evidence,
    Finding,
    Operation,
    Policy,
    Ref,
    Remedy,
    Resource,
    Safety,
)
from auditor.policies.answers import Answer, answer_of
from auditor.policies.engine import EvaluationError, PolicyEngine, RawFinding
from auditor.policies.parameters import given
from auditor.policies.workers import Apart


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


def prepared(
    resource: Resource,
    facts: Mapping[str, Any],
    kubernetes: int,
    parameters: Mapping[str, Any] | None = None,
) -> bytes:
    """The input of a policy as JSON: the object, its pod specification, a flat list of its
    containers with their paths, what the facts say of it, and what the policy was declared.

    Raises:
        EvaluationError: the object holds what JSON cannot carry to an engine unchanged.
    """
    document: dict[str, Any] = {
        "kubernetes": kubernetes,
        "object": resource.manifest,
        "facts": facts,
    }
    if parameters:
        document["parameters"] = parameters
    workload = workload_of(resource)
    if workload:
        document["workload"] = {
            "pod": workload.pod,
            "path": workload.pod_path,
            "containers": [
                {"list": c.list, "path": c.path, "spec": c.spec} for c in workload.containers
            ],
        }
    try:
        encoded = orjson.dumps(document)
    except TypeError as error:
        raise EvaluationError(f"the object cannot be given to a policy: {error}") from error
    # orjson writes null for what is no number, and a policy would see another object.
    if b"null" in encoded and not _is_exact(resource.manifest):
        raise EvaluationError("the object cannot be given to a policy: it holds NaN or infinity")
    return encoded


def _is_exact(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_exact, value.values()))
    if isinstance(value, list):
        return all(map(_is_exact, value))
    return not isinstance(value, float) or math.isfinite(value)


@dataclass(frozen=True, slots=True)
class Panel:
    """Policies that read the same facts: what they are given is prepared once, and all of them
    are asked at once. A policy with parameters is told its own, and stands alone.
    """

    facts: tuple[str, ...]
    policies: tuple[Policy, ...]
    packages: tuple[str, ...]


def panels(policies: Iterable[Policy]) -> tuple[Panel, ...]:
    """The policies by what they read beside the object."""
    same: dict[tuple[tuple[str, ...], str], list[Policy]] = {}
    for policy in policies:
        same.setdefault((policy.facts, policy.id if policy.parameters else ""), []).append(policy)
    return tuple(
        Panel(facts, tuple(found), tuple(map(_package, found)))
        for (facts, _), found in same.items()
    )


@dataclass(frozen=True, slots=True)
class Question:
    """What a panel is asked about one object."""

    resource: Resource
    panel: Panel
    document: bytes | EvaluationError
    """The input; or why there is none."""

    @property
    def packages(self) -> tuple[str, ...]:
        """Who is asked."""
        return self.panel.packages


def questions(resource: Resource, asked: Iterable[Panel], facts: Facts) -> Iterator[Question]:
    """What the panels are to be asked about an object. Those on facts are asked only where one of
    their facts has something to say of it, those with parameters where one of these says anything.
    """
    settings = facts.settings
    for panel in asked:
        about = facts.about(resource, panel.facts) if panel.facts else {}
        told = given(panel.policies[0], settings)
        if (panel.facts and not about) or (told and not any(told.values())):
            continue
        try:
            document = prepared(resource, about, settings.kubernetes, told)
        except EvaluationError as error:
            yield Question(resource, panel, error)
        else:
            yield Question(resource, panel, document)


def answered(
    engine: PolicyEngine, asked: Iterable[Question]
) -> Iterator[tuple[Question, Policy, list[Finding] | EvaluationError]]:
    """What each policy says to each question, in their order: its findings, or why it could not be
    evaluated or its answer has not the right form.
    """
    for question, answer in _said(engine, asked):
        for policy, package in zip(question.panel.policies, question.panel.packages, strict=True):
            yield question, policy, _findings(policy, question, answer[package])


def _findings(
    policy: Policy, question: Question, said: list[RawFinding] | EvaluationError
) -> list[Finding] | EvaluationError:
    if isinstance(said, EvaluationError):
        return said
    try:
        return [_finding(policy, question.resource, raw) for raw in said]
    except EvaluationError as error:
        return error


def _said(engine: PolicyEngine, asked: Iterable[Question]) -> Iterator[tuple[Question, Answer]]:
    if isinstance(engine, Apart):
        yield from engine.answers(asked)
        return
    for question in asked:
        if isinstance(question.document, EvaluationError):
            yield question, dict.fromkeys(question.packages, question.document)
        else:
            yield question, answer_of(engine, question.packages, question.document)


def _package(policy: Policy) -> str:
    return "policies." + policy.id.replace("/", ".")


def _finding(policy: Policy, resource: Resource, raw: Mapping[str, Any]) -> Finding:
    try:
        answer = _Answer.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise EvaluationError(
            f"{policy.file}: deny gave a wrong {field}: {first['msg']}"
        ) from error
    return Finding(
        policy=policy,
        ref=resource.ref,
        path=tuple(answer.path),
        anchor=answer.anchor,
        message=answer.message,
        evidence=tuple(_evidence(place) for place in answer.evidence),
        remedy=_remedy(answer.fix),
        resource=resource,
    )


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
