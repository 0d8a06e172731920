"""Asks the policies about one object at a time, and checks what they answer."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
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
from auditor.policies.engine import EvaluationError, PolicyEngine
from auditor.policies.parameters import given


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


class Subject:
    """An object that policies are asked about: what they are given is prepared once for all of
    them that read the same facts, and all of these are asked at once. A policy with parameters is
    told its own.
    """

    def __init__(
        self, resource: Resource, facts: Facts, policies: Sequence[Policy], engine: PolicyEngine
    ) -> None:
        self.resource = resource
        self._facts = facts
        self._policies = policies
        self._engine = engine
        self._answers: dict[str, list[Mapping[str, Any]]] = {}
        self._documents: dict[_Reading, bytes | None] = {}

    def document(self, policy: Policy) -> bytes | None:
        """The input of the policy, and of those that read the same; None where it reads facts and
        none of them has anything to say, or parameters and all of them are empty.

        Raises:
            EvaluationError: see `prepared`.
        """
        reading = _reading(policy)
        if reading not in self._documents:
            document = self._documents[reading] = self._prepared(policy)
            if document is not None:
                self._ask(reading, document)
        return self._documents[reading]

    def _ask(self, reading: _Reading, document: bytes) -> None:
        packages = tuple(_package(each) for each in self._policies if _reading(each) == reading)
        try:
            self._answers |= self._engine.evaluate_all(packages, document)
        except EvaluationError:
            return  # each is asked for itself, and the one to blame will say so

    def answers(self, policy: Policy) -> list[Mapping[str, Any]]:
        """What one of the policies says.

        Raises:
            EvaluationError: it could not be evaluated.
        """
        document = self.document(policy)
        if document is None:
            return []
        package = _package(policy)
        if package in self._answers:
            return self._answers[package]
        return self._engine.evaluate(package, document)

    def _prepared(self, policy: Policy) -> bytes | None:
        names, settings = policy.facts, self._facts.settings
        about = self._facts.about(self.resource, names) if names else {}
        told = given(policy, settings)
        if (names and not about) or (told and not any(told.values())):
            return None
        return prepared(self.resource, about, settings.kubernetes, told)


_Reading = tuple[tuple[str, ...], str]
"""What a policy reads beside the object: facts, and the parameters of one policy or none."""


def _reading(policy: Policy) -> _Reading:
    return policy.facts, policy.id if policy.parameters else ""


def _package(policy: Policy) -> str:
    return "policies." + policy.id.replace("/", ".")


def judge(subject: Subject, policy: Policy) -> Iterator[Finding]:
    """What `policy` says of an object. A policy on facts is asked only about objects of which one
    of its facts has something to say.

    Raises:
        EvaluationError: the policy could not be evaluated, or its answer has the wrong form.
    """
    for answer in subject.answers(policy):
        yield _finding(policy, subject.resource, answer)


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
