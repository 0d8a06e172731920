"""One question to several policies at once, and what each of them answers."""

from __future__ import annotations

from collections.abc import Mapping

from auditor.policies.engine import EvaluationError, PolicyEngine, RawFinding

Answer = Mapping[str, list[RawFinding] | EvaluationError]
"""Package → what its rule `deny` says, or why it could not tell."""


def answer_of(engine: PolicyEngine, packages: tuple[str, ...], document: bytes) -> Answer:
    """What the packages say of an input. Where one of them fails, each is asked for itself, and
    the one to blame says so.
    """
    try:
        return engine.evaluate_all(packages, document)
    except EvaluationError:
        return {package: alone(engine, package, document) for package in packages}


def alone(
    engine: PolicyEngine, package: str, document: bytes
) -> list[RawFinding] | EvaluationError:
    """What one package says, or why it could not tell."""
    try:
        return engine.evaluate(package, document)
    except EvaluationError as error:
        # The error itself would keep the engine alive, which must end in the thread that made it.
        return EvaluationError(str(error))
