"""Asks the policies about one object at a time, and checks what they answer."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import orjson

from auditor.facts import FACTS, Facts
from auditor.facts.workloads import workload_of
from auditor.manifests import without_nulls
from auditor.model import Finding, Policy, Resource
from auditor.policies.alike import Alike, Cell
from auditor.policies.answers import Answer, answer_of
from auditor.policies.drafts import Checked
from auditor.policies.engine import EvaluationError, PolicyEngine
from auditor.policies.ours import is_ours
from auditor.policies.packages import package_for
from auditor.policies.parameters import given
from auditor.policies.siblings import common, is_one_of_many, with_one_token
from auditor.policies.workers import Apart
from auditor.values import dataclass


class Prepared:
    """An object as JSON, encoded once for all who are asked about it: as a whole, or where it is
    one of many `siblings`, as these have it in common; without the fields that hold nothing.
    """

    def __init__(self, resource: Resource, *, siblings: bool) -> None:
        self._resource = resource
        self.is_shared = siblings and is_one_of_many(resource.manifest)

    def mentions(self, words: Iterable[bytes]) -> bool:
        """Whether any of the words stands anywhere in the object; also where that cannot be told.
        Words are of signs that JSON writes as they are.
        """
        try:
            whole, _ = self._encoded
        except TypeError:
            return True
        return any(word in whole for word in words)

    @property
    def size(self) -> int:
        """How many bytes are held of it: none before somebody asked."""
        held = vars(self).get("_encoded")
        return sum(len(part) for part in held if part) if held else 0

    def document(
        self, facts: Mapping[str, Any], kubernetes: int, parameters: Mapping[str, Any] | None
    ) -> bytes:
        """The input of a policy of ours as JSON: the object, its pod specification, a flat list of
        its containers with their paths, what the facts say of it, and what the policy was declared.
        Of a controller's pod, `siblings` says what is left out.

        Raises:
            EvaluationError: the object holds what JSON cannot carry to an engine unchanged.
        """
        try:
            encoded = orjson.dumps(self._document(facts, kubernetes, parameters))
        except TypeError as error:
            raise EvaluationError(f"the object cannot be given to a policy: {error}") from error
        # orjson writes null for what is no number, and a policy would see another object.
        if b"null" in encoded and not _is_exact(self._resource.manifest):
            why = "the object cannot be given to a policy: it holds NaN or infinity"
            raise EvaluationError(why)
        return encoded

    def _document(
        self, facts: Mapping[str, Any], kubernetes: int, parameters: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        whole, workload = self._encoded
        document: dict[str, Any] = {
            "kubernetes": kubernetes,
            "object": orjson.Fragment(whole),
            "facts": facts,
        }
        if parameters:
            document["parameters"] = parameters
        if workload is not None:
            document["workload"] = orjson.Fragment(workload)
        return document

    @cached_property
    def _encoded(self) -> tuple[bytes, bytes | None]:
        if not self.is_shared:
            return _written(self._resource)
        common_part = replace(self._resource, manifest=common(self._resource.manifest))
        whole, workload = _written(common_part)
        return with_one_token(whole), with_one_token(workload) if workload else None


def _written(resource: Resource) -> tuple[bytes, bytes | None]:
    """The object as JSON, and what it is as a workload."""
    whole = orjson.dumps(resource.manifest)
    if b"null" in whole:
        resource = replace(resource, manifest=without_nulls(resource.manifest))
        whole = orjson.dumps(resource.manifest)
    return whole, _workload(resource)


def _workload(resource: Resource) -> bytes | None:
    workload = workload_of(resource)
    if workload is None:
        return None
    containers = [{"list": c.list, "path": c.path, "spec": c.spec} for c in workload.containers]
    return orjson.dumps({"pod": workload.pod, "path": workload.pod_path, "containers": containers})


def _is_exact(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_exact, value.values()))
    if isinstance(value, list):
        return all(map(_is_exact, value))
    return not isinstance(value, float) or math.isfinite(value)


@dataclass(frozen=True, slots=True)
class Panel:
    """Policies that read the same facts and look for the same words: what they are given is
    prepared once, and all of them are asked at once. A policy with parameters is told its own,
    and stands alone.
    """

    facts: tuple[str, ...]
    policies: tuple[Policy, ...]
    packages: tuple[str, ...]
    mentions: tuple[bytes, ...]
    """They are asked about objects that mention one of these words; empty: about all."""
    is_ours: bool
    """Whether we wrote them: those of others are given pods as a whole."""
    is_of_workloads: bool = False
    """Whether all of these facts, and there are some, are about workloads alone."""


def panels(policies: Iterable[Policy]) -> tuple[Panel, ...]:
    """The policies by what they read beside the object, and by what it has to mention."""
    same: dict[tuple[tuple[str, ...], tuple[str, ...], bool, str], list[Policy]] = {}
    for policy in policies:
        apart = policy.id if policy.parameters else ""
        key = (policy.facts, policy.mentions, is_ours(policy.file), apart)
        same.setdefault(key, []).append(policy)
    return tuple(
        Panel(
            facts,
            tuple(found),
            tuple(package_for(policy.id) for policy in found),
            tuple(word.encode() for word in words),
            ours,
            bool(facts) and all(FACTS[name].is_of_workloads for name in facts),
        )
        for (facts, words, ours, _), found in same.items()
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


class Hearing:
    """One object, before those who are asked about it."""

    def __init__(self, resource: Resource, facts: Facts) -> None:
        self._resource = resource
        self._facts = facts
        self._ours = Prepared(resource, siblings=True)
        shared = self._ours.is_shared
        self._theirs = Prepared(resource, siblings=False) if shared else self._ours
        self._known: dict[str, Any] = {}

    @property
    def size(self) -> int:
        """How many bytes are held of what the object is written as."""
        return self._ours.size + (self._theirs.size if self._theirs is not self._ours else 0)

    def questions(self, asked: Iterable[Panel]) -> Iterator[Question]:
        """What the panels are to be asked. Those on facts are asked only where one of their facts
        has something to say of the object, those with parameters where one of these says anything,
        those that look for words where one of them is there.
        """
        settings, resource = self._facts.settings, self._resource
        for panel in asked:
            if panel.is_of_workloads and resource.ref.key not in self._facts.by_key:
                continue
            encoded = self._ours if panel.is_ours else self._theirs
            if panel.mentions and not encoded.mentions(panel.mentions):
                continue
            about = self._about(panel)
            told = given(panel.policies[0], settings)
            if (panel.facts and not about) or (told and not any(told.values())):
                continue
            try:
                document = encoded.document(about, settings.kubernetes, told)
            except EvaluationError as error:
                yield Question(resource, panel, error)
            else:
                yield Question(resource, panel, document)

    def _about(self, panel: Panel) -> Mapping[str, Any]:
        if not panel.facts:
            return {}
        return self._facts.about(self._resource, panel.facts, self._known)


def answered(
    engine: PolicyEngine, asked: Iterable[Question], known: Alike | None = None
) -> Iterator[tuple[Resource, Policy, list[Finding] | EvaluationError]]:
    """What each policy says to each question, in their order: its findings, or why it could not be
    evaluated or its answer has not the right form. Who has nothing to say is left out. The engine
    is asked once about documents that are alike, and not about what is `known`.
    """
    for resource, cell in _filled(engine, asked, Alike() if known is None else known):
        for policy, said in cell.said or ():
            if isinstance(said, EvaluationError):
                yield resource, policy, said
            else:
                yield resource, policy, [draft.on(resource) for draft in said]


def _filled(
    engine: PolicyEngine, asked: Iterable[Question], known: Alike
) -> Iterator[tuple[Resource, Cell]]:
    waiting: deque[tuple[Resource, Cell]] = deque()
    on_their_way: deque[Cell] = deque()
    checked = Checked()

    def new() -> Iterator[Question]:
        for question in asked:
            cell, is_new = _cell(question, known)
            waiting.append((question.resource, cell))
            if is_new:
                on_their_way.append(cell)
                yield question

    for question, answer in _said(engine, new()):
        panel = question.panel
        on_their_way.popleft().said = checked.drafts(panel.policies, panel.packages, answer)
        while waiting and waiting[0][1].said is not None:
            yield waiting.popleft()
    yield from waiting


def _cell(question: Question, known: Alike) -> tuple[Cell, bool]:
    if isinstance(question.document, EvaluationError):
        return Cell(), True
    return known.cell(question.packages, question.document)


def _said(engine: PolicyEngine, asked: Iterable[Question]) -> Iterator[tuple[Question, Answer]]:
    if isinstance(engine, Apart):
        yield from engine.answers(asked)
        return
    for question in asked:
        if isinstance(question.document, EvaluationError):
            yield question, dict.fromkeys(question.packages, question.document)
        else:
            yield question, answer_of(engine, question.packages, question.document)
